//! From segments of tiles to the commands that make raw frames of them.

use super::params;
use super::record_rans::{self, Code, Ends, Row};
use super::record_recover;
use super::record_tiles::{Recorder, bytes_with_classes};
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::codec::{self, TileDecoderTables};
use crate::error::Result;
use crate::frame::{Geometry, TILE_GROUPS, TILE_SAMPLES, Tiling};
use crate::motion::Motion;
use crate::plan::TilePlan;
use crate::stage::{CodedSegment, CodedTiles, Restored, TileBatch};

/// Words of the codes and escaped residuals in, one after the other; raw frames out.
pub(super) struct Decoding {
    pub recording: Recording,
    /// What has the raw frames in the end.
    pub raw: Slot,
    /// Has the samples of tiles in the end.
    pub samples: Slot,
    list: Slot,
    ends: Ends,
}

impl Decoding {
    /// `coded` has been [checked](CodedTiles::check), which said how many groups are coded of each segment; `motion` says how
    /// frames move.
    pub fn new(
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        groups: &[usize],
        motion: Option<&Motion>,
    ) -> Result<Self> {
        Self::after(None, restored, plan, tables, coded, groups, motion)
    }

    /// The same for frames that are not downloaded.
    pub fn resident(
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        groups: &[usize],
        motion: Option<&Motion>,
    ) -> Result<Self> {
        Self::record(None, restored, plan, tables, coded, groups, motion)
    }

    /// The same as [`new`](Self::new) of a batch that begins with a frame that is in no segment, whose tiles are `before`.
    pub fn after(
        before: Option<&TileBatch>,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        groups: &[usize],
        motion: Option<&Motion>,
    ) -> Result<Self> {
        let mut decoding = Self::record(before, restored, plan, tables, coded, groups, motion)?;
        decoding.recording.download(decoding.raw, 0..restored.geometry.raw_bytes());
        Ok(decoding)
    }

    fn record(
        before: Option<&TileBatch>,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        groups: &[usize],
        motion: Option<&Motion>,
    ) -> Result<Self> {
        let geometry = &*restored.tiled();
        let all = tables.all();
        let mut recorder = Recorder::with_tables(geometry, plan.cut(), &tables.firsts())?;
        recorder.params.segment_frames = plan.segment_frames;
        let tiles = recorder.recording.buffer(bytes_with_classes(recorder.tiles))?;
        recorder.recording.fill(tiles, recorder.tiles * TILE_SAMPLES, &coded.predictors);
        recorder.recording.fill(tiles, TileBatch::bytes_of(recorder.tiles), &coded.classes);
        let layout = Layout::new(recorder.tiles, coded);
        let list = recorder.recording.buffer(4 * layout.words)?;
        let input = recorder.recording.buffer(layout.input_bytes)?;
        record_rans::check_entries(recorder.tiles * TILE_GROUPS, all.len())?;

        recorder.recording.upload(input);
        match before {
            None => recorder.recording.clear_part(tiles, 0..recorder.tiles * TILE_SAMPLES),
            Some(before) => begin_with(&mut recorder.recording, before, geometry, &plan.tiling(geometry), tiles),
        }
        let lead = usize::from(before.is_some());
        recorder.list(lead, tiles, list, coded.segments.len())?;
        let rows = layout.rows(lead, geometry, plan, coded, groups);
        let storage = [input, tiles, list];
        record_rans::decode_list(
            &mut recorder.recording,
            &all,
            rows.into_iter(),
            storage,
            layout.entries,
            &layout.ends,
        )?;
        put_escapes(&mut recorder.recording, &layout, coded, storage)?;
        let [tiled, samples] = recorder.restore(geometry, tiles, motion)?;
        let raw = record_recover::made(&mut recorder.recording, restored, tiled)?;
        Ok(Self { recording: recorder.recording, raw, samples, list, ends: layout.ends })
    }

    /// Length of what is uploaded.
    pub fn input_bytes(coded: &CodedTiles<'_>) -> usize {
        let of_segment = |CodedSegment { escapes, codes }: &CodedSegment<'_>| {
            codes.iter().map(|code| code.words.len()).sum::<usize>() + escapes.len()
        };
        coded.segments.iter().map(of_segment).sum()
    }

    /// What is uploaded.
    pub fn input(coded: &CodedTiles<'_>) -> Vec<u8> {
        let codes = coded.segments.iter().flat_map(|segment| &segment.codes);
        let words = codes.flat_map(|code| code.words.iter());
        words.chain(coded.segments.iter().flat_map(|segment| segment.escapes.iter())).copied().collect()
    }

    /// How each code ended, which is downloaded after raw frames, because these need no place beside it then.
    pub fn rest(&self) -> Recording {
        let mut rest = self.recording.continuation();
        rest.download_to(0, self.list, self.ends.bytes());
        rest
    }

    /// Reads that.
    ///
    /// # Errors
    /// Corrupt if a code did not end as it should.
    pub fn check(coded: &CodedTiles<'_>, ends: &[u8]) -> Result<()> {
        let mut ends = Ends::read(ends);
        for CodedSegment { escapes, codes } in &coded.segments {
            let mut places = 0;
            for (code, (states, taken, escaped)) in codes.iter().zip(ends.by_ref()) {
                codec::check_ends(&states, taken, code.words.len() / 2)?;
                places += escaped;
            }
            codec::check_escapes(places, escapes)?;
        }
        Ok(())
    }
}

