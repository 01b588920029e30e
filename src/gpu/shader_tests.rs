//! Checks of the shaders that need no GPU.

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use std::path::Path;

use wgpu::naga;
use wgpu::naga::back::PipelineConstants;
use wgpu::naga::back::pipeline_constants::process_overrides;

use super::params;
use super::shaders::{Shader, TABLE};
use crate::plan::Predictor;

/// Least workgroup memory that a device offers, in bytes.
const WORKGROUP_MEMORY: u32 = 16_352;

fn module(shader: &Shader) -> naga::Module {
    let source = shader.wgsl();
    naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(&source, shader.name)))
}

#[test]
fn every_shader_is_valid() {
    for shader in &TABLE {
        let module = module(shader);
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        if let Err(error) = validator.validate(&module) {
            panic!("{}", error.emit_to_string_with_path(&shader.wgsl(), shader.name));
        }
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let shared = module.global_variables.iter().filter(|(_, it)| it.space == naga::AddressSpace::WorkGroup);
        let memory: u32 = shared.map(|(_, variable)| layouter[variable.ty].size).sum();
        assert!(memory <= WORKGROUP_MEMORY, "{}: {memory} bytes of workgroup memory", shader.name);
    }
}

/// Constants are folded into the kernels when they are specialised, which can make them invalid.
#[test]
fn every_specialisation_is_valid() {
    for shader in &TABLE {
        let module = module(shader);
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        let info = validator.validate(&module).unwrap();
        let predictors = if shader.name == "predict" { Predictor::ALL } else { &[Predictor::None] };
        for (entry, &predictor) in shader.entries.iter().flat_map(|entry| predictors.iter().map(move |it| (entry, it)))
        {
            for sample_bytes in [1, 2, 4, 8] {
                let mut constants = PipelineConstants::default();
                constants.insert("SAMPLE_BYTES".to_string(), f64::from(sample_bytes));
                if shader.name == "predict" {
                    constants.insert("PREDICTOR".to_string(), f64::from(predictor as u8));
                }
                let entry_point = Some((naga::ShaderStage::Compute, entry.name));
                let result = process_overrides(&module, &info, entry_point, &constants);
                assert!(result.is_ok(), "{:?} of {sample_bytes} bytes: {:?}", entry.kernel, result.err());
            }
        }
    }
}

#[test]
fn the_table_names_every_entry_point() {
    for shader in &TABLE {
        let declared: Vec<_> =
            module(shader).entry_points.iter().map(|entry| (entry.name.clone(), entry.workgroup_size)).collect();
        let listed: Vec<_> = shader.entries.iter().map(|entry| (entry.name.to_string(), [entry.lanes, 1, 1])).collect();
        assert_eq!(declared, listed, "{}", shader.name);
        for entry in shader.entries {
            assert_eq!(entry.kernel.row().1.name, entry.name);
        }
    }
}

#[test]
fn every_shader_has_a_row_and_a_twin() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: BTreeSet<String> = std::fs::read_dir(root.join("shaders"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "common")
        .collect();
    let rows: BTreeSet<String> = TABLE.iter().map(|shader| shader.name.to_string()).collect();
    assert_eq!(files, rows);
    for name in files {
        assert!(root.join("src/cpu").join(&name).with_extension("rs").exists(), "{name} has no twin on the CPU");
    }
}

/// Offsets of the members of the struct that `shader` declares for its parameters, and its size.
fn declared(shader: &str) -> (Vec<(String, usize)>, usize) {
    let shader = TABLE.iter().find(|row| row.name == shader).unwrap();
    let module = module(shader);
    let (_, params) = module.global_variables.iter().find(|(_, it)| it.space == naga::AddressSpace::Uniform).unwrap();
    let naga::TypeInner::Struct { members, span } = &module.types[params.ty].inner else {
        panic!("{}: parameters are no struct", shader.name);
    };
    (members.iter().map(|it| (it.name.clone().unwrap(), it.offset as usize)).collect(), *span as usize)
}

macro_rules! layouts_agree {
    ($shader:literal, $params:ty, $($member:ident),*) => {
        let members = vec![$((stringify!($member).to_string(), offset_of!($params, $member))),*];
        assert_eq!(declared($shader), (members, size_of::<$params>()), $shader);
    };
}

#[test]
#[rustfmt::skip]
fn parameters_are_laid_out_as_declared() {
    layouts_agree!("colour", params::Colour, frames, frame_samples, subtract_green, green_offset, base, plane_samples,
        offset, step, bases, groups);
    layouts_agree!("temporal", params::Temporal, base, frames, frame_length);
    layouts_agree!("predict", params::Predict, base, padded_base, width, height, pitch, first_frame, frames, zigzag,
        sign_low, sign_high);
    layouts_agree!("byte_shuffle", params::Span, base, samples, span_samples);
    layouts_agree!("bit_shuffle", params::Span, base, samples, span_samples);
    layouts_agree!("histogram", params::Histogram, base, first, last, first_bin);
    layouts_agree!("entropy", params::Entropy, histograms);
}
