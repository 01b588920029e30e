//! What a batch should take: its length and the rates of the machine, corrected by what runs have taught.
//!
//! The rates below are those of one machine, to begin with; they only have to be right about how one thing compares with
//! another. `rates.rs` learns the rest.

use super::rates::Rates;
use super::work::{Coded, Part, Task, Work};
use crate::motion::SearchEffort;
use crate::plan::LevelParameters;

/// The CPU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Threads that a batch may use.
    pub threads: usize,
    /// Times are multiplied with it: 1 is the machine of the rates below.
    pub slowness: f64,
}

/// An accelerator and the way to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hardware {
    /// Seconds to submit something and to wait for it.
    pub submit: f64,
    /// Seconds to bring a byte there or back.
    pub transfer: f64,
    /// Seconds of its kernels for a byte of raw samples.
    pub kernels: f64,
}

impl Hardware {
    /// Of an accelerator that was not measured: an ordinary GPU.
    pub const ORDINARY: Self = Self { submit: 1e-4, transfer: 1.0 / 8e9, kernels: 1.0 / 2e10 };
}

/// The time of each part of a batch, by itself on an idle machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// On the CPU.
    pub cpu: f64,
    /// On an accelerator.
    pub device: f64,
    /// On the CPU beside it.
    pub remainder: f64,
}

/// A time in seconds that is not known for sure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// As likely too much as too little.
    pub seconds: f64,
    /// Of its logarithm.
    pub deviation: f64,
}

impl Forecast {
    /// If all goes well.
    pub fn at_best(&self) -> f64 {
        self.seconds * (-2.0 * self.deviation).exp()
    }

    /// If it does not.
    pub fn at_worst(&self) -> f64 {
        self.seconds * (2.0 * self.deviation).exp()
    }

    /// One after the other.
    pub fn then(self, other: Self) -> Self {
        let seconds = self.seconds + other.seconds;
        let spread = |part: Self| part.seconds * part.deviation;
        Self { seconds, deviation: spread(self).hypot(spread(other)) / seconds.max(f64::MIN_POSITIVE) }
    }

    /// So many times as long.
    pub fn times(self, factor: f64) -> Self {
        Self { seconds: self.seconds * factor, ..self }
    }
}

/// Seconds that any batch takes on the CPU: buffers, threads that wake.
const OVERHEAD: f64 = 1e-5;
/// Seconds of one thread per byte, by level from 1 on, but for searches for motion.
const COMPRESS: [f64; 9] = [0.8e-9, 1.6e-9, 1.6e-9, 1.6e-9, 1.8e-9, 1.8e-9, 1.8e-9, 24e-9, 24e-9];
/// What more threads gain: twice as many are 1.7 times as fast.
const SCALING: f64 = 0.75;
/// The part of the CPU's time that is left to it beside an accelerator, which searches.
const LEFT: f64 = 0.5;

/// A search for motion, at levels that have one.
struct Search {
    /// Seconds of one thread per byte.
    seconds: f64,
    /// How often an accelerator could go over the bytes meanwhile.
    passes: f64,
}

fn search(level: u8) -> Search {
    match LevelParameters::of(level).motion {
        None => Search { seconds: 0.0, passes: 0.0 },
        Some(SearchEffort::Light) => Search { seconds: 3.6e-9, passes: 1.0 },
        Some(SearchEffort::Full) => Search { seconds: 6e-9, passes: 2.0 },
    }
}

fn decompress(coded: Coded) -> f64 {
    match coded {
        Coded::Planes | Coded::Tiles | Coded::Recovered | Coded::Patched | Coded::Moving | Coded::RecoveredMoving => {
            0.9e-9
        }
        Coded::Discrete => 1.1e-9,
        Coded::Strips => 14e-9,
    }
}

impl Price {
    /// From the rates of the machine alone.
    pub fn of(work: &Work, machine: Machine, hardware: Hardware) -> Self {
        let bytes = work.raw_bytes as f64;
        let (of_byte, search, submits) = match work.task {
            // A plan is measured first.
            Task::Compress { level, .. } => (COMPRESS[usize::from(level.clamp(1, 9) - 1)], search(level), 3.0),
            Task::Decompress(coded) => (decompress(coded), search(1), 1.0),
        };
        let threads = work.demand(machine.threads) as f64;
        let on_cpu = |of_byte: f64| bytes * of_byte * machine.slowness / threads.powf(SCALING);
        let cpu = OVERHEAD + on_cpu(of_byte);
        Self {
            cpu: cpu + on_cpu(search.seconds),
            // There and back.
            device: submits * hardware.submit
                + bytes * (2.0 * hardware.transfer + (1.0 + search.passes) * hardware.kernels),
            remainder: LEFT * cpu,
        }
    }

