//! Places batches, and learns from how they went. It reads no clock: callers say what time it is, in seconds since any
//! moment that stays the same.

use super::cost::{Forecast, Hardware, Machine, Price};
use super::decide::{Allowance, Decision, Outlook, Reason, Side, decide};
use super::health::Health;
use super::in_flight::{Begun, InFlight};
use super::rates::Rates;
use super::work::{Part, Work};
use crate::plan::Policy;

/// Batches below this are not worth a transfer.
pub const SMALL_BYTES: usize = 1 << 16;
/// The part of the time that exploration may take.
const EXPLORED: f64 = 0.01;
/// Batches after which more than a slight detour is due again.
const DETOUR_EVERY: u64 = 250;
/// Times are uncertain by so many seconds: clocks, threads that wake.
const JITTER: f64 = 2e-5;

/// Where a batch may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidates {
    /// To the CPU.
    Cpu,
    /// To the accelerator, as asked.
    Asked,
    /// To the better one.
    Both,
}

/// A batch to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// What is to be done.
    pub work: Work,
    /// Threads that it may use.
    pub threads: usize,
    /// Where it may go.
    pub candidates: Candidates,
    /// What matters.
    pub policy: Policy,
}

/// A batch that was placed.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    work: Work,
    /// Where, and why.
    pub decision: Decision,
    /// Seconds that it should take there.
    pub predicted: f64,
    /// Seconds that it should take where it would be if it did not explore.
    otherwise: f64,
    price: Price,
    begun: Begun,
}

/// One accelerator, the CPU, and what is known of them.
#[derive(Debug, Clone)]
pub struct Placer {
    slowness: f64,
    hardware: Hardware,
    rates: Rates,
    in_flight: InFlight,
    health: Health,
    /// Seconds that exploration may take by now.
    credit: f64,
    batches_since_exploring: u64,
}

impl Placer {
    /// Of an accelerator beside a CPU of so many threads, that needs `slowness` times as long as the rates of
    /// [`cost`](super::cost) say.
    pub fn new(threads: usize, slowness: f64, hardware: Hardware) -> Self {
        Self {
            slowness,
            hardware,
            rates: Rates::default(),
            in_flight: InFlight::new(threads),
            health: Health::default(),
            credit: 0.0,
            batches_since_exploring: 0,
        }
    }

    /// What runs have taught.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Replaces what was assumed of the machine.
    pub fn calibrate(&mut self, slowness: f64, hardware: Hardware, rates: Rates) {
        (self.slowness, self.hardware, self.rates) = (slowness, hardware, rates);
    }

    /// What was measured of the machine.
    pub fn calibration(&self) -> (f64, Hardware) {
        (self.slowness, self.hardware)
    }

    /// Places a batch, which begins now.
    pub fn place(&mut self, request: Request, now: f64) -> Ticket {
        let Request { work, threads, candidates, policy } = request;
        let price = self.price(&work, threads);
        let [cpu, gpu] = self.outlooks(&request, &price, now);
        let decision = match (candidates, self.health.complaint()) {
            (Candidates::Cpu, _) => Decision { side: Side::Cpu, reason: Reason::Only },
            (Candidates::Both, _) if work.raw_bytes < SMALL_BYTES => {
                Decision { side: Side::Cpu, reason: Reason::Small }
            }
            (_, Some(Reason::SetAside)) => Decision { side: Side::Cpu, reason: Reason::SetAside },
            // Whoever asks for a device gets it as long as it is there.
            (Candidates::Asked, _) => Decision { side: Side::Gpu, reason: Reason::Asked },
            (Candidates::Both, Some(reason)) => {
                self.health.passed_over();
                Decision { side: Side::Cpu, reason }
            }
            (Candidates::Both, None) => decide(cpu, gpu, policy, self.allowance(&work, &price, gpu.alone)),
        };
        let (chosen, other) = match decision.side {
            Side::Cpu => (cpu, gpu),
            Side::Gpu => (gpu, cpu),
        };
        let explores = decision.reason == Reason::Exploring;
        self.batches_since_exploring = if explores { 0 } else { self.batches_since_exploring + 1 };
        let demand = work.demand(threads) as f64;
        let device = self.forecast(&work, &price, Part::Device).seconds;
        let begun = match decision.side {
            Side::Cpu => self.in_flight.begin(Side::Cpu, demand, 0.0, now),
            Side::Gpu => {
                let busy = (1.0 - device / gpu.alone.seconds).max(0.0);
                self.in_flight.begin(Side::Gpu, demand * busy, device, now)
            }
        };
        let otherwise = if explores { other.done.seconds } else { chosen.done.seconds };
        Ticket { work, decision, predicted: chosen.done.seconds, otherwise, price, begun }
    }

