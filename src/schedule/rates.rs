//! What runs have taught: how far actual times are from what [`cost`](super::cost) says.
//!
//! Corrections are logarithms of factors. That of a part of a batch is the sum of those of the sets that the batch is in
//! ([`Work::keys`]), of what one set adds or takes away by the content ([`Work::leaning`]), and of the load of what carries it out: the CPU, or the accelerator; that of what an accelerator leaves to
//! the CPU besides the sum of those of the CPU alone, for what is long there is long here. Each is an average that forgets, with
//! a variance. What a run took longer than was expected is divided among them by their variances, as a Kalman filter does
//! it: a new kind of batch is blamed before the load is, and the load before kinds that are well known.

use std::collections::BTreeMap;

use super::work::{Key, Part, SETS, Work};

/// An average with its variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The logarithm of a factor.
    pub mean: f64,
    /// Of the mean.
    pub variance: f64,
}

impl Estimate {
    const fn unknown(deviation: f64) -> Self {
        Self { mean: 0.0, variance: deviation * deviation }
    }

    /// Takes its share of an error whose variance is `total`; it had a part in the sum `weight` times.
    fn update(&mut self, error: f64, weight: f64, total: f64) {
        let gain = self.variance * weight / total;
        self.mean += gain * error;
        self.variance *= 1.0 - gain * weight;
    }
}

/// What is known of the sets of each part before anything is. An accelerator was measured; what it leaves to the CPU is
/// compared with what the CPU would have done.
const UNKNOWN: [[Estimate; SETS]; 3] = [
    unknown([0.3, 0.4, 0.2, 0.1, 0.1, 0.1]),
    unknown([0.2, 0.05, 0.15, 0.05, 0.15, 0.1]),
    unknown([1.0, 0.4, 0.2, 0.1, 0.1, 0.1]),
];

const fn unknown(deviations: [f64; SETS]) -> [Estimate; SETS] {
    let [direction, content, task, kind, length, both] = deviations;
    [
        Estimate::unknown(direction),
        Estimate::unknown(content),
        Estimate::unknown(task),
        Estimate::unknown(kind),
        Estimate::unknown(length),
        Estimate::unknown(both),
    ]
}

/// The load before anything is known of it.
const UNKNOWN_LOAD: Estimate = Estimate::unknown(0.3);
/// What sets and loads drift from batch to batch: variances.
const DRIFT: f64 = 1e-5;
const LOAD_DRIFT: f64 = 4e-3;
/// What times of one kind differ by: a variance, before anything is known of the kind, and the least that is assumed.
const UNKNOWN_NOISE: f64 = 1e-2;
const LEAST_NOISE: f64 = 1e-3;
/// How fast that is learnt.
const NOISE_GAIN: f64 = 0.15;
/// Deviations beyond which an error means that the load has changed, and the variance up to which sets are well known.
const JUMP: f64 = 3.0;
const WELL_KNOWN: f64 = 0.05;
/// A run of so many seconds feels half of the load: threads that wake for a moment are served first.
const HALF_LOADED: f64 = 3e-4;

/// What runs have taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    sets: BTreeMap<Key, Estimate>,
    noises: BTreeMap<Key, f64>,
    loads: Loads,
}

/// Of the CPU and of the accelerator.
#[derive(Debug, Clone, PartialEq)]
struct Loads([Estimate; 2]);

impl Default for Loads {
    fn default() -> Self {
        Self([UNKNOWN_LOAD; 2])
    }
}

impl Loads {
    fn of(&self, part: Part) -> Estimate {
        self.0[usize::from(part == Part::Device)]
    }

    fn of_mut(&mut self, part: Part) -> &mut Estimate {
        &mut self.0[usize::from(part == Part::Device)]
    }
}

/// How much of the load a part feels that takes so many seconds.
fn weight(seconds: f64) -> f64 {
    seconds / (seconds + HALF_LOADED)
}

/// The sets that have a part in a correction, what is assumed of them, and how often they count.
fn terms(work: &Work, part: Part) -> impl Iterator<Item = (Key, Estimate, f64)> {
    let of = |part: Part| of_part(work, part);
    let besides = (part == Part::Remainder).then(|| of(Part::Cpu));
    of(part).chain(besides.into_iter().flatten())
}

