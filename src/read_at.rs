//! Sources that many threads read from at once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Bytes that any number of threads can read at once, each where it likes: files, and bytes in memory, which may be a file
/// that is mapped there.
pub trait ReadAt: Send + Sync {
    /// Reads from `offset` on into `buffer`, and returns how many bytes there were for it: at the end of the source none.
    ///
    /// # Errors
    /// Whatever keeps it from being read. [`io::ErrorKind::Interrupted`] is tried again.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Bytes of the source.
    ///
    /// # Errors
    /// Whatever keeps it from being known.
    fn length(&self) -> io::Result<u64>;
}

#[cfg(unix)]
impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

#[cfg(windows)]
impl ReadAt for File {
    /// Moves the place where others read that use no offsets.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.as_slice().length()
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        (**self).length()
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Arc<T> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        (**self).length()
    }
}

/// A source as one reader sees it, with a place of its own.
#[derive(Debug)]
pub struct Positioned<S> {
    source: S,
    position: u64,
}

impl<S> Positioned<S> {
    /// At the start of `source`.
    pub fn new(source: S) -> Self {
        Self { source, position: 0 }
    }
}

impl<S: ReadAt> Read for Positioned<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<S: ReadAt> Seek for Positioned<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.source.length()?.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_cursor_does() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &bytes).unwrap();
        fn check(source: impl ReadAt, bytes: &[u8]) {
            let (mut ours, mut cursor) = (Positioned::new(source), io::Cursor::new(bytes));
            let steps = [SeekFrom::Start(90), SeekFrom::Current(-55), SeekFrom::End(-10), SeekFrom::Start(1000)];
            for to in steps.into_iter().chain([SeekFrom::End(7), SeekFrom::End(-101), SeekFrom::Current(-1)]) {
                assert_eq!(ours.seek(to).ok(), cursor.seek(to).ok(), "{to:?}");
                let (mut of_ours, mut of_cursor) = ([0; 20], [0; 20]);
                assert_eq!(ours.read(&mut of_ours).unwrap(), cursor.read(&mut of_cursor).unwrap(), "{to:?}");
                assert_eq!(of_ours, of_cursor, "{to:?}");
            }
        }
        check(&file, &bytes);
        check(bytes.as_slice(), &bytes);
        check(Arc::new(bytes.clone()), &bytes);
    }
}
