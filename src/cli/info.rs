//! `framepress info`.

use std::fs::File;
use std::process::ExitCode;

use framepress::frame::{ChromaSampling, FrameFormat, Layout};
use framepress::plan::{Making, Method, Patch, PatchedPlan, Plan, PlanePlan, RecoveredPlan, StripPlan};
use framepress::{BatchInfo, Decompressor, Error, Result, SeekReader, known_devices};
use serde_json::{Value, json};

use super::arguments::{Examine, Info};
use super::{ended, print, statistics};

pub fn run(Info { file: Examine { file: path, json }, stats }: Info) -> Result<ExitCode> {
    let name = path.display().to_string();
    let named = |error: Error| error.context(&name);
    let file = File::open(&path).map_err(|error| named(error.into()))?;
    let packed_bytes = file.metadata().map_err(|error| named(error.into()))?.len();
    let decompressor = Decompressor::default();
    let mut reader = SeekReader::new(file, &decompressor).map_err(named)?;
    let batches =
        (0..reader.batches()).map(|batch| reader.batch_info(batch)).collect::<Result<Vec<_>>>().map_err(named)?;
    for damage in reader.damage() {
        eprintln!("framepress: {name}: {damage}");
    }
    // What there is of a file that was cut is told all the same.
    let code = ended(reader.damage().is_empty());
    let format = reader.format();
    let raw_bytes: u64 = batches.iter().map(|batch| batch.raw_bytes).sum();
    let ratio = super::ratio(raw_bytes, packed_bytes);
    if json {
        let mut object = json!({
            "file": name,
            "origin": format!("{:?}", reader.origin().kind).to_lowercase(),
            "dtype": format.dtype().name(),
            "layout": layout(format),
            "shape": format.shape(),
            "bit_depth": format.bit_depth(),
            "metadata": reader.origin().metadata,
            "frames": reader.frames(),
            "raw_bytes": raw_bytes,
            "packed_bytes": packed_bytes,
            "ratio": ratio,
            "index_intact": reader.damage().is_empty(),
            "batches": batches.iter().map(|batch| self::object(batch, format)).collect::<Vec<_>>(),
        });
        if stats {
            object["statistics"] = statistics::json(&batches, &known_devices());
        }
        print(object)?;
        return Ok(code);
    }
    print(&name)?;
    print(format_args!(
        "  frames   {} of {} {} ({} bytes each)",
        reader.frames(),
        layout(format),
        format.dtype(),
        format.frame_bytes()
    ))?;
    print(format_args!("  origin   {}", format!("{:?}", reader.origin().kind).to_lowercase()))?;
    for (key, value) in &reader.origin().metadata {
        print(format_args!("  {key}: {value}"))?;
    }
    print(format_args!("  size     {raw_bytes} -> {packed_bytes} bytes, ratio {ratio:.2}, {} batches", batches.len()))?;
    for (number, batch) in batches.iter().enumerate() {
        let last = (batch.first_frame + batch.frames).saturating_sub(1);
        print(format_args!(
            "  batch {number}: frames {}-{last}, {} -> {} bytes, ratio {:.2}, {}",
            batch.first_frame,
            batch.raw_bytes,
            batch.packed_bytes,
            super::ratio(batch.raw_bytes, batch.packed_bytes),
            describe_method(&batch.method)
        ))?;
        print_method(&batch.method, batch, format)?;
        for (codec, blocks, bytes) in &batch.codecs {
            print(format_args!("    {}: {blocks} blocks, {bytes} bytes", codec.name()))?;
        }
    }
    if stats {
        statistics::text(&batches, &known_devices())?;
    }
    Ok(code)
}

/// What is known of a method besides its name.
fn print_method(method: &Method, batch: &BatchInfo, format: &FrameFormat) -> Result<()> {
    match method {
        Method::Recovered(plan) => print_recovered(plan, batch, format)?,
        Method::Patched(PatchedPlan { patch, recovered, method }) => {
            print_recovered(recovered, batch, format)?;
            let Patch { left, top, width, height, .. } = patch;
            let share = 100.0 * patch_share(patch, format);
            print(format_args!(
                "    not made from it: {share:.1} % of the picture, within {width}x{height} at {left},{top}"
            ))?;
            print_method(method, batch, format)?;
        }
        _ => {}
    }
    if let Method::Planes(Plan { values, .. }) | Method::Strips(StripPlan { values, .. }) = method
        && !values.is_empty()
    {
        print(format_args!("    table of {} values", values.len()))?;
    }
    if let Method::Planes(plan) = method {
        for (number, plane) in plan.planes.iter().enumerate() {
            print(format_args!("    plane {number}: {}", describe(plane)))?;
        }
    }
    Ok(())
}

fn print_recovered(plan: &RecoveredPlan, batch: &BatchInfo, format: &FrameFormat) -> Result<()> {
    let Making { conversion, sampling, blue_first } = plan.making;
    let order = if blue_first { "blue first" } else { "red first" };
    let exceptions = 100.0 * exception_share(plan, batch, format);
    print(format_args!(
        "    made from {} by {}, {order}, {exceptions:.3} % of pixels are exceptions",
        sampling_name(sampling),
        conversion.name().unwrap_or("a conversion of a later version")
    ))?;
    print_method(&plan.method, batch, format)
}

/// A layout in one or two words.
pub fn layout(format: &FrameFormat) -> String {
    match format.layout() {
        Layout::Array { shape } => format!("array {shape:?}"),
        Layout::Gray { width, height } => format!("gray {width}x{height}"),
        Layout::Packed { width, height, order } => format!("{order:?} {width}x{height}").to_lowercase(),
        Layout::Yuv { width, height, sampling, chroma } => {
            let sampling = format!("{sampling:?}").replace("Cs", "");
            format!("yuv{sampling} {width}x{height} {chroma:?}").to_lowercase()
        }
    }
}

