//! Finding the next record after damage.

use std::io::Read;

use super::prefix::{PREFIX_BYTES, Prefix, RECORD_MAGIC};
use super::wire::read_up_to;
use crate::error::Result;

/// Reads `input` until a whole prefix with a good checksum has been read. `window` holds bytes that
/// were read already and are not a prefix at their start. Returns how far the prefix starts from
/// the start of `window`, or `None` at the end of the input.
pub(super) fn next_prefix(input: &mut impl Read, mut window: Vec<u8>) -> Result<Option<(u64, Prefix)>> {
    let mut skipped = 0;
    loop {
        let candidate = window.iter().skip(1).position(|&byte| byte == RECORD_MAGIC[0]);
        let dropped = candidate.map_or(window.len(), |at| at + 1);
        window.drain(..dropped);
        skipped += dropped as u64;
        read_up_to(input, (PREFIX_BYTES - window.len()) as u64, &mut window)?;
        if window.len() < PREFIX_BYTES {
            return Ok(None);
        }
        if let Ok(prefix) = Prefix::parse(&window) {
            return Ok(Some((skipped, prefix)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_prefix_is_found_wherever_it_starts() {
        let prefix = Prefix {
            details_bytes: 1,
            payload_bytes: 2,
            number: 3,
            first_frame: 4,
            frames: 5,
            raw_bytes: 6,
            raw_checksum: 7,
            payload_checksum: 8,
        };
        for before in 1..200 {
            let mut bytes = b"FPKBFFPK".repeat(25)[..before].to_vec();
            bytes.extend(prefix.to_bytes());
            bytes.extend([0; 9]);
            let (window, mut rest) = bytes.split_at(PREFIX_BYTES);
            let found = next_prefix(&mut rest, window.to_vec()).unwrap();
            assert_eq!(found, Some((before as u64, prefix)));
            assert_eq!(rest.len(), 9, "nothing beyond the prefix is read");
        }
        assert_eq!(next_prefix(&mut &b"FPKB"[..], vec![b'F'; PREFIX_BYTES]).unwrap(), None);
        assert_eq!(next_prefix(&mut &b""[..], Vec::new()).unwrap(), None);
    }
}
