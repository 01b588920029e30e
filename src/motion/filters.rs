//! Which filters a stream went through: some pairs of frames show.

use super::between::{Earlier, KEPT_OF_PHASES, may_keep};
use super::filter::Filter;
use super::shown::left;
use super::{Field, spread};
use crate::cpu::CpuBackend;
use crate::error::Result;

/// Pairs of frames that are looked at.
const PAIRS: usize = 4;
/// Those of eight taps are sure where they leave less by more than this part of what H.264's do. Where neither is right it is 2 to 4 %.
const CLEAR: u64 = 16;
/// Filters of one stream, those of most streams first.
const FAMILIES: [&[Filter]; 6] = [
    &[Filter::Quarter],
    &[Filter::Mpeg4Half, Filter::Mpeg4HalfDown],
    &[Filter::Hevc],
    &[Filter::Vp9Regular, Filter::Vp9Smooth, Filter::Vp9Sharp],
    &[Filter::Av1Regular, Filter::Av1Smooth, Filter::Av1Sharp],
    &[Filter::Mpeg4Quarter, Filter::Mpeg4QuarterDown],
];

/// Filters that a stream goes through: one, or some that take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filters(&'static [Filter]);

impl Filters {
    /// H.264's.
    pub(crate) const USUAL: Self = Self(FAMILIES[0]);

    /// Those that fit the first planes of some frames best, of `width` samples a row.
    pub fn choose(frames: &[&[u8]], width: usize, cpu: &CpuBackend) -> Result<Self> {
        Ok(Self::choose_two(frames, width, cpu)?.0)
    }

    /// The same, and others if they fit nearly as well: of eight taps, some make nearly the same as others, and other planes tell.
    pub(crate) fn choose_two(frames: &[&[u8]], width: usize, cpu: &CpuBackend) -> Result<(Self, Option<Self>)> {
        let frame_samples = frames.first().map_or(0, |frame| frame.len());
        let all_may_be = may_keep(frame_samples * KEPT_OF_PHASES, frame_samples * frames.len());
        let families = FAMILIES.map(Self).into_iter().filter(|family| all_may_be || !family.have_eight_taps());
        let mut of_families: Vec<(Self, u32)> = families.map(|family| (family, 0)).collect();
        let filters: Vec<Filter> = of_families.iter().flat_map(|(family, _)| family.0).copied().collect();
        for pair in spread(frames.len().saturating_sub(1), PAIRS) {
            let Some(&[earlier, samples]) = frames.get(pair..).and_then(|frames| frames.first_chunk::<2>()) else {
                continue;
            };
            let earlier = Earlier::new(earlier, width, cpu);
            let mut of_filters = left(&filters, &earlier, samples, width, None, cpu)?.into_iter();
            for (family, bits) in &mut of_families {
                *bits += of_filters.by_ref().take(family.0.len()).min().unwrap_or(0);
            }
        }
        let (usual, usual_bits) = of_families[0];
        let (best, bits) = of_families.into_iter().min_by_key(|&(_, bits)| bits).unwrap_or((usual, usual_bits));
        let is_close = u64::from(usual_bits - bits) * CLEAR < usual_bits.into();
        Ok((best, (is_close && best.have_eight_taps()).then_some(usual)))
    }

    /// Those that fields have.
    pub(crate) fn of(fields: &[Field]) -> Self {
        let used = fields.iter().map(|field| field.filter).find(|&filter| filter != Filter::Whole);
        let family = |used| FAMILIES.into_iter().find(|family| family.contains(&used));
        used.map_or(Self::USUAL, |used| family(used).map_or(Self::one(used), Self))
    }

    /// One alone.
    pub(crate) fn one(filter: Filter) -> Self {
        static ALL: [Filter; Filter::ALL.len()] = Filter::ALL;
        Self(std::slice::from_ref(&ALL[filter as usize]))
    }

    /// The filter, if it is one alone.
    pub(super) fn only(self) -> Option<Filter> {
        if let &[only] = self.0 { Some(only) } else { None }
    }

    /// Whether they are of eight taps.
    fn have_eight_taps(self) -> bool {
        self.0.iter().all(|filter| filter.has_all_phases())
    }

    /// The one that makes the same of the first planes, if there is another.
    pub(crate) fn twin(self) -> Option<Filter> {
        self.0.contains(&Filter::Mpeg4Half).then_some(Filter::Mpeg2)
    }

    /// The one of a pair of frames.
    pub(super) fn of_pair(
        self,
        earlier: &Earlier<'_>,
        samples: &[u8],
        width: usize,
        last: Option<&Field>,
        cpu: &CpuBackend,
    ) -> Result<Filter> {
        if let Some(only) = self.only() {
            return Ok(only);
        }
        let bits = left(self.0, earlier, samples, width, last, cpu)?;
        Ok(self.0.iter().zip(bits).min_by_key(|&(_, bits)| bits).map_or(Filter::Whole, |(&filter, _)| filter))
    }
}