/// The part of the pixels that recovered planes do not make.
fn exception_share(plan: &RecoveredPlan, batch: &BatchInfo, format: &FrameFormat) -> f64 {
    f64::from(plan.exceptions) / (batch.frames as f64 * frame_pixels(format))
}

/// The part of the picture that is not recovered.
fn patch_share(patch: &Patch, format: &FrameFormat) -> f64 {
    patch.pixels() as f64 / frame_pixels(format)
}

/// Pixels of a packed frame, at least 1.
fn frame_pixels(format: &FrameFormat) -> f64 {
    let channels = match format.layout() {
        Layout::Packed { order, .. } => order.channels(),
        _ => 1,
    };
    (format.frame_samples() / channels).max(1) as f64
}

fn sampling_name(sampling: ChromaSampling) -> &'static str {
    match sampling {
        ChromaSampling::Cs420 => "4:2:0",
        ChromaSampling::Cs422 => "4:2:2",
        ChromaSampling::Cs444 => "4:4:4",
    }
}

/// A method with the main choices of its plan.
pub fn describe_method(method: &Method) -> String {
    match method {
        Method::Planes(plan) => format!("planes, colour {:?}", plan.colour),
        Method::Tiles(plan) => {
            let split = if plan.split_chroma { ", chroma split" } else { "" };
            let (bands, frames) = (plan.bands, plan.segment_frames);
            let colour =
                if plan.moves { " with motion".to_owned() } else { format!(", colour {:?}{split}", plan.colour) };
            format!("tiles{colour}, {bands} bands, {frames} frames a segment")
        }
        Method::Discrete => "discrete".to_owned(),
        Method::Strips(StripPlan { strips, moves: true, .. }) => format!("strips with motion, {strips} of them"),
        Method::Strips(plan) => format!("strips, colour {:?}, {} of them", plan.colour, plan.strips),
        // What planes it was made of is on a line of its own.
        Method::Recovered(plan) => return format!("recovered {}", describe_method(&plan.method)),
        Method::Patched(PatchedPlan { recovered, method, .. }) => {
            let (recovered, patch) = (describe_method(&recovered.method), describe_method(method));
            return format!("recovered {recovered}; patched by {patch}");
        }
    }
    .to_lowercase()
}

fn describe(plane: &PlanePlan) -> String {
    let temporal = if plane.temporal { "temporal + " } else { "" };
    format!("first {:?}, then {temporal}{:?}, shuffle {:?}", plane.intra, plane.inter, plane.shuffle).to_lowercase()
}

fn object(batch: &BatchInfo, format: &FrameFormat) -> Value {
    json!({
        "first_frame": batch.first_frame,
        "frames": batch.frames,
        "raw_bytes": batch.raw_bytes,
        "packed_bytes": batch.packed_bytes,
        "timestamps": batch.timestamps.first().zip(batch.timestamps.last()).map(|(first, last)| [first, last]),
        "method": method_object(&batch.method, batch, format),
        "blocks": batch.codecs.iter().map(|(codec, blocks, bytes)| {
            json!({ "codec": codec.name(), "blocks": blocks, "packed_bytes": bytes })
        }).collect::<Vec<_>>(),
    })
}

fn method_object(method: &Method, batch: &BatchInfo, format: &FrameFormat) -> Value {
    let plane = |plane: &PlanePlan| {
        json!({
            "intra": format!("{:?}", plane.intra).to_lowercase(),
            "temporal": plane.temporal,
            "inter": format!("{:?}", plane.inter).to_lowercase(),
            "shuffle": format!("{:?}", plane.shuffle).to_lowercase(),
        })
    };
    match method {
        Method::Planes(plan) => json!({
            "name": "planes",
            "colour": format!("{:?}", plan.colour).to_lowercase(),
            "values": plan.values.len(),
            "span_samples": plan.span_samples,
            "planes": plan.planes.iter().map(plane).collect::<Vec<_>>(),
        }),
        Method::Tiles(plan) => json!({
            "name": "tiles",
            "colour": format!("{:?}", plan.colour).to_lowercase(),
            "split_chroma": plan.split_chroma,
            "motion": plan.moves,
            "bands": plan.bands,
            "segment_frames": plan.segment_frames,
        }),
        Method::Discrete => json!({ "name": "discrete" }),
        Method::Strips(plan) => json!({
            "name": "strips",
            "colour": format!("{:?}", plan.colour).to_lowercase(),
            "strips": plan.strips,
            "motion": plan.moves,
            "values": plan.values.len(),
        }),
        Method::Recovered(plan) => recovered_object(plan, batch, format),
        Method::Patched(PatchedPlan { patch, recovered, method }) => json!({
            "name": "patched",
            "left": patch.left,
            "top": patch.top,
            "width": patch.width,
            "height": patch.height,
            "patch_share": patch_share(patch, format),
            "recovered": recovered_object(recovered, batch, format),
            "patch": method_object(method, batch, format),
        }),
    }
}

fn recovered_object(plan: &RecoveredPlan, batch: &BatchInfo, format: &FrameFormat) -> Value {
    json!({
        "name": "recovered",
        "conversion": plan.making.conversion.name(),
        "sampling": sampling_name(plan.making.sampling),
        "blue_first": plan.making.blue_first,
        "exceptions": plan.exceptions,
        "exception_share": exception_share(plan, batch, format),
        "planes": method_object(&plan.method, batch, format),
    })
}
