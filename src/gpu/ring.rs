//! Room for what is on the way to a device and back: bounded in bytes, and given in the order in which it is asked for.
//!
//! A run claims all its room at once and has it until it is over, so runs cannot wait for one another in a circle. The
//! buffers that it leaves stay in the ring for the next run, within the same bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::pool::lock;

/// To the device, and back.
pub(super) const WAYS: usize = 2;

/// The buffers (`B`) of one device, or the room for them.
pub(super) struct Ring<B> {
    state: Mutex<State<B>>,
    changed: Condvar,
}

struct State<B> {
    /// That claims and spare buffers may have together.
    bytes: u64,
    claimed: u64,
    /// Which way, and size, oldest first.
    spare: VecDeque<(usize, u64, B)>,
    /// Claims so far.
    claims: u64,
    /// Those that have had their turn.
    turns: u64,
    is_closed: bool,
}

/// The room of one run, until it is dropped.
pub(super) struct Claim<'a, B> {
    ring: &'a Ring<B>,
    sizes: [u64; WAYS],
}

impl<B> Ring<B> {
    pub fn new(bytes: u64) -> Self {
        let spare = VecDeque::new();
        let state = State { bytes, claimed: 0, spare, claims: 0, turns: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Room for a buffer of each of these sizes, with the spare ones that there are. Waits for its turn and until there is
    /// room; whoever is alone has room for anything. `None` if the ring is closed.
    pub fn claim(&self, sizes: [u64; WAYS]) -> Option<(Claim<'_, B>, [Option<B>; WAYS])> {
        let bytes: u64 = sizes.iter().sum();
        let mut state = lock(&self.state);
        let number = state.claims;
        state.claims += 1;
        let waits = |state: &mut State<B>| {
            let fits = state.claimed == 0 || state.claimed + bytes <= state.bytes;
            !state.is_closed && (state.turns != number || !fits)
        };
        let mut state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return None;
        }
        state.turns += 1;
        state.claimed += bytes;
        let found = std::array::from_fn(|way| state.take(way, sizes[way]));
        state.trim();
        drop(state);
        self.changed.notify_all();
        Some((Claim { ring: self, sizes }, found))
    }

    /// Claims and spare buffers are to have so many bytes from now on.
    pub fn keep_within(&self, bytes: u64) {
        let mut state = lock(&self.state);
        if state.bytes != bytes {
            state.bytes = bytes;
            state.trim();
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Frees the spare buffers.
    pub fn clear(&self) {
        lock(&self.state).spare.clear();
    }

    /// Gives no more room to anybody, those who wait for it included.
    pub fn close(&self) {
        lock(&self.state).is_closed = true;
        self.changed.notify_all();
    }
}

impl<B> State<B> {
    /// A spare buffer of this size.
    fn take(&mut self, way: usize, size: u64) -> Option<B> {
        let at = self.spare.iter().position(|&(its_way, its_size, _)| (its_way, its_size) == (way, size))?;
        self.spare.remove(at).map(|(.., buffer)| buffer)
    }

    /// Frees the oldest spare buffers, as far as there is no room for them.
    fn trim(&mut self) {
        let mut bytes = self.claimed + self.spare.iter().map(|&(_, size, _)| size).sum::<u64>();
        while bytes > self.bytes
            && let Some((_, size, _)) = self.spare.pop_front()
        {
            bytes -= size;
        }
    }
}

impl<B> Claim<'_, B> {
    /// Leaves buffers of the sizes that were claimed to later runs.
    pub fn give_back(self, buffers: [Option<B>; WAYS]) {
        let mut state = lock(&self.ring.state);
        for (way, (size, buffer)) in self.sizes.into_iter().zip(buffers).enumerate() {
            state.spare.extend(buffer.map(|buffer| (way, size, buffer)));
        }
    }
}

impl<B> Drop for Claim<'_, B> {
    fn drop(&mut self) {
        let mut state = lock(&self.ring.state);
        state.claimed -= self.sizes.iter().sum::<u64>();
        state.trim();
        drop(state);
        self.ring.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);
    const NEVER: Duration = Duration::from_millis(30);

    /// Waits until `claims` claims have been asked for.
    fn asked(ring: &Ring<u8>, claims: u64) {
        while lock(&ring.state).claims < claims {
            std::thread::yield_now();
        }
    }

    #[test]
    fn claims_have_their_turn_in_order_and_within_the_bytes() {
        let ring = Ring::<u8>::new(100);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let first = ring.claim([60, 0]).unwrap();
            let ask = |number, sizes| {
                let (ring, sender) = (&ring, sender.clone());
                scope.spawn(move || sender.send((number, ring.claim(sizes).unwrap())));
                asked(ring, number);
            };
            // The third would fit, but it is not its turn.
            ask(2, [40, 20]);
            ask(3, [10, 10]);
            assert!(receiver.recv_timeout(NEVER).is_err());
            drop(first);
            let mut numbers = [receiver.recv_timeout(SOON).unwrap(), receiver.recv_timeout(SOON).unwrap()];
            numbers.sort_by_key(|(number, _)| *number);
            assert_eq!(numbers.map(|(number, _)| number), [2, 3]);
        });
        assert_eq!(lock(&ring.state).claimed, 0);
    }

    #[test]
    fn whoever_is_alone_has_room_for_anything() {
        let ring = Ring::<u8>::new(100);
        let large = ring.claim([1000, 1000]).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ring.claim([1, 0]).is_some());
            asked(&ring, 2);
            assert!(!waiting.is_finished());
            drop(large);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn buffers_are_used_again_within_the_bytes() {
        let ring = Ring::new(100);
        let (claim, found) = ring.claim([30, 20]).unwrap();
        assert_eq!(found, [None, None]);
        claim.give_back([Some('a'), Some('b')]);
        let (claim, found) = ring.claim([30, 30]).unwrap();
        assert_eq!(found, [Some('a'), None], "the other one has another size");
        claim.give_back([Some('a'), Some('c')]);
        let (claim, found) = ring.claim([0, 20]).unwrap();
        assert_eq!(found, [None, Some('b')], "80 of 100 bytes were spare");
        // What is dropped with its claim is no longer there.
        drop(claim);
        let (claim, found) = ring.claim([0, 60]).unwrap();
        assert_eq!((found, lock(&ring.state).spare.len()), ([None, None], 1), "the oldest had to go");
        drop(claim);
        ring.keep_within(29);
        assert!(lock(&ring.state).spare.is_empty());
    }

    #[test]
    fn who_waits_when_it_closes_is_told() {
        let ring = Ring::<u8>::new(10);
        let claim = ring.claim([10, 0]).unwrap();
        std::thread::scope(|scope| {
            let waiting = [(); 3].map(|()| scope.spawn(|| ring.claim([5, 5]).is_none()));
            asked(&ring, 4);
            ring.close();
            assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap()));
        });
        drop(claim);
        assert!(ring.claim([0, 0]).is_none());
    }
}
