//! Checks of the shaders that need no GPU.

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use std::path::Path;

use wgpu::naga;
use wgpu::naga::back::PipelineConstants;
use wgpu::naga::back::pipeline_constants::process_overrides;

use super::params;
use super::shaders::{Shader, TABLE};
use crate::motion::filter_words;
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

/// What an entry point uses is bound, and nothing else is bound in its place.
#[test]
fn every_binding_is_in_the_table() {
    for shader in &TABLE {
        let module = module(shader);
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        let info = validator.validate(&module).unwrap();
        for (at, point) in module.entry_points.iter().enumerate() {
            let entry = shader.entries.iter().find(|entry| entry.name == point.name).unwrap();
            let storage: Vec<u32> = entry.storage.iter().map(|&kind| kind as u32).collect();
            assert!(storage.is_sorted_by(|one, other| one < other), "{:?}: {storage:?}", entry.kernel);
            let uses = info.get_entry_point(at);
            let used = module.global_variables.iter().filter(|(variable, _)| !uses[*variable].is_empty());
            for binding in used.filter_map(|(_, variable)| variable.binding.as_ref()).map(|it| it.binding) {
                assert!(binding == 0 || storage.contains(&binding), "{:?}: {binding}", entry.kernel);
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

/// Names of the files in `folder` of the shaders and below, with their content.
fn files(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders").join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap()) {
        let name = [folder, &Path::new(&entry.file_name()).file_stem().unwrap().to_string_lossy()].concat();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&format!("{name}/")));
        } else {
            found.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

/// A file without entry points is shared by shaders.
#[test]
fn every_shader_has_a_row_and_a_twin() {
    let (shaders, shared): (Vec<_>, Vec<_>) =
        files("").into_iter().partition(|(_, source)| source.contains("@compute"));
    let names: BTreeSet<String> = shaders.into_iter().map(|(name, _)| name).collect();
    let rows: BTreeSet<String> = TABLE.iter().map(|shader| shader.name.to_string()).collect();
    assert_eq!(names, rows);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for name in names {
        let twin = |folder: &str| source.join(folder).join(&name).with_extension("rs").exists();
        assert!(twin("") || twin("cpu") || twin("codec"), "{name} has no twin on the CPU");
    }
    for (name, source) in shared {
        assert!(TABLE.iter().any(|shader| shader.wgsl().contains(&source)), "{name} is not used");
    }
}

/// Offsets of the members of the struct that `shader` declares for its parameters, and its size.
fn declared(shader: &str) -> (Vec<(String, usize)>, usize) {
    let shader = TABLE.iter().find(|row| row.name == shader).unwrap();
    let module = module(shader);
    let (_, params) = module.global_variables.iter().find(|(_, it)| it.space == naga::AddressSpace::Uniform).unwrap();
    members(&module, params.ty)
}

fn members(module: &naga::Module, ty: naga::Handle<naga::Type>) -> (Vec<(String, usize)>, usize) {
    let naga::TypeInner::Struct { members, span } = &module.types[ty].inner else {
        panic!("{:?} is no struct", module.types[ty].name);
    };
    (members.iter().map(|it| (it.name.clone().unwrap(), it.offset as usize)).collect(), *span as usize)
}

macro_rules! offsets {
    ($params:ty, $($member:ident),*) => {
        vec![$((stringify!($member).to_string(), offset_of!($params, $member))),*]
    };
}

macro_rules! layouts_agree {
    ($shader:literal, $params:ty, $($member:ident),*) => {
        let members = offsets!($params, $($member),*);
        assert_eq!(declared($shader), (members, size_of::<$params>()), $shader);
    };
}

#[test]
#[rustfmt::skip]
fn parameters_are_laid_out_as_declared() {
    layouts_agree!("colour", params::Colour, frames, frame_samples, subtract_green, green_offset, base, plane_samples,
        offset, step, bases, groups);
    layouts_agree!("copy", params::Copy, words);
    layouts_agree!("rows", params::Rows, words, frames, frame_bytes, stretches, dense, pitched);
    layouts_agree!("pages", params::Pages, count);
    layouts_agree!("block_sums", params::BlockSums, sums);
    layouts_agree!("temporal", params::Temporal, base, frames, frame_length);
    layouts_agree!("predict", params::Predict, base, padded_base, width, height, pitch, first_frame, frames, zigzag,
        sign_low, sign_high);
    layouts_agree!("byte_shuffle", params::Span, base, samples, span_samples);
    layouts_agree!("bit_shuffle", params::Span, base, samples, span_samples);
    layouts_agree!("histogram", params::Histogram, base, first, last, first_bin);
    layouts_agree!("entropy", params::Entropy, histograms);
    layouts_agree!("tiles/phases", params::Tiles, tiles, bands, planes, frames, frame_samples, rules, segment_frames,
        two_codes, first_frame, end_frame, regions, coded, classes);
    layouts_agree!("recover/solve", params::Recover, estimate_u, estimate_v, estimate_luma, narrow, ends, luma, red,
        green_u, green_v, blue, output, luma_shift, chroma_shift, output_shift, is_narrow, is_plain, blue_first, frames, width, height, channels, columns,
        rows, chroma_width, chroma_height, frame_samples);
    layouts_agree!("exceptions", params::Exceptions, count, channels);
    layouts_agree!("motion/picture", params::Picture, first, width, height, margin, stride, rows, pictures, filter_number);
    layouts_agree!("motion/search", params::Search, first, width, height, across, down, pictures, stride, picture_samples,
        margin, beyond, phases, steps, follows, last, found, field);
    layouts_agree!("tiles/escapes", params::Escapes, segments, ends);
    layouts_agree!("ans/lanes", params::Rans, codes, entries, most_words, words, halvings, rows, ends);
}

/// What vectors come after.
#[test]
fn filters_are_as_long_as_declared() {
    let module = module(TABLE.iter().find(|row| row.name == "motion/expect").unwrap());
    let constant = |name: &str| {
        let (_, constant) = module.constants.iter().find(|(_, it)| it.name.as_deref() == Some(name)).unwrap();
        match module.global_expressions[constant.init] {
            naga::Expression::Literal(naga::Literal::U32(number)) => number as usize,
            ref other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(constant("FILTERS") * constant("FILTER_WORDS"), filter_words().len());
}

#[test]
#[rustfmt::skip]
fn tables_are_laid_out_as_declared() {
    let row = |shader: &str, name: &str| {
        let module = module(TABLE.iter().find(|row| row.name == shader).unwrap());
        let (ty, _) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).unwrap();
        members(&module, ty)
    };
    let offsets = offsets!(params::CodedPlane, band_first, frame_tiles, first, columns, rows, width, height, phase,
        first_row, start, row_samples, step, green, statistics, first_table);
    assert_eq!(row("tiles/phases", "CodedPlane"), (offsets, size_of::<params::CodedPlane>()));
    let offsets = offsets!(params::EscapedSegment, first, bytes, places, code, codes);
    assert_eq!(row("tiles/escapes", "Segment"), (offsets, size_of::<params::EscapedSegment>()));
    let offsets = offsets!(params::Exception, place, pixel);
    assert_eq!(row("exceptions", "Exception"), (offsets, size_of::<params::Exception>()));
}
