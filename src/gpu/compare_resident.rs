//! Comparison of what a device does to frames that stay there with what the CPU does.

use super::compare::{Difference, first_difference};
use super::probe::sample_bytes;
use super::resident::Residence;
use crate::codec::exceptions;
use crate::cpu::pages::{self, PAGE_BYTES};
use crate::cpu::recover::{Exceptions, misfitting_of_spans};
use crate::error::Result;
use crate::frame::{Batch, PitchedFrames};
use crate::plan::Making;
use crate::stage::{Backend, SolvedPlanes};
use crate::{container, cpu};

/// The first byte in which rows differ from those that the CPU copies, there and back.
pub fn compare_rows(device: &dyn Residence, frames: &PitchedFrames) -> Result<Option<Difference>> {
    let pitched = sample_bytes(frames.pitched_bytes(), 11);
    let mut dense = [vec![0xA5; frames.dense_bytes()], vec![0x5A; frames.dense_bytes()]];
    cpu::rows::forward(frames, &pitched, &mut dense[0]);
    device.rows_forward(frames, &pitched, &mut dense[1])?;
    if let Some(byte) = first_difference(&dense[0], &dense[1]) {
        return Ok(Some(Difference::Rows { byte }));
    }
    let mut back = [vec![0xA5; pitched.len()], vec![0x5A; pitched.len()]];
    cpu::rows::inverse(frames, &dense[0], &mut back[0]);
    device.rows_inverse(frames, &dense[0], &mut back[1])?;
    Ok(first_difference(&back[0], &back[1]).map(|byte| Difference::Rows { byte }))
}

/// The first byte in which frames of so many pixels with exceptions differ from those of the CPU. All of every seventh run of
/// nine pixels is one, and some of the others.
pub fn compare_exceptions(device: &dyn Residence, channels: usize, pixels: usize) -> Result<Option<Difference>> {
    let mut exceptions = Exceptions::default();
    let numbers = sample_bytes(4 * pixels, 13);
    for (place, &[first, second, third, chance]) in numbers.as_chunks().0.iter().enumerate() {
        if place / 9 % 7 == 0 || chance < 20 {
            exceptions.places.push(place as u32);
            exceptions.pixels.push([first, second, third]);
        }
    }
    let mut expected = sample_bytes(channels * pixels, 14);
    let mut found = expected.clone();
    let bytes = exceptions::to_bytes(std::slice::from_ref(&exceptions));
    exceptions::put(bytes.each_ref().map(Vec::as_slice), channels, (&mut expected).into())?;
    device.put_exceptions(&exceptions, channels, &mut found)?;
    Ok(first_difference(&expected, &found).map(|byte| Difference::Exceptions { byte }))
}

/// The first difference of planes that frames seem to be made from, and of how many blocks are not.
pub fn compare_solved(
    device: &dyn Residence,
    reference: &dyn Backend,
    batch: Batch<'_>,
    making: &Making,
) -> Result<Option<Difference>> {
    let mut expected = SolvedPlanes::default();
    reference.solve(batch, making, &mut expected)?;
    let misfitting = misfitting_of_spans(expected.misfits(), making.picture(batch.geometry).blocks());
    let found = device.solved(batch, making)?;
    if let Some(byte) = first_difference(expected.planes(), &found.0) {
        return Ok(Some(Difference::Solved { byte }));
    }
    Ok(first_difference(&misfitting, &found.1).map(|span| Difference::Misfitting { span }))
}

/// The first byte in which pages, every third one of so many bytes and the last, differ from those that the CPU copies, there and
/// back.
pub fn compare_pages(device: &dyn Residence, bytes: usize) -> Result<Option<Difference>> {
    let content = sample_bytes(bytes, 15);
    let places: Vec<_> = (0..bytes).step_by(3 * PAGE_BYTES).chain([bytes - 1]).map(|at| at..at + 1).collect();
    let listed = pages::of_places(&places);
    let mut copied = vec![0; listed.len() * PAGE_BYTES];
    pages::forward(&listed, &content, &mut copied);
    let mut there = [vec![0xA5; bytes], vec![0xA5; bytes]];
    pages::inverse(&listed, &copied, &mut there[0]);
    device.pages_forward(&places, &content, &mut there[1])?;
    if let Some(byte) = first_difference(&there[0], &there[1]) {
        return Ok(Some(Difference::Pages { byte }));
    }
    let mut back = [sample_bytes(bytes, 16), sample_bytes(bytes, 16)];
    pages::inverse(&listed, &copied, &mut back[0]);
    device.pages_inverse(&places, &content, &mut back[1])?;
    Ok(first_difference(&back[0], &back[1]).map(|byte| Difference::Pages { byte }))
}

/// Whether the checksum of so many bytes is another than the CPU's.
pub fn compare_checksum(device: &dyn Residence, bytes: usize) -> Result<Option<Difference>> {
    let raw = sample_bytes(bytes, 12);
    Ok((device.checksum(&raw)? != container::checksum(&raw)).then_some(Difference::Checksum))
}
