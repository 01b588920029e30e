//! Whether an accelerator can be trusted with a batch.

use super::decide::Reason;

/// Batches that a device is left alone for after a failure, and the most after many.
const FIRST_REST: u64 = 4;
const LONGEST_REST: u64 = 1024;

/// What is known of a device's failures.
#[derive(Debug, Clone, Default)]
pub struct Health {
    set_aside: bool,
    /// Failures since the last success.
    failures: u32,
    rest: u64,
}

impl Health {
    /// Why the device is not to be used, if it is not.
    pub fn complaint(&self) -> Option<Reason> {
        match (self.set_aside, self.rest) {
            (true, _) => Some(Reason::SetAside),
            (false, 0) => None,
            (false, _) => Some(Reason::Resting),
        }
    }

    /// A batch goes by without it.
    pub fn passed_over(&mut self) {
        self.rest = self.rest.saturating_sub(1);
    }

    /// It did a batch.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It did not. It is tried again, each time after twice as many batches.
    pub fn failed(&mut self) {
        self.rest = (FIRST_REST << self.failures.min(32)).min(LONGEST_REST);
        self.failures += 1;
    }

    /// It is gone, or was wrong: for good.
    pub fn set_aside(&mut self) {
        self.set_aside = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches_until_it_is_tried(health: &mut Health) -> u64 {
        let mut batches = 0;
        while health.complaint().is_some() {
            assert_eq!(health.complaint(), Some(Reason::Resting));
            health.passed_over();
            batches += 1;
        }
        batches
    }

    #[test]
    fn rests_grow_until_it_works() {
        let mut health = Health::default();
        assert_eq!(health.complaint(), None);
        let rests: Vec<u64> = (0..12)
            .map(|_| {
                health.failed();
                batches_until_it_is_tried(&mut health)
            })
            .collect();
        assert_eq!(rests, [4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 1024]);
        health.succeeded();
        health.failed();
        assert_eq!(batches_until_it_is_tried(&mut health), 4);
    }

    #[test]
    fn aside_is_for_good() {
        let mut health = Health::default();
        health.set_aside();
        (0..5000).for_each(|_| health.passed_over());
        health.succeeded();
        assert_eq!(health.complaint(), Some(Reason::SetAside));
    }
}
