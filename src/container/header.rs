//! The file header: how frames are laid out and where they came from.

use std::collections::BTreeMap;
use std::io::Read;

use super::checksum::checksum;
use super::limits::Limits;
use super::wire::{Appender, Cursor, read_exactly, read_up_to};
use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout, Origin, OriginKind};

/// First bytes of every file. As with PNG's, the high bit, the line endings and the stop character
/// show what a careless transfer did.
pub(super) const MAGIC: [u8; 8] = *b"\x89FPK\r\n\x1a\n";

/// Version of the format this crate writes and reads.
pub const VERSION: u16 = 1;

/// Bytes up to and including the header's length.
const LEAD_BYTES: u64 = 16;

const CHECKSUM_BYTES: usize = 8;

/// As many as [`FrameFormat`] takes.
const MAX_AXES: u8 = 31;

/// Bit of the flags that says that metadata follow the origin header.
const METADATA_FLAG: u16 = 1;

const WHAT: &str = "file header";

/// What holds for every batch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHeader {
    /// Layout of every frame.
    pub format: FrameFormat,
    /// What the original file had besides its frames.
    pub origin: Origin,
}

impl FileHeader {
    /// The header as it is written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the origin's header does not
    /// fit in a file header.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut body = Appender::default();
        let (kind, ids, axes) = layout_fields(self.format.layout());
        for byte in [self.format.dtype() as u8, self.format.bit_depth(), kind, ids[0], ids[1], axes.len() as u8] {
            body.u8(byte);
        }
        for axis in axes {
            body.u64(axis as u64);
        }
        body.u8(self.origin.kind as u8);
        body.u8(self.origin.big_endian.into());
        body.counted("origin header", &self.origin.header)?;
        if !self.origin.metadata.is_empty() {
            write_metadata(&self.origin.metadata, &mut body)?;
        }

        let mut out = Appender::default();
        out.bytes(&MAGIC);
        out.u16(VERSION);
        out.u16(if self.origin.metadata.is_empty() { 0 } else { METADATA_FLAG });
        let length = LEAD_BYTES as usize + body.as_bytes().len() + CHECKSUM_BYTES;
        let too_long = |_| Error::invalid(format!("{WHAT}: {length} bytes are too many"));
        out.u32(u32::try_from(length).map_err(too_long)?);
        out.bytes(body.as_bytes());
        out.u64(checksum(out.as_bytes()));
        Ok(out.into_bytes())
    }

    /// Reads a header; also returns its length in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated),
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt),
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for versions and ids this version
    /// does not know, [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    pub fn read(input: &mut impl Read, limits: &Limits) -> Result<(Self, u64)> {
        let mut bytes = Vec::new();
        read_up_to(input, LEAD_BYTES, &mut bytes)?;
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(Error::corrupt(format!(
                "{WHAT}: expected the magic bytes {MAGIC:02x?}, found {magic:02x?}; this is not a .fpk file, or its start is damaged"
            )));
        }
        if (bytes.len() as u64) < LEAD_BYTES {
            return Err(Error::truncated(format!("{WHAT}: expected {LEAD_BYTES} bytes, found {}", bytes.len())));
        }
        let mut lead = Cursor::new(WHAT, &bytes[MAGIC.len()..]);
        let version = lead.u16("version")?;
        if version != VERSION {
            return Err(Error::unsupported(format!(
                "{WHAT}: version: expected {VERSION}, found {version}; update framepress"
            )));
        }
        let flags = lead.u16("flags")?;
        let length = u64::from(lead.u32("length")?);
        if length > limits.max_header_bytes {
            return Err(Error::limit(format!(
                "{WHAT}: {length} bytes, more than the limit of {}",
                limits.max_header_bytes
            )));
        }
        let rest = length.checked_sub(LEAD_BYTES).filter(|&rest| rest >= CHECKSUM_BYTES as u64);
        let rest = rest.ok_or_else(|| Error::corrupt(format!("{WHAT}: length: {length} bytes are too few")))?;
        read_exactly(input, WHAT, rest, &mut bytes)?;
        let (covered, stored) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        let stored = Cursor::new(WHAT, stored).u64("checksum")?;
        if stored != checksum(covered) {
            return Err(Error::corrupt(format!(
                "{WHAT}: checksum: expected {stored:016x}, found {:016x}",
                checksum(covered)
            )));
        }
        if flags & !METADATA_FLAG != 0 {
            return Err(Error::unsupported(format!("{WHAT}: flags: found {flags:#06x}; update framepress")));
        }
        let mut fields = Cursor::new(WHAT, &covered[LEAD_BYTES as usize..]);
        let mut header = Self { format: read_format(&mut fields)?, origin: read_origin(&mut fields)? };
        if flags & METADATA_FLAG != 0 {
            header.origin.metadata = read_metadata(&mut fields)?;
        }
        fields.finish()?;
        Ok((header, length))
    }
}

