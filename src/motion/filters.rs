//! Which filters a stream went through: some pairs of frames show.

use super::between::Earlier;
use super::filter::Filter;
use super::search::{SearchEffort, Searched};
use crate::cpu::CpuBackend;
use crate::error::Result;

/// Pairs of frames that are looked at.
const PAIRS: usize = 4;
/// Filters of one stream.
const FAMILIES: [&[Filter]; 2] = [&[Filter::Quarter], &[Filter::Half, Filter::HalfDown]];

/// Filters that a stream goes through: one, or both that round halves up and down by turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filters(&'static [Filter]);

impl Filters {
    /// Those that fit the first planes of some frames best, of `width` samples a row.
    pub fn choose(frames: &[&[u8]], width: usize, cpu: &CpuBackend) -> Result<Self> {
        let pairs = frames.len().saturating_sub(1);
        let mut left = [0; 2];
        for pair in (0..PAIRS).map(|part| (2 * part + 1) * pairs / (2 * PAIRS)) {
            let Some(&[earlier, samples]) = frames.get(pair..).and_then(|frames| frames.first_chunk::<2>()) else {
                continue;
            };
            let earlier = Earlier::new(earlier, width, cpu);
            for (left, filters) in left.iter_mut().zip(FAMILIES) {
                let of =
                    |filter| Searched::new(&earlier, filter, samples, width, None, SearchEffort::Full, cpu)?.left(cpu);
                let best = filters.iter().map(|&filter| of(filter)).collect::<Result<Vec<u32>>>()?;
                *left += best.into_iter().min().unwrap_or(0);
            }
        }
        Ok(Self(FAMILIES[usize::from(left[1] < left[0])]))
    }

    /// Each of them.
    pub(super) fn all(self) -> &'static [Filter] {
        self.0
    }
}