    /// The batch is done. `device` is the seconds that calls of the accelerator took; 0 if there were none.
    pub fn done(&mut self, ticket: Ticket, device: f64, now: f64) {
        let Ticket { work, decision, price, begun, .. } = ticket;
        let slowness = self.in_flight.end(begun, now);
        let taken = now - begun.at();
        let on_device = if decision.side == Side::Gpu { device } else { 0.0 };
        self.learn(&work, &price, [taken, on_device], [slowness, begun.slowness_of_device()]);
        if on_device > 0.0 {
            self.health.succeeded();
        }
        self.rates.age();
        self.account(&ticket, taken);
    }

    /// Learns from a batch that was run on a side by itself, before any is placed. `device` is as in [`done`](Self::done).
    pub fn rehearsed(&mut self, work: &Work, threads: usize, seconds: f64, device: f64) {
        let price = self.price(work, threads);
        self.learn(work, &price, [seconds, device], [1.0; 2]);
    }

    /// Learns from the seconds that a batch took, and calls of the accelerator of these, if there were any; others made the
    /// CPU and the accelerator so much slower meanwhile.
    fn learn(&mut self, work: &Work, price: &Price, [taken, device]: [f64; 2], [slowness, of_device]: [f64; 2]) {
        // What others were in the way for is known roughly.
        let mut learn = |part, actual: f64, slowness: f64| {
            let doubt = (JITTER / actual).powi(2) + slowness.ln().powi(2) / 4.0;
            self.rates.learn(work, part, price.part(part), actual / slowness, doubt);
        };
        if device > 0.0 {
            learn(Part::Device, device, of_device);
            learn(Part::Remainder, (taken - device).max(0.0), slowness);
        } else {
            learn(Part::Cpu, taken, slowness);
        }
    }

    /// The accelerator failed, and the CPU did the batch; for good if it is `set_aside`.
    pub fn failed(&mut self, ticket: Ticket, set_aside: bool, now: f64) {
        self.in_flight.end(ticket.begun, now);
        self.health.failed();
        if set_aside {
            self.health.set_aside();
        }
        self.account(&ticket, now - ticket.begun.at());
    }

    /// The batch cannot be done: nothing is to be learnt from it.
    pub fn abandoned(&mut self, ticket: Ticket, now: f64) {
        self.in_flight.end(ticket.begun, now);
    }

    /// The highest level, up to that of the work, at which a batch should be done within `seconds`; 1 if there is none.
    pub fn level_within(&self, request: Request, seconds: f64, now: f64) -> Option<u8> {
        let fits = |level: u8| {
            let request = Request { work: request.work.at_level(level), ..request };
            let price = self.price(&request.work, request.threads);
            let [cpu, gpu] = self.outlooks(&request, &price, now);
            let done = match (request.candidates, self.health.complaint()) {
                (Candidates::Cpu, _) | (_, Some(_)) => cpu.done.seconds,
                (Candidates::Asked, None) => gpu.done.seconds,
                (Candidates::Both, None) => cpu.done.seconds.min(gpu.done.seconds),
            };
            done <= seconds
        };
        let asked = request.work.level()?;
        Some((2..=asked).rev().find(|&level| fits(level)).unwrap_or(1))
    }

    fn price(&self, work: &Work, threads: usize) -> Price {
        Price::of(work, Machine { threads, slowness: self.slowness }, self.hardware)
    }

