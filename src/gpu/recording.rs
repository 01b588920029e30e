//! Commands for a device as plain data, so that they can be made, counted and tested without one.

use std::ops::Range;

use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::plan::Predictor;

/// Most workgroups in one dimension of a dispatch.
const MOST_WORKGROUPS: u64 = 65_535;

/// Buffers are addressed with 32-bit numbers of samples, and some drivers count bytes in 31 bits.
const MOST_BYTES: u64 = i32::MAX as u64;

/// A buffer of a recording, by its position in [`Recording::buffers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot(pub usize);

/// What a kernel is specialised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Overrides {
    pub sample_bytes: u32,
    /// For the kernels that compute a prediction.
    pub predictor: Option<Predictor>,
}

/// One launch of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dispatch {
    pub kernel: Kernel,
    pub overrides: Overrides,
    /// Content of the uniform buffer.
    pub params: Vec<u8>,
    /// One buffer for each of the kernel's storage bindings.
    pub storage: Vec<Slot>,
    pub workgroups: [u32; 2],
    /// Bytes that it has to read and write.
    pub moved_bytes: u64,
}

/// A command. Offsets and sizes are multiples of 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Fills a buffer from the start with all bytes that were handed in.
    Upload { to: Slot },
    /// Zeroes `bytes` bytes at `offset` of a buffer.
    Clear { buffer: Slot, offset: u64, bytes: u64 },
    /// Runs a kernel.
    Dispatch(Dispatch),
    /// Hands out `bytes` bytes at `offset` of a buffer, which go to offset `to` of the result.
    Download { from: Slot, offset: u64, to: u64, bytes: u64 },
}

/// Commands in the order in which they take effect, and the buffers they name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Recording {
    /// Bytes of each buffer, multiples of 4.
    pub buffers: Vec<u64>,
    /// Content that buffers have from the beginning, each from an offset on that is a multiple of 4, as its length is.
    pub tables: Vec<(Slot, u64, Vec<u8>)>,
    pub commands: Vec<Command>,
}

impl Recording {
    /// A recording without commands, whose buffers are those of this one and hold what it leaves in them.
    pub fn continuation(&self) -> Self {
        Self { buffers: self.buffers.clone(), ..Self::default() }
    }

    /// A buffer of at least `bytes` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if no device could address it.
    pub fn buffer(&mut self, bytes: usize) -> Result<Slot> {
        let bytes = (bytes as u64).max(4).saturating_add(3) & !3;
        if bytes > MOST_BYTES {
            return Err(Error::gpu(format!(
                "batch too large: a buffer of {bytes} bytes is needed, {MOST_BYTES} can be addressed"
            )));
        }
        self.buffers.push(bytes);
        Ok(Slot(self.buffers.len() - 1))
    }

    /// A buffer with `rows` for kernels to read.
    ///
    /// # Errors
    /// As [`buffer`](Self::buffer).
    pub fn table<T: bytemuck::Pod>(&mut self, rows: &[T]) -> Result<Slot> {
        const { assert!(size_of::<T>().is_multiple_of(4)) };
        let bytes = bytemuck::cast_slice(rows);
        let slot = self.buffer(bytes.len())?;
        self.tables.push((slot, 0, bytes.to_vec()));
        Ok(slot)
    }

    /// Gives a buffer content from a multiple of 4 on.
    pub fn fill(&mut self, buffer: Slot, offset: usize, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        self.tables.push((buffer, offset as u64, bytes));
    }

    pub fn upload(&mut self, to: Slot) {
        self.commands.push(Command::Upload { to });
    }

    pub fn clear(&mut self, buffer: Slot) {
        self.clear_part(buffer, 0..self.buffers[buffer.0] as usize);
    }

    /// Zeroes some bytes, from a multiple of 4 to another.
    pub fn clear_part(&mut self, buffer: Slot, bytes: Range<usize>) {
        self.commands.push(Command::Clear { buffer, offset: bytes.start as u64, bytes: bytes.len() as u64 });
    }