/// Those of a part by itself.
fn of_part(work: &Work, part: Part) -> impl Iterator<Item = (Key, Estimate, f64)> {
    let weights = [1.0, work.leaning(), 1.0, 1.0, 1.0, 1.0];
    let sets = work.keys(part).into_iter().zip(UNKNOWN[part as usize]).zip(weights);
    sets.map(|((key, unknown), weight)| (key, unknown, weight))
}

impl Rates {
    /// The logarithm of what `seconds` of a part are to be multiplied with.
    pub fn correction(&self, work: &Work, part: Part, seconds: f64) -> Estimate {
        let (load, weight) = (self.loads.of(part), weight(seconds));
        let mut sum = Estimate { mean: load.mean * weight, variance: load.variance * weight * weight };
        for (key, unknown, weight) in terms(work, part) {
            let set = self.sets.get(&key).copied().unwrap_or(unknown);
            sum.mean += set.mean * weight;
            sum.variance += set.variance * weight * weight;
        }
        sum
    }

    /// The variance of a part by itself, without what it has in common with the CPU.
    pub fn own_variance(&self, work: &Work, part: Part) -> f64 {
        let variance = |(key, unknown, weight): (Key, Estimate, f64)| {
            self.sets.get(&key).unwrap_or(&unknown).variance * weight * weight
        };
        of_part(work, part).map(variance).sum()
    }

    /// Learns that a part that should take `seconds` took `actual` ones. `doubt` is a variance: how little that says.
    pub fn learn(&mut self, work: &Work, part: Part, seconds: f64, actual: f64, doubt: f64) {
        let expected = self.correction(work, part, seconds);
        let error = (actual / seconds).ln() - expected.mean;
        if !error.is_finite() {
            return;
        }
        let weight = weight(seconds);
        let noise = self.noises.entry(work.of_task(part)).or_insert(UNKNOWN_NOISE);
        let mut total = expected.variance + *noise + doubt;
        let load = self.loads.of_mut(part);
        let of_sets = expected.variance - load.variance * weight * weight;
        if error * error > JUMP * JUMP * total && of_sets < WELL_KNOWN && weight > 0.5 {
            load.variance += (error / weight).powi(2);
            total += error * error;
        } else {
            *noise += NOISE_GAIN * ((error * error - expected.variance - doubt).max(LEAST_NOISE) - *noise);
        }
        load.update(error, weight, total);
        if part == Part::Cpu {
            // What was learnt of the rest was learnt in comparison with what has just turned out otherwise.
            let [direction, ..] = work.keys(Part::Remainder);
            let moved = error * of_sets / total;
            self.sets.entry(direction).or_insert(UNKNOWN[Part::Remainder as usize][0]).variance += moved * moved;
        }
        for (key, unknown, weight) in terms(work, part) {
            let set = self.sets.entry(key).or_insert(unknown);
            set.update(error, weight, total);
            set.variance += DRIFT;
        }
    }

    /// A batch has gone by: what is known of the loads is older.
    pub fn age(&mut self) {
        for load in &mut self.loads.0 {
            if load.variance < UNKNOWN_LOAD.variance {
                load.variance += LOAD_DRIFT;
            }
        }
    }

    /// What is worth keeping: the sets, without the loads of the moment.
    pub fn sets(&self) -> impl Iterator<Item = (Key, Estimate)> {
        self.sets.iter().map(|(key, estimate)| (*key, *estimate))
    }

    /// Takes a set from before.
    pub fn restore(&mut self, key: Key, estimate: Estimate) {
        self.sets.insert(key, estimate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CodecChoice;
    use crate::schedule::content::Content;
    use crate::schedule::work::{Coded, Task};

    const WORK: Work = Work {
        task: Task::Compress { level: 4, codec: CodecChoice::Auto },
        raw_bytes: 1 << 22,
        sample_bytes: 1,
        packed: true,
        content: Content(2),
    };
    const OTHER: Work = Work { content: Content(7), raw_bytes: 1 << 20, ..WORK };
    /// Long enough to feel the load.
    const SECONDS: f64 = 0.1;

    fn factor(rates: &Rates, work: &Work, part: Part) -> f64 {
        rates.correction(work, part, SECONDS).mean.exp()
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected).ln().abs() < tolerance, "expected {expected}, found {found}");
    }

