//! Which side a batch goes to, and why.

use super::cost::Forecast;
use crate::plan::Policy;

/// What carries out a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The CPU.
    Cpu,
    /// A GPU.
    Gpu,
}

impl Side {
    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// Why a batch ran where it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is nothing else, or nothing that is known yet.
    Only,
    /// That device was asked for.
    Asked,
    /// The batch is too small to be worth a transfer.
    Small,
    /// It is the faster one for this batch.
    Faster,
    /// The one that would be faster by itself has others to do first.
    OtherBusy,
    /// To learn whether it is faster.
    Exploring,
    /// The GPU was lost or wrong.
    SetAside,
    /// The GPU failed, and is left alone for some batches.
    Resting,
    /// Its frames are there.
    Resident,
}

impl Reason {
    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Only => "only",
            Self::Asked => "asked",
            Self::Small => "small",
            Self::Faster => "faster",
            Self::OtherBusy => "other busy",
            Self::Exploring => "exploring",
            Self::SetAside => "set aside",
            Self::Resting => "resting",
            Self::Resident => "resident",
        }
    }
}

/// What one side would take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Beside nothing else.
    pub alone: Forecast,
    /// Until it is done, from now.
    pub done: Forecast,
}

/// A side and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The side.
    pub side: Side,
    /// The reason.
    pub reason: Reason,
}

/// What exploration may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Seconds.
    pub seconds: f64,
    /// Whether it is time for more than a slight detour.
    pub due: bool,
    /// What is not known of how the sides compare: the deviation of a logarithm.
    pub doubt: f64,
}

/// How much longer than the direct way a detour may be.
const LONGEST: f64 = 1.1;
/// One that need not wait until it is due, and the doubt that makes it worth while.
const SLIGHT: f64 = 1.05;
const WORTH_KNOWING: f64 = 0.25;
/// The doubt of which a side has never been tried at anything like it, about: that does not wait either, and may be as long as
/// is affordable.
const IGNORANT: f64 = 0.4;

/// The side that is done first. With [`Policy::Throughput`] the other one is tried now and then where it may
/// be faster and costs little; the others never try, and would rather be sure than fast by half.
pub fn decide(cpu: Outlook, gpu: Outlook, policy: Policy, allowance: Allowance) -> Decision {
    let time = |forecast: Forecast| match policy {
        Policy::Throughput => forecast.seconds,
        Policy::Latency | Policy::Deadline(_) => forecast.at_worst(),
    };
    let faster = |cpu: Forecast, gpu: Forecast| if time(gpu) < time(cpu) { Side::Gpu } else { Side::Cpu };
    let side = faster(cpu.done, gpu.done);
    let (chosen, other) = match side {
        Side::Cpu => (cpu.done.seconds, gpu.done.seconds),
        Side::Gpu => (gpu.done.seconds, cpu.done.seconds),
    };
    let may_be_faster = other < chosen * (2.0 * allowance.doubt).exp();
    let affordable = other - chosen <= allowance.seconds;
    let within = |factor: f64| other <= chosen * factor;
    let due = within(LONGEST) && allowance.due;
    let slight = within(SLIGHT) && allowance.doubt > WORTH_KNOWING;
    if policy == Policy::Throughput && affordable && may_be_faster && (due || slight || allowance.doubt > IGNORANT) {
        return Decision { side: side.other(), reason: Reason::Exploring };
    }
    let reason = if faster(cpu.alone, gpu.alone) == side { Reason::Faster } else { Reason::OtherBusy };
    Decision { side, reason }
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Cpu => Self::Gpu,
            Self::Gpu => Self::Cpu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ALLOWANCE: Allowance = Allowance { seconds: 0.0, due: true, doubt: 0.0 };

    fn outlook(seconds: f64, deviation: f64) -> Outlook {
        let forecast = Forecast { seconds, deviation };
        Outlook { alone: forecast, done: forecast }
    }

    fn decision(side: Side, reason: Reason) -> Decision {
        Decision { side, reason }
    }

    #[test]
    fn the_faster_one() {
        for (cpu, gpu, side) in [(1.0, 2.0, Side::Cpu), (2.0, 1.0, Side::Gpu), (1.0, 1.0, Side::Cpu)] {
            let found = decide(outlook(cpu, 0.0), outlook(gpu, 0.0), Policy::Throughput, NO_ALLOWANCE);
            assert_eq!(found, decision(side, Reason::Faster));
        }
    }

    #[test]
    fn who_is_busy_waits() {
        let busy = Outlook { done: Forecast { seconds: 5.0, deviation: 0.0 }, ..outlook(1.0, 0.0) };
        let found = decide(outlook(2.0, 0.0), busy, Policy::Throughput, NO_ALLOWANCE);
        assert_eq!(found, decision(Side::Cpu, Reason::OtherBusy));
    }

    #[test]
    fn exploring_is_cheap_and_promising_and_due() {
        let decide = |gpu, seconds, due, doubt| {
            let allowance = Allowance { seconds, due, doubt };
            decide(outlook(1.0, 0.0), outlook(gpu, 0.0), Policy::Throughput, allowance)
        };
        let explored = decision(Side::Gpu, Reason::Exploring);
        assert_eq!(decide(1.09, 0.5, true, 0.3), explored);
        assert_eq!(decide(1.09, 0.05, true, 0.3).reason, Reason::Faster, "too dear");
        assert_eq!(decide(1.09, 0.5, false, 0.3).reason, Reason::Faster, "too soon");
        assert_eq!(decide(1.09, 0.5, true, 0.01).reason, Reason::Faster, "hopeless");
        assert_eq!(decide(1.2, 0.5, true, 0.3).reason, Reason::Faster, "too long");
        assert_eq!(decide(1.2, 0.5, false, 0.5), explored, "never tried");
        assert_eq!(decide(1.05, 0.5, false, 0.3), explored, "a slight detour");
        assert_eq!(decide(1.05, 0.5, false, 0.05).reason, Reason::Faster, "nothing to be learnt");
        let allowance = Allowance { seconds: 1.0, due: true, doubt: 1.0 };
        let latency = super::decide(outlook(1.0, 0.0), outlook(1.1, 0.0), Policy::Latency, allowance);
        assert_eq!(latency.reason, Reason::Faster, "never for latency");
    }

    #[test]
    fn latency_would_rather_be_sure() {
        let (sure, unsure) = (outlook(1.0, 0.01), outlook(0.9, 0.3));
        assert_eq!(decide(sure, unsure, Policy::Throughput, NO_ALLOWANCE).side, Side::Gpu);
        assert_eq!(decide(sure, unsure, Policy::Latency, NO_ALLOWANCE).side, Side::Cpu);
        let deadline = Policy::Deadline(std::time::Duration::from_millis(5));
        assert_eq!(decide(sure, unsure, deadline, NO_ALLOWANCE).side, Side::Cpu);
    }
}
