//! The batch record: everything needed to restore one batch, given the file header.

use std::io::Read;

use super::WHAT;
use super::checksum::{checksum, checksum_of};
use super::limits::Limits;
use super::method::{self, Bounds};
use super::prefix::{PREFIX_BYTES, Prefix};
use super::timestamps;
use super::wire::{Appender, Cursor, Input, check_length, read_exactly};
use crate::codec::CodecId;
use crate::error::{BatchLocation, Error, Result};
use crate::frame::{FrameFormat, Geometry};
use crate::packed::{self, CodedBlock};
use crate::plan::Method;

/// Bytes of one entry of the block table.
const ENTRY_BYTES: usize = 5;

const CHECKSUM_BYTES: usize = 8;

/// How one block is encoded. Its raw length follows from geometry and plan
/// (`container::blocks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockEntry {
    /// Codec of the block.
    pub codec: CodecId,
    /// Encoded bytes, at most the raw bytes of the block.
    pub packed_bytes: u32,
}

impl BlockEntry {
    /// That of a coded block.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it has more than 4 GiB.
    pub fn of(block: &CodedBlock) -> Result<Self> {
        let packed_bytes = u32::try_from(block.bytes.len()).map_err(|_| Error::limit("block: more than 4 GiB"))?;
        Ok(Self { codec: block.codec, packed_bytes })
    }
}

/// The encoded blocks of a batch, one after another, in one piece or in several.
pub trait Payload {
    /// The pieces, in order.
    fn pieces(&self) -> impl Iterator<Item = &[u8]>;

    /// How many bytes they have together.
    fn bytes(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Their [`checksum`](super::checksum()).
    fn checksum(&self) -> u64 {
        checksum_of(self.pieces())
    }
}

impl Payload for Vec<u8> {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.as_slice())
    }
}

/// Encoded blocks, each in memory of its own. Their checksum is taken where they are made: batches are made side by side, and
/// written one after another.
pub struct Pieces {
    pieces: Vec<Vec<u8>>,
    checksum: u64,
}

impl Pieces {
    /// These, with their checksum.
    pub fn new(pieces: Vec<Vec<u8>>) -> Self {
        let checksum = checksum_of(pieces.iter().map(Vec::as_slice));
        Self { pieces, checksum }
    }

    /// The memory of each.
    pub fn into_memory(self) -> Vec<Vec<u8>> {
        self.pieces
    }
}

impl Payload for Pieces {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Vec::as_slice)
    }

    fn checksum(&self) -> u64 {
        self.checksum
    }
}

/// One batch as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord<P = Vec<u8>> {
    /// Number of the batch in its file, from 0.
    pub number: u64,
    /// First frame of the batch.
    pub first_frame: u64,
    /// Frames of the batch, at least 1.
    pub frames: u64,
    /// Bytes of the raw frames.
    pub raw_bytes: u64,
    /// [`checksum`](super::checksum()) of the raw frames.
    pub raw_checksum: u64,
    /// How the batch is coded.
    pub method: Method,
    /// One entry per block, in order.
    pub blocks: Vec<BlockEntry>,
    /// What the input format needs besides frames to restore this part of its file.
    pub side: Vec<u8>,
    /// When each frame was taken, in nanoseconds, or nothing.
    pub timestamps: Vec<i64>,
    /// The encoded blocks, one after another.
    pub payload: P,
}

impl<P: Payload> BatchRecord<P> {
    /// Checks that readers will take the record, and returns its bytes up to the payload.
    pub(super) fn head(&self, format: &FrameFormat) -> Result<(Prefix, Vec<u8>)> {
        let details = self.details()?;
        let prefix = Prefix {
            details_bytes: u32::try_from(details.len() + CHECKSUM_BYTES)
                .map_err(|_| Error::invalid(format!("{WHAT}: {} blocks are too many", self.blocks.len())))?,
            payload_bytes: self.payload.bytes() as u64,
            number: self.number,
            first_frame: self.first_frame,
            frames: self.frames,
            raw_bytes: self.raw_bytes,
            raw_checksum: self.raw_checksum,
            payload_checksum: self.payload.checksum(),
        };
        self.check(&prefix, format)
            .map_err(|error| Error::invalid(format!("{WHAT}: readers would refuse it: {error}")))?;
        let mut head = prefix.to_bytes();
        head.extend(details);
        head.extend(checksum(&head).to_le_bytes());
        Ok((prefix, head))
    }

