//! The stream header of YUV4MPEG2 and what it says of the frames.

use std::io::{BufRead, Read};

use crate::error::{Error, Result};
use crate::frame::{ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout, Rectangle};

/// First bytes of every stream.
pub(in crate::input) const MAGIC: &[u8] = b"YUV4MPEG2";

/// Longest header line of a stream or frame that is read, in bytes.
const MAX_LINE_BYTES: u64 = 1 << 16;

/// Colour spaces by their names, without bit depth. 4:2:0 variants differ in where chroma samples lie,
/// which changes no byte.
const COLOUR_SPACES: [(&str, Option<ChromaSampling>); 7] = [
    ("420", Some(ChromaSampling::Cs420)),
    ("420jpeg", Some(ChromaSampling::Cs420)),
    ("420paldv", Some(ChromaSampling::Cs420)),
    ("420mpeg2", Some(ChromaSampling::Cs420)),
    ("422", Some(ChromaSampling::Cs422)),
    ("444", Some(ChromaSampling::Cs444)),
    ("mono", None),
];

/// Appends a line to `bytes`, its line feed included. Returns its length: 0 at the end of the stream.
pub(super) fn read_line(reader: &mut dyn BufRead, bytes: &mut Vec<u8>, what: &str) -> Result<usize> {
    let length = Read::take(reader, MAX_LINE_BYTES).read_until(b'\n', bytes)?;
    if length > 0 && bytes.last() != Some(&b'\n') {
        return Err(if length as u64 == MAX_LINE_BYTES {
            Error::limit(format!("{what}: expected a line of at most {MAX_LINE_BYTES} bytes"))
        } else {
            Error::truncated(format!("{what}: expected a line feed, found the end after {length} bytes"))
        });
    }
    Ok(length)
}

/// Format of the frames of a stream with this header line.
pub(super) fn format_of(line: &[u8]) -> Result<FrameFormat> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut fields = line.split(|&byte| byte == b' ');
    if fields.next() != Some(MAGIC) {
        return Err(Error::invalid("y4m magic: expected YUV4MPEG2 and a space at the start of the stream"));
    }
    let (mut width, mut height, mut colour_space, mut extension) = (None, None, None, None);
    for field in fields {
        match field.split_first() {
            Some((b'W', value)) => width = Some(size("W (width)", value)?),
            Some((b'H', value)) => height = Some(size("H (height)", value)?),
            Some((b'C', value)) => colour_space = Some(text("C (colour space)", value)?.to_owned()),
            // Written by tools that kept C for the colour spaces of the first version of the format.
            Some((b'X', value)) => {
                if let Some(value) = value.strip_prefix(b"YSCSS=") {
                    extension = Some(text("XYSCSS (colour space)", value)?.to_ascii_lowercase());
                }
            }
            // Frame rate, interlacing, aspect and unknown fields change nothing in the frames.
            _ => {}
        }
    }
    let missing = |field| Error::invalid(format!("y4m header: {field}: missing"));
    let width = width.ok_or_else(|| missing("W (width)"))?;
    let height = height.ok_or_else(|| missing("H (height)"))?;
    let colour_space = colour_space.or(extension).unwrap_or_else(|| "420jpeg".to_owned());
    let (sampling, bit_depth) = colour_space_of(&colour_space)?;
    let dtype = if bit_depth > 8 { Dtype::U16 } else { Dtype::U8 };
    let layout = match sampling {
        Some(sampling) => Layout::Yuv { width, height, sampling, chroma: ChromaOrder::Planar },
        None => Layout::Gray { width, height },
    };
    FrameFormat::with_bit_depth(dtype, layout, bit_depth)
}

/// The header line of the same stream for a rectangle of its frames.
pub(in crate::input) fn header_of_region(line: &[u8], rectangle: &Rectangle) -> Vec<u8> {
    let (line, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |line| (line, b"\n"));
    let field = |field: &[u8]| match field.first() {
        Some(b'W') => format!("W{}", rectangle.width).into_bytes(),
        Some(b'H') => format!("H{}", rectangle.height).into_bytes(),
        _ => field.to_vec(),
    };
    let fields: Vec<Vec<u8>> = line.split(|&byte| byte == b' ').map(field).collect();
    [fields.join(&b' ').as_slice(), end].concat()
}

