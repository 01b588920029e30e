//! The widths of a block's groups: which runs of 8 groups are not all zeros, which groups of those
//! are not, and the widths of these.

use crate::error::{Error, Result};

/// Groups under one bit of the map of runs.
const RUN: usize = 8;

/// A bit per byte of `widths` that is not 0. Widths are below 128.
fn occupied(widths: u64) -> u8 {
    let flags = (widths + 0x7F7F_7F7F_7F7F_7F7F) >> 7 & 0x0101_0101_0101_0101;
    // Each flag is moved to a bit of its own in the uppermost byte.
    (flags.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// Appends the three parts.
pub(super) fn write(widths: &[u8], out: &mut Vec<u8>) {
    let (whole, rest) = widths.as_chunks::<RUN>();
    let mut last = [0; RUN];
    last[..rest.len()].copy_from_slice(rest);
    let runs = || whole.iter().chain((!rest.is_empty()).then_some(&last)).map(|run| u64::from_le_bytes(*run));

    let map_at = out.len();
    out.resize(map_at + widths.len().div_ceil(RUN).div_ceil(8), 0);
    for (at, run) in runs().enumerate() {
        if run != 0 {
            out[map_at + at / 8] |= 1 << (at % 8);
            out.push(occupied(run));
        }
    }

    let (mut pending, mut bits) = (0u64, 0);
    for mut run in runs().filter(|&run| run != 0) {
        for _ in 0..RUN {
            pending |= (run & 15) << bits;
            bits += u32::from(run & 15 != 0) * 4;
            run >>= 8;
        }
        out.extend_from_slice(&pending.to_le_bytes()[..bits as usize / 8]);
        pending >>= bits & !7;
        bits &= 7;
    }
    if bits > 0 {
        out.push(pending as u8);
    }
}

/// Reads what [`write`] wrote.
pub(super) struct Control<'a> {
    /// A bit per run.
    runs: &'a [u8],
    /// Runs that were read.
    at: usize,
    /// A byte per run that is not all zeros: a bit per group. Only those that were not read.
    groups: &'a [u8],
    /// Widths, two to a byte.
    widths: &'a [u8],
    /// Widths that were read.
    taken: usize,
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("pack block: {what}"))
}

impl<'a> Control<'a> {
    pub fn new(control: &'a [u8], groups: usize) -> Result<Self> {
        let short = || damaged("it ends within its widths");
        let count = groups.div_ceil(RUN);
        let (runs, rest) = control.split_at_checked(count.div_ceil(8)).ok_or_else(short)?;
        let occupied = runs.iter().map(|byte| byte.count_ones() as usize).sum();
        let (maps, widths) = rest.split_at_checked(occupied).ok_or_else(short)?;
        let beyond = |byte: Option<&u8>, used: usize| used != 0 && byte.is_some_and(|byte| byte >> used != 0);
        if beyond(runs.last(), count % 8) {
            return Err(damaged("a run past its end"));
        }
        let last_is_occupied = count > 0 && runs[(count - 1) / 8] >> ((count - 1) % 8) & 1 == 1;
        if last_is_occupied && beyond(maps.last(), groups % RUN) {
            return Err(damaged("a group past its end"));
        }
        Ok(Self { runs, at: 0, groups: maps, widths, taken: 0 })
    }

    /// The next widths, and zeros past the end.
    pub fn read<const N: usize>(&mut self, widths: &mut [u8; N]) -> Result<()> {
        for run in widths.as_chunks_mut::<RUN>().0 {
            let occupied = self.runs.get(self.at / 8).is_some_and(|byte| byte >> (self.at % 8) & 1 == 1);
            self.at += 1;
            *run = if occupied { self.run()? } else { [0; RUN] };
        }
        Ok(())
    }

    fn run(&mut self) -> Result<[u8; RUN]> {
        let (&map, rest) = self.groups.split_first().ok_or_else(|| damaged("it ends within its groups"))?;
        self.groups = rest;
        let mut nibbles = self.nibbles();
        let mut widths = [0; RUN];
        for (at, width) in widths.iter_mut().enumerate() {
            let here = map >> at & 1;
            *width = nibbles as u8 & 15 & here.wrapping_neg();
            nibbles >>= 4 * here;
        }
        self.taken += map.count_ones() as usize;
        // A width that is missing is a 0 where none may be.
        let word = u64::from_le_bytes(widths);
        let above_8 = (word + 0x7777_7777_7777_7777) & 0x8080_8080_8080_8080;
        if map == 0 || occupied(word) != map || above_8 != 0 {
            return Err(damaged("a width that is none"));
        }
        Ok(widths)
    }

    /// At least 8 of the next widths, the first one lowest, and zeros past the end.
    fn nibbles(&self) -> u64 {
        let rest = self.widths.get(self.taken / 2..).unwrap_or_default();
        let bytes = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            bytes
        });
        u64::from_le_bytes(bytes) >> (4 * (self.taken % 2))
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<()> {
        let half = self.taken % 2 == 1 && self.widths.last().is_some_and(|byte| byte >> 4 != 0);
        if !self.groups.is_empty() || half || self.widths.len() != self.taken.div_ceil(2) {
            return Err(damaged("more widths than groups"));
        }
        Ok(())
    }
}