    fn forecast(&self, work: &Work, price: &Price, part: Part) -> Forecast {
        price.forecast(work, part, &self.rates)
    }

    /// Of the CPU and of the accelerator.
    fn outlooks(&self, request: &Request, price: &Price, now: f64) -> [Outlook; 2] {
        let work = &request.work;
        let [cpu, device, remainder] =
            [Part::Cpu, Part::Device, Part::Remainder].map(|part| self.forecast(work, price, part));
        let slowness = self.in_flight.slowness(work.demand(request.threads) as f64);
        let wait = Forecast { seconds: self.in_flight.wait(device.seconds, now), deviation: 0.0 };
        [
            Outlook { alone: cpu, done: cpu.times(slowness) },
            Outlook { alone: device.then(remainder), done: wait.then(device).then(remainder.times(slowness)) },
        ]
    }

    /// What may be spent on learning how the sides compare. What lasts longer on both is no matter.
    fn allowance(&self, work: &Work, price: &Price, gpu: Forecast) -> Allowance {
        let own = |part| self.rates.own_variance(work, part);
        let on_device = self.forecast(work, price, Part::Device).seconds / gpu.seconds;
        let doubt =
            on_device.powi(2) * (own(Part::Device) + own(Part::Cpu)) + (1.0 - on_device).powi(2) * own(Part::Remainder);
        let due = self.batches_since_exploring >= DETOUR_EVERY;
        Allowance { seconds: self.credit, due, doubt: doubt.sqrt() }
    }