    fn check(&self, prefix: &Prefix, format: &FrameFormat) -> Result<()> {
        let unlimited = Limits { max_batch_bytes: u64::MAX, max_header_bytes: u64::MAX, ..Limits::default() };
        Prefix::parse(&prefix.to_bytes())?;
        let geometry = prefix.geometry(format, &unlimited)?;
        self.method.check(&geometry)?;
        let expected = method::count(&self.method, &geometry);
        if expected != self.blocks.len() {
            return Err(Error::corrupt(format!("{WHAT}: expected {expected} blocks, found {}", self.blocks.len())));
        }
        let mut total = 0;
        for (number, (bounds, entry)) in method::bounds(&self.method, &geometry).zip(&self.blocks).enumerate() {
            check_entry(number, &bounds, entry)?;
            total += u64::from(entry.packed_bytes);
        }
        let times = self.timestamps.len() as u64;
        if times != 0 && times != self.frames {
            return Err(Error::corrupt(format!("{WHAT}: expected {} timestamps, found {times}", self.frames)));
        }
        check_total(total, prefix.payload_bytes)
    }

    /// Plan, block table, side data and timestamps.
    fn details(&self) -> Result<Vec<u8>> {
        let mut out = Appender::default();
        method::write(&self.method, &mut out)?;
        for block in &self.blocks {
            out.u8(block.codec as u8);
            out.u32(block.packed_bytes);
        }
        out.counted("side data", &self.side)?;
        if !self.timestamps.is_empty() {
            out.counted("timestamps", &timestamps::encode(&self.timestamps))?;
        }
        Ok(out.into_bytes())
    }
}

impl<P: AsRef<[u8]>> BatchRecord<P> {
    /// The batch, for messages.
    pub fn location(&self) -> BatchLocation {
        BatchLocation { batch: self.number, first_frame: self.first_frame, frames: self.frames }
    }

    /// Its blocks.
    pub(crate) fn coded_blocks(&self) -> Result<Vec<CodedBlock<&[u8]>>> {
        packed::cut(&self.blocks, self.payload.as_ref())
    }

    /// Reads what follows `prefix`. Errors carry the location of the batch.
    pub(super) fn read_body(
        prefix: &Prefix,
        input: &mut impl Input<Payload = P>,
        format: &FrameFormat,
        limits: &Limits,
    ) -> Result<Self> {
        let mut read = || {
            let details = Details::read(prefix, input, format, limits)?;
            let payload = input.payload(prefix.payload_bytes)?;
            check_length("payload", prefix.payload_bytes, payload.as_ref().len() as u64)?;
            check_sum("payload", prefix.payload_checksum, payload.as_ref())?;
            Ok(Self {
                number: prefix.number,
                first_frame: prefix.first_frame,
                frames: prefix.frames,
                raw_bytes: prefix.raw_bytes,
                raw_checksum: prefix.raw_checksum,
                method: details.method,
                blocks: details.blocks,
                side: details.side,
                timestamps: details.timestamps,
                payload,
            })
        };
        read().map_err(|error: Error| error.at(prefix.location()))
    }
}

/// A record without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead {
    /// First frame of the batch.
    pub first_frame: u64,
    /// Frames of the batch, at least 1.
    pub frames: u64,
    /// Bytes of the raw frames.
    pub raw_bytes: u64,
    /// Bytes of the whole record.
    pub record_bytes: u64,
    /// How the batch is coded.
    pub method: Method,
    /// One entry per block, in order.
    pub blocks: Vec<BlockEntry>,
    /// As in the record.
    pub side: Vec<u8>,
    /// As in the record.
    pub timestamps: Vec<i64>,
}

impl RecordHead {
    /// Reads what follows `prefix` up to the payload. Errors carry the location of the batch.
    pub(super) fn read(prefix: &Prefix, input: &mut impl Read, format: &FrameFormat, limits: &Limits) -> Result<Self> {
        let details = Details::read(prefix, input, format, limits).map_err(|error| error.at(prefix.location()))?;
        Ok(Self {
            first_frame: prefix.first_frame,
            frames: prefix.frames,
            raw_bytes: prefix.raw_bytes,
            record_bytes: prefix.body_bytes().saturating_add(PREFIX_BYTES as u64),
            method: details.method,
            blocks: details.blocks,
            side: details.side,
            timestamps: details.timestamps,
        })
    }
}