/// Where things are in the buffer of the list, in 32-bit words, and in the input.
struct Layout {
    /// First entry.
    entries: usize,
    ends: Ends,
    /// First of the places of escaped residuals.
    places: usize,
    /// Length of the buffer of the list.
    words: usize,
    /// First escaped residual of the input.
    escapes: usize,
    input_bytes: usize,
}

impl Layout {
    fn new(tiles: usize, coded: &CodedTiles<'_>) -> Self {
        let codes = || coded.segments.iter().flat_map(|segment| &segment.codes);
        let escaped = |segment: &CodedSegment<'_>| segment.escapes.len();
        // The list begins with two codes of each segment, which are not looked at.
        let entries = 4 * coded.segments.len();
        let ends = Ends { first: entries + tiles * TILE_GROUPS, codes: codes().count() };
        let places = ends.first + Ends::words(ends.codes);
        let places_of_codes = coded.segments.iter().map(|segment| escaped(segment) * segment.codes.len());
        let words = places + places_of_codes.sum::<usize>();
        let escapes = codes().map(|code| code.words.len()).sum();
        let input_bytes = Decoding::input_bytes(coded);
        Self { entries, ends, places, words, escapes, input_bytes }
    }

    /// Each code of each segment: as many entries as the coded `groups`, from the number of its first group on. The first
    /// `lead` frames are in no segment.
    fn rows<'c>(
        &self,
        lead: usize,
        geometry: &Geometry,
        plan: &TilePlan,
        coded: &'c CodedTiles<'_>,
        groups: &[usize],
    ) -> Vec<Row<'c>> {
        let tiling = plan.tiling(geometry);
        let of_segment = plan.segment_frames as usize;
        let frames = || (lead..geometry.frames).step_by(of_segment);
        let mut band_first = 0;
        let first_tiles = tiling.bands.iter().flat_map(|band| {
            let first = band_first;
            band_first += geometry.frames * band.tiles();
            frames().map(move |frame| first + frame * band.tiles())
        });
        let mut rows = Vec::with_capacity(self.ends.codes);
        let (mut word, mut place) = (0, self.places);
        for ((first_tile, segment), &groups) in first_tiles.zip(&coded.segments).zip(groups) {
            let mut entry = first_tile * TILE_GROUPS;
            let of_first = if segment.codes.len() > 1 { groups.div_ceil(2) } else { groups };
            for (code, of_code) in segment.codes.iter().zip([of_first, groups - of_first]) {
                let of_row = |next: &mut usize, length: usize| {
                    let first = *next;
                    *next += length;
                    first..*next
                };
                rows.push(Row {
                    entries: of_row(&mut entry, of_code),
                    words: of_row(&mut word, code.words.len() / 2),
                    places: of_row(&mut place, segment.escapes.len()),
                    states: &code.states,
                });
            }
        }
        rows
    }

    /// What is escaped of each segment.
    fn escaped(&self, coded: &CodedTiles<'_>) -> Vec<params::EscapedSegment> {
        let (mut first, mut places, mut code) = (self.escapes, self.places, 0);
        let segment = |CodedSegment { escapes, codes }: &CodedSegment<'_>| {
            let numbers = [first, escapes.len(), places, code, codes.len()];
            first += escapes.len();
            places += escapes.len() * codes.len();
            code += codes.len();
            bytemuck::cast(numbers.map(|number| number as u32))
        };
        coded.segments.iter().map(segment).collect()
    }
}

/// Bytes of the largest buffer for any codes of such a batch of which so many residuals are escaped.
pub(super) fn most_bytes(restored: Restored<'_>, plan: &TilePlan, escapes: usize) -> u64 {
    let geometry = &*restored.tiled();
    let tiles = plan.tiling(geometry).tiles() * geometry.frames;
    let segments = plan.bands as usize * plan.segments(geometry);
    let (codes, groups) = (2 * segments, tiles * TILE_GROUPS);
    let list = 4 * (4 * segments + groups + Ends::words(codes) + 2 * escapes);
    let coded = Code::bytes(codes, groups) + escapes;
    list.max(coded).max(bytes_with_classes(tiles)).max(restored.geometry.raw_bytes()) as u64
}