    fn account(&mut self, ticket: &Ticket, taken: f64) {
        self.credit += EXPLORED * taken;
        if ticket.decision.reason == Reason::Exploring {
            self.credit -= (taken - ticket.otherwise).max(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::CodecChoice;
    use crate::schedule::content::Content;
    use crate::schedule::work::Task;

    const WORK: Work = Work {
        task: Task::Compress { level: 4, codec: CodecChoice::Auto },
        raw_bytes: 16 << 20,
        sample_bytes: 1,
        packed: true,
        content: Content(2),
    };
    const REQUEST: Request =
        Request { work: WORK, threads: 8, candidates: Candidates::Both, policy: Policy::Throughput };

    fn placer() -> Placer {
        Placer::new(8, 1.0, Hardware::ORDINARY)
    }

    /// Places and ends batches one after another; each takes `cpu` seconds there, and on the accelerator `device` and
    /// then `remainder`.
    fn run(placer: &mut Placer, batches: usize, cpu: f64, (device, remainder): (f64, f64)) -> Vec<Decision> {
        let run = |at: usize| {
            let now = 1000.0 * at as f64;
            let ticket = placer.place(REQUEST, now);
            match ticket.decision.side {
                Side::Cpu => placer.done(ticket, 0.0, now + cpu),
                Side::Gpu => placer.done(ticket, device, now + device + remainder),
            };
            ticket.decision
        };
        (0..batches).map(run).collect()
    }

    #[test]
    fn the_faster_side_is_learnt() {
        for (cpu, gpu, side) in [(0.008, (0.005, 0.006), Side::Cpu), (0.02, (0.005, 0.003), Side::Gpu)] {
            let decisions = run(&mut placer(), 1000, cpu, gpu);
            let wrong = decisions.iter().filter(|decision| decision.side != side).count();
            assert!(wrong <= 10, "{wrong} of {} on the wrong side", decisions.len());
            assert!(decisions[20..].iter().all(|it| it.side == side || it.reason == Reason::Exploring));
        }
    }

    #[test]
    fn small_batches_asked_devices_and_no_device() {
        let mut placer = placer();
        run(&mut placer, 30, 0.02, (0.005, 0.003));
        let mut place = |request| {
            let ticket = placer.place(request, 0.0);
            placer.abandoned(ticket, 0.0);
            (ticket.decision.side, ticket.decision.reason)
        };
        let small = Request { work: Work { raw_bytes: 1000, ..WORK }, ..REQUEST };
        assert_eq!(place(small), (Side::Cpu, Reason::Small));
        assert_eq!(place(Request { candidates: Candidates::Asked, ..small }), (Side::Gpu, Reason::Asked));
        assert_eq!(place(Request { candidates: Candidates::Cpu, ..REQUEST }), (Side::Cpu, Reason::Only));
        assert_eq!(place(REQUEST), (Side::Gpu, Reason::Faster));
    }

    /// With several batches in flight both sides work.
    #[test]
    fn both_sides_work_where_that_is_faster() {
        let mut placer = placer();
        run(&mut placer, 50, 0.02, (0.013, 0.002));
        let tickets: Vec<Ticket> = (0..4).map(|_| placer.place(REQUEST, 1e6)).collect();
        let decisions = tickets.iter().map(|ticket| (ticket.decision.side, ticket.decision.reason));
        let (gpu, busy) = ((Side::Gpu, Reason::Faster), (Side::Cpu, Reason::OtherBusy));
        assert_eq!(decisions.clone().take(2).collect::<Vec<_>>(), [gpu, busy]);
        assert!(decisions.clone().any(|decision| decision == (Side::Gpu, Reason::OtherBusy) || decision == gpu));
        for ticket in tickets {
            placer.abandoned(ticket, 1e6);
        }
        assert_eq!(placer.place(REQUEST, 1e6).decision.side, Side::Gpu, "all have gone");
    }

    #[test]
    fn failures_rest_and_set_aside() {
        let mut placer = placer();
        run(&mut placer, 30, 0.02, (0.005, 0.003));
        let first = placer.place(REQUEST, 0.0);
        assert_eq!(first.decision.side, Side::Gpu);
        placer.failed(first, false, 1.0);
        let mut reasons = Vec::new();
        for _ in 0..5 {
            let ticket = placer.place(REQUEST, 2.0);
            reasons.push(ticket.decision.reason);
            placer.abandoned(ticket, 2.0);
        }
        assert_eq!(reasons[..4], [Reason::Resting; 4]);
        assert_ne!(reasons[4], Reason::Resting);
        let asked = Request { candidates: Candidates::Asked, ..REQUEST };
        let ticket = placer.place(asked, 3.0);
        placer.failed(ticket, false, 3.0);
        let ticket = placer.place(asked, 4.0);
        assert_eq!(ticket.decision.reason, Reason::Asked, "as long as it is there");
        placer.failed(ticket, true, 5.0);
        for request in [asked, REQUEST] {
            assert_eq!(placer.place(request, 6.0).decision, Decision { side: Side::Cpu, reason: Reason::SetAside });
        }
    }

    #[test]
    fn exploration_is_bounded() {
        let mut placer = placer();
        // Near enough to be tempting for ever.
        let decisions = run(&mut placer, 5000, 0.01, (0.01, 0.001));
        let explored = decisions.iter().filter(|decision| decision.reason == Reason::Exploring).count();
        assert!(explored > 0);
        let (spent, all) = (0.001 * explored as f64, 0.01 * decisions.len() as f64);
        assert!(spent <= 0.011 * all, "{explored}");
    }

    #[test]
    fn levels_are_lowered_until_they_fit() {
        let mut placer = placer();
        let request = Request { candidates: Candidates::Cpu, ..REQUEST };
        for _ in 0..20 {
            let ticket = placer.place(request, 0.0);
            placer.done(ticket, 0.0, 0.1);
        }
        let within = |seconds| placer.level_within(request, seconds, 0.0);
        assert_eq!(within(0.12), Some(4));
        assert_eq!(within(1e-6), Some(1), "there is nothing lower");
        let nine = Request { work: WORK.at_level(9), ..request };
        let level = placer.level_within(nine, 0.2, 0.0).unwrap();
        assert!((4..8).contains(&level), "{level}: the model is many times slower");
        let back = Work { task: Task::Decompress(crate::schedule::work::Coded::Tiles), ..WORK };
        assert_eq!(placer.level_within(Request { work: back, ..request }, 0.0, 0.0), None);
        let policy = Policy::Deadline(Duration::from_millis(1));
        assert_eq!(placer.place(Request { policy, ..request }, 0.0).decision.reason, Reason::Only);
    }
}
