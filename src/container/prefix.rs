//! The first part of a record: fixed in size and with a checksum of its own, so that a reader can
//! skip a batch it cannot use, and find the next record after damage, by looking at these bytes
//! alone.

use super::checksum::checksum;
use super::limits::Limits;
use super::wire::{Appender, Cursor};
use crate::error::{BatchLocation, Error, Result};
use crate::frame::{FrameFormat, Geometry};

pub(super) const RECORD_MAGIC: [u8; 4] = *b"FPKB";

/// Bytes of a prefix.
pub(super) const PREFIX_BYTES: usize = 72;

const COVERED_BYTES: usize = PREFIX_BYTES - 8;

const WHAT: &str = "batch record";

/// What the first part of a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Bytes of the details that follow the prefix.
    pub details_bytes: u32,
    /// Bytes of the payload that follows the details.
    pub payload_bytes: u64,
    pub number: u64,
    pub first_frame: u64,
    pub frames: u64,
    pub raw_bytes: u64,
    pub raw_checksum: u64,
    pub payload_checksum: u64,
}

impl Prefix {
    pub fn to_bytes(self) -> Vec<u8> {
        let mut out = Appender::default();
        out.bytes(&RECORD_MAGIC);
        out.u32(self.details_bytes);
        out.u64(self.payload_bytes);
        out.u64(self.number);
        out.u64(self.first_frame);
        out.u64(self.frames);
        out.u64(self.raw_bytes);
        out.u64(self.raw_checksum);
        out.u64(self.payload_checksum);
        out.u64(checksum(out.as_bytes()));
        out.into_bytes()
    }