/// Kind, two ids and axes of a layout on the wire.
fn layout_fields(layout: &Layout) -> (u8, [u8; 2], Vec<usize>) {
    match *layout {
        Layout::Array { ref shape } => (0, [0, 0], shape.clone()),
        Layout::Gray { width, height } => (1, [0, 0], vec![width, height]),
        Layout::Packed { width, height, order } => (2, [order as u8, 0], vec![width, height]),
        Layout::Yuv { width, height, sampling, chroma } => (3, [sampling as u8, chroma as u8], vec![width, height]),
    }
}

fn read_format(fields: &mut Cursor<'_>) -> Result<FrameFormat> {
    let id = fields.u8("dtype")?;
    let dtype = Dtype::from_id(id).ok_or_else(|| unknown("dtype", id))?;
    let bit_depth = fields.u8("bit depth")?;
    let most = 8 * dtype.bytes();
    if bit_depth == 0 || usize::from(bit_depth) > most {
        return Err(Error::corrupt(format!("{WHAT}: bit depth: expected 1 to {most} for {dtype}, found {bit_depth}")));
    }
    let kind = fields.u8("layout")?;
    let ids = [fields.u8("first layout id")?, fields.u8("second layout id")?];
    let count = fields.u8("axes")?;
    if count > MAX_AXES {
        return Err(Error::corrupt(format!("{WHAT}: axes: expected at most {MAX_AXES}, found {count}")));
    }
    let mut axes = Vec::with_capacity(count.into());
    for _ in 0..count {
        let axis = fields.u64("axis")?;
        axes.push(usize::try_from(axis).map_err(|_| too_large())?);
    }
    let layout = layout_of(kind, ids, axes)?;
    // The depth and the number of axes have been checked: what is left to fail is the size.
    FrameFormat::with_bit_depth(dtype, layout, bit_depth).map_err(|_| too_large())
}

fn layout_of(kind: u8, [first, second]: [u8; 2], axes: Vec<usize>) -> Result<Layout> {
    let reserved = |id: u8| match id {
        0 => Ok(()),
        _ => Err(Error::corrupt(format!("{WHAT}: unused layout id: expected 0, found {id}"))),
    };
    if kind == 0 {
        reserved(first)?;
        reserved(second)?;
        return Ok(Layout::Array { shape: axes });
    }
    if kind > 3 {
        return Err(unknown("layout", kind));
    }
    let [width, height] = axes[..] else {
        return Err(Error::corrupt(format!("{WHAT}: axes: expected 2 (width and height), found {}", axes.len())));
    };
    match kind {
        1 => {
            reserved(first)?;
            reserved(second)?;
            Ok(Layout::Gray { width, height })
        }
        2 => {
            reserved(second)?;
            let order = by_id(&ChannelOrder::ALL, "channel order", first)?;
            Ok(Layout::Packed { width, height, order })
        }
        _ => {
            let sampling = by_id(&ChromaSampling::ALL, "chroma sampling", first)?;
            let chroma = by_id(&ChromaOrder::ALL, "chroma order", second)?;
            Ok(Layout::Yuv { width, height, sampling, chroma })
        }
    }
}

fn read_origin(fields: &mut Cursor<'_>) -> Result<Origin> {
    let kind = fields.u8("origin")?;
    let kind = by_id(&OriginKind::ALL, "origin", kind)?;
    let big_endian = fields.flag("big-endian flag")?;
    let header = fields.counted("origin header")?.to_vec();
    Ok(Origin { kind, big_endian, header, ..Origin::default() })
}

fn write_metadata(metadata: &BTreeMap<String, String>, out: &mut Appender) -> Result<()> {
    out.u32(u32::try_from(metadata.len()).map_err(|_| Error::invalid("metadata: too many"))?);
    for (key, value) in metadata {
        if key.is_empty() {
            return Err(Error::invalid("metadata: expected a key, found an empty one"));
        }
        out.counted("key of metadata", key.as_bytes())?;
        out.counted("value of metadata", value.as_bytes())?;
    }
    Ok(())
}

fn read_metadata(fields: &mut Cursor<'_>) -> Result<BTreeMap<String, String>> {
    let count = fields.u32("number of metadata")?;
    let mut text = |what: &str| {
        let bytes = fields.counted(what)?.to_vec();
        String::from_utf8(bytes).map_err(|_| Error::corrupt(format!("{WHAT}: {what}: it is not UTF-8")))
    };
    let mut metadata = BTreeMap::new();
    for _ in 0..count {
        let (key, value) = (text("key")?, text("value")?);
        // Each key once, and in order.
        let follows = metadata.last_key_value().is_none_or(|(last, _)| *last < key);
        if key.is_empty() || !follows {
            return Err(Error::corrupt(format!("{WHAT}: metadata: key {key:?} is empty or out of order")));
        }
        metadata.insert(key, value);
    }
    if metadata.is_empty() {
        return Err(Error::corrupt(format!("{WHAT}: metadata: expected some, found none")));
    }
    Ok(metadata)
}

/// The value at position `id` of a list in order of id.
fn by_id<T: Copy>(all: &[T], what: &str, id: u8) -> Result<T> {
    all.get(usize::from(id)).copied().ok_or_else(|| unknown(what, id))
}

