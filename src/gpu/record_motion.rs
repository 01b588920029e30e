//! From vectors to the commands that make the frames that are expected.

use super::params::MOST_PLANES;
use super::record_tiles::Recorder;
use super::recording::{Recording, Slot, Work};
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::frame::{Geometry, TILE_SAMPLES};
use crate::motion::{Field, Motion, filter_words};
use crate::plan::{Colour, TileCut};

/// Words of a plane.
const PLANE_WORDS: usize = 6;
/// Samples that an invocation makes.
const WORD_SAMPLES: usize = 4;

/// Raw frames in, the frames that are expected out.
pub(super) fn expected(geometry: &Geometry, motion: &Motion) -> Result<Recording> {
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
    let mut recorder = Recorder::new(geometry, cut)?;
    let raw = recorder.recording.buffer(geometry.raw_bytes())?;
    recorder.recording.upload(raw);
    let vectors = vectors(&mut recorder.recording, geometry, motion)?;
    let expected = recorder.expect(geometry, raw, vectors)?;
    recorder.recording.download(expected, 0..bytes(geometry));
    Ok(recorder.recording)
}

/// Length of all frames that are expected.
pub(super) fn bytes(geometry: &Geometry) -> usize {
    geometry.raw_bytes() - geometry.frame_samples
}

/// The table of filters, planes and vectors that the shaders read.
pub(super) fn vectors(recording: &mut Recording, geometry: &Geometry, motion: &Motion) -> Result<Slot> {
    let (planes, fields) = (geometry.planes.iter().zip(&motion.shares), &motion.fields);
    let units = fields.first().map_or(0, |field| field.vectors.len());
    let across = fields.first().map_or(0, |field| field.across);
    let alike = |field: &Field| (field.across, field.vectors.len()) == (across, units);
    if fields.len() + 1 != geometry.frames || motion.shares.len() != planes.len() || !fields.iter().all(alike) {
        return Err(Error::gpu("vectors: they are not those of such frames"));
    }
    let mut words = filter_words();
    let first_field = words.len() + MOST_PLANES * PLANE_WORDS;
    for (plane, share) in planes {
        let numbers = [plane.offset, plane.width, plane.height, plane.step];
        words.extend(numbers.map(|number| number as u32));
        words.extend([share.across, share.down]);
    }
    words.resize(first_field, 0);
    words.extend([across as u32, 1 + units as u32]);
    for field in fields {
        words.push(field.filter as u32);
        words.extend(field.vectors.iter().map(|vector| vector.packed()));
    }
    recording.table(&words)
}

impl Recorder {
    /// A buffer with the frames that are expected of all but the first of those in `raw`.
    pub fn expect(&mut self, geometry: &Geometry, raw: Slot, vectors: Slot) -> Result<Slot> {
        let expected = self.recording.buffer(bytes(geometry))?;
        let words = Work::Invocations(bytes(geometry).div_ceil(WORD_SAMPLES));
        self.dispatch(Kernel::ExpectForward, &[raw, expected, vectors], words);
        Ok(expected)
    }

    /// Puts what is expected of `frame` in the place of the frame before, among the samples of tiles in `planes`. `raw` has all
    /// frames before it.
    pub fn expect_tiles(&mut self, geometry: &Geometry, frame: usize, [raw, planes, vectors]: [Slot; 3]) {
        self.params.first_frame = frame as u32;
        let samples = self.tiles / geometry.frames * TILE_SAMPLES;
        let words = Work::Invocations(samples / WORD_SAMPLES);
        self.dispatch(Kernel::ExpectInverse, &[raw, planes, vectors], words);
        self.moves_only_of(geometry, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::params;
    use super::super::probe::sample_motion;
    use super::super::recording::{Command, Dispatch};
    use super::*;
    use crate::frame::{ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

    fn geometry(frames: usize) -> Geometry {
        let chroma = ChromaOrder::UvInterleaved;
        let layout = Layout::Yuv { width: 37, height: 35, sampling: ChromaSampling::Cs420, chroma };
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), frames)
    }

    /// Filters, planes, and a field for each frame but the first.
    #[test]
    fn vectors_follow_filters_and_planes() {
        let geometry = geometry(3);
        let motion = sample_motion(&geometry, 100, 3).unwrap();
        let mut recording = Recording::default();
        vectors(&mut recording, &geometry, &motion).unwrap();
        let words: &[u32] = bytemuck::cast_slice(&recording.tables[0].2);
        let words = &words[filter_words().len()..];
        let samples = 37 * 35;
        assert_eq!(words[..18], [0, 37, 35, 1, 0, 0, samples, 19, 18, 2, 1, 1, samples + 1, 19, 18, 2, 1, 1]);
        assert_eq!(words[18..26], [0, 0, 0, 0, 0, 0, 6, 1 + 36]);
        for (field, words) in motion.fields.iter().zip(words[26..].chunks(37)) {
            assert_eq!(words[0], field.filter as u32);
            for (vector, word) in field.vectors.iter().zip(&words[1..]) {
                assert_eq!([vector.x as u16, vector.y as u16], [*word as u16, (word >> 16) as u16]);
            }
        }
        assert_eq!(words.len(), 26 + 2 * 37);
    }

    #[test]
    fn vectors_of_other_frames_are_refused() {
        let motion = sample_motion(&geometry(3), 100, 3).unwrap();
        let mut shorter = motion.clone();
        shorter.fields[1].vectors.pop();
        let refused = |frames, motion| vectors(&mut Recording::default(), &geometry(frames), motion).is_err();
        assert!(refused(4, &motion) && refused(2, &motion) && refused(3, &shorter) && !refused(3, &motion));
    }

    /// Each frame is expected from the one before, restored, and made a raw one.
    #[test]
    fn frames_that_move_are_restored_one_by_one() {
        let geometry = geometry(3);
        let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
        let mut recorder = Recorder::new(&geometry, cut).unwrap();
        let tiles = recorder.recording.buffer(1 << 20).unwrap();
        let motion = sample_motion(&geometry, 100, 3).unwrap();
        let [raw, _] = recorder.restore(&geometry, tiles, Some(&motion)).unwrap();
        assert_ne!(raw, tiles, "residuals of later frames are still there");
        let frames = |dispatch: &Dispatch| {
            let params: params::Tiles = bytemuck::pod_read_unaligned(&dispatch.params);
            (dispatch.kernel, params.first_frame, params.end_frame)
        };
        let of_frame = |frame| [(Kernel::RestoreInverse, frame, frame + 1), (Kernel::PhasesInverse, frame, frame + 1)];
        let found: Vec<_> = recorder.recording.dispatches().map(frames).collect();
        let expected = |frame| [(Kernel::ExpectInverse, frame, frame)];
        let all = [&of_frame(0)[..], &expected(1), &of_frame(1), &expected(2), &of_frame(2)];
        assert_eq!(found, all.concat());
        assert!(recorder.recording.commands.iter().all(|command| matches!(command, Command::Dispatch(_))));
    }
}