    /// Reads the prefix at the start of `bytes`. One that is returned has an end frame and a next
    /// batch number that fit in 64 bits.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut fields = Cursor::new(WHAT, bytes);
        let magic = fields.bytes("magic", RECORD_MAGIC.len())?;
        if magic != RECORD_MAGIC {
            return Err(Error::corrupt(format!("{WHAT}: magic: expected {RECORD_MAGIC:02x?}, found {magic:02x?}")));
        }
        let prefix = Self {
            details_bytes: fields.u32("length of details")?,
            payload_bytes: fields.u64("length of payload")?,
            number: fields.u64("batch number")?,
            first_frame: fields.u64("first frame")?,
            frames: fields.u64("frames")?,
            raw_bytes: fields.u64("raw bytes")?,
            raw_checksum: fields.u64("checksum of raw bytes")?,
            payload_checksum: fields.u64("checksum of payload")?,
        };
        let stored = fields.u64("checksum of prefix")?;
        let found = checksum(&bytes[..COVERED_BYTES]);
        if stored != found {
            return Err(Error::corrupt(format!("{WHAT}: prefix checksum: expected {stored:016x}, found {found:016x}")));
        }
        if prefix.frames == 0 {
            return Err(Error::corrupt(format!("{WHAT}: frames: expected at least 1, found 0")));
        }
        if prefix.number == u64::MAX || prefix.first_frame.checked_add(prefix.frames).is_none() {
            return Err(Error::corrupt(format!(
                "{WHAT}: batch {} of {} frames from frame {} is beyond what can be counted",
                prefix.number, prefix.frames, prefix.first_frame
            )));
        }
        Ok(prefix)
    }

    /// Bytes of details and payload.
    pub fn body_bytes(&self) -> u64 {
        u64::from(self.details_bytes).saturating_add(self.payload_bytes)
    }

    /// The end of a record that is at `position`.
    pub fn end(&self, position: u64) -> u64 {
        position.saturating_add(PREFIX_BYTES as u64).saturating_add(self.body_bytes())
    }

    pub fn location(&self) -> BatchLocation {
        BatchLocation { batch: self.number, first_frame: self.first_frame, frames: self.frames }
    }

    /// The geometry of the batch, if its sizes agree with the format and keep within the limits.
    pub fn geometry(&self, format: &FrameFormat, limits: &Limits) -> Result<Geometry> {
        let expected = self.frames.checked_mul(format.frame_bytes() as u64);
        if expected != Some(self.raw_bytes) {
            return Err(Error::corrupt(format!(
                "{WHAT}: raw bytes: expected {} frames of {} bytes, found {}",
                self.frames,
                format.frame_bytes(),
                self.raw_bytes
            )));
        }
        if self.payload_bytes > self.raw_bytes {
            return Err(Error::corrupt(format!(
                "{WHAT}: length of payload: expected at most {} (the raw bytes), found {}",
                self.raw_bytes, self.payload_bytes
            )));
        }
        if self.raw_bytes > limits.max_batch_bytes {
            return Err(Error::limit(format!(
                "{WHAT}: raw bytes: {} are more than the limit of {}",
                self.raw_bytes, limits.max_batch_bytes
            )));
        }
        if u64::from(self.details_bytes) > limits.max_header_bytes {
            return Err(Error::limit(format!(
                "{WHAT}: length of details: {} bytes are more than the limit of {}",
                self.details_bytes, limits.max_header_bytes
            )));
        }
        // Also what keeps the arithmetic of the geometry within range.
        let frames = usize::try_from(self.frames).ok().filter(|_| isize::try_from(self.raw_bytes).is_ok());
        let frames = frames.ok_or_else(|| {
            Error::limit(format!("{WHAT}: {} frames are more than this machine can address", self.frames))
        })?;
        Ok(Geometry::new(format, frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::frame::{Dtype, Layout};

    fn prefix() -> Prefix {
        Prefix {
            details_bytes: 1,
            payload_bytes: 2,
            number: 3,
            first_frame: 4,
            frames: 5,
            raw_bytes: 30,
            raw_checksum: 7,
            payload_checksum: 8,
        }
    }

    #[test]
    fn prefixes_come_back_or_fail() {
        let bytes = prefix().to_bytes();
        assert_eq!(bytes.len(), PREFIX_BYTES);
        assert_eq!(Prefix::parse(&bytes).unwrap(), prefix());
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Prefix::parse(&damaged).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        for length in 0..bytes.len() {
            assert!(Prefix::parse(&bytes[..length]).is_err());
        }
        for beyond in [
            Prefix { frames: 0, ..prefix() },
            Prefix { frames: u64::MAX, ..prefix() },
            Prefix { number: u64::MAX, ..prefix() },
        ] {
            assert_eq!(Prefix::parse(&beyond.to_bytes()).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn sizes_are_checked_before_use() {
        let gray = FrameFormat::new(Dtype::U8, Layout::Gray { width: 3, height: 2 }).unwrap();
        let none = FrameFormat::new(Dtype::U8, Layout::Array { shape: vec![0] }).unwrap();
        let kind = |prefix: Prefix, format: &FrameFormat, limits: Limits| {
            prefix.geometry(format, &limits).map_err(|error| error.kind())
        };
        let limits = Limits::default();
        assert_eq!(kind(prefix(), &gray, limits).unwrap().frames, 5);
        assert_eq!(kind(Prefix { raw_bytes: 31, ..prefix() }, &gray, limits), Err(ErrorKind::Corrupt));
        assert_eq!(kind(Prefix { payload_bytes: 31, ..prefix() }, &gray, limits), Err(ErrorKind::Corrupt));
        assert_eq!(kind(prefix(), &gray, Limits { max_batch_bytes: 29, ..limits }), Err(ErrorKind::Limit));
        assert_eq!(kind(prefix(), &gray, Limits { max_header_bytes: 0, ..limits }), Err(ErrorKind::Limit));
        let huge = Prefix { frames: 1 << 62, raw_bytes: 6 << 60, ..prefix() };
        assert_eq!(kind(Prefix { frames: 1 << 61, raw_bytes: 6 << 61, ..huge }, &gray, limits), Err(ErrorKind::Limit));
        let unlimited = Limits { max_batch_bytes: u64::MAX, ..limits };
        assert_eq!(
            kind(Prefix { frames: 1 << 61, raw_bytes: 6 << 61, ..huge }, &gray, unlimited),
            Err(ErrorKind::Limit)
        );
        let empty = Prefix { frames: 1 << 62, raw_bytes: 0, payload_bytes: 0, ..prefix() };
        assert_eq!(kind(empty, &none, limits).unwrap().raw_bytes(), 0);
    }
}
