//! Which frames there are.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of frames, as ranges that neither touch nor overlap.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// The end of each range by its start.
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds a range. Returns whether some of it was there already.
    pub fn insert(&mut self, range: Range<u64>) -> bool {
        let (mut start, mut end) = (range.start, range.end);
        let mut overlaps = false;
        // The last range that starts no later than the end, as long as there is one that reaches the start.
        while let Some((&before, &until)) = self.ends.range(..=end).next_back() {
            if until < start {
                break;
            }
            overlaps |= until > range.start && before < range.end;
            self.ends.remove(&before);
            (start, end) = (start.min(before), end.max(until));
        }
        self.ends.insert(start, end);
        overlaps
    }

    /// The parts of `range` that are not there, in order.
    pub fn gaps(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut at = range.start;
        let first = self.ends.range(..=at).next_back();
        for (&start, &end) in first.into_iter().chain(self.ends.range(at.saturating_add(1)..)) {
            if start >= range.end {
                break;
            }
            if start > at {
                gaps.push(at..start);
            }
            at = at.max(end);
        }
        if at < range.end {
            gaps.push(at..range.end);
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_what_a_set_of_numbers_is() {
        const FRAMES: u64 = 40;
        let (mut ranges, mut set) = (Ranges::default(), [false; FRAMES as usize]);
        let mut random = 7u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (random >> 33) % below
        };
        for round in 0..400 {
            if round % 20 == 0 {
                (ranges, set) = (Ranges::default(), [false; FRAMES as usize]);
            }
            let start = next(FRAMES);
            let range = start..start + 1 + next(5).min(FRAMES - start - 1);
            let there = &mut set[range.start as usize..range.end as usize];
            let overlaps = there.iter().any(|&there| there);
            there.fill(true);
            assert_eq!(ranges.insert(range.clone()), overlaps, "{range:?}");
            let asked = next(FRAMES / 2)..FRAMES / 2 + next(FRAMES / 2);
            let mut missing = vec![false; FRAMES as usize];
            for gap in ranges.gaps(asked.clone()) {
                assert!(!gap.is_empty());
                missing[gap.start as usize..gap.end as usize].fill(true);
            }
            for frame in 0..FRAMES {
                let expected = asked.contains(&frame) && !set[frame as usize];
                assert_eq!(missing[frame as usize], expected, "frame {frame} of {asked:?}");
            }
        }
    }

    #[test]
    fn ranges_reach_to_the_last_number() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.gaps(0..u64::MAX).first(), Some(&(0..u64::MAX)));
        assert!(!ranges.insert(u64::MAX - 1..u64::MAX));
        assert_eq!(ranges.gaps(0..u64::MAX).first(), Some(&(0..u64::MAX - 1)));
        assert!(ranges.insert(0..u64::MAX));
        assert!(ranges.gaps(0..u64::MAX).is_empty());
        assert!(ranges.gaps(u64::MAX..u64::MAX).is_empty());
    }
}
