//! The widths of a block's groups: which runs of 8 groups are not all zeros, which groups of those
//! are not, and the widths of these.

use super::{expand, squeeze};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// Groups under one bit of the map of runs.
const RUN: usize = 8;
/// Groups under one byte of it. Their widths begin with a byte.
pub(super) const CLUSTER: usize = 8 * RUN;

/// The widths of a cluster.
pub(super) type Widths = [u8; CLUSTER];
/// Those that are not 0, two to a byte, the first one in the lower half.
pub(super) type Nibbles = [u8; CLUSTER / 2];

/// Which groups of a cluster are not all zeros.
pub(super) struct Maps {
    /// A bit per run that is not all zeros.
    pub runs: u8,
    /// For each of those, in order, a bit per group.
    pub groups: [u8; 8],
}

/// The first bytes of `bytes`, and zeros if there are less.
fn filled<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut filled = [0; N];
        filled[..bytes.len()].copy_from_slice(bytes);
        filled
    })
}

/// Appends the three parts.
pub(super) fn write(simd: SimdLevel, widths: &[u8], out: &mut Vec<u8>) {
    let runs_at = out.len();
    out.resize(runs_at + widths.len().div_ceil(CLUSTER), 0);
    let mut nibbles = Vec::with_capacity(widths.len() / 2);
    for (at, cluster) in widths.chunks(CLUSTER).enumerate() {
        let (map, squeezed) = squeeze(simd, &filled(cluster));
        for (run, groups) in map.to_le_bytes().into_iter().enumerate().filter(|&(_, groups)| groups != 0) {
            out[runs_at + at] |= 1 << run;
            out.push(groups);
        }
        nibbles.extend_from_slice(&squeezed[..(map.count_ones() as usize).div_ceil(2)]);
    }
    out.extend(nibbles);
}

/// Reads what [`write`] wrote.
pub(super) struct Control<'a> {
    /// A bit per run. Only those that were not read, as of the other parts.
    runs: &'a [u8],
    /// A byte per run that is not all zeros: a bit per group.
    groups: &'a [u8],
    /// Widths, two to a byte.
    nibbles: &'a [u8],
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("pack block: {what}"))
}

impl<'a> Control<'a> {
    pub fn new(control: &'a [u8], groups: usize) -> Result<Self> {
        let short = || damaged("it ends within its widths");
        let (runs, rest) = control.split_at_checked(groups.div_ceil(CLUSTER)).ok_or_else(short)?;
        let occupied = runs.iter().map(|byte| byte.count_ones() as usize).sum();
        let (maps, nibbles) = rest.split_at_checked(occupied).ok_or_else(short)?;
        let last_runs = groups.div_ceil(RUN) % 8;
        if last_runs != 0 && runs.last().is_some_and(|byte| byte >> last_runs != 0) {
            return Err(damaged("a run past its end"));
        }
        let last_run = runs.last().is_some_and(|byte| byte >> ((last_runs + 7) % 8) & 1 == 1);
        let last_groups = groups % RUN;
        if last_run && last_groups != 0 && maps.last().is_some_and(|byte| byte >> last_groups != 0) {
            return Err(damaged("a group past its end"));
        }
        Ok(Self { runs, groups: maps, nibbles })
    }

    /// The widths of the next cluster; zeros past the end.
    pub fn read(&mut self, simd: SimdLevel, widths: &mut Widths) -> Result<()> {
        let Some((&runs, rest)) = self.runs.split_first() else {
            widths.fill(0);
            return Ok(());
        };
        self.runs = rest;
        if runs == 0 {
            widths.fill(0);
            return Ok(());
        }
        let short = || damaged("it ends within its widths");
        let (maps, rest) = self.groups.split_at_checked(runs.count_ones() as usize).ok_or_else(short)?;
        self.groups = rest;
        if maps.contains(&0) {
            return Err(damaged("a run of zeros that is said to be none"));
        }
        let maps = Maps { runs, groups: filled(maps) };
        let map = expand(simd, &maps, &filled(self.nibbles), widths).ok_or_else(|| damaged("a width that is none"))?;

        let count = map.count_ones() as usize;
        let (nibbles, rest) = self.nibbles.split_at_checked(count.div_ceil(2)).ok_or_else(short)?;
        self.nibbles = rest;
        if count % 2 == 1 && nibbles.last().is_some_and(|byte| byte >> 4 != 0) {
            return Err(damaged("more widths than groups"));
        }
        Ok(())
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<()> {
        if !self.groups.is_empty() || !self.nibbles.is_empty() {
            return Err(damaged("more widths than groups"));
        }
        Ok(())
    }
}
