//! The header of an `.npy` file.

use std::io::Read;

use super::literal::{self, Fields};
use crate::error::{Error, Result};
use crate::frame::{Dtype, FrameFormat};
use crate::input::fill::fill;

/// First bytes of every `.npy` file.
pub(in crate::input) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header text that is read. NumPy writes about a hundred bytes and pads.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// Longest header of version 1.0, whose length has two bytes.
const MAX_VERSION_1_BYTES: usize = 10 + 0xFFFF;

/// A header, as written and as understood.
#[derive(Debug, Clone)]
pub(super) struct NpyHeader {
    /// The header's bytes, from the magic to where the data begins.
    pub bytes: Vec<u8>,
    pub descr: String,
    pub dtype: Dtype,
    pub big_endian: bool,
    /// Whether `shape` is that of the transposed array.
    pub fortran_order: bool,
    /// Shape in C order: the file's, reversed when the file is in Fortran order. The data of the file
    /// and of the reversed shape are the same bytes in the same order.
    pub shape: Vec<usize>,
}

impl NpyHeader {
    /// Reads a header and leaves `reader` at the first byte of data.
    pub fn read(reader: &mut dyn Read) -> Result<Self> {
        let mut bytes = Vec::new();
        take(reader, &mut bytes, MAGIC.len() + 2)?;
        let length_bytes = match bytes.strip_prefix(MAGIC) {
            Some([1, 0]) => 2,
            Some([2 | 3, 0]) => 4,
            Some([major, minor]) => {
                return Err(Error::unsupported(format!(
                    "npy version: expected 1.0, 2.0 or 3.0, found {major}.{minor}"
                )));
            }
            _ => return Err(Error::invalid("npy magic: expected \\x93NUMPY at the start of the file")),
        };
        let length = take(reader, &mut bytes, length_bytes)?;
        let length = length.iter().rev().fold(0, |length, &byte| (length << 8) | usize::from(byte));
        if length > MAX_HEADER_BYTES {
            return Err(Error::limit(format!(
                "npy header: expected at most {MAX_HEADER_BYTES} bytes, found {length} bytes"
            )));
        }
        let Fields { descr, fortran_order, shape } = literal::parse(take(reader, &mut bytes, length)?)?;
        let (dtype, big_endian) = dtype_of(&descr)?;
        let mut shape = shape
            .into_iter()
            .map(|axis| {
                usize::try_from(axis)
                    .map_err(|_| Error::invalid(format!("npy header: shape: {axis} cannot be addressed here")))
            })
            .collect::<Result<Vec<usize>>>()?;
        if fortran_order {
            shape.reverse();
        }
        Ok(Self { bytes, descr, dtype, big_endian, fortran_order, shape })
    }

    /// Number of frames: the first axis, or 1 for a 0-dimensional array.
    pub fn frames(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Shape of one frame.
    pub fn frame_shape(&self) -> &[usize] {
        self.shape.get(1..).unwrap_or_default()
    }
}

/// Appends the next `count` bytes of a header and returns them.
fn take<'a>(reader: &mut dyn Read, bytes: &'a mut Vec<u8>, count: usize) -> Result<&'a [u8]> {
    let start = bytes.len();
    let found = fill(reader, bytes, count, count)?;
    if found < count {
        return Err(Error::truncated(format!("npy header: expected {} bytes, found {}", start + count, bytes.len())));
    }
    Ok(bytes.get(start..).unwrap_or_default())
}

/// Dtype of a `descr`, and whether samples are big-endian.
fn dtype_of(descr: &str) -> Result<(Dtype, bool)> {
    let (order, name) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "=" | "|"), name)) => (order, name),
        _ => ("", descr),
    };
    let dtype = match name {
        "b1" | "?" => Dtype::Bool,
        "u1" => Dtype::U8,
        "i1" => Dtype::I8,
        "u2" => Dtype::U16,
        "i2" => Dtype::I16,
        "u4" => Dtype::U32,
        "i4" => Dtype::I32,
        "u8" => Dtype::U64,
        "i8" => Dtype::I64,
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        // Written for bfloat16, but for any other two-byte type without a name too.
        "V2" => {
            return Err(Error::unsupported(format!(
                "npy header: descr: '{descr}' may be bfloat16 or anything else of two bytes; save array.view('uint16')"
            )));
        }
        _ => return Err(unknown(descr)),
    };
    if order == "|" && dtype.bytes() > 1 {
        return Err(unknown(descr));
    }
    Ok((dtype, order == ">" && dtype.bytes() > 1))
}

