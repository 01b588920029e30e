//! One process-wide thread pool with a cap.

use std::num::NonZeroUsize;
use std::sync::{Mutex, OnceLock};

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

/// Calls `work` with every item, on at most `threads` threads including this one. Items are taken in
/// order; after an error no further item is taken, and the error of the earliest failed item is
/// returned.
pub(crate) fn for_each<T: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    let helpers = threads.min(items.len()).saturating_sub(1);
    if helpers == 0 {
        return items.into_iter().try_for_each(work);
    }
    // Without a pool this thread does all the work.
    let Some(pool) = pool() else { return items.into_iter().try_for_each(work) };
    let queue = Mutex::new(items.into_iter().enumerate());
    let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let run = || {
        loop {
            let next = lock(&queue).next();
            let Some((at, item)) = next else { break };
            if let Err(error) = work(item) {
                let mut failure = lock(&failure);
                if failure.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
                    *failure = Some((at, error));
                }
            }
            if lock(&failure).is_some() {
                break;
            }
        }
    };
    pool.in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| run());
        }
        run();
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// The pool, unless threads cannot be started.
fn pool() -> Option<&'static rayon::ThreadPool> {
    let build = || {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads(None))
            .thread_name(|at| format!("framepress-{at}"))
            .build()
            .ok()
    };
    POOL.get_or_init(build).as_ref()
}

/// Does `aside` on another thread, if there may be one, while this one does `work`.
pub(crate) fn beside<A: Send, W>(threads: usize, aside: impl Fn() -> A + Sync, work: impl FnOnce() -> W) -> (A, W) {
    let Some(pool) = pool().filter(|_| threads > 1) else { return (aside(), work()) };
    let mut result = None;
    let done = pool.in_place_scope(|scope| {
        scope.spawn(|_| result = Some(aside()));
        work()
    });
    (result.unwrap_or_else(aside), done)
}

/// Like [`for_each`], collecting what `work` returns in the order of the items.
pub(crate) fn map<T: Send, R: Send>(
    threads: usize,
    items: Vec<T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(items.len(), || None);
    let slots: Vec<_> = items.into_iter().zip(results.iter_mut()).collect();
    for_each(threads, slots, |(item, slot)| {
        *slot = Some(work(item)?);
        Ok(())
    })?;
    Ok(results.into_iter().flatten().collect())
}

/// Locks a mutex whose data stays valid when a holder panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order() {
        for threads in [1, 2, 7] {
            let doubled = map(threads, (0..1000).collect(), |item: usize| Ok(2 * item)).unwrap();
            assert_eq!(doubled, (0..1000).map(|item| 2 * item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn both_sides_are_done() {
        for threads in [1, 2] {
            assert_eq!(beside(threads, || 1, || map(threads, vec![2, 3], Ok).unwrap()), (1, vec![2, 3]));
        }
    }

    #[test]
    fn the_earliest_error_is_reported() {
        let fail = |item: usize| if item >= 3 { Err(Error::invalid(item.to_string())) } else { Ok(()) };
        for threads in [1, 4] {
            let error = for_each(threads, (0..100).collect(), fail).unwrap_err();
            assert_eq!(error.to_string(), "invalid input: 3");
        }
    }
}