/// What lies between prefix and payload.
struct Details {
    method: Method,
    blocks: Vec<BlockEntry>,
    side: Vec<u8>,
    timestamps: Vec<i64>,
}

impl Details {
    fn read(prefix: &Prefix, input: &mut impl Read, format: &FrameFormat, limits: &Limits) -> Result<Self> {
        let geometry = prefix.geometry(format, limits)?;
        let mut head = prefix.to_bytes();
        read_exactly(input, "details of the record", prefix.details_bytes.into(), &mut head)?;
        let Some(details_end) = head.len().checked_sub(CHECKSUM_BYTES).filter(|&end| end >= PREFIX_BYTES) else {
            return Err(Error::corrupt(format!(
                "{WHAT}: length of details: {} bytes are too few",
                prefix.details_bytes
            )));
        };
        let (covered, stored) = head.split_at(details_end);
        check_sum("head", Cursor::new(WHAT, stored).u64("checksum of head")?, covered)?;

        let mut details = Cursor::new(WHAT, &covered[PREFIX_BYTES..]);
        let method = method::read(&mut details, &geometry)?;
        let (blocks, packed_bytes) = read_table(&mut details, &geometry, &method)?;
        check_total(packed_bytes, prefix.payload_bytes)?;
        let side = details.counted("side data")?.to_vec();
        let mut timestamps = Vec::new();
        if details.remaining() > 0 {
            timestamps = timestamps::decode(details.counted("timestamps")?, prefix.frames)?;
        }
        details.finish()?;
        Ok(Self { method, blocks, side, timestamps })
    }
}

/// The block table, and the sum of its encoded lengths.
fn read_table(details: &mut Cursor<'_>, geometry: &Geometry, method: &Method) -> Result<(Vec<BlockEntry>, u64)> {
    let count = method::count(method, geometry);
    let room = details.remaining() / ENTRY_BYTES;
    if count > room {
        return Err(Error::corrupt(format!("{WHAT}: block table: expected {count} blocks, found room for {room}")));
    }
    let mut entries = Vec::with_capacity(count);
    let mut total: u64 = 0;
    for (number, bounds) in method::bounds(method, geometry).enumerate() {
        let codec = CodecId::from_id(details.u8("codec")?)?;
        let entry = BlockEntry { codec, packed_bytes: details.u32("length of block")? };
        check_entry(number, &bounds, &entry)?;
        // There is a table entry for each, so the sum stays far below the range.
        total += u64::from(entry.packed_bytes);
        entries.push(entry);
    }
    Ok((entries, total))
}

fn check_entry(number: usize, bounds: &Bounds, entry: &BlockEntry) -> Result<()> {
    let packed = u64::from(entry.packed_bytes);
    let (fits, expected) = match bounds {
        Bounds::Plane(raw) if entry.codec == CodecId::Store => (packed == *raw, format!("{raw} raw bytes")),
        Bounds::Plane(raw) => (packed <= *raw, format!("{raw} raw bytes")),
        Bounds::Of(codec) => (entry.codec == *codec, format!("a block of {}", codec.name())),
    };
    if fits {
        return Ok(());
    }
    Err(Error::corrupt(format!("{WHAT}: block {number}: {packed} bytes by {} for {expected}", entry.codec.name())))
}

fn check_total(packed_bytes: u64, payload_bytes: u64) -> Result<()> {
    if packed_bytes != payload_bytes {
        return Err(Error::corrupt(format!(
            "{WHAT}: blocks: expected {payload_bytes} bytes (the payload), found {packed_bytes}"
        )));
    }
    Ok(())
}

fn check_sum(what: &str, stored: u64, bytes: &[u8]) -> Result<()> {
    let found = checksum(bytes);
    if stored != found {
        return Err(Error::corrupt(format!("{what} checksum: expected {stored:016x}, found {found:016x}")));
    }
    Ok(())
}
