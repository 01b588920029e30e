//! The accelerator that is chosen automatically: looked for when that is worth while, once for all.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::cost::Hardware;
use super::kept::{Kept, Looked};
use super::placer::{Placer, SMALL_BYTES};
use super::rates::Rates;
use super::{accelerators, calibrate};
use crate::cache;
use crate::cpu::CpuBackend;
use crate::pool;
use crate::stage::Accelerator;

/// Batches below this do not count where it is weighed whether to look.
const LEAST_BYTES: usize = 1 << 20;
/// The work that is done before an adapter is looked for on a machine that is not known.
const PATIENCE: Duration = Duration::from_secs(3);
/// Where there was none the last time, looking again takes one part in so many of the time at most.
const PART_OF_TIME: f64 = 50.0;
/// Compressors may come and go in no time.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// The adapter, and what is known of it and of the CPU.
pub(super) struct Automatic {
    placer: Arc<Mutex<Placer>>,
    look: fn() -> Option<Arc<dyn Accelerator>>,
    folder: Option<PathBuf>,
    /// What was found, once it was looked for.
    found: OnceLock<Option<Arc<dyn Accelerator>>>,
    looking: AtomicBool,
    /// Nanoseconds of work so far, until it was looked for.
    spent: AtomicU64,
    patience: OnceLock<Duration>,
    /// When what is known was kept.
    kept: Mutex<Option<Instant>>,
}

impl Automatic {
    /// The one of this process.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Automatic>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Self::new(accelerators::hardware, cache::folder()))))
    }

    /// One that is looked for by `look`, and remembered in `folder`.
    pub fn new(look: fn() -> Option<Arc<dyn Accelerator>>, folder: Option<PathBuf>) -> Self {
        let placer = Placer::new(pool::threads(None), 1.0, Hardware::ORDINARY);
        Self {
            placer: Arc::new(Mutex::new(placer)),
            look,
            folder,
            found: OnceLock::new(),
            looking: AtomicBool::new(false),
            spent: AtomicU64::new(0),
            patience: OnceLock::new(),
            kept: Mutex::new(None),
        }
    }

    /// What is known.
    pub fn placer(&self) -> &Arc<Mutex<Placer>> {
        &self.placer
    }

    /// The adapter, if a batch of so many bytes may go there.
    pub fn accelerator(&self, raw_bytes: usize, cpu: &CpuBackend) -> Option<&Arc<dyn Accelerator>> {
        if raw_bytes < SMALL_BYTES {
            return None;
        }
        if self.found.get().is_none() && raw_bytes >= LEAST_BYTES && self.is_worth_looking() {
            self.find(cpu);
        }
        self.found.get()?.as_ref()
    }

    /// The CPU did a batch in the meantime.
    pub fn spent(&self, raw_bytes: usize, time: Duration) {
        if raw_bytes >= LEAST_BYTES && self.found.get().is_none() {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    fn is_worth_looking(&self) -> bool {
        let patience = *self.patience.get_or_init(|| {
            let looked = self.folder.as_deref().and_then(|folder| Looked::load(folder, &machine()));
            let seconds = match looked {
                Some(Looked { found: true, seconds }) => seconds,
                Some(Looked { found: false, seconds }) => seconds * PART_OF_TIME,
                None => return PATIENCE,
            };
            Duration::try_from_secs_f64(seconds).unwrap_or(PATIENCE)
        });
        Duration::from_nanos(self.spent.load(Ordering::Relaxed)) >= patience
    }

    /// Looks for the adapter and learns what it can do. Who comes meanwhile does without.
    fn find(&self, cpu: &CpuBackend) {
        if self.looking.swap(true, Ordering::Relaxed) {
            return;
        }
        let start = Instant::now();
        let found = (self.look)();
        let looked = Looked { found: found.is_some(), seconds: start.elapsed().as_secs_f64() };
        if let Some(folder) = &self.folder {
            // Without it, the next process looks as if for the first time.
            let _ = looked.store(folder, &machine());
        }
        if let Some(accelerator) = &found {
            self.calibrate(accelerator.as_ref(), cpu);
        }
        // Nobody else sets it.
        let _ = self.found.set(found);
    }

    fn calibrate(&self, accelerator: &dyn Accelerator, cpu: &CpuBackend) {
        let kept = self.folder.as_deref().and_then(|folder| Kept::load(folder, &key(accelerator)));
        let (slowness, hardware, rates) = match kept {
            Some(Kept { slowness, hardware, sets }) => {
                let mut rates = Rates::default();
                sets.into_iter().for_each(|(key, estimate)| rates.restore(key, estimate));
                (slowness, hardware, rates)
            }
            None => {
                let placer = calibrate::measure(accelerator, cpu);
                let (slowness, hardware) = placer.calibration();
                (slowness, hardware, placer.rates().clone())
            }
        };
        pool::lock(&self.placer).calibrate(slowness, hardware, rates);
    }

    /// Keeps what is known for later processes, unless that was done just now.
    pub fn keep(&self) {
        if let (Some(folder), Some(Some(accelerator))) = (&self.folder, self.found.get()) {
            let mut last = pool::lock(&self.kept);
            if last.is_some_and(|last| last.elapsed() < KEEP_EVERY) {
                return;
            }
            *last = Some(Instant::now());
            let kept = {
                let placer = pool::lock(&self.placer);
                let (slowness, hardware) = placer.calibration();
                Kept { slowness, hardware, sets: placer.rates().sets().collect() }
            };
            // Without it, the next process measures again.
            let _ = kept.store(folder, &key(accelerator.as_ref()));
        }
    }
}

/// What measurements are of: the CPU and the version.
pub(super) fn machine() -> String {
    let threads = pool::threads(None);
    // The first of many lines: one processor is like another.
    let cpu = File::open("/proc/cpuinfo").ok().and_then(|info| {
        let mut lines = BufReader::new(info).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cpu = cpu.or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok());
    let cpu = cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let simd = crate::cpu::SimdLevel::detect().name();
    format!("{cpu}, {simd}, {threads} threads, framepress {}", env!("CARGO_PKG_VERSION"))
}

/// The same with an adapter.
fn key(accelerator: &dyn Accelerator) -> String {
    format!("{}, {}", accelerator.identity().replace('\n', " "), machine().replace('\n', " "))
}
