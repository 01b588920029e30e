//! Lossless compression for batches of video frames and image-like arrays, on any GPU or none.
//!
//! ```text
//! frames -> plan -> stages (cpu | gpu, placed by schedule) -> codec -> container -> .fpk
//! ```
//!
//! A batch of frames is coded by the method that a sample of it speaks for: tiles for pictures from cameras,
//! a coder of its own for pictures of few values, an adaptive model at the highest levels, and whole planes for anything else.
//!
//! [`compress`] and [`decompress`] do whole arrays. [`Compressor`] and [`Decompressor`] are reusable and
//! keep memory and device; [`Writer`] and [`Reader`] stream batches; [`SeekReader`] reads frames by number,
//! [`SharedReader`] does so from many threads, and both give rectangles of them; [`recover`] makes a whole file of what
//! is left of a damaged one.
//! [`input`] reads and restores `.npy`, `.y4m`, raw video and image sequences. [`Settings`] says how hard to
//! try and where to run; a [level](Settings::with_level) is a trade of size and speed. The bytes depend on neither device,
//! SIMD level nor threads, unless levels may be lowered to be in time ([`plan::Policy::Deadline`]).

#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(target_endian = "big")]
compile_error!("framepress keeps samples as little-endian bytes and is not ported to big-endian machines");

mod append;
mod batch_info;
mod cache;
mod codec;
mod compressor;
mod container;
mod cpu;
mod decompressor;
mod device;
mod error;
mod follow;
pub mod frame;
#[cfg(feature = "gpu")]
mod gpu;
pub mod input;
mod motion;
mod packed;
mod part;
mod patched;
mod pipeline;
pub mod plan;
mod planes;
mod pool;
mod read_at;
mod reader;
mod recovered;
#[cfg(feature = "gpu")]
mod resident;
mod salvage;
mod schedule;
mod selection;
mod shared;
mod stage;
#[cfg(feature = "object-store")]
mod store;
mod strips;
mod telemetry;
mod tiled;
mod writer;

pub use append::{Appended, Truncate, open_to_append};
pub use batch_info::BatchInfo;
pub use codec::CodecId;
pub use compressor::{Compressor, compress};
pub use container::{Limits, SyncData, SyncPolicy};
pub use cpu::{SIMD_VARIABLE, SimdLevel};
pub use decompressor::{Decompressor, decompress};
pub use device::{DeviceCapabilities, DeviceDescription, DeviceKind};
pub use error::{BatchLocation, Error, ErrorKind, Result};
pub use follow::Following;
pub use plan::Settings;
pub use pool::set_thread_cap;
pub use read_at::{Positioned, ReadAt};
pub use reader::{DecodedBatch, Reader, SeekReader};
#[cfg(feature = "gpu")]
pub use resident::{Gpu, GpuFrames};
pub use salvage::{LostFrames, Recovery, RepeatedBatch, recover};
pub use schedule::{
    BatchCounts, DeviceStatistics, KnownDevice, KnownTask, Reason, RunStatistics, devices, known_devices, probe,
};
pub use shared::SharedReader;
#[cfg(feature = "object-store")]
pub use store::StoreReader;
/// The version of wgpu whose devices, buffers and textures are taken.
#[cfg(feature = "gpu")]
pub use wgpu;
pub use writer::Writer;

/// The code of README.md, compiled and run as a test.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

/// For framepress's own tests and benches. Not part of the API: it changes without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::codec::{
        DecodeTable, Decoder, EncodeTable, Encoder, Surroundings, TileCounts, TileDecoderTables, TileEncoderTables,
        ans, discrete, exceptions, model, pack,
    };
    pub use crate::container::{
        BatchRecord, BlockEntry, FileHeader, RecordReader, RecordWriter, blocks, checksum, recovered_count,
    };
    pub use crate::cpu::recover::Exceptions;
    pub use crate::cpu::sample::Sample;
    pub use crate::cpu::{
        CpuBackend, bit_shuffle, block_sums, byte_shuffle, colour, copy, entropy, histogram, pages, predict,
        predict::Prediction, rows, temporal,
    };
    pub use crate::frame::{Batch, GROUP, Pitch, PitchedFrames, Stretch, TILE_GROUPS, Tiling};
    pub use crate::packed::{CodedBlock, packed_bytes};
    pub use crate::part::Part;
    pub use crate::patched::{Patched, put_over};
    pub use crate::plan::{
        KNOWN, Known, LevelParameters, MethodChoice, TileChoice, choose, choose_methods, choose_tiles,
    };
    pub use crate::pool::Crew;
    pub use crate::recovered::{Recovered, convert, recover};
    pub use crate::schedule::{calibrate, content, cost, decide, trial, work};
    pub use crate::stage::{
        Backend, CodedSegment, CodedTiles, Detail, DeviceRates, DeviceRun, KernelRun, Order, PackedTiles, Restored,
        SegmentCode, Segments, SolvedPlanes, SolvedThere, TileBatch, TileEffort, TiledFrames, spread,
    };
    pub use crate::tiled::{decode_tiles, encode_tiles};

    /// The path of whole planes, without its codecs.
    pub mod planes {
        pub use crate::planes::{forward, inverse};
    }

    /// The tiled path, as a backend does it.
    pub mod tiles {
        pub use crate::tiled::{decode, decode_to_pixels, encode, encode_resident};
    }

    /// Vectors and what they make of frames.
    pub mod motion {
        pub use crate::motion::{
            Compensation, Field, Filter, Filters, Motion, Reference, SearchEffort, Share, Vector, search, search_all,
        };
    }

    /// The path of the adaptive model, without what brings frames to planes.
    pub mod strips {
        pub use crate::strips::{decode, encode};
    }

    /// The GPU backend and its comparison with another.
    #[cfg(feature = "gpu")]
    pub mod gpu {
        pub use crate::gpu::{
            Difference, GpuBackend, Residence, Selection, check, check_residence, check_solved, compare,
            compare_checksum, compare_coded, compare_copy, compare_costs, compare_exceptions, compare_expected,
            compare_made, compare_packed, compare_pages, compare_rans, compare_recovery, compare_rows, compare_search,
            compare_solved, list, made_frames, moving_frames, sample_bytes, sample_motion,
        };
        pub use crate::stage::Accelerator;
    }
}
