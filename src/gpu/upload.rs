//! What a run brings to the device: its input, the content of tables, and parameters, one after the other in one buffer.

use std::ops::Range;

use super::recording::{Recording, Slot};

/// Bytes of all of it, where the input has so many.
pub(super) fn bytes(recording: &Recording, input_bytes: usize, alignment: u64) -> u64 {
    let tables: usize = recording.tables.iter().map(|(.., content)| content.len()).sum();
    let params = recording.dispatches().map(|dispatch| (dispatch.params.len() as u64).next_multiple_of(alignment));
    (input_bytes as u64).next_multiple_of(4) + tables as u64 + params.sum::<u64>()
}

/// Where everything lies in that buffer. Copies on the device begin and end at multiples of 4.
pub(super) struct Upload<'a> {
    input: &'a [u8],
    tables: &'a [(Slot, u64, Vec<u8>)],
    params: Vec<u8>,
    /// Where those of each dispatch begin among them.
    param_offsets: Vec<u64>,
}

impl<'a> Upload<'a> {
    /// Parameters of a dispatch begin at a multiple of `alignment`.
    pub fn new(recording: &'a Recording, input: &'a [u8], alignment: u64) -> Self {
        let (mut params, mut param_offsets) = (Vec::new(), Vec::new());
        for dispatch in recording.dispatches() {
            param_offsets.push(params.len() as u64);
            params.extend_from_slice(&dispatch.params);
            params.resize(params.len().next_multiple_of(alignment as usize), 0);
        }
        Self { input, tables: &recording.tables, params, param_offsets }
    }

    /// All of it.
    pub fn bytes(&self) -> u64 {
        self.params_at() + self.params.len() as u64
    }

    /// The pieces with their offsets.
    pub fn parts(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let tables =
            self.tables.iter().zip(self.tables()).map(|((.., content), (.., from))| (from.start, &content[..]));
        std::iter::once((0, self.input)).chain(tables).chain([(self.params_at(), &self.params[..])])
    }

    pub fn input(&self) -> Range<u64> {
        0..(self.input.len() as u64).next_multiple_of(4)
    }

    /// The buffer of each piece of content, its offset there, and where it comes from.
    pub fn tables(&self) -> impl Iterator<Item = (Slot, u64, Range<u64>)> {
        let mut next = self.input().end;
        self.tables.iter().map(move |(slot, offset, content)| {
            let first = next;
            next += content.len() as u64;
            (*slot, *offset, first..next)
        })
    }

    pub fn params(&self) -> Range<u64> {
        self.params_at()..self.bytes()
    }

    pub fn param_offsets(&self) -> &[u64] {
        &self.param_offsets
    }

    fn params_at(&self) -> u64 {
        let tables: usize = self.tables.iter().map(|(.., content)| content.len()).sum();
        self.input().end + tables as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::params;
    use super::super::recording::{Overrides, Work};
    use super::super::shaders::Kernel;
    use super::*;

    #[test]
    fn pieces_follow_one_another() {
        let mut recording = Recording::default();
        let first = recording.table(&[1u32, 2, 3]).unwrap();
        let second = recording.buffer(100).unwrap();
        recording.fill(second, 8, &[5; 6]);
        for words in [7, 9] {
            let overrides = Overrides { sample_bytes: 1, predictor: None };
            let params = params::Copy { words };
            recording.dispatch(Kernel::CopyForward, overrides, params, &[first, second], Work::Invocations(1));
        }
        let upload = Upload::new(&recording, &[4; 5], 16);
        assert_eq!((upload.input(), upload.params(), upload.bytes()), (0..8, 28..60, 60));
        assert_eq!(bytes(&recording, 5, 16), 60);
        assert_eq!(upload.tables().collect::<Vec<_>>(), [(first, 0, 8..20), (second, 8, 20..28)]);
        assert_eq!(upload.param_offsets(), [0, 16]);
        let mut bytes = [0; 60];
        for (offset, part) in upload.parts() {
            bytes[offset as usize..][..part.len()].copy_from_slice(part);
        }
        let words: [u32; 15] = bytemuck::cast(bytes);
        let fives = u32::from_le_bytes([5; 4]);
        assert_eq!(words[..7], [u32::from_le_bytes([4; 4]), 4, 1, 2, 3, fives, fives & 0xffff]);
        assert_eq!((words[7], words[11]), (7, 9));
    }
}
