//! Several batches in work at a time, whose results come out in order.
//!
//! The caller's thread takes one batch after another from the input, threads of the pool work on them, and whoever has
//! finished the oldest one hands it on, with those behind it that wait for it: reading, working and writing overlap,
//! and nothing that is finished waits for input that is still to come.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::pool::{self, lock};

/// A batch in work takes at most so many times its raw bytes: these, what they are transformed to, and what is coded.
pub(crate) const FOOTPRINT: u64 = 4;

/// The part of that which is on its way to a device and back.
const STAGED: u64 = 2;

/// Memory for what is on its way to a device and back, where batches in work have `memory_bytes`.
pub(crate) fn staging_bytes(memory_bytes: u64) -> u64 {
    memory_bytes / FOOTPRINT * STAGED
}

/// Memory of batches in work at the same time, unless the caller sets another.
pub(crate) const WORKING_BYTES: u64 = 1 << 30;

/// How much may be in work at a time. One batch always may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub batches: usize,
    pub raw_bytes: u64,
}

impl Window {
    /// As many batches as `threads`, within `memory_bytes`.
    pub fn new(threads: usize, memory_bytes: u64) -> Self {
        Self { batches: threads, raw_bytes: memory_bytes / FOOTPRINT }
    }
}

/// Calls `work` with every item that `next` gives, beside its raw bytes, and `done` with every result, in the order of
/// the items. After an error of `done` nothing further is taken, and that error is returned.
pub(crate) fn in_order<T: Send, R: Send>(
    window: Window,
    mut next: impl FnMut() -> Option<(T, u64)>,
    work: impl Fn(T) -> R + Sync,
    mut done: impl FnMut(R) -> Result<()> + Send,
) -> Result<()> {
    // A thread of the pool, from within `done` of another call, must not wait for others: they may do the same.
    let several = |pool: &&rayon::ThreadPool| window.batches > 1 && pool.current_thread_index().is_none();
    let Some(pool) = pool::pool().filter(several) else {
        while let Some((item, _)) = next() {
            done(work(item))?;
        }
        return Ok(());
    };
    let flight = Flight { state: Mutex::default(), changed: Condvar::new(), output: Mutex::new(done) };
    pool.in_place_scope(|scope| {
        let (flight, work) = (&flight, &work);
        while flight.wait(|state| state.slots.len() < window.batches) {
            let Some((item, raw_bytes)) = next() else { break };
            let fits = |state: &State<R>| state.slots.is_empty() || state.raw_bytes + raw_bytes <= window.raw_bytes;
            if !flight.wait(fits) {
                break;
            }
            let number = flight.enter(raw_bytes);
            scope.spawn(move |_| flight.run(number, || work(item)));
        }
    });
    match flight.state.into_inner().unwrap_or_else(PoisonError::into_inner).failure {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What is in work, and what waits for something older.
struct Flight<R, D> {
    state: Mutex<State<R>>,
    changed: Condvar,
    output: Mutex<D>,
}

struct State<R> {
    /// Oldest first, until they have been handed on.
    slots: VecDeque<Slot<R>>,
    /// Number of the oldest.
    first: usize,
    raw_bytes: u64,
    failure: Option<Error>,
    panicked: bool,
}

struct Slot<R> {
    raw_bytes: u64,
    result: Option<R>,
}

impl<R> Default for State<R> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), first: 0, raw_bytes: 0, failure: None, panicked: false }
    }
}

impl<R> State<R> {
    fn has_stopped(&self) -> bool {
        self.panicked || self.failure.is_some()
    }
}

impl<R: Send, D: FnMut(R) -> Result<()> + Send> Flight<R, D> {
    /// Waits until `ready`; false if there is nothing to go on for.
    fn wait(&self, ready: impl Fn(&State<R>) -> bool) -> bool {
        let waits = |state: &mut State<R>| !state.has_stopped() && !ready(state);
        let state = self.changed.wait_while(lock(&self.state), waits).unwrap_or_else(PoisonError::into_inner);
        !state.has_stopped()
    }

    /// A slot for the next item, by its number.
    fn enter(&self, raw_bytes: u64) -> usize {
        let mut state = lock(&self.state);
        state.slots.push_back(Slot { raw_bytes, result: None });
        state.raw_bytes += raw_bytes;
        state.first + state.slots.len() - 1
    }

