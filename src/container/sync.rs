//! When bytes have to be on the disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};

/// When a writer waits until what it has written is on the disk, so that it stays there if the power fails. A crash of
/// the program alone never loses what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SyncPolicy {
    /// Never: the system writes to the disk when it likes.
    #[default]
    Never,
    /// Once, when the file is finished.
    AtEnd,
    /// After each batch, and when the file is finished.
    EachBatch,
}

/// An output whose bytes can be brought to the disk.
pub trait SyncData {
    /// Returns once everything that was written is on the disk.
    ///
    /// # Errors
    /// Whatever keeps it from getting there.
    fn sync_data(&mut self) -> io::Result<()>;
}

impl SyncData for File {
    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }
}

impl<W: SyncData + Write> SyncData for BufWriter<W> {
    fn sync_data(&mut self) -> io::Result<()> {
        self.flush()?;
        self.get_mut().sync_data()
    }
}

impl<W: SyncData + ?Sized> SyncData for &mut W {
    fn sync_data(&mut self) -> io::Result<()> {
        (**self).sync_data()
    }
}
