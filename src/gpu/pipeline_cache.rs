//! What a driver has compiled, kept from one process to the next.
//!
//! Invariant P1 of the unsafe code: bytes that a driver gets are those that the same driver gave to this version of
//! framepress for the same adapter. Their checksum says so, taken over both and over all that the driver says of itself;
//! and the folder they lie in is one that nobody but its owner can write to, whose programs could do as much without us.
//!
//! Nothing depends on it: a cache that cannot be read, trusted or written is none.

#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_64;

use crate::cache;

/// Largest cache that is read or written, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Bytes of the checksum at the start of a file.
const CHECKSUM_BYTES: usize = 8;

/// The cache of one device.
pub(super) struct PipelineCache {
    cache: wgpu::PipelineCache,
    stored: Stored,
    /// What the device was given.
    found: Option<Vec<u8>>,
}

impl PipelineCache {
    /// `None` if there can be none: `device` was opened without the feature, or there is no folder for it.
    pub fn open(device: &wgpu::Device, info: &wgpu::AdapterInfo) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let stored = Stored::new(cache::folder()?, info)?;
        let found = stored.read();
        let descriptor = wgpu::PipelineCacheDescriptor { label: None, data: found.as_deref(), fallback: true };
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        // SAFETY: P1, which `Stored::read` has checked.
        let cache = unsafe { device.create_pipeline_cache(&descriptor) };
        let refused = pollster::block_on(scope.pop());
        refused.is_none().then_some(Self { cache, stored, found })
    }

    pub fn cache(&self) -> &wgpu::PipelineCache {
        &self.cache
    }

    /// Stores what has been compiled, if that is more or other than what there was.
    pub fn store(&self) {
        if let Some(data) = self.cache.get_data().filter(|data| self.found.as_ref() != Some(data)) {
            // The next process compiles again.
            let _ = self.stored.write(&data);
        }
    }
}

/// A file with a cache.
struct Stored {
    path: PathBuf,
    /// Whose it is.
    key: String,
}

impl Stored {
    /// `None` if the interface of the adapter has no caches.
    fn new(folder: PathBuf, info: &wgpu::AdapterInfo) -> Option<Self> {
        let adapter = wgpu::util::pipeline_cache_key(info)?;
        let key = [&adapter, &info.name, &info.driver, &info.driver_info, env!("CARGO_PKG_VERSION")].join("\n");
        let name = format!("{adapter}_{:016x}", XxHash3_64::oneshot(key.as_bytes()));
        Some(Self { path: folder.join(name), key })
    }

    /// The data, if there is any that can be trusted.
    fn read(&self) -> Option<Vec<u8>> {
        is_private(self.path.parent()?).then_some(())?;
        let file = File::open(&self.path).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        let (sum, data) = bytes.split_first_chunk::<CHECKSUM_BYTES>()?;
        (u64::from_le_bytes(*sum) == self.sum(data)).then(|| data.to_vec())
    }

    /// Replaces the file as a whole.
    fn write(&self, data: &[u8]) -> std::io::Result<()> {
        let Some(folder) = self.path.parent().filter(|_| (data.len() as u64) < MOST_BYTES) else { return Ok(()) };
        let bytes = [&self.sum(data).to_le_bytes(), data].concat();
        if folder.exists() && !is_private(folder) { Ok(()) } else { cache::replace(&self.path, &bytes) }
    }

    fn sum(&self, data: &[u8]) -> u64 {
        XxHash3_64::oneshot(&[self.key.as_bytes(), b"\n", data].concat())
    }
}

#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let others_write = 0o022;
    fs::metadata(folder).is_ok_and(|it| it.is_dir() && it.permissions().mode() & others_write == 0)
}

/// What lies below the folder of a user's local data is that user's.
#[cfg(not(unix))]
fn is_private(folder: &Path) -> bool {
    folder.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(folder: &Path, key: &str) -> Stored {
        Stored { path: folder.join("sub/file"), key: key.to_owned() }
    }

    #[test]
    fn what_was_stored_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = stored(folder.path(), "one");
        assert_eq!(file.read(), None);
        file.write(b"data").unwrap();
        assert_eq!(file.read().unwrap(), b"data");
        file.write(b"").unwrap();
        assert_eq!(file.read().unwrap(), b"");
        assert_eq!(fs::read_dir(folder.path().join("sub")).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_broken_or_of_others_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = stored(folder.path(), "one");
        file.write(b"data").unwrap();
        assert_eq!(stored(folder.path(), "another driver").read(), None);
        let bytes = fs::read(&file.path).unwrap();
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            fs::write(&file.path, broken).unwrap();
            assert_eq!(file.read(), None, "bit of byte {at}");
            fs::write(&file.path, &bytes[..at]).unwrap();
            assert_eq!(file.read(), None, "{at} bytes");
        }
        fs::write(&file.path, &bytes).unwrap();
        assert!(file.read().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_write_to_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = stored(folder.path(), "one");
        file.write(b"data").unwrap();
        let set_mode = |mode| fs::set_permissions(folder.path().join("sub"), fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o777);
        assert_eq!(file.read(), None);
        file.write(b"other data").unwrap();
        set_mode(0o755);
        assert_eq!(file.read().unwrap(), b"data", "nothing was written there");
    }
}