    #[test]
    fn one_run_teaches_most_and_some_teach_all() {
        let mut rates = Rates::default();
        let before = rates.correction(&WORK, Part::Cpu, SECONDS).variance;
        rates.learn(&WORK, Part::Cpu, SECONDS, 3.0 * SECONDS, 0.0);
        near(factor(&rates, &WORK, Part::Cpu), 3.0, 0.1);
        assert!(rates.correction(&WORK, Part::Cpu, SECONDS).variance < before);
        for _ in 0..20 {
            rates.learn(&WORK, Part::Cpu, SECONDS, 3.0 * SECONDS, 0.0);
        }
        near(factor(&rates, &WORK, Part::Cpu), 3.0, 0.01);
        assert_eq!(factor(&rates, &WORK, Part::Device), 1.0, "nothing is known of the accelerator");
        let back = Work { task: Task::Decompress(Coded::Tiles), ..WORK };
        near(factor(&rates, &back, Part::Cpu), 1.0, 0.4);
    }

    /// What one kind teaches, others are believed to be like, in part.
    #[test]
    fn kinds_learn_from_each_other() {
        let mut rates = Rates::default();
        for _ in 0..10 {
            rates.learn(&WORK, Part::Cpu, SECONDS, 4.0 * SECONDS, 0.0);
        }
        let other = factor(&rates, &OTHER, Part::Cpu);
        assert!(other > 2.0 && other < 4.0, "{other}");
        for _ in 0..10 {
            rates.learn(&OTHER, Part::Cpu, SECONDS, SECONDS, 0.0);
        }
        near(factor(&rates, &OTHER, Part::Cpu), 1.0, 0.05);
        let of_level = rates.correction(&WORK.at_level(7), Part::Cpu, SECONDS);
        assert!(of_level.variance > 1.5 * rates.correction(&WORK, Part::Cpu, SECONDS).variance);
    }

    /// A change of the load is seen in one run of one kind, and holds for all kinds, and for what the CPU does beside
    /// an accelerator.
    #[test]
    fn a_change_of_the_load_is_seen_at_once() {
        let mut rates = Rates::default();
        for _ in 0..20 {
            for work in [WORK, OTHER] {
                rates.learn(&work, Part::Cpu, SECONDS, SECONDS, 0.0);
                rates.learn(&work, Part::Remainder, SECONDS, SECONDS, 0.0);
                rates.age();
            }
        }
        rates.learn(&WORK, Part::Remainder, SECONDS, 3.0 * SECONDS, 0.0);
        near(factor(&rates, &WORK, Part::Cpu), 3.0, 0.15);
        near(factor(&rates, &OTHER, Part::Cpu), 3.0, 0.15);
        near(factor(&rates, &WORK, Part::Device), 1.0, 1e-9);
        rates.learn(&OTHER, Part::Cpu, SECONDS, SECONDS, 0.0);
        near(factor(&rates, &WORK, Part::Cpu), 1.0, 0.15);
        // Runs that are over in no time do not feel it.
        rates.learn(&OTHER, Part::Cpu, SECONDS, 3.0 * SECONDS, 0.0);
        near(rates.correction(&OTHER, Part::Cpu, 1e-6).mean.exp(), 1.0, 0.15);
    }

    #[test]
    fn loads_are_forgotten_and_sets_are_kept() {
        let mut rates = Rates::default();
        for _ in 0..20 {
            rates.learn(&WORK, Part::Cpu, SECONDS, 2.0 * SECONDS, 0.0);
        }
        let variance = |rates: &Rates| rates.correction(&WORK, Part::Cpu, SECONDS).variance;
        let known = variance(&rates);
        for _ in 0..1000 {
            rates.age();
        }
        assert!(variance(&rates) > known);
        assert!(variance(&rates) < 2.0 * UNKNOWN_LOAD.variance, "not for ever");
        let mut kept = Rates::default();
        rates.sets().for_each(|(key, estimate)| kept.restore(key, estimate));
        assert_eq!(kept.sets, rates.sets);
        assert_eq!(kept.loads, Loads::default());
    }

    #[test]
    fn times_that_are_none_teach_nothing() {
        let mut rates = Rates::default();
        for (seconds, actual) in [(0.0, 1.0), (1.0, 0.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
            rates.learn(&WORK, Part::Cpu, seconds, actual, 0.0);
        }
        assert_eq!(rates, Rates::default());
    }
}