    /// Hands out some bytes of a buffer, which go to the same place of the result.
    pub fn download(&mut self, from: Slot, bytes: Range<usize>) {
        let to = bytes.start;
        self.download_to(to, from, bytes);
    }

    /// The same, to offset `to` of the result.
    pub fn download_to(&mut self, to: usize, from: Slot, bytes: Range<usize>) {
        let length = bytes.len().next_multiple_of(4) as u64;
        self.commands.push(Command::Download { from, offset: bytes.start as u64, to: to as u64, bytes: length });
    }

    /// Runs `kernel` with `invocations` invocations, or `invocations` workgroups where a workgroup
    /// is the unit of work.
    pub fn dispatch<P: bytemuck::Pod>(
        &mut self,
        kernel: Kernel,
        overrides: Overrides,
        params: P,
        storage: &[Slot],
        work: Work,
    ) {
        let lanes = u64::from(kernel.row().1.lanes);
        let workgroups = match work {
            Work::Invocations(count) => (count as u64).div_ceil(lanes),
            Work::Workgroups(count) => count as u64,
        };
        // A buffer may be read in two ways.
        let distinct = storage.iter().enumerate().filter(|(at, slot)| !storage[..*at].contains(slot));
        let bound_bytes: u64 = distinct.map(|(_, slot)| self.buffers[slot.0]).sum();
        // What is worked on in place is read and written.
        let in_place = !kernel.row().1.storage.iter().any(|kind| kind.is_read_only());
        self.commands.push(Command::Dispatch(Dispatch {
            moved_bytes: if in_place { 2 * bound_bytes } else { bound_bytes },
            kernel,
            overrides,
            params: bytemuck::bytes_of(&params).to_vec(),
            storage: storage.to_vec(),
            workgroups: in_two_dimensions(workgroups),
        }));
    }

    /// Says that the last dispatch reads and writes these bytes alone, not all that its buffers have.
    pub fn moves_only(&mut self, bytes: usize) {
        if let Some(Command::Dispatch(dispatch)) = self.commands.last_mut() {
            dispatch.moved_bytes = bytes as u64;
        }
    }

    /// The dispatches, in order.
    pub fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.commands.iter().filter_map(|command| match command {
            Command::Dispatch(dispatch) => Some(dispatch),
            _ => None,
        })
    }

    /// Bytes from the start of the result to the end of the last download.
    pub fn download_bytes(&self) -> u64 {
        let ends = self.commands.iter().filter_map(|command| match command {
            Command::Download { to, bytes, .. } => Some(to + bytes),
            _ => None,
        });
        ends.max().unwrap_or(0)
    }
}

/// How much there is to do in a dispatch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Invocations(usize),
    Workgroups(usize),
}

/// At least `workgroups` workgroups as a rectangle of which fewer than one row is in excess.
fn in_two_dimensions(workgroups: u64) -> [u32; 2] {
    let rows = workgroups.div_ceil(MOST_WORKGROUPS).max(1);
    [workgroups.div_ceil(rows) as u32, rows as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_fit_two_dimensions() {
        assert_eq!(in_two_dimensions(0), [0, 1]);
        assert_eq!(in_two_dimensions(65_535), [65_535, 1]);
        assert_eq!(in_two_dimensions(65_536), [32_768, 2]);
        for workgroups in [65_537, 131_071, 1_000_003, 4_294_836_225] {
            let [columns, rows] = in_two_dimensions(workgroups).map(u64::from);
            assert!(columns <= MOST_WORKGROUPS && rows <= MOST_WORKGROUPS);
            assert!((workgroups..workgroups + rows).contains(&(columns * rows)), "{workgroups}");
        }
    }

    #[test]
    fn buffers_beyond_32_bits_are_refused() {
        let mut recording = Recording::default();
        assert_eq!(recording.buffer(5).unwrap(), Slot(0));
        assert_eq!(recording.buffers, [8]);
        assert!(recording.buffer(1 << 31).is_err());
        assert!(recording.buffer(usize::MAX).is_err());
    }
}
