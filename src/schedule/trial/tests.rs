//! The targets of the placement, on simulated machines.

use super::report::recovery;
use super::*;
use crate::schedule::placer::Ticket;

const BATCHES: usize = 1000;
const MEAN_REGRET: f64 = 0.03;
const P99_REGRET: f64 = 0.15;
const BEHIND_STATIC: f64 = 0.02;
const RECOVERY: usize = 5;
/// The mean regret of ten batches that is as good as the target for all: noise decides some of them.
const RECOVERED: f64 = 0.05;
const SEEDS: std::ops::Range<u64> = 1..21;

fn cold(mut world: Simulated, batches: usize, seed: u64) -> Vec<Placed> {
    let mut placer = world.placer().unwrap();
    run(&mut world, &mix(batches, seed), &mut placer).unwrap()
}

#[track_caller]
fn check(name: &str, seed: u64, placed: &[Placed]) {
    let report = Report::of(placed);
    assert!(report.mean_regret <= MEAN_REGRET, "{name}, {seed}: {report:?}");
    assert!(report.behind_static() <= BEHIND_STATIC, "{name}, {seed}: {report:?}");
    for change in [BATCHES / 3, 2 * BATCHES / 3] {
        let batches = recovery(placed, change, RECOVERED);
        assert!(batches.is_some_and(|batches| batches <= RECOVERY), "{name}, {seed}: {batches:?} after {change}");
    }
}

/// A GPU that is faster at most batches, and one that is at none; nothing is known of either at first but what is
/// measured. What is learnt serves a mix of other batches.
#[test]
fn fast_and_slow_gpus() {
    for (name, rates, share) in [("fast", FAST_GPU, 0.5..0.8), ("slow", SLOW_GPU, 0.0..0.01)] {
        let (mut new, mut learnt) = (Vec::new(), Vec::new());
        for seed in SEEDS {
            let mut world = Simulated::new(rates, seed);
            let mut placer = world.placer().unwrap();
            let first = run(&mut world, &mix(BATCHES, 2 * seed), &mut placer).unwrap();
            check(name, seed, &first);
            let then = run(&mut world, &mix(BATCHES, 2 * seed + 1), &mut placer).unwrap();
            check(name, seed, &then);
            let on_gpu = Report::of(&then).on_gpu as f64 / BATCHES as f64;
            assert!(share.contains(&on_gpu), "{name}, {seed}: {on_gpu}");
            new.extend(first);
            learnt.extend(then);
        }
        for placed in [new, learnt] {
            let report = Report::of(&placed);
            assert!(report.p99_regret <= P99_REGRET, "{name}: {report:?}");
        }
    }
}

/// The mix is no easy one: whoever always chose the same, or at random, would miss the targets.
#[test]
fn the_targets_can_be_missed() {
    let placed = cold(Simulated::new(FAST_GPU, 1), BATCHES, 1);
    let mean = |chosen: &dyn Fn(&Placed) -> f64| {
        let chosen = |placed: &Placed| Placed { chosen: chosen(placed), ..*placed };
        Report::of(&placed.iter().map(chosen).collect::<Vec<_>>()).mean_regret
    };
    assert!(mean(&|placed| placed.cpu) > 3.0 * MEAN_REGRET);
    assert!(mean(&|placed| placed.gpu) > 3.0 * MEAN_REGRET);
    let at_random = |(at, placed): (usize, &Placed)| {
        let chosen = if at % 2 == 0 { placed.cpu } else { placed.gpu };
        Placed { chosen, ..*placed }
    };
    let at_random: Vec<Placed> = placed.iter().enumerate().map(at_random).collect();
    assert!(Report::of(&at_random).behind_static() > BEHIND_STATIC);
}

/// A GPU that goes away, or whose results are found to be wrong, costs one batch.
#[test]
fn a_gpu_that_is_lost_or_wrong() {
    for fault in [Fault::Lost, Fault::WrongBytes] {
        for seed in SEEDS {
            let at = BATCHES / 2;
            let placed = cold(Simulated::new(FAST_GPU, seed).with_fault(at, fault), BATCHES, seed);
            let set_aside = placed.iter().position(|placed| placed.reason == Reason::SetAside).unwrap();
            assert!(set_aside > at);
            assert!(placed[set_aside..].iter().all(|placed| placed.side == Side::Cpu));
            let report = Report::of(&placed);
            assert!(report.mean_regret <= MEAN_REGRET && report.behind_static() <= BEHIND_STATIC, "{report:?}");
            let batches = recovery(&placed, at, RECOVERED);
            assert!(batches.is_some_and(|batches| batches <= RECOVERY), "{fault:?}, {seed}: {batches:?}");
        }
    }
}

