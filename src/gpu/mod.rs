//! The stages on a GPU, through wgpu.
//!
//! [`record`] (for tiles [`record_tiles`], for their coding [`record_rans`], for planes that frames were made from
//! [`record_recover`]) turns a geometry and a plan into a [`recording`] of commands, which [`engine`] carries out;
//! [`backend`] joins the two, and [`probe`] has checked the device before. [`measure`] tells what a device takes, with the
//! help of [`record_copy`] and [`timestamps`].

mod adapters;
mod backend;
mod engine;
mod layout;
mod measure;
mod params;
mod pipeline_cache;
mod pipelines;
mod pool;
mod probe;
mod record;
mod record_copy;
mod record_rans;
mod record_recover;
mod record_tiles;
mod recording;
mod shaders;
mod timestamps;

#[cfg(test)]
mod shader_tests;

pub use adapters::{Selection, list};
pub use backend::GpuBackend;
pub use probe::{
    Difference, check, compare, compare_copy, compare_costs, compare_rans, compare_recovery, compare_tiles,
    made_frames, sample_bytes,
};
