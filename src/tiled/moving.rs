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
    let (packed_vectors, segments) = blocks.split_first().ok_or_else(|| Error::corrupt("tiles: no vectors"))?;
    let cannot = || Error::corrupt("tiles: frames that cannot move");
    let still = OrderedMotion::still(geometry).ok_or_else(cannot)?;
    let of_one = &still.moved.first().ok_or_else(cannot)?.earlier;
    let (order, moved) = vectors::decode_ordered(cpu.simd(), packed_vectors, geometry.frames, of_one)?;
    Ok((Some(OrderedMotion::new(still.shares, order, moved)), segments))
}

/// Restores the first `frames` raw frames from the segments, of which they need whole ones, and those that they refer to. Hands on
/// each frame, with its number, as soon as it is there.
pub(super) fn decode(
    decoding: &Decoding<'_>,
    motion: &OrderedMotion,
    segments: &[&[u8]],
    frames: usize,
    raw: &mut [u8],
    mut each: impl FnMut(usize, &[u8]) -> Result<()>,
) -> Result<()> {
    let Decoding { geometry, plan, tiling, cpu, .. } = decoding;
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
    let segment_frames = plan.segment_frames as usize;
    let steps = motion.steps();
    // Those up to the last one that is wanted, in the order in which they are coded.
    let needed = steps.iter().rposition(|step| step.frame < frames).map_or(0, |last| last + 1);
    for (at, step) in steps.iter().enumerate().take(needed) {
        let (before, rest) = raw.split_at_mut(step.frame * geometry.frame_samples);
        let (own, after) = rest.split_at_mut(geometry.frame_samples);
        let restored = |frame: usize| match frame.checked_sub(step.frame + 1) {
            None => &before[frame * geometry.frame_samples..],
            Some(later) => &after[later * geometry.frame_samples..],
        };
        let expected = motion.expectation(at, restored);
        let rows = tiling.rows_mut(geometry.frame_samples, own).into_iter().flatten();
        pool::for_each(cpu.crew(), bands.iter_mut().zip(rows).collect(), |(band, mut rows)| {
            let position = at % segment_frames;
            if position == 0 {
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
        each(step.frame, own)?;
    }
    Ok(())
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
