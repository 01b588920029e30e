//! Going on with a file that exists.
//!
//! The records of a file never change. The index is cut off when the first batch is ready to be written, and written
//! anew at the end: whatever happens in between, the file is one that was cut, of which every whole batch can be read,
//! and with which a writer can go on.

use std::fs::{File, TryLockError};
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::compressor::Compressor;
use crate::container::{Limits, RecordWriter, Resumption, SyncData};
use crate::error::{Error, Result};
use crate::writer::Writer;

/// What can be cut.
pub trait Truncate {
    /// Cuts what lies after the first `bytes` bytes.
    ///
    /// # Errors
    /// Whatever keeps it from being cut.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
}

impl Truncate for File {
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

impl Truncate for Cursor<Vec<u8>> {
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.get_mut().truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(())
    }
}

impl<F: Truncate + ?Sized> Truncate for &mut F {
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        (**self).truncate(bytes)
    }
}

/// A file that is cut at a position once something is to be written there.
#[derive(Debug)]
pub struct Appended<F> {
    file: F,
    position: u64,
    cut: bool,
}

impl<F> Appended<F> {
    /// A file whose bytes from `position` on are to be replaced.
    pub fn new(file: F, position: u64) -> Self {
        Self { file, position, cut: false }
    }

    /// The file.
    pub fn into_inner(self) -> F {
        self.file
    }
}

impl<F: Write + Seek + Truncate> Write for Appended<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.cut {
            self.file.truncate(self.position)?;
            self.file.seek(SeekFrom::Start(self.position))?;
            self.cut = true;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: SyncData> SyncData for Appended<F> {
    fn sync_data(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl<'a, F: Read + Write + Seek + Truncate + Send> Writer<'a, Appended<F>> {
    /// Goes on with a file: frames of the same format are added after those that it has. A file that was cut while its
    /// last batch or its index was written will do; what is left of that batch is dropped.
    ///
    /// Nothing changes before the first batch is ready. From then on the file has no index until
    /// [`Writer::finish`], and a crash at any moment leaves all batches but the one that was being written.
    /// [`open_to_append`] keeps two writers apart.
    ///
    /// The file keeps the header of the original that it began with. Its `.npy` header, which says how many frames
    /// there are, is corrected when the file is decompressed.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use framepress::{Compressor, Settings, Writer, compress, decompress};
    ///
    /// let frames = ndarray::Array3::<u8>::zeros((10, 4, 5));
    /// let file = compress(frames.view(), &Settings::new())?;
    /// let compressor = Compressor::new(Settings::new())?;
    /// let mut writer = Writer::append(Cursor::new(file), &compressor)?;
    /// writer.write(frames.view())?;
    /// let file = writer.finish()?.into_inner().into_inner();
    /// assert_eq!(decompress(&file)?.frames(), 20);
    /// # Ok::<(), framepress::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the file is damaged otherwise:
    /// [`recover`](crate::recover) it first. [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if it ends within
    /// its header; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported);
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn append(mut file: F, compressor: &'a Compressor) -> Result<Self> {
        let resumption = Resumption::find(&mut file, Limits::default())?;
        let format = resumption.header.format.clone();
        let output = Appended::new(file, resumption.position);
        Ok(Self::on(RecordWriter::resume(output, resumption), format, compressor))
    }
}

/// Opens a file to append to it, and makes an empty one if there is none. It is locked until it is closed, against
/// others who open it so. (On Windows such a lock keeps readers out too.)
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io), also if somebody else is appending to it.
pub fn open_to_append(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(error.into()),
        Err(TryLockError::WouldBlock) => {
            Err(Error::new(crate::ErrorKind::Io, "somebody else is appending to this file; wait until they are done"))
        }
    }
}

#[cfg(test)]
mod tests;
