//! The stages on a GPU, through wgpu.

mod params;
mod shaders;

#[cfg(test)]
mod shader_tests;
