//! What was measured and learnt, kept for later processes in the user's cache folder: a file per adapter, driver, CPU and
//! version, and one that says whether there is an adapter. What is broken, or not ours, is as good as none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::cost::Hardware;
use super::rates::Estimate;
use super::work::Key;
use crate::cache;
use crate::container::checksum;

/// What is kept of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub slowness: f64,
    pub hardware: Hardware,
    pub sets: Vec<(Key, Estimate)>,
}

/// How looking for an adapter went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Looked {
    pub found: bool,
    pub seconds: f64,
}

/// Bytes of a file at most: a machine meets some hundred sets.
const MOST_BYTES: u64 = 1 << 20;

impl Kept {
    pub fn load(folder: &Path, machine: &str) -> Option<Self> {
        Self::parse(&read(&path(folder, "rates", machine))?, machine)
    }

    /// What is kept of all machines, with their names and when that was.
    pub fn all(folder: &Path) -> Vec<(String, SystemTime, Self)> {
        let kept = |entry: io::Result<fs::DirEntry>| {
            let file = entry.ok()?.path();
            let text = read(&file)?;
            let machine = text.lines().nth(1)?;
            let kept = Self::parse(&text, machine).filter(|_| file == path(folder, "rates", machine))?;
            Some((machine.to_owned(), fs::metadata(&file).ok()?.modified().ok()?, kept))
        };
        let mut all: Vec<_> = fs::read_dir(folder).into_iter().flatten().filter_map(kept).collect();
        all.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
        all
    }

    pub fn store(&self, folder: &Path, machine: &str) -> io::Result<()> {
        cache::replace(&path(folder, "rates", machine), self.text(machine).as_bytes())
    }

    fn text(&self, machine: &str) -> String {
        let Hardware { submit, transfer, kernels } = self.hardware;
        let mut text =
            format!("framepress rates 1\n{machine}\n{:e} {submit:e} {transfer:e} {kernels:e}\n", self.slowness);
        for (Key(key), Estimate { mean, variance }) in &self.sets {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{key:x} {mean:e} {variance:e}");
        }
        text.push_str("end\n");
        text
    }

    fn parse(text: &str, machine: &str) -> Option<Self> {
        let mut lines = text.strip_suffix("end\n")?.lines();
        if lines.next()? != "framepress rates 1" || lines.next()? != machine {
            return None;
        }
        let [slowness, submit, transfer, kernels] = numbers(lines.next()?)?;
        if [slowness, submit, transfer, kernels].iter().any(|&rate| rate <= 0.0) {
            return None;
        }
        let set = |line: &str| {
            let (key, estimate) = line.split_once(' ')?;
            let [mean, variance] = numbers(estimate)?;
            let plausible = mean.abs() < 20.0 && variance > 0.0 && variance < 100.0;
            plausible.then_some((Key(u32::from_str_radix(key, 16).ok()?), Estimate { mean, variance }))
        };
        let sets = lines.map(set).collect::<Option<_>>()?;
        Some(Self { slowness, hardware: Hardware { submit, transfer, kernels }, sets })
    }
}

impl Looked {
    pub fn load(folder: &Path, machine: &str) -> Option<Self> {
        let text = read(&path(folder, "adapter", machine))?;
        let mut lines = text.lines();
        if lines.next()? != "framepress adapter 1" || lines.next()? != machine {
            return None;
        }
        let [found, seconds] = numbers(lines.next()?)?;
        (seconds >= 0.0).then_some(Self { found: found != 0.0, seconds })
    }

    pub fn store(self, folder: &Path, machine: &str) -> io::Result<()> {
        let text = format!("framepress adapter 1\n{machine}\n{} {:e}\n", u8::from(self.found), self.seconds);
        cache::replace(&path(folder, "adapter", machine), text.as_bytes())
    }
}

fn path(folder: &Path, what: &str, machine: &str) -> PathBuf {
    folder.join(format!("{what}-{:016x}", checksum(machine.as_bytes())))
}

/// So many numbers, all finite.
fn numbers<const N: usize>(line: &str) -> Option<[f64; N]> {
    let numbers: Vec<f64> = line
        .split(' ')
        .map(|number| number.parse().ok().filter(|number: &f64| number.is_finite()))
        .collect::<Option<_>>()?;
    numbers.try_into().ok()
}

fn read(path: &Path) -> Option<String> {
    let small = fs::metadata(path).ok()?.len() <= MOST_BYTES;
    if small { fs::read_to_string(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "Great GPU 5000, driver 1.2, CPU, 0.1.0";

    fn kept() -> Kept {
        let sets = vec![
            (Key(17), Estimate { mean: -0.1, variance: 1e-3 }),
            (Key(u32::MAX), Estimate { mean: 0.0, variance: 0.5 }),
        ];
        Kept { slowness: 1.0 / 3.0, hardware: Hardware { submit: 6e-5, transfer: 1e-10, kernels: 1.7e-11 }, sets }
    }

    #[test]
    fn what_is_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("made/on/the/way");
        assert_eq!(Kept::load(folder, MACHINE), None);
        kept().store(folder, MACHINE).unwrap();
        let other = Kept { sets: Vec::new(), ..kept() };
        other.store(folder, "other").unwrap();
        assert_eq!(Kept::load(folder, MACHINE), Some(kept()));
        assert_eq!(Kept::load(folder, "other"), Some(other));
        for looked in [Looked { found: false, seconds: 0.0 }, Looked { found: true, seconds: 0.3 }] {
            looked.store(folder, MACHINE).unwrap();
            assert_eq!(Looked::load(folder, MACHINE), Some(looked));
        }
        assert_eq!(fs::read_dir(folder).unwrap().count(), 3, "nothing is left over");
        fs::copy(path(folder, "rates", "other"), folder.join("rates-0")).unwrap();
        let machines: Vec<String> = Kept::all(folder).into_iter().map(|(machine, ..)| machine).collect();
        assert_eq!(machines, [MACHINE, "other"], "under names of their own");
    }

    #[test]
    fn what_is_broken_is_none() {
        let text = kept().text(MACHINE);
        assert_eq!(Kept::parse(&text, MACHINE), Some(kept()));
        for end in 0..text.len() {
            assert_eq!(Kept::parse(&text[..end], MACHINE), None, "cut at {end}");
        }
        assert_eq!(Kept::parse(&text, "another machine"), None);
        for (good, bad) in [
            ("rates 1", "rates 2"),
            ("6e-5", "NaN"),
            ("6e-5", "-6e-5"),
            ("6e-5", "inf"),
            ("1e-3\n", "\n"),
            ("\n11 ", "\nx "),
        ] {
            assert!(text.contains(good), "{good}");
            assert_eq!(Kept::parse(&text.replace(good, bad), MACHINE), None, "{bad}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path(), "rates", MACHINE), b"\xff\xfe").unwrap();
        assert_eq!(Kept::load(folder.path(), MACHINE), None);
        fs::create_dir(path(folder.path(), "adapter", MACHINE)).unwrap();
        assert_eq!(Looked::load(folder.path(), MACHINE), None);
        assert!(Looked { found: true, seconds: 1.0 }.store(folder.path(), MACHINE).is_err());
    }
}
