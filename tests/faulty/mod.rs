//! Inputs and outputs as bad as they may be.

use std::io::{self, ErrorKind as Io, Read, Seek, SeekFrom, Write};

/// Gives and takes some bytes at a time, with interruptions, until it fails.
pub struct Faulty<T> {
    pub inner: T,
    calls: usize,
    /// Bytes until it fails.
    left: usize,
    error: Io,
}

impl<T> Faulty<T> {
    pub fn new(inner: T, left: usize, error: Io) -> Self {
        Self { inner, calls: 0, left, error }
    }

    /// How many of `asked` bytes are dealt with.
    fn step(&mut self, asked: usize) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(Io::Interrupted.into());
        }
        if self.left == 0 {
            return Err(self.error.into());
        }
        let step = asked.min(1 + self.calls % 7).min(self.left);
        self.left -= step;
        Ok(step)
    }
}

impl<R: Read> Read for Faulty<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = self.step(buffer.len())?;
        self.inner.read(&mut buffer[..step])
    }
}

impl<W: Write> Write for Faulty<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = self.step(bytes.len())?;
        self.inner.write(&bytes[..step])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: Seek> Seek for Faulty<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