/// Puts the tiles of the first frame to `tiles`, and zeros to the groups of the others.
fn begin_with(recording: &mut Recording, before: &TileBatch, geometry: &Geometry, tiling: &Tiling, tiles: Slot) {
    let mut first = 0;
    for (band, (_, groups)) in tiling.bands.iter().zip(before.bands(tiling, 1)) {
        let (start, others) = (first * TILE_SAMPLES, (first + band.tiles()) * TILE_SAMPLES);
        first += geometry.frames * band.tiles();
        recording.fill(tiles, start, groups.as_flattened());
        recording.clear_part(tiles, others..first * TILE_SAMPLES);
    }
}

fn put_escapes(
    recording: &mut Recording,
    layout: &Layout,
    coded: &CodedTiles<'_>,
    [input, tiles, list]: [Slot; 3],
) -> Result<()> {
    let rows = recording.table(&layout.escaped(coded))?;
    let params = params::Escapes { segments: coded.segments.len() as u32, ends: layout.ends.first as u32 };
    let overrides = Overrides { sample_bytes: 1, predictor: None };
    let work = Work::Workgroups(coded.segments.len());
    recording.dispatch(Kernel::EscapesInverse, overrides, params, &[input, list, tiles, rows], work);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{TileCounts, TileEncoderTables};
    use crate::cpu::{CpuBackend, SimdLevel};
    use crate::frame::{Batch, Dtype, FrameFormat, GROUP, Layout as FrameLayout, Tiling};
    use crate::gpu::sample_bytes;
    use crate::plan::{Colour, TileCoding};
    use crate::stage::{Backend, TileEffort};

    /// Codes follow one another in the input, and so do their entries within a segment.
    #[test]
    fn rows_cover_input_and_entries() {
        let layout = FrameLayout::Gray { width: 512, height: 544 };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 3);
        let raw = sample_bytes(geometry.raw_bytes(), 3);
        let mut counts = TileCounts::new(Tiling::sets(&geometry, false));
        counts.count(0, 64, &[1; GROUP]);
        let (tables, classes) = counts.tables();
        let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
        let coding = TileCoding::Tables(tables);
        let plan =
            TilePlan { colour: Colour::None, split_chroma: false, bands: 2, segment_frames: 2, moves: false, coding };
        let batch = Batch { geometry: &geometry, raw: &raw };
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let coded = cpu.tiles_encode(batch, &plan, TileEffort::Few, &encode, None).unwrap();
        let groups = coded.check(&geometry, &plan, &plan.tiling(&geometry), &decode).unwrap();
        // Two frames of a band have two codes, the third alone has one.
        let codes: Vec<_> = coded.segments.iter().map(|segment| segment.codes.len()).collect();
        assert_eq!(codes, [2, 1, 2, 1]);

        let layout = Layout::new(geometry.frames * plan.tiling(&geometry).tiles(), &coded);
        let rows = layout.rows(0, &geometry, &plan, &coded, &groups);
        let mut word = 0;
        let mut rows = rows.iter();
        let mut first_entry = 0;
        let tiles = [2, 1, 2, 1].map(|frames| frames * 544);
        for ((segment, &groups), tiles) in coded.segments.iter().zip(&groups).zip(tiles) {
            let mut entry = first_entry;
            for row in rows.by_ref().take(segment.codes.len()) {
                assert_eq!((row.words.start, row.entries.start), (word, entry));
                (word, entry) = (row.words.end, row.entries.end);
            }
            assert_eq!(entry, first_entry + groups);
            first_entry += tiles * TILE_GROUPS;
        }
        assert_eq!(2 * word, layout.escapes);
        assert_eq!(Decoding::input(&coded).len(), layout.input_bytes);

        let Decoding { recording, raw, .. } =
            Decoding::new((&geometry).into(), &plan, &decode, &coded, &groups, None).unwrap();
        let kernels: Vec<_> = recording.dispatches().map(|dispatch| dispatch.kernel).collect();
        let expected = [
            Kernel::ListForward,
            Kernel::LanesDecode,
            Kernel::EscapesInverse,
            Kernel::RestoreInverse,
            Kernel::PhasesInverse,
        ];
        assert_eq!(kernels, expected);
        assert_eq!(recording.download_bytes() as usize, geometry.raw_bytes());
        let resident = Decoding::resident((&geometry).into(), &plan, &decode, &coded, &groups, None).unwrap().recording;
        assert_eq!(resident.download_bytes(), 0);
        assert!(recording.buffers[raw.0] as usize >= geometry.raw_bytes());
    }
}