/// A GPU that fails at some batches and then works again is used again.
#[test]
fn a_gpu_that_fails_now_and_then() {
    let at = BATCHES / 3;
    let placed = cold(Simulated::new(FAST_GPU, 3).with_fault(at, Fault::Failing(at + 20)), BATCHES, 3);
    let resting = placed.iter().filter(|placed| placed.reason == Reason::Resting).count();
    assert!((4 + 8..=4 + 8 + 16).contains(&resting), "{resting}");
    let later = Report::of(&placed[at + 100..]);
    assert!(later.on_gpu > later.batches / 2 && later.mean_regret <= MEAN_REGRET, "{later:?}");
}

/// What a decision takes; a tenth of the time allowed when compiled for speed.
#[test]
fn decisions_take_no_time() {
    let deciding = Report::of(&cold(Simulated::new(FAST_GPU, 1), BATCHES, 1)).deciding;
    let most = if cfg!(debug_assertions) { 100 } else { 10 };
    assert!(deciding < Duration::from_micros(most), "{deciding:?}");
}

#[test]
fn the_same_from_the_same_seed() {
    let chosen = |seed| cold(Simulated::new(FAST_GPU, seed), 300, 1).iter().map(|it| it.chosen).collect::<Vec<_>>();
    assert_eq!(chosen(1), chosen(1));
    assert_ne!(chosen(1), chosen(2));
}

/// A batch in flight: what is still to be copied for the device, and what this and the CPU have to do, one after the
/// other.
struct Running {
    ticket: Ticket,
    copies: f64,
    device: f64,
    cpu: f64,
    began: f64,
    device_until: f64,
}

/// Seconds that some batches take of which several are in flight. Alone, one takes `cpu` seconds on the CPU, or those of
/// `gpu` on the device and then on the CPU. The CPU shares itself among batches. Of their time on the device, half is of
/// copies, which batches are in nobody's way with; the other half the device does one after another.
fn several_in_flight(candidates: Candidates, batches: usize, cpu: f64, gpu: (f64, f64)) -> f64 {
    let item = Item { width: 1280, height: 720, channels: 3, frames: 16, noise: 0.5, decompress: false, loaded: false };
    let mut world = Simulated::new(FAST_GPU, 1);
    let mut placer = world.placer().unwrap();
    let work = world.work(0, &item).unwrap();
    let request = Request { work, threads: world.threads(), candidates, policy: Policy::Throughput };
    let (mut now, mut placed, mut running) = (0.0, 0, Vec::<Running>::new());
    while placed < batches || !running.is_empty() {
        while placed < batches && running.len() < 4 {
            let ticket = placer.place(request, now);
            let (device, cpu) = if ticket.decision.side == Side::Cpu { (0.0, cpu) } else { gpu };
            let (copies, device) = (device / 2.0, device / 2.0);
            running.push(Running { ticket, copies, device, cpu, began: now, device_until: now });
            placed += 1;
        }
        // Until something ends.
        let sharing = running.iter().filter(|run| run.device == 0.0).count() as f64;
        let on_device = running.iter().position(|run| run.copies == 0.0 && run.device > 0.0);
        let of_cpu = running.iter().filter(|run| run.device == 0.0).map(|run| run.cpu * sharing);
        let copies = running.iter().filter(|run| run.copies > 0.0).map(|run| run.copies);
        let step = of_cpu.chain(copies).chain(on_device.map(|at| running[at].device)).fold(f64::INFINITY, f64::min);
        now += step;
        let left = |seconds: f64| if seconds - step > 1e-12 { seconds - step } else { 0.0 };
        for run in running.iter_mut().filter(|run| run.device == 0.0) {
            run.cpu -= step / sharing;
        }
        if let Some(at) = on_device {
            running[at].device = left(running[at].device);
            running[at].device_until = now;
        }
        running.iter_mut().for_each(|run| run.copies = left(run.copies));
        if let Some(at) = running.iter().position(|run| run.device == 0.0 && run.cpu < 1e-12) {
            let Running { ticket, began, device_until, .. } = running.swap_remove(at);
            placer.done(ticket, device_until - began, now);
        }
    }
    now
}

/// With several batches in flight both sides work, and all are done sooner than on either side alone.
#[test]
fn both_sides_work_at_once() {
    for (cpu, gpu) in [(0.02, (0.03, 0.003)), (0.02, (0.025, 0.002))] {
        let [both, on_cpu, on_gpu] = [Candidates::Both, Candidates::Cpu, Candidates::Asked]
            .map(|candidates| several_in_flight(candidates, 300, cpu, gpu));
        assert!(both < 0.85 * on_cpu.min(on_gpu), "{cpu} {gpu:?}: {both}, {on_cpu}, {on_gpu}");
    }
    // Where one side is hardly any good, it is left alone.
    for (cpu, gpu) in [(0.005, (0.03, 0.003)), (0.2, (0.004, 0.002)), (0.02, (0.01, 0.004))] {
        let [both, on_cpu, on_gpu] = [Candidates::Both, Candidates::Cpu, Candidates::Asked]
            .map(|candidates| several_in_flight(candidates, 300, cpu, gpu));
        assert!(both < 1.1 * on_cpu.min(on_gpu), "{cpu} {gpu:?}: {both}, {on_cpu}, {on_gpu}");
    }
}
