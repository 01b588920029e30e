//! Little-endian fields: taken from bytes with every bound checked, and appended to bytes.

use std::io::{BufReader, Read, Take};

use crate::error::{Error, Result};

/// Takes fields from the front of bytes whose checksum has been verified already, so that a field
/// that does not fit means the writer broke the format.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes`, called `what` in messages.
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, what }
    }

    /// Bytes that have not been taken.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, field: &str, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(Error::corrupt(format!(
                "{}: {field}: expected {count} bytes, found {}",
                self.what,
                self.rest.len()
            )));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// The bytes that follow their number, a `u32`.
    pub fn counted(&mut self, field: &str) -> Result<&'a [u8]> {
        let count = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        self.bytes(field, count)
    }

    fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(field, N)?);
        Ok(array)
    }

    pub fn u8(&mut self, field: &str) -> Result<u8> {
        self.array(field).map(u8::from_le_bytes)
    }

    pub fn u16(&mut self, field: &str) -> Result<u16> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub fn u32(&mut self, field: &str) -> Result<u32> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, field: &str) -> Result<u64> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self, field: &str) -> Result<bool> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::corrupt(format!("{}: {field}: expected 0 or 1, found {other}", self.what))),
        }
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Error::corrupt(format!("{}: expected its end, found {left} more bytes", self.what))),
        }
    }
}

/// Appends fields to bytes.
#[derive(Default)]
pub(super) struct Appender {
    bytes: Vec<u8>,
}

impl Appender {
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes after their number, a `u32`. Those of `what` are invalid if there are more.
    pub fn counted(&mut self, what: &str, bytes: &[u8]) -> Result<()> {
        let count = u32::try_from(bytes.len());
        self.u32(count.map_err(|_| Error::invalid(format!("{what}: {} bytes are too many", bytes.len())))?);
        self.bytes(bytes);
        Ok(())
    }

    /// What has been appended so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Everything that was appended.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Where a file is read from, front to back.
pub trait Input: Read {
    /// What payloads become.
    type Payload: AsRef<[u8]>;

    /// The next `bytes` bytes, or as many as there are.
    fn payload(&mut self, bytes: u64) -> Result<Self::Payload>;
}

impl<R: Read> Input for BufReader<R> {
    type Payload = Vec<u8>;

    fn payload(&mut self, bytes: u64) -> Result<Vec<u8>> {
        let mut payload = Vec::new();
        read_up_to(self, bytes, &mut payload)?;
        Ok(payload)
    }
}

/// A file in memory, where payloads stay.
impl<'f> Input for &'f [u8] {
    type Payload = &'f [u8];

    fn payload(&mut self, bytes: u64) -> Result<&'f [u8]> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.len());
        Ok(self.split_off(..bytes).unwrap_or_default())
    }
}

impl<I: Input> Input for Take<&mut I> {
    type Payload = I::Payload;

    fn payload(&mut self, bytes: u64) -> Result<I::Payload> {
        let limit = self.limit();
        let payload = self.get_mut().payload(bytes.min(limit))?;
        self.set_limit(limit - payload.as_ref().len() as u64);
        Ok(payload)
    }
}

/// Appends at most `bytes` bytes of `input` to `out`, fewer only at the end of the input. Memory
/// grows with what is there, not with what `bytes` promises.
pub(super) fn read_up_to(input: &mut impl Read, bytes: u64, out: &mut Vec<u8>) -> Result<()> {
    input.take(bytes).read_to_end(out)?;
    Ok(())
}

/// Appends exactly `bytes` bytes of `input` to `out`.
pub(super) fn read_exactly(input: &mut impl Read, what: &str, bytes: u64, out: &mut Vec<u8>) -> Result<()> {
    let before = out.len();
    read_up_to(input, bytes, out)?;
    check_length(what, bytes, (out.len() - before) as u64)
}

/// Checks that as many bytes were there as there ought to be.
pub(super) fn check_length(what: &str, bytes: u64, found: u64) -> Result<()> {
    match found < bytes {
        true => Err(Error::truncated(format!("{what}: expected {bytes} bytes, found {found} before the end"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn fields_come_back() {
        let mut appender = Appender::default();
        appender.u8(1);
        appender.u16(0x0203);
        appender.u32(0x0405_0607);
        appender.u64(0x0809_0A0B_0C0D_0E0F);
        appender.bytes(b"xy");
        let bytes = appender.into_bytes();
        assert_eq!(bytes[..3], [1, 3, 2]);
        let mut cursor = Cursor::new("test", &bytes);
        assert!(cursor.flag("a").unwrap());
        assert_eq!(cursor.u16("b").unwrap(), 0x0203);
        assert_eq!(cursor.u32("c").unwrap(), 0x0405_0607);
        assert_eq!(cursor.u64("d").unwrap(), 0x0809_0A0B_0C0D_0E0F);
        assert_eq!(cursor.bytes("e", 3).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(cursor.remaining(), 2);
        assert_eq!(cursor.finish().unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn a_lying_length_does_not_allocate() {
        let mut out = Vec::new();
        let error = read_exactly(&mut &[7u8; 100][..], "test", u64::MAX, &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(out.len(), 100);
        assert!(out.capacity() < 1 << 16, "{}", out.capacity());
    }
}
