//! The inputs that a run is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use framepress::{Error, ErrorKind, Result};

/// Files that are frames of one input, not inputs of their own.
const IMAGES: [&str; 3] = ["png", "tif", "tiff"];

/// Files, sequences of images, or standard input.
pub struct Inputs {
    pub names: Vec<String>,
    /// Whether there may be any number of them, also if it happens to be one.
    pub are_several: bool,
}

impl Inputs {
    /// What `asked` stands for: a pattern for all files that match it, a folder for those in it that end in one of `endings`.
    /// Where there are images, or nothing else, both stay what they are.
    pub fn new(asked: &[String], endings: &[&str]) -> Result<Self> {
        let mut inputs = Self { names: Vec::new(), are_several: asked.len() > 1 };
        for name in asked {
            let files = files_of(name, endings).map_err(|error| Error::from(error).context(name))?;
            inputs.are_several |= !files.is_empty();
            if files.is_empty() {
                inputs.names.push(name.clone());
            }
            inputs.names.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
        }
        if inputs.are_several && inputs.names.iter().any(|input| input == "-") {
            return Err(Error::new(ErrorKind::InvalidInput, "standard input (-): expected to be the only input"));
        }
        Ok(inputs)
    }
}

/// The files that a name stands for, in the order of their names, unless it is that of one input.
fn files_of(name: &str, endings: &[&str]) -> std::io::Result<Vec<PathBuf>> {
    let path = Path::new(name);
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            files.push(entry?.path());
        }
        files.retain(|file| ends_in(file, endings) || ends_in(file, &IMAGES));
    } else if !path.exists() {
        // What is no pattern is told where it is opened.
        files.extend(glob::glob(name).into_iter().flatten().flatten());
    }
    files.retain(|file| file.is_file());
    files.sort();
    if files.iter().any(|file| ends_in(file, &IMAGES)) {
        files.clear();
    }
    Ok(files)
}

fn ends_in(file: &Path, endings: &[&str]) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
}