    /// Does the work of one item, and hands on what can be.
    fn run(&self, number: usize, work: impl FnOnce() -> R) {
        if lock(&self.state).has_stopped() {
            return;
        }
        let attempt = AssertUnwindSafe(|| {
            let result = work();
            let mut state = lock(&self.state);
            let at = number - state.first;
            state.slots[at].result = Some(result);
            drop(state);
            self.hand_on();
        });
        if let Err(panic) = catch_unwind(attempt) {
            // Nobody is to wait for this slot.
            lock(&self.state).panicked = true;
            self.changed.notify_all();
            resume_unwind(panic);
        }
    }

    /// Hands on the oldest results that are there, unless another thread is about to.
    fn hand_on(&self) {
        // Looked at again once the output is free: whoever found it taken has left its result to this thread.
        while self.oldest(lock(&self.state)).is_some() {
            let Ok(mut output) = self.output.try_lock() else { return };
            while let Some(mut state) = self.oldest(lock(&self.state)) {
                let Some(Slot { raw_bytes, result: Some(result) }) = state.slots.pop_front() else { return };
                state.first += 1;
                drop(state);
                let handed_on = output(result);
                let mut state = lock(&self.state);
                state.raw_bytes -= raw_bytes;
                state.failure = handed_on.err();
                self.changed.notify_all();
            }
        }
    }

    /// The state, if its oldest result is there and may be handed on.
    fn oldest<'a>(&self, state: MutexGuard<'a, State<R>>) -> Option<MutexGuard<'a, State<R>>> {
        let there = !state.has_stopped() && state.slots.front().is_some_and(|slot| slot.result.is_some());
        there.then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn window(batches: usize, raw_bytes: u64) -> Window {
        Window { batches, raw_bytes }
    }

    #[test]
    fn results_come_in_order() {
        for batches in [1, 2, 5] {
            let mut items = 0..200u64;
            let mut seen = Vec::new();
            let next = || items.next().map(|item| (item, 1));
            let work = |item: u64| {
                std::thread::sleep(Duration::from_micros(item * 7919 % 300));
                item
            };
            let done = |item| {
                seen.push(item);
                Ok(())
            };
            in_order(window(batches, 1000), next, work, done).unwrap();
            assert_eq!(seen, (0..200).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_is_in_work_than_fits() {
        for (most, raw_bytes) in [(3, 1000), (2, 20), (1, 5)] {
            let (in_work, highest) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut items = 0..60;
            let work = |_| {
                highest.fetch_max(in_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_micros(200));
                in_work.fetch_sub(1, Ordering::SeqCst);
            };
            in_order(window(3, raw_bytes), || items.next().map(|item| (item, 10)), work, |()| Ok(())).unwrap();
            assert!((1..=most).contains(&highest.into_inner()));
        }
    }

    #[test]
    fn what_is_finished_does_not_wait_for_input() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut items = 0..3;
        let next = || {
            let item = items.next()?;
            // As a pipe would: the second item comes once the first one has been written.
            if item > 0 {
                assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(item - 1));
            }
            Some((item, 1))
        };
        let done = |item| sender.send(item).map_err(|_| Error::invalid("nobody listens"));
        in_order(window(4, 1000), next, |item: i32| item, done).unwrap();
    }

    #[test]
    fn an_error_ends_it() {
        for batches in [1, 4] {
            let mut taken = 0;
            let next = || {
                taken += 1;
                Some((taken, 1))
            };
            let done = |item: u64| if item == 7 { Err(Error::invalid("seven")) } else { Ok(()) };
            let error = in_order(window(batches, 1000), next, |item| item, done).unwrap_err();
            assert_eq!(error.to_string(), "invalid input: seven");
            assert!(taken < 7 + 2 * batches as u64, "{taken}");
        }
    }

    /// Frames that are compressed again as they come, by more threads than the pool has.
    #[test]
    fn calls_within_calls_end() {
        let call = |inner: &(dyn Fn() + Sync)| {
            let mut items = 0..12;
            let done = |()| {
                inner();
                Ok(())
            };
            let next = || items.next().map(|item| (item, 1));
            in_order(window(4, 1000), next, |_| std::thread::sleep(Duration::from_micros(100)), done).unwrap();
        };
        std::thread::scope(|scope| {
            for _ in 0..2 * pool::threads(None) + 1 {
                scope.spawn(|| call(&|| call(&|| {})));
            }
        });
    }

    #[test]
    fn a_panic_comes_through() {
        let mut items = 0..50;
        let work = |item: i32| assert!(item != 20, "twenty");
        let attempt = || in_order(window(4, 1000), || items.next().map(|item| (item, 1)), work, |()| Ok(()));
        assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err());
    }
}