fn unknown(what: &str, id: u8) -> Error {
    Error::unsupported(format!("{WHAT}: {what}: id {id} is not known to this version; update framepress"))
}

fn too_large() -> Error {
    Error::limit(format!("{WHAT}: a frame is larger than this machine can address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn headers() -> Vec<FileHeader> {
        let origin =
            Origin { kind: OriginKind::Npy, big_endian: true, header: b"\x93NUMPY".to_vec(), ..Origin::default() };
        let mut headers = Vec::new();
        for dtype in Dtype::ALL {
            for layout in [
                Layout::Array { shape: vec![] },
                Layout::Array { shape: vec![2, 0, 7] },
                Layout::Gray { width: 3, height: 2 },
                Layout::Packed { width: 3, height: 2, order: ChannelOrder::Bgra },
                Layout::Yuv {
                    width: 3,
                    height: 2,
                    sampling: ChromaSampling::Cs422,
                    chroma: ChromaOrder::VuInterleaved,
                },
            ] {
                let format = FrameFormat::with_bit_depth(dtype, layout, 7).unwrap();
                headers.push(FileHeader { format, origin: origin.clone() });
            }
        }
        headers.push(FileHeader { origin: Origin::default(), ..headers[0].clone() });
        let entry = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let metadata = [("camera", "7"), ("place", "north gate, \u{3b1}"), ("x", "")].map(entry).into_iter().collect();
        headers.push(FileHeader { origin: Origin { metadata, ..origin }, ..headers[0].clone() });
        headers
    }

    #[test]
    fn headers_come_back() {
        for header in headers() {
            let bytes = header.to_bytes().unwrap();
            let (back, length) = FileHeader::read(&mut &bytes[..], &Limits::default()).unwrap();
            assert_eq!(back, header);
            assert_eq!(length, bytes.len() as u64);
        }
    }

    /// `bytes` with a change and the checksum made good.
    fn kind_of(change: impl Fn(&mut Vec<u8>)) -> ErrorKind {
        let mut bytes = headers()[3].to_bytes().unwrap();
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        change(&mut bytes);
        let length = (bytes.len() + CHECKSUM_BYTES) as u32;
        bytes[12..16].copy_from_slice(&length.to_le_bytes());
        bytes.extend(checksum(&bytes).to_le_bytes());
        FileHeader::read(&mut &bytes[..], &Limits::default()).unwrap_err().kind()
    }

    #[test]
    fn broken_fields_are_refused() {
        assert_eq!(kind_of(|bytes| bytes[8] = 2), ErrorKind::Unsupported, "version");
        assert_eq!(kind_of(|bytes| bytes[10] = 2), ErrorKind::Unsupported, "flags");
        assert_eq!(kind_of(|bytes| bytes[16] = 13), ErrorKind::Unsupported, "dtype");
        assert_eq!(kind_of(|bytes| bytes[17] = 0), ErrorKind::Corrupt, "bit depth");
        assert_eq!(kind_of(|bytes| bytes[17] = 9), ErrorKind::Corrupt, "bit depth");
        assert_eq!(kind_of(|bytes| bytes[18] = 4), ErrorKind::Unsupported, "layout");
        assert_eq!(kind_of(|bytes| bytes[19] = 4), ErrorKind::Unsupported, "channel order");
        assert_eq!(kind_of(|bytes| bytes[20] = 1), ErrorKind::Corrupt, "unused id");
        assert_eq!(kind_of(|bytes| bytes[21] = 1), ErrorKind::Corrupt, "axes");
        assert_eq!(kind_of(|bytes| bytes[21] = 255), ErrorKind::Corrupt, "axes");
        assert_eq!(kind_of(|bytes| bytes[22..38].fill(0xFF)), ErrorKind::Limit, "frame size");
        assert_eq!(kind_of(|bytes| bytes[38] = 5), ErrorKind::Unsupported, "origin");
        assert_eq!(kind_of(|bytes| bytes[39] = 2), ErrorKind::Corrupt, "big-endian flag");
        assert_eq!(kind_of(|bytes| bytes[40] = 0xFF), ErrorKind::Corrupt, "origin header length");
        assert_eq!(kind_of(|bytes| bytes.push(0)), ErrorKind::Corrupt, "trailing byte");
    }

    #[test]
    fn lengths_are_limited() {
        let mut bytes = headers()[0].to_bytes().unwrap();
        bytes[12..16].fill(0xFF);
        let read = |limits: Limits| FileHeader::read(&mut &bytes[..], &limits).unwrap_err().kind();
        assert_eq!(read(Limits::default()), ErrorKind::Limit);
        assert_eq!(read(Limits { max_header_bytes: u64::MAX, ..Limits::default() }), ErrorKind::Truncated);
        assert_eq!(FileHeader::read(&mut &b"P5 3 2"[..], &Limits::default()).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(FileHeader::read(&mut &b""[..], &Limits::default()).unwrap_err().kind(), ErrorKind::Truncated);
    }
}