    /// One part.
    pub fn part(&self, part: Part) -> f64 {
        match part {
            Part::Cpu => self.cpu,
            Part::Device => self.device,
            Part::Remainder => self.remainder,
        }
    }

    /// One part, with what was learnt.
    pub fn forecast(&self, work: &Work, part: Part, rates: &Rates) -> Forecast {
        let seconds = self.part(part);
        let correction = rates.correction(work, part, seconds);
        Forecast { seconds: seconds * correction.mean.exp(), deviation: correction.variance.sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CodecChoice;
    use crate::schedule::content::Content;

    const MACHINE: Machine = Machine { threads: 8, slowness: 1.0 };

    fn work(level: u8, raw_bytes: usize) -> Work {
        let task = Task::Compress { level, codec: CodecChoice::Auto };
        Work { task, raw_bytes, sample_bytes: 1, packed: true, content: Content(2) }
    }

    #[test]
    fn the_floor_decides_small_batches_and_transfers_decide_large_ones() {
        let price = |bytes| Price::of(&work(4, bytes), MACHINE, Hardware::ORDINARY);
        let (small, large) = (price(1 << 10), price(64 << 20));
        assert!(small.device + small.remainder > 5.0 * small.cpu, "{small:?}");
        let bus = Hardware { transfer: 1e-8, ..Hardware::ORDINARY };
        let slow = Price::of(&work(4, 64 << 20), MACHINE, bus);
        assert!(large.device + large.remainder < 2.0 * large.cpu && slow.device > large.cpu, "{large:?} {slow:?}");
        assert_eq!(slow.cpu, large.cpu);
    }

    /// A search is where an accelerator helps most.
    #[test]
    fn an_accelerator_searches() {
        let gain = |level| {
            let price = Price::of(&work(level, 64 << 20), MACHINE, Hardware::ORDINARY);
            price.cpu / (price.device + price.remainder)
        };
        assert!(gain(5) > gain(4) && gain(7) > gain(5), "{} {} {}", gain(4), gain(5), gain(7));
        assert!(gain(7) > 1.0);
    }

    #[test]
    fn levels_and_threads() {
        let cpu =
            |level, threads| Price::of(&work(level, 64 << 20), Machine { threads, ..MACHINE }, Hardware::ORDINARY).cpu;
        assert!((1..9).all(|level| cpu(level, 8) <= cpu(level + 1, 8)));
        assert!(cpu(9, 8) > 10.0 * cpu(1, 8));
        assert!(cpu(4, 1) > 3.0 * cpu(4, 8));
        let one_job = |threads| Price::of(&work(4, 1000), Machine { threads, ..MACHINE }, Hardware::ORDINARY).cpu;
        assert_eq!(one_job(1), one_job(8));
    }

    #[test]
    fn what_was_learnt_counts() {
        let (work, mut rates) = (work(4, 1 << 24), Rates::default());
        let price = Price::of(&work, MACHINE, Hardware::ORDINARY);
        let before = price.forecast(&work, Part::Cpu, &rates);
        assert_eq!(before.seconds, price.cpu);
        for _ in 0..10 {
            rates.learn(&work, Part::Cpu, price.cpu, 2.5 * price.cpu, 0.0);
        }
        let after = price.forecast(&work, Part::Cpu, &rates);
        assert!((after.seconds / price.cpu - 2.5).abs() < 0.1, "{after:?}");
        assert!(after.deviation < before.deviation);
        assert!(after.at_best() < after.seconds && after.seconds < after.at_worst());
        assert_eq!(price.forecast(&work, Part::Device, &rates).seconds, price.device);
    }

    #[test]
    fn sums() {
        let (sure, unsure) = (Forecast { seconds: 3.0, deviation: 0.0 }, Forecast { seconds: 1.0, deviation: 0.4 });
        assert_eq!(sure.then(unsure), Forecast { seconds: 4.0, deviation: 0.1 });
        assert_eq!(unsure.times(2.0), Forecast { seconds: 2.0, deviation: 0.4 });
    }
}
