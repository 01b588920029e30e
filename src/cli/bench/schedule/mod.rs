//! `framepress bench --schedule`: how well batches are placed.
//!
//! Every batch of a mix is run on the CPU and on the GPU, and the placement is told about the one that it chose: what the
//! other would have taken is known, and so is what the choice cost. The first mix begins with what is measured of the GPU
//! beforehand, the second one with what the first has taught. Without a GPU, simulated ones are measured: their times
//! come from given rates and a seed, and no time passes.

#[cfg(feature = "gpu")]
mod machine;
mod report;

use std::process::ExitCode;

use framepress::internal::trial::{self, FAST_GPU, Fault, Report, SLOW_GPU, Simulated, World};
use framepress::plan::DeviceChoice;
use framepress::{Result, devices};
use serde_json::Value;

use self::report::Row;
use super::super::arguments::Benched;
use super::super::print;

/// Batches of a mix.
const BATCHES: usize = 300;
const SIMULATED_BATCHES: usize = 1000;
const SEED: u64 = 1;

/// A machine to measure.
struct Subject {
    name: String,
    simulated: bool,
    batches: usize,
    /// One if it is no longer the same after it.
    mixes: u64,
    world: Box<dyn World>,
}

pub fn run(device: Option<Benched>, json: bool) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for Subject { name, simulated, batches, mixes, mut world } in subjects(device)? {
        let mut placer = world.placer()?;
        for mix in 1..=mixes {
            let placed = trial::run(world.as_mut(), &trial::mix(batches, SEED + mix), &mut placer)?;
            rows.push(Row { machine: name.clone(), simulated, mix, report: Report::of(&placed) });
        }
    }
    if json {
        print(Value::Array(rows.iter().map(Row::json).collect()))?;
    } else {
        print(report::table(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The GPU that was asked for, or the first one that is not emulated; if there is none, simulated ones.
fn subjects(device: Option<Benched>) -> Result<Vec<Subject>> {
    let asked = match device {
        Some(Benched::One(choice)) => (choice != DeviceChoice::Cpu).then_some(choice),
        None | Some(Benched::All | Benched::Auto) => {
            let hardware = devices().into_iter().find(|device| device.index.is_some() && !device.is_software());
            hardware.and_then(|device| device.index).map(|index| DeviceChoice::Named(index.to_string()))
        }
    };
    match asked {
        Some(choice) => Ok(vec![real(&choice)?]),
        None => Ok(simulated()),
    }
}

#[cfg(feature = "gpu")]
fn real(choice: &DeviceChoice) -> Result<Subject> {
    let machine = machine::Machine::open(choice)?;
    let name = machine.name().to_owned();
    Ok(Subject { name, simulated: false, batches: BATCHES, mixes: 2, world: Box::new(machine) })
}

#[cfg(not(feature = "gpu"))]
fn real(choice: &DeviceChoice) -> Result<Subject> {
    // It says why there is none.
    let settings = framepress::Settings::new().with_device(choice.clone());
    framepress::Compressor::new(settings).map(|_| simulated().swap_remove(0))
}

fn simulated() -> Vec<Subject> {
    let half = SIMULATED_BATCHES / 2;
    let fast = || Simulated::new(FAST_GPU, SEED);
    let subjects = [
        ("fast GPU", 2, fast()),
        ("slow GPU", 2, Simulated::new(SLOW_GPU, SEED)),
        ("GPU that is lost", 1, fast().with_fault(half, Fault::Lost)),
        ("GPU that is wrong", 1, fast().with_fault(half, Fault::WrongBytes)),
        ("GPU that fails for a while", 1, fast().with_fault(half, Fault::Failing(half + 20))),
    ];
    let subject = |(name, mixes, world): (&str, u64, Simulated)| Subject {
        name: name.to_owned(),
        simulated: true,
        batches: SIMULATED_BATCHES,
        mixes,
        world: Box::new(world),
    };
    subjects.into_iter().map(subject).collect()
}