/// Chroma sampling (`None` for gray) and bit depth.
fn colour_space_of(name: &str) -> Result<(Option<ChromaSampling>, u8)> {
    let find = |name: &str| COLOUR_SPACES.iter().find(|(known, _)| *known == name).map(|&(_, sampling)| sampling);
    if let Some(sampling) = find(name) {
        return Ok((sampling, 8));
    }
    // 420p10, and mono10 without a p.
    let (base, digits) = name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let base = match base {
        "420p" | "422p" | "444p" => base.trim_end_matches('p'),
        "mono" => base,
        _ => "",
    };
    let depth = digits.parse().ok().filter(|depth| (9..=16).contains(depth));
    find(base).zip(depth).ok_or_else(|| {
        Error::unsupported(format!(
            "y4m header: C (colour space): expected 420, 420jpeg, 420paldv, 420mpeg2, 422, 444 or mono, or one of 420p, \
             422p, 444p and mono with 9 to 16 bits (420p10), found '{}'",
            name.escape_default()
        ))
    })
}

fn text<'a>(field: &str, value: &'a [u8]) -> Result<&'a str> {
    str::from_utf8(value)
        .map_err(|_| Error::invalid(format!("y4m header: {field}: expected text, found '{}'", value.escape_ascii())))
}

fn size(field: &str, value: &[u8]) -> Result<usize> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let size = str::from_utf8(value).ok().filter(|_| digits).and_then(|value| value.parse().ok());
    size.filter(|&size| size > 0).ok_or_else(|| {
        Error::invalid(format!(
            "y4m header: {field}: expected a positive whole number, found '{}'",
            value.escape_ascii()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn format(header: &str) -> Result<FrameFormat> {
        format_of(header.as_bytes())
    }

    #[test]
    fn colour_spaces() {
        for (name, sampling, depth) in [
            ("C420jpeg", Some(ChromaSampling::Cs420), 8),
            ("C422", Some(ChromaSampling::Cs422), 8),
            ("C444p16", Some(ChromaSampling::Cs444), 16),
            ("C422p9", Some(ChromaSampling::Cs422), 9),
            ("Cmono", None, 8),
            ("Cmono12", None, 12),
            ("F25:1", Some(ChromaSampling::Cs420), 8),
            ("XYSCSS=420P10", Some(ChromaSampling::Cs420), 10),
            ("C444 XYSCSS=422", Some(ChromaSampling::Cs444), 8),
        ] {
            let format = format(&format!("YUV4MPEG2 W5 H3 {name} Ip\n")).unwrap();
            let expected = match sampling {
                Some(sampling) => Layout::Yuv { width: 5, height: 3, sampling, chroma: ChromaOrder::Planar },
                None => Layout::Gray { width: 5, height: 3 },
            };
            assert_eq!((format.layout(), format.bit_depth()), (&expected, depth), "{name}");
        }
    }

    #[test]
    fn regions_have_headers_of_their_size() {
        let rectangle = "30x7+2+4".parse().unwrap();
        for (line, expected) in [
            ("YUV4MPEG2 W50 H30 F25:1 Ip A1:1 C420jpeg XW1\n", "YUV4MPEG2 W30 H7 F25:1 Ip A1:1 C420jpeg XW1\n"),
            ("YUV4MPEG2 H99  W99", "YUV4MPEG2 H7  W30"),
        ] {
            let header = header_of_region(line.as_bytes(), &rectangle);
            assert_eq!(str::from_utf8(&header).unwrap(), expected);
        }
    }

    #[test]
    fn refusals() {
        for name in ["411", "444alpha", "420p8", "420p17", "420p999", "mono8", "420jpeg10", "p10", ""] {
            let error = format(&format!("YUV4MPEG2 W5 H3 C{name}\n")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        }
        for header in [
            "YUV4MPEG W5 H3\n",
            "YUV4MPEG2\n",
            "YUV4MPEG2 W5\n",
            "YUV4MPEG2 H5\n",
            "YUV4MPEG2 W0 H3\n",
            "YUV4MPEG2 W+5 H3\n",
            "YUV4MPEG2 W5 H99999999999999999999\n",
            "YUV4MPEG2 W9999999999 H9999999999\n",
        ] {
            assert_eq!(format(header).unwrap_err().kind(), ErrorKind::InvalidInput, "{header}");
        }
        assert!(format_of(b"YUV4MPEG2 W5 H3 C\xff\n").is_err());
    }

    #[test]
    fn endless_lines_are_limited() {
        let mut bytes = Vec::new();
        let error = read_line(&mut &[b'x'; 1 << 17][..], &mut bytes, "line").unwrap_err();
        assert_eq!((error.kind(), bytes.len()), (ErrorKind::Limit, 1 << 16));
    }
}
