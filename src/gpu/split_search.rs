//! The search for motion on a device, in parts where frames are too many for it.

use super::engine::Engine;
use super::parts::{Part, parts};
use super::record_search::{self, Pairs};
use crate::error::Result;
use crate::motion::{Field, Filter, SearchEffort};

/// How frames have moved, each since the one before.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) also if the device has no room for one pair.
pub(super) fn search(
    engine: &Engine,
    frames: &[&[u8]],
    width: usize,
    filter: Filter,
    last: Option<&Field>,
    effort: SearchEffort,
) -> Result<Vec<Field>> {
    let Some([first, _]) = frames.first_chunk::<2>() else { return Ok(Vec::new()) };
    let (frame_samples, height) = (first.len(), first.len() / width);
    // Which frames are equal makes no difference to the room that they need.
    let moving = vec![false; frames.len() - 1];
    let all = Pairs { width, height, filter, effort, last, are_equal: &moving };
    let fits = |frames: usize| {
        let recording = record_search::search(&Pairs { are_equal: &moving[..frames - 1], ..all });
        engine.fits(recording, frames * frame_samples)
    };
    // If one pair does not fit, the whole fails with what it lacks.
    let parts = parts(frames.len(), 1, 1, fits).unwrap_or_else(|| vec![Part::whole(frames.len())]);
    let mut fields: Vec<Field> = Vec::with_capacity(frames.len() - 1);
    // A first part of one frame has no pairs.
    for part in parts.into_iter().filter(|part| part.with_lead().len() > 1) {
        let frames = &frames[part.with_lead()];
        let are_equal: Vec<bool> = frames.windows(2).map(|pair| pair[0] == pair[1]).collect();
        let pairs = Pairs { last: fields.last().or(last), are_equal: &are_equal, ..all };
        let recording = record_search::search(&pairs)?;
        let mut downloaded = vec![0; recording.download_bytes() as usize];
        engine.execute(&recording, &frames.concat(), &mut downloaded)?;
        let found = record_search::fields(&pairs, &downloaded);
        fields.extend(found);
    }
    Ok(fields)
}
