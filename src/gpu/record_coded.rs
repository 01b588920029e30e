//! From a plan of tiles to the commands that make its segments, all but predictors and classes.

use std::ops::Range;

use super::params::MOST_SETS;
use super::record_motion;
use super::record_rans::{self, Code, EncodedEnd};
use super::record_tiles::{RawFrames, Recorder, bytes_with_classes};
use super::recording::{Recording, Slot};
use crate::codec::{TWO_CODES, TileEncoderTables};
use crate::error::{Error, Result};
use crate::frame::{Geometry, TILE_GROUPS, TILE_SAMPLES};
use crate::motion::Motion;
use crate::plan::{TilePlan, TilePredictor};
use crate::stage::{CodedSegment, CodedTiles, SegmentCode, TileBatch, TileEffort};

/// Codes that a segment can have.
const SEGMENT_CODES: usize = 2;

/// Classes have 4 bits of their bytes. What the others say is for kernels, and only of groups that have a class.
const CLASS: u8 = 15;

/// Raw frames in, coded tiles out, in two submissions: how long codes are has to be known before they are downloaded.
pub(super) struct Encoding {
    pub recording: Recording,
    /// What has the raw frames to begin with.
    pub raw: Slot,
    tiles: Slot,
    code: Code,
    /// Tiles of the batch.
    count: usize,
}

