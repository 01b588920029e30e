//! The stages on a GPU, through wgpu.
//!
//! [`record`] (for tiles [`record_tiles`], for their coding [`record_rans`], both [`record_coded`] and [`record_decoded`], and where they
//! are packed [`record_packed`]; for what frames that move are expected to be [`record_motion`], for the search for motion
//! [`record_search`]; for planes that frames were made from [`record_recover`]) turns a geometry and a plan into a [`recording`] of commands, which [`engine`] carries out;
//! [`backend`] joins the two, in [`parts`] where a batch is too large and in [`rows`] where a frame is, and [`probe`] has checked the device before, by [`mod@compare`] with the CPU. [`measure`]
//! tells what a device takes, with the help of [`record_copy`] and [`timestamps`].
//!
//! Frames that are on a device before ([`gpu_frames`]), or are to be there afterwards, are [`resident`] meanwhile, with
//! commands of [`record_resident`], and compared by [`compare_resident`]; [`lending`] is what the engine does with what is not ours.

mod adapters;
mod backend;
mod compare;
mod compare_resident;
mod engine;
mod gpu_frames;
mod layout;
mod lending;
mod measure;
mod outstanding;
mod params;
mod parts;
mod pipeline_cache;
mod pipelines;
mod pool;
mod probe;
mod record;
mod record_coded;
mod record_copy;
mod record_decoded;
mod record_motion;
mod record_packed;
mod record_rans;
mod record_recover;
mod record_resident;
mod record_search;
mod record_tiles;
mod recording;
mod resident;
mod ring;
mod rows;
mod shaders;
mod split_bands;
mod split_planes;
mod split_recovered;
mod split_search;
mod split_tiles;
mod staging;
mod timestamps;
mod upload;

#[cfg(test)]
mod shader_tests;
#[cfg(test)]
mod traffic_tests;

pub use adapters::{Selection, list};
pub use backend::GpuBackend;
pub use compare::{
    Difference, compare, compare_coded, compare_copy, compare_costs, compare_expected, compare_made, compare_packed,
    compare_rans, compare_recovery, compare_search,
};
pub use compare_resident::{compare_checksum, compare_exceptions, compare_pages, compare_rows, compare_solved};
pub use gpu_frames::{GpuFrames, check_target};
pub use probe::{check, check_residence, check_solved, made_frames, moving_frames, sample_bytes, sample_motion};
pub use resident::{Residence, ResidentFrames};
