//! Bands of frames that move: what is expected of a band is made from all bands of the frames that it refers to, so bands are
//! decoded frame by frame, side by side.

use super::{Decoding, SegmentDecoder};
use crate::codec::DecodedTiles;
use crate::codec::model::vectors;
use crate::cpu::CpuBackend;
use crate::cpu::tiles::BandState;
use crate::error::{Error, Result};
use crate::frame::{Band, Geometry, TILE_GROUPS};
use crate::motion::OrderedMotion;
use crate::plan::TilePlan;
use crate::pool::{self, Spares};

/// The motion, if frames move, and the segments after the vectors.
pub(super) fn vectors<'a, 's>(
    geometry: &Geometry,
    plan: &TilePlan,
    blocks: &'a [&'s [u8]],
    cpu: &CpuBackend,
) -> Result<(Option<OrderedMotion>, &'a [&'s [u8]])> {
    if !plan.moves {
        return Ok((None, blocks));
    }
    let (packed_vectors, segments) = split(blocks)?;
    Ok((Some(motion(geometry, packed_vectors, cpu)?), segments))
}

/// The block of vectors, and the segments.
fn split<'a, 's>(blocks: &'a [&'s [u8]]) -> Result<(&'s [u8], &'a [&'s [u8]])> {
    let (packed_vectors, segments) = blocks.split_first().ok_or_else(|| Error::corrupt("tiles: no vectors"))?;
    Ok((*packed_vectors, segments))
}

fn motion(geometry: &Geometry, packed_vectors: &[u8], cpu: &CpuBackend) -> Result<OrderedMotion> {
    let cannot = || Error::corrupt("tiles: frames that cannot move");
    let still = OrderedMotion::still(geometry).ok_or_else(cannot)?;
    let of_one = &still.moved.first().ok_or_else(cannot)?.earlier;
    let (order, moved) = vectors::decode_ordered(cpu.simd(), packed_vectors, geometry.frames, of_one)?;
    Ok(OrderedMotion::new(still.shares, order, moved))
}

/// Restores the first `frames` raw frames from the blocks (the vectors, and the segments, of which they need whole ones), and
/// those that they refer to. What else is to be done with a frame, in `parts`, is done by threads that have no band of the
/// next one.
pub(super) fn decode<P: Send>(
    decoding: &Decoding<'_>,
    blocks: &[&[u8]],
    frames: usize,
    raw: &mut [u8],
    mut parts: impl FnMut(usize) -> Vec<P>,
    finish: impl Fn(P, &[u8]) + Sync,
) -> Result<()> {
    let Decoding { geometry, plan, tiling, cpu, .. } = decoding;
    let (packed_vectors, segments) = split(blocks)?;
    let band = |(band, segments)| BandDecoder {
        band,
        segments,
        decoder: decoding.decoder(band),
        tiles: DecodedTiles::default(),
        next_group: 0,
    };
    // Of a band nothing is kept but what is restored, so a thread has memory of one band, which stays in its cache.
    let states = Spares::default();
    let mut bands: Vec<_> = decoding.bands(segments).map(band).collect();
    let (segment_frames, bands_of_frame) = (plan.segment_frames as usize, bands.len());
    // The first segments need no vectors.
    let first_segments = || {
        let frames = segment_frames.min(geometry.frames);
        pool::for_each(cpu.crew(), bands.iter_mut().collect(), |band: &mut BandDecoder<'_>| band.decode(0, frames))
    };
    let (motion, decoded) = pool::beside(cpu.crew(), || motion(geometry, packed_vectors, cpu), first_segments);
    let motion = motion?;
    decoded?;
    let steps = motion.steps();
    // Those up to the last one that is wanted, in the order in which they are coded.
    let needed = steps.iter().rposition(|step| step.frame < frames).map_or(0, |last| last + 1);
    let mut last = None;
    for (at, step) in steps.iter().enumerate().take(needed) {
        let (before, rest) = raw.split_at_mut(step.frame * geometry.frame_samples);
        let (own, after) = rest.split_at_mut(geometry.frame_samples);
        let restored = |frame: usize| match frame.checked_sub(step.frame + 1) {
            None => &before[frame * geometry.frame_samples..],
            Some(later) => &after[later * geometry.frame_samples..],
        };
        let expected = motion.expectation(at, restored);
        let rows = tiling.rows_mut(geometry.frame_samples, own).into_iter().flatten();
        let mut jobs: Vec<_> = bands.iter_mut().zip(rows).map(|(band, rows)| Job::Restore(band, rows)).collect();
        if let Some(frame) = last.replace(step.frame) {
            jobs.extend(parts(frame).into_iter().map(|part| Job::Finish(part, restored(frame))));
        }
        // One thread does first what is in its cache; of several none should begin with a band when the others are done.
        if cpu.threads() == 1 {
            jobs.rotate_left(bands_of_frame);
        }
        pool::for_each(cpu.crew(), jobs, |job| {
            let (band, mut rows) = match job {
                Job::Restore(band, rows) => (band, rows),
                Job::Finish(part, frame) => {
                    finish(part, &frame[..geometry.frame_samples]);
                    return Ok(());
                }
            };
            let position = at % segment_frames;
            if position == 0 && at > 0 {
                band.decode(at / segment_frames, segment_frames.min(geometry.frames - at))?;
            }
            let known = states.take();
            let new = || BandState::new(cpu.simd(), plan.colour, geometry, tiling, band.band);
            let mut state = known.unwrap_or_else(new);
            state.turn_to(band.band, geometry, expected.as_ref());
            band.restore(position, &mut state, &mut rows);
            states.give(state);
            Ok(())
        })?;
    }
    let Some(last) = last else { return Ok(()) };
    let restored = &raw[last * geometry.frame_samples..][..geometry.frame_samples];
    pool::for_each(cpu.crew(), parts(last), |part| {
        finish(part, restored);
        Ok(())
    })
}

/// What is done at the same time.
enum Job<'a, 'b, P> {
    /// The rows of a band.
    Restore(&'a mut BandDecoder<'b>, Vec<&'a mut [u8]>),
    /// A part of what the frame before is finished with, and that frame.
    Finish(P, &'a [u8]),
}

/// A band, a segment of which is decoded.
struct BandDecoder<'a> {
    band: &'a Band,
    segments: &'a [&'a [u8]],
    decoder: SegmentDecoder<'a>,
    tiles: DecodedTiles,
    /// The first of the groups that are not yet in a frame.
    next_group: usize,
}

impl BandDecoder<'_> {
    /// Decodes a segment of so many frames.
    fn decode(&mut self, segment: usize, frames: usize) -> Result<()> {
        self.next_group = 0;
        self.decoder.decode(self.segments.get(segment).copied().unwrap_or_default(), frames, &mut self.tiles)
    }

    /// Restores the rows of the frame at `position` within the segment.
    fn restore(&mut self, position: usize, state: &mut BandState<'_>, rows: &mut [&mut [u8]]) {
        let of_frame = position * self.band.tiles()..(position + 1) * self.band.tiles();
        let classes = &self.tiles.classes[of_frame.start * TILE_GROUPS..of_frame.end * TILE_GROUPS];
        let mut groups = self.tiles.groups[self.next_group..].iter();
        state.inverse(&self.tiles.predictors[of_frame], classes, &mut groups, rows);
        self.next_group = self.tiles.groups.len() - groups.len();
    }
}