impl Encoding {
    /// For frames of the host, and how they move.
    pub fn new(
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<Self> {
        Self::after(0, geometry, plan, effort, tables, motion)
    }

    /// For frames that are there.
    pub fn resident(
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<Self> {
        Self::record(RawFrames::Resident, 0, geometry, plan, effort, tables, None)
    }

    /// For frames of the host, of which the first `lead` are only there to predict the others from: their tiles come out, but
    /// they are in no segment.
    pub fn after(
        lead: usize,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<Self> {
        Self::record(RawFrames::Uploaded, lead, geometry, plan, effort, tables, motion)
    }

    fn record(
        frames: RawFrames,
        lead: usize,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<Self> {
        let marked = tables.marked();
        let mut recorder = Recorder::with_tables(geometry, plan.cut(), &tables.firsts())?;
        recorder.params.segment_frames = plan.segment_frames;
        recorder.params.two_codes = TWO_CODES as u32;
        recorder.params.classes = packed_classes(tables);
        let count = recorder.tiles;
        let groups = count * TILE_GROUPS;
        record_rans::check_entries(groups, marked.len())?;
        let segments = plan.bands as usize * (geometry.frames - lead).div_ceil(plan.segment_frames as usize);
        let codes = segments * SEGMENT_CODES;
        let (raw, buffer) = match frames {
            RawFrames::Uploaded => {
                // The raw frames are done with when groups are coded.
                let both = recorder.recording.buffer(geometry.raw_bytes().max(Code::bytes(codes, groups)))?;
                recorder.recording.upload(both);
                (both, both)
            }
            RawFrames::Resident => {
                let raw = recorder.recording.buffer(geometry.raw_bytes())?;
                (raw, recorder.recording.buffer(Code::bytes(codes, groups))?)
            }
        };
        let code = Code { buffer, codes };
        let tiles = recorder.recording.buffer(bytes_with_classes(count))?;
        let list = recorder.recording.buffer((SEGMENT_CODES * codes + groups) * size_of::<u32>())?;

        let earlier = match motion {
            None => raw,
            Some(motion) => {
                let vectors = record_motion::vectors(&mut recorder.recording, geometry, motion)?;
                recorder.expect(geometry, raw, vectors)?
            }
        };
        recorder.choose(effort, raw, earlier, tiles);
        recorder.list(lead, tiles, list, segments)?;
        let mut recording = recorder.recording;
        record_rans::encode_list(&mut recording, &marked, [list, tiles], TileBatch::bytes_of(count), &code)?;
        recording.download_to(0, tiles, count * TILE_SAMPLES..bytes_with_classes(count));
        recording.download_to(classes_at(count) + groups, code.buffer, code.head());
        Ok(Self { recording, raw, tiles, code, count })
    }

    /// Length of what the recording downloads.
    pub fn head_bytes(&self) -> usize {
        self.recording.download_bytes() as usize
    }

    /// Reads that.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device says nonsense.
    pub fn ends(&self, head: &[u8]) -> Result<Vec<EncodedEnd>> {
        let groups = self.count * TILE_GROUPS;
        self.code.ends(&head[classes_at(self.count) + groups..], groups)
    }

    /// What is downloaded when it is known how long codes are.
    pub fn rest(&self, ends: &[EncodedEnd]) -> Recording {
        let mut rest = self.recording.continuation();
        let mut to = 0;
        for (from, bytes) in self.pieces(ends).filter(|(_, bytes)| !bytes.is_empty()) {
            let whole_words = bytes.start / 4 * 4..bytes.end;
            rest.download_to(to, from, whole_words.clone());
            to += whole_words.len();
        }
        rest
    }

    /// The buffers that have the words and escaped bytes of each code. All pieces end with a whole word.
    fn pieces<'a>(&self, ends: &'a [EncodedEnd]) -> impl Iterator<Item = (Slot, Range<usize>)> + use<'a> {
        let (code, tiles) = (self.code.buffer, self.tiles);
        ends.iter().flat_map(move |end| [(code, end.words.clone()), (tiles, end.escapes.clone())])
    }

    /// The coded tiles from what both submissions downloaded.
    ///
    /// # Errors
    /// As [`ends`](Self::ends).
    pub fn coded(&self, head: &[u8], ends: &[EncodedEnd], rest: &[u8]) -> Result<CodedTiles<'static>> {
        let mut from = 0;
        let mut pieces = self.pieces(ends).map(|(_, bytes)| {
            from += (bytes.start / 4 * 4..bytes.end).len();
            &rest[from - bytes.len()..from]
        });
        let segment = |ends: &[EncodedEnd]| {
            let mut segment = CodedSegment::default();
            for end in ends {
                let (words, escapes) = (pieces.next().unwrap_or_default(), pieces.next().unwrap_or_default());
                if !end.is_empty() {
                    segment.codes.push(SegmentCode { states: end.states, words: words.to_vec().into() });
                }
                segment.escapes.to_mut().extend(escapes);
            }
            segment
        };
        let segments = ends.chunks(SEGMENT_CODES).map(segment).collect();
        let predictors = &head[..self.count];
        let classes = &head[classes_at(self.count)..][..self.count * TILE_GROUPS];
        if predictors.iter().any(|&id| usize::from(id) >= TilePredictor::ALL.len()) {
            return Err(Error::gpu("the device chose a predictor that there is not"));
        }
        if classes.iter().any(|&class| class & CLASS == 0 && class > 0) {
            return Err(Error::gpu("the device chose a class that there is not"));
        }
        let classes = classes.iter().map(|class| class & CLASS).collect();
        Ok(CodedTiles { predictors: predictors.to_vec(), classes, segments })
    }
}

/// Where classes begin in what is downloaded first, after the predictors of `tiles` tiles.
fn classes_at(tiles: usize) -> usize {
    tiles.next_multiple_of(4)
}

/// The class of each level, 4 bits each, set by set.
fn packed_classes(tables: &TileEncoderTables) -> [[u32; 4]; MOST_SETS] {
    let mut packed = [[0; 4]; MOST_SETS];
    for (packed, classes) in packed.iter_mut().zip(tables.classes()) {
        for (word, classes) in packed.iter_mut().zip(classes.chunks(8)) {
            *word = classes.iter().rev().fold(0, |word, &class| word << 4 | u32::from(class));
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::super::shaders::Kernel;
    use super::*;
    use crate::ErrorKind;
    use crate::codec::TileCounts;
    use crate::frame::{Dtype, FrameFormat, GROUP, Layout, Tiling};
    use crate::gpu::recording::Command;
    use crate::plan::{Colour, TileCoding};

    fn encoding(width: usize, height: usize, count: usize) -> Result<Encoding> {
        encoding_of(width, height, count, RawFrames::Uploaded)
    }

    fn encoding_of(width: usize, height: usize, count: usize, frames: RawFrames) -> Result<Encoding> {
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, Layout::Gray { width, height })?, count);
        let mut counts = TileCounts::new(Tiling::sets(&geometry, false));
        counts.count(0, 64, &[1; GROUP]);
        let (tables, classes) = counts.tables();
        let tables_of_plan = TileEncoderTables::new(&tables, classes);
        let coding = TileCoding::Tables(tables);
        let plan =
            TilePlan { colour: Colour::None, split_chroma: false, bands: 1, segment_frames: 2, moves: false, coding };
        Encoding::record(frames, 0, &geometry, &plan, TileEffort::Few, &tables_of_plan, None)
    }

    #[test]
    fn each_kernel_runs_once() {
        let recording = encoding(40, 70, 5).unwrap().recording;
        let dispatches: Vec<_> = recording.dispatches().map(|it| (it.kernel, it.workgroups)).collect();
        // 15 tiles in each of 5 frames; 3 segments.
        assert_eq!(
            dispatches,
            [(Kernel::ChooseForward, [19, 1]), (Kernel::ListForward, [3, 1]), (Kernel::LanesEncode, [6, 1])]
        );
    }

    /// What is there already is not uploaded, and nothing writes to it.
    #[test]
    fn resident_frames_stay() {
        let (uploaded, resident) =
            [RawFrames::Uploaded, RawFrames::Resident].map(|frames| encoding_of(40, 70, 5, frames).unwrap()).into();
        let uploads = |encoding: &Encoding| {
            encoding.recording.commands.iter().filter(|command| matches!(command, Command::Upload { .. })).count()
        };
        assert_eq!((uploads(&uploaded), uploads(&resident)), (1, 0));
        let uses = |kernel| resident.recording.dispatches().find(|it| it.kernel == kernel).unwrap().storage.clone();
        assert!(uses(Kernel::ChooseForward)[0] == resident.raw);
        assert!(
            !uses(Kernel::ListForward).contains(&resident.raw) && !uses(Kernel::LanesEncode).contains(&resident.raw)
        );
    }

    #[test]
    fn a_batch_beyond_any_device_is_an_error() {
        assert_eq!(encoding(1 << 16, 1 << 12, 16).err().unwrap().kind(), ErrorKind::Gpu);
    }

    /// What is left of a word before the first of a code's is left out again.
    #[test]
    fn pieces_are_found_where_they_are_downloaded() {
        let encoding = encoding(40, 70, 2).unwrap();
        let end = |words, escapes| EncodedEnd { states: [7; 32], words, escapes };
        let ends = [end(302..308, 61..64), end(320..320, 0..0)];
        let rest = encoding.rest(&ends);
        assert_eq!(rest.download_bytes(), 12);
        let mut head = vec![0; encoding.head_bytes()];
        let downloaded: Vec<u8> = (0..12).collect();
        let coded = encoding.coded(&head, &ends, &downloaded).unwrap();
        let expected = CodedSegment {
            escapes: vec![9, 10, 11].into(),
            codes: vec![SegmentCode { states: [7; 32], words: vec![2, 3, 4, 5, 6, 7].into() }],
        };
        assert_eq!(coded.segments, [expected]);
        for (at, nonsense) in [(3, 12), (40, 16)] {
            head[at] = nonsense;
            assert_eq!(encoding.coded(&head, &ends, &downloaded).unwrap_err().kind(), ErrorKind::Gpu);
            head[at] = 0;
        }
    }
}
