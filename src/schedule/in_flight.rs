//! Runs that have begun and not ended: what a further one would have to wait for.
//!
//! Runs on the CPU share its threads. What runs leave to an accelerator overlaps: one after another is only what its queue
//! does, while what hosts copy to memory that it reads, and from memory that it wrote, goes on beside. Times are seconds
//! since any moment that stays the same.

use super::decide::Side;

/// The part of its time on an accelerator in which a run is in nobody's way: every byte passes the host's memory, which takes
/// about as long as the way to the device.
const COPYING: f64 = 0.5;

/// One run.
#[derive(Debug, Clone, Copy)]
struct Run {
    number: u64,
    /// Threads that it keeps busy, on average.
    demand: f64,
    /// Until when the accelerator's queue is busy with it and with those before.
    queue_until: f64,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct InFlight {
    threads: f64,
    runs: Vec<Run>,
    begun: u64,
    /// How much slower runs on the CPU were than alone, summed over the time until `counted_until`.
    slowness: f64,
    counted_until: f64,
}

/// A run that has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Begun {
    number: u64,
    slowness: f64,
    slowness_of_device: f64,
    at: f64,
}

impl Begun {
    /// When.
    pub fn at(&self) -> f64 {
        self.at
    }

    /// How much longer it should be on the accelerator for those that were there before.
    pub fn slowness_of_device(&self) -> f64 {
        self.slowness_of_device
    }
}

impl InFlight {
    /// None yet, on so many threads.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1) as f64, runs: Vec::new(), begun: 0, slowness: 0.0, counted_until: 0.0 }
    }

    /// How much slower than alone a run that keeps `demand` threads busy is beside those that there are.
    pub fn slowness(&self, demand: f64) -> f64 {
        let others: f64 = self.runs.iter().map(|run| run.demand).sum();
        ((others + demand) / self.threads).max(1.0)
    }

    /// Seconds for which a run that is on the accelerator for `device_seconds` from `now` on would have to wait there.
    pub fn wait(&self, device_seconds: f64, now: f64) -> f64 {
        let queue = self.runs.iter().map(|run| run.queue_until - now).fold(0.0, f64::max);
        (queue - COPYING * device_seconds).max(0.0)
    }

    /// A run begins that keeps `demand` threads busy and is on the accelerator for so many seconds.
    pub fn begin(&mut self, side: Side, demand: f64, device_seconds: f64, now: f64) -> Begun {
        self.count(now);
        let number = self.begun;
        self.begun += 1;
        let wait = self.wait(device_seconds, now);
        let queue_until = if side == Side::Gpu { now + wait + device_seconds } else { 0.0 };
        self.runs.push(Run { number, demand, queue_until });
        let slowness_of_device = if device_seconds > 0.0 { 1.0 + wait / device_seconds } else { 1.0 };
        Begun { number, slowness: self.slowness, slowness_of_device, at: now }
    }

    /// It ends. Gives how much slower its part on the CPU was than alone, on average.
    pub fn end(&mut self, begun: Begun, now: f64) -> f64 {
        self.count(now);
        self.runs.retain(|run| run.number != begun.number);
        let taken = now - begun.at;
        if taken > 0.0 { ((self.slowness - begun.slowness) / taken).max(1.0) } else { 1.0 }
    }

    /// Sums up to `now`, before something changes.
    fn count(&mut self, now: f64) {
        // Clocks of two threads may be read in one order and be told in the other.
        let passed = (now - self.counted_until).max(0.0);
        self.slowness += passed * self.slowness(0.0);
        self.counted_until += passed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared() {
        let mut in_flight = InFlight::new(8);
        assert_eq!(in_flight.slowness(8.0), 1.0);
        let first = in_flight.begin(Side::Cpu, 8.0, 0.0, 10.0);
        assert_eq!((in_flight.slowness(8.0), in_flight.slowness(1.0)), (2.0, 1.125));
        let second = in_flight.begin(Side::Cpu, 8.0, 0.0, 11.0);
        // One second alone and two with the other.
        assert_eq!(in_flight.end(first, 13.0), 5.0 / 3.0);
        assert_eq!(in_flight.end(second, 14.0), 5.0 / 3.0);
        assert_eq!(in_flight.slowness(8.0), 1.0);
    }

    #[test]
    fn small_runs_leave_threads_to_others() {
        let mut in_flight = InFlight::new(8);
        let small = in_flight.begin(Side::Cpu, 1.0, 0.0, 0.0);
        assert_eq!(in_flight.slowness(7.0), 1.0);
        assert_eq!(in_flight.end(small, 1.0), 1.0);
    }

    #[test]
    fn the_queue_of_an_accelerator_does_one_after_another() {
        let mut in_flight = InFlight::new(8);
        let first = in_flight.begin(Side::Gpu, 0.5, 4.0, 100.0);
        assert_eq!(in_flight.wait(4.0, 100.5), 1.5);
        let second = in_flight.begin(Side::Gpu, 0.5, 4.0, 100.5);
        assert_eq!(in_flight.wait(4.0, 101.0), 3.0);
        assert_eq!((first.slowness_of_device(), second.slowness_of_device()), (1.0, 1.375));
        in_flight.end(first, 104.0);
        assert_eq!(in_flight.wait(4.0, 103.5), 0.5);
        assert_eq!(in_flight.wait(4.0, 106.0), 0.0, "it is late");
        in_flight.end(second, 107.0);
        assert_eq!(in_flight.begin(Side::Gpu, 0.5, 4.0, 108.0).slowness_of_device(), 1.0);
    }

    #[test]
    fn a_clock_that_stands_still() {
        let mut in_flight = InFlight::new(2);
        let begun = in_flight.begin(Side::Cpu, 2.0, 0.0, 5.0);
        assert_eq!(in_flight.end(begun, 5.0), 1.0);
        let late = in_flight.begin(Side::Cpu, 2.0, 0.0, 4.0);
        assert_eq!(in_flight.end(late, 3.0), 1.0);
    }
}