fn unknown(descr: &str) -> Error {
    Error::unsupported(format!(
        "npy header: descr: expected '<' or '>' and u1, i1, u2, i2, u4, i4, u8, i8, f2, f4 or f8, or '|b1', found '{}'",
        descr.escape_default()
    ))
}

/// `descr` of little-endian samples.
pub(super) fn descr_of(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Bool => "|b1",
        Dtype::U8 => "|u1",
        Dtype::I8 => "|i1",
        Dtype::U16 => "<u2",
        Dtype::I16 => "<i2",
        Dtype::U32 => "<u4",
        Dtype::I32 => "<i4",
        Dtype::U64 => "<u8",
        Dtype::I64 => "<i8",
        Dtype::F16 => "<f2",
        // NumPy has no name for it; this is how the type of the ml_dtypes package is saved.
        Dtype::Bf16 => "<V2",
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
    }
}

/// Header of `frames` frames of `format`, as NumPy would write it.
pub(super) fn header_bytes(
    descr: &str,
    fortran_order: bool,
    frames: u64,
    format: &FrameFormat,
    room: usize,
) -> Vec<u8> {
    let mut axes = vec![frames.to_string()];
    axes.extend(format.shape().iter().map(usize::to_string));
    if fortran_order {
        axes.reverse();
    }
    let comma = if axes.len() == 1 { "," } else { "" };
    let fortran_order = if fortran_order { "True" } else { "False" };
    let shape = axes.join(", ");
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': ({shape}{comma}), }}");
    // Data starts at a multiple of 64 bytes, right after a line feed. 32 axes of 20 digits keep the
    // text far below the 65535 bytes of version 1.0.
    let head = MAGIC.len() + 4;
    let needed = head + text.len() + 1;
    let padded = if (needed..=MAX_VERSION_1_BYTES).contains(&room) { room } else { needed.next_multiple_of(64) } - head;
    text.push_str(&" ".repeat(padded - 1 - text.len()));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0, (padded & 0xff) as u8, (padded >> 8) as u8]);
    bytes.extend(text.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn descr_round_trips() {
        for dtype in Dtype::ALL.into_iter().filter(|&dtype| dtype != Dtype::Bf16) {
            assert_eq!(dtype_of(descr_of(dtype)).unwrap(), (dtype, false));
        }
        assert_eq!(dtype_of(">i4").unwrap(), (Dtype::I32, true));
        assert_eq!(dtype_of(">u1").unwrap(), (Dtype::U8, false));
        assert_eq!(dtype_of("=f8").unwrap(), (Dtype::F64, false));
    }

    #[test]
    fn other_types_are_unsupported() {
        for descr in ["<c8", "|O", "<U5", "|S3", "<f16", "<M8[ns]", "<V2", "|V3", "|u2", "", "<", "é", "float64"] {
            let error = dtype_of(descr).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{descr}");
            assert!(error.to_string().contains("descr"), "{error}");
        }
    }

    #[test]
    fn written_headers_are_aligned_and_read_back() {
        for (shape, fortran_order) in [(&[][..], false), (&[4, 6, 3], false), (&[4, 6], true)] {
            let format = FrameFormat::from_shape(Dtype::U16, shape).unwrap();
            let bytes = header_bytes("<u2", fortran_order, 12, &format, 0);
            assert_eq!((bytes.len() % 64, bytes.last()), (0, Some(&b'\n')));
            // As long as asked for, if there is room.
            for (room, length) in [(40, bytes.len()), (131, 131), (65545, 65545), (65546, bytes.len())] {
                let bytes = header_bytes("<u2", fortran_order, 12, &format, room);
                assert_eq!((bytes.len(), bytes.last()), (length, Some(&b'\n')));
                let header = NpyHeader::read(&mut bytes.as_slice()).unwrap();
                assert_eq!((header.frames(), header.frame_shape()), (12, shape));
                assert_eq!(header.bytes, bytes);
            }
        }
    }

    #[test]
    fn hostile_lengths_are_limited() {
        let error = NpyHeader::read(&mut &b"\x93NUMPY\x03\x00\xff\xff\xff\xff{"[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        let error = NpyHeader::read(&mut &b"\x93NUMPY\x04\x00\xff\xff"[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
