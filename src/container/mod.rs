//! The `.fpk` file, as `docs/FORMAT.md` specifies it.
//!
//! ```text
//! header | record 0 | record 1 | ... | index | footer
//!
//! record: prefix (fixed, own checksum) | details (plan, block table, side data) | payload (blocks)
//! ```
//!
//! [`RecordWriter`] and [`RecordReader`] go from front to back and need no seeking;
//! [`IndexedReader`] reads batches in any order, and [`Search`] finds what is left of a
//! damaged file. The readers take any bytes: they answer with records or errors, and allocate only what
//! the bytes that are there and the [`Limits`] allow.

mod blocks;
mod checksum;
mod checksum_of_sums;
mod header;
mod index;
mod indexed;
#[cfg(test)]
mod large_tests;
mod limits;
mod method;
mod prefix;
mod reader;
mod record;
mod resume;
mod scan;
mod search;
mod sequence;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod timestamps;
mod wire;
mod writer;

const WHAT: &str = "batch record";

pub use blocks::blocks;
pub use checksum::checksum;
pub use checksum_of_sums::{checksum_of_frames, summed_blocks};
#[cfg(feature = "gpu")]
pub use checksum_of_sums::{checksum_of_sums, tail};
pub use header::FileHeader;
pub use indexed::IndexedReader;
pub use limits::Limits;
pub use method::{recovered_count, tile_codec};
pub use reader::RecordReader;
pub use record::{BatchRecord, BlockEntry, Payload, Pieces, RecordHead};
pub use resume::Resumption;
pub use search::{Finding, FoundRecord, Search};
pub use sync::{SyncData, SyncPolicy};
pub use table::{BatchTable, read_index};
pub use writer::RecordWriter;
