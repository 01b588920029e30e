//! Submissions that a device has not done yet.

use std::sync::Mutex;
use std::time::Duration;

use crate::pool::lock;

/// How many there are.
#[derive(Default)]
pub(super) struct Outstanding(Mutex<State>);

#[derive(Default)]
struct State {
    count: usize,
    most: usize,
    /// Longest time that all of them may take, one after another.
    patience: Duration,
}

/// One of them, until it is dropped.
pub(super) struct Submission<'a> {
    outstanding: &'a Outstanding,
    own: Duration,
    patience: Duration,
}

impl Outstanding {
    /// The device is given one more, which may take so long when it is its turn.
    pub fn begin(&self, own: Duration) -> Submission<'_> {
        let mut state = lock(&self.0);
        state.count += 1;
        state.most = state.most.max(state.count);
        state.patience = state.patience.saturating_add(own);
        Submission { outstanding: self, own, patience: state.patience }
    }

    /// The most that there were at the same time.
    pub fn most(&self) -> usize {
        lock(&self.0).most
    }
}

impl Submission<'_> {
    /// Longest time until it is done, with those that were there before.
    pub fn patience(&self) -> Duration {
        self.patience
    }
}

impl Drop for Submission<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.outstanding.0);
        state.count -= 1;
        state.patience = state.patience.saturating_sub(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ones_have_the_patience_of_earlier_ones() {
        let outstanding = Outstanding::default();
        let seconds = Duration::from_secs;
        let first = outstanding.begin(seconds(2));
        let second = outstanding.begin(seconds(3));
        assert_eq!((first.patience(), second.patience()), (seconds(2), seconds(5)));
        drop(first);
        assert_eq!(outstanding.begin(seconds(1)).patience(), seconds(4));
        drop(second);
        assert_eq!((outstanding.begin(seconds(1)).patience(), outstanding.most()), (seconds(1), 2));
    }
}
