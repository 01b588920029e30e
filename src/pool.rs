//! One process-wide thread pool with a cap.

mod spares;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) use spares::Spares;

use crate::error::{Error, Result};

static CAP: OnceLock<NonZeroUsize> = OnceLock::new();
static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();

/// Sets the most threads framepress will use in this process. The default is the number the
/// machine offers. The pool is started by the first call that can use more than one thread.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the cap is in use already.
pub fn set_thread_cap(threads: NonZeroUsize) -> Result<()> {
    CAP.set(threads).map_err(|_| Error::invalid("thread cap: it is in use already; set it before the first call"))
}

/// Threads that a call with this setting uses.
pub(crate) fn threads(asked: Option<NonZeroUsize>) -> usize {
    let cap = *CAP.get_or_init(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    asked.map_or(cap, |asked| asked.min(cap)).get()
}

/// The threads that may work for one compressor or decompressor at a time.
///
/// Batches that are in work at the same time share them: whatever thread works on a batch has a seat, and the loops
/// within batches take helpers while seats are free.
#[derive(Debug)]
pub struct Crew {
    threads: usize,
    busy: AtomicUsize,
}

/// The right of one thread to work.
pub struct Seat<'a>(&'a Crew);

impl Crew {
    /// At most `threads` threads, at least one.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), busy: AtomicUsize::new(0) }
    }

    /// The most threads that work at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The seat of a thread that has work of its own, such as the caller's: it is never made to wait.
    pub fn enter(&self) -> Seat<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Seat(self)
    }

    /// A seat for a helper, if one is free.
    fn try_enter(&self) -> Option<Seat<'_>> {
        let free = |busy: usize| (busy < self.threads).then_some(busy + 1);
        self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok().map(|_| Seat(self))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Calls `work` with every item, on this thread and as many others as have seats in `crew`, now or later. Items are taken
/// in order; after an error no further item is taken, and the error of the earliest failed item is
/// returned.
pub(crate) fn for_each<T: Send>(crew: &Crew, items: Vec<T>, work: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    if crew.threads == 1 || items.len() < 2 {
        return items.into_iter().try_for_each(work);
    }
    // Without a pool this thread does all the work.
    let Some(pool) = pool() else { return items.into_iter().try_for_each(work) };
    // A seat that becomes free once this loop is on its way is not taken before an item ends: where items are few, a thread is idle
    // for long. The whole pool needs no seats, since no more threads can come than it has.
    let helpers = Crew::new(crew.threads - 1);
    let is_whole_pool = pool.current_thread_index().is_some() && crew.threads >= pool.current_num_threads();
    let crew = if is_whole_pool { &helpers } else { crew };
    let each = ForEach { crew, queue: Mutex::new(items.into_iter().enumerate()), failure: Mutex::new(None), work };
    pool.in_place_scope(|scope| each.run(scope));
    match each.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// One call of [`for_each`].
struct ForEach<'a, T, F> {
    crew: &'a Crew,
    queue: Mutex<std::iter::Enumerate<std::vec::IntoIter<T>>>,
    failure: Mutex<Option<(usize, Error)>>,
    work: F,
}

impl<T: Send, F: Fn(T) -> Result<()> + Sync> ForEach<'_, T, F> {
    /// Works until there are no items left. Seats that others leave meanwhile are taken.
    fn run<'s>(&'s self, scope: &rayon::Scope<'s>) {
        loop {
            let (next, more) = {
                let mut queue = lock(&self.queue);
                (queue.next(), queue.len() > 0)
            };
            let Some((at, item)) = next else { break };
            if more && let Some(seat) = self.crew.try_enter() {
                scope.spawn(move |scope| {
                    let _seat = seat;
                    self.run(scope);
                });
            }
            if let Err(error) = (self.work)(item) {
                let mut failure = lock(&self.failure);
                if failure.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
                    *failure = Some((at, error));
                }
            }
            if lock(&self.failure).is_some() {
                break;
            }
        }
    }
}

/// The pool, unless threads cannot be started.
pub(crate) fn pool() -> Option<&'static rayon::ThreadPool> {
    let build = || {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads(None))
            .thread_name(|at| format!("framepress-{at}"))
            .build()
            .ok()
    };
    POOL.get_or_init(build).as_ref()
}

/// Does `aside` on another thread, if one has a seat, while this one does `work`.
pub(crate) fn beside<A: Send, W>(crew: &Crew, aside: impl Fn() -> A + Sync, work: impl FnOnce() -> W) -> (A, W) {
    let (Some(pool), Some(seat)) = (pool(), crew.try_enter()) else { return (aside(), work()) };
    let mut result = None;
    let done = pool.in_place_scope(|scope| {
        let (result, aside) = (&mut result, &aside);
        scope.spawn(move |_| {
            let _seat = seat;
            *result = Some(aside());
        });
        work()
    });
    (result.unwrap_or_else(aside), done)
}

/// Like [`for_each`], collecting what `work` returns in the order of the items.
pub(crate) fn map<T: Send, R: Send>(
    crew: &Crew,
    items: Vec<T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(items.len(), || None);
    let slots: Vec<_> = items.into_iter().zip(results.iter_mut()).collect();
    for_each(crew, slots, |(item, slot)| {
        *slot = Some(work(item)?);
        Ok(())
    })?;
    Ok(results.into_iter().flatten().collect())
}

/// Locks a mutex whose data stays valid when a holder panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order() {
        for threads in [1, 2, 7] {
            let doubled = map(&Crew::new(threads), (0..1000).collect(), |item: usize| Ok(2 * item)).unwrap();
            assert_eq!(doubled, (0..1000).map(|item| 2 * item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn both_sides_are_done() {
        for threads in [1, 2] {
            let crew = Crew::new(threads);
            assert_eq!(beside(&crew, || 1, || map(&crew, vec![2, 3], Ok).unwrap()), (1, vec![2, 3]));
            assert_eq!(crew.busy.into_inner(), 0, "all seats are free again");
        }
    }

    #[test]
    fn the_earliest_error_is_reported() {
        let fail = |item: usize| if item >= 3 { Err(Error::invalid(item.to_string())) } else { Ok(()) };
        for threads in [1, 4] {
            let error = for_each(&Crew::new(threads), (0..100).collect(), fail).unwrap_err();
            assert_eq!(error.to_string(), "invalid input: 3");
        }
    }
}
