//! From vectors to the commands that make the frames that are expected.

use super::params::MOST_PLANES;
use super::record_tiles::Recorder;
use super::recording::{Recording, Slot, Work};
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::motion::{Field, Motion, Vector, filter_words};
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
        let packed = |vector: &Vector| u32::from(vector.x as u16) | u32::from(vector.y as u16) << 16;
        words.extend(field.vectors.iter().map(packed));
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
}
