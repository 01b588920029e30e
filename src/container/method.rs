//! Methods on the wire, and the blocks that follow from them.

use super::WHAT;
use super::blocks::{block_count, blocks};
use super::wire::{Appender, Cursor};
use crate::codec::{CodecId, TileTables, sums};
use crate::error::{Error, Result};
use crate::frame::{ChromaSampling, Geometry, Tiling};
use crate::plan::{
    Colour, Conversion, Making, Method, Patch, PatchedPlan, Plan, PlanePlan, Predictor, RecoveredPlan, Shuffle,
    StripPlan, Term, TileCoding, TilePlan, Values, check_cut, check_making, check_patch,
};

const PLANES: u8 = 0;
const TILES: u8 = 1;
const DISCRETE: u8 = 2;
const STRIPS: u8 = 3;
const RECOVERED: u8 = 4;
const PATCHED: u8 = 5;
const MOVING_STRIPS: u8 = 6;
const MOVING_TILES: u8 = 7;

/// Appends a method.
pub fn write(method: &Method, out: &mut Appender) -> Result<()> {
    match method {
        Method::Planes(Plan { values, colour, span_samples, planes }) => {
            out.u8(PLANES);
            out.u8(*colour as u8);
            out.u8(u8::try_from(planes.len())
                .map_err(|_| Error::invalid(format!("{WHAT}: {} planes are too many", planes.len())))?);
            out.u32(*span_samples);
            write_values(values, out);
            for plane in planes {
                for byte in [plane.intra as u8, plane.temporal.into(), plane.inter as u8, plane.shuffle as u8] {
                    out.u8(byte);
                }
            }
        }
        Method::Tiles(TilePlan { colour, split_chroma, bands, segment_frames, moves, coding }) => {
            if *moves {
                // There are no colours.
                out.u8(MOVING_TILES);
            } else {
                out.u8(TILES);
                out.u8(*colour as u8);
                out.u8((*split_chroma).into());
            }
            out.u32(*bands);
            out.u32(*segment_frames);
            let mut bytes = Vec::new();
            if let TileCoding::Tables(tables) = coding {
                tables.write(&mut bytes);
            }
            // No tables: packed.
            out.counted("tables", &bytes)?;
        }
        Method::Discrete => out.u8(DISCRETE),
        // There are no values and no colours.
        Method::Strips(StripPlan { strips, moves: true, .. }) => {
            out.u8(MOVING_STRIPS);
            out.u32(*strips);
        }
        Method::Strips(StripPlan { values, colour, strips, moves: false }) => {
            out.u8(STRIPS);
            out.u8(*colour as u8);
            out.u32(*strips);
            write_values(values, out);
        }
        Method::Recovered(plan) => {
            out.u8(RECOVERED);
            write_recovered(plan, out)?;
        }
        Method::Patched(PatchedPlan { patch, recovered, method }) => {
            out.u8(PATCHED);
            write_patch(patch, out)?;
            let mut plan = Appender::default();
            write(method, &mut plan)?;
            out.counted("plan of a patch", &plan.into_bytes())?;
            write_recovered(recovered, out)?;
        }
    }
    Ok(())
}

fn write_recovered(plan: &RecoveredPlan, out: &mut Appender) -> Result<()> {
    write_making(&plan.making, out);
    out.u32(plan.exceptions);
    out.u32(plan.place_bytes);
    write(&plan.method, out)
}

fn write_patch(Patch { left, top, width, height, runs }: &Patch, out: &mut Appender) -> Result<()> {
    for number in [left, top, width, height] {
        out.u32(*number);
    }
    let mut bytes = Vec::new();
    runs.iter().for_each(|&run| sums::write(run, &mut bytes));
    // No runs: the whole rectangle.
    out.counted("runs", &bytes)
}

fn write_making(making: &Making, out: &mut Appender) {
    let Conversion { luma, luma_shift, red, green_u, green_v, blue, chroma_shift, output, output_shift } =
        making.conversion;
    out.u8(making.sampling as u8);
    out.u8(making.blue_first.into());
    for shift in [luma_shift, chroma_shift, output_shift] {
        out.u8(shift);
    }
    for Term { scale, offset } in [luma, red, green_u, green_v, blue, output] {
        out.u32(scale as u32);
        out.u32(offset as u32);
    }
}

fn write_values(values: &Values, out: &mut Appender) {
    // There are 2^16 at most.
    out.u32(values.len() as u32);
    out.bytes(&values.gaps());
}

/// Reads a method that can be carried out on `geometry`.
pub fn read(details: &mut Cursor<'_>, geometry: &Geometry) -> Result<Method> {
    read_below(details, geometry, PATCHED + 1)
}

/// Reads a method whose id is below `limit`: one that holds others holds those with smaller ids.
fn read_below(details: &mut Cursor<'_>, geometry: &Geometry, limit: u8) -> Result<Method> {
    let method = match details.u8("method")? {
        id @ (RECOVERED | PATCHED) if id >= limit => {
            return Err(Error::corrupt(format!("{WHAT}: method: id {id} within method {limit}")));
        }
        PLANES => Method::Planes(planes(details, geometry)?),
        TILES => {
            let colour = Colour::from_id(details.u8("colour transform")?)?;
            let split_chroma = details.flag("chroma split")?;
            Method::Tiles(tiles(details, geometry, colour, split_chroma, false)?)
        }
        MOVING_TILES => Method::Tiles(tiles(details, geometry, Colour::None, false, true)?),
        DISCRETE => Method::Discrete,
        STRIPS => {
            let colour = Colour::from_id(details.u8("colour transform")?)?;
            let strips = details.u32("strips")?;
            Method::Strips(StripPlan { values: read_values(details, geometry)?, colour, strips, moves: false })
        }
        MOVING_STRIPS => {
            let strips = details.u32("strips")?;
            Method::Strips(StripPlan { values: Values::default(), colour: Colour::None, strips, moves: true })
        }
        RECOVERED => Method::Recovered(recovered(details, geometry)?),
        PATCHED => Method::Patched(patched(details, geometry)?),
        id => {
            return Err(Error::unsupported(format!("method: id {id} is not known to this version; update framepress")));
        }
    };
    method.check(geometry)?;
    Ok(method)
}

fn read_values(details: &mut Cursor<'_>, geometry: &Geometry) -> Result<Values> {
    let values = details.u32("values")?;
    Values::from_gaps(geometry, values, || details.u8("gap of the value table"))
}

fn planes(details: &mut Cursor<'_>, geometry: &Geometry) -> Result<Plan> {
    let colour = Colour::from_id(details.u8("colour transform")?)?;
    let count = details.u8("planes")?;
    let span_samples = details.u32("span")?;
    let values = read_values(details, geometry)?;
    let mut planes = Vec::with_capacity(count.into());
    for _ in 0..count {
        planes.push(PlanePlan {
            intra: Predictor::from_id(details.u8("predictor of first frame")?)?,
            temporal: details.flag("temporal")?,
            inter: Predictor::from_id(details.u8("predictor of other frames")?)?,
            shuffle: Shuffle::from_id(details.u8("shuffle")?)?,
        });
    }
    Ok(Plan { values, colour, span_samples, planes })
}

fn tiles(
    details: &mut Cursor<'_>,
    geometry: &Geometry,
    colour: Colour,
    split_chroma: bool,
    moves: bool,
) -> Result<TilePlan> {
    let bands = details.u32("bands")?;
    let segment_frames = details.u32("frames of a segment")?;
    check_cut(geometry, colour, split_chroma, bands, segment_frames)?;
    let coding = match details.counted("tables")? {
        [] => TileCoding::Packed,
        tables => TileCoding::Tables(TileTables::read(tables, Tiling::sets(geometry, split_chroma))?),
    };
    Ok(TilePlan { colour, split_chroma, bands, segment_frames, moves, coding })
}

fn recovered(details: &mut Cursor<'_>, geometry: &Geometry) -> Result<RecoveredPlan> {
    let sampling = details.u8("sampling")?;
    let sampling = *ChromaSampling::ALL
        .get(usize::from(sampling))
        .ok_or_else(|| Error::corrupt(format!("{WHAT}: sampling of chroma: id {sampling}")))?;
    let blue_first = details.flag("order of channels")?;
    let mut shift = || details.u8("shift of the conversion");
    let (luma_shift, chroma_shift, output_shift) = (shift()?, shift()?, shift()?);
    let mut number = || details.u32("number of the conversion").map(|number| number as i32);
    let mut term = || Ok::<_, Error>(Term { scale: number()?, offset: number()? });
    let conversion = Conversion {
        luma: term()?,
        luma_shift,
        red: term()?,
        green_u: term()?,
        green_v: term()?,
        blue: term()?,
        chroma_shift,
        output: term()?,
        output_shift,
    };
    let making = Making { conversion, sampling, blue_first };
    check_making(geometry, &making)?;
    let (exceptions, place_bytes) = (details.u32("exceptions")?, details.u32("length of places")?);
    let method = Box::new(read_below(details, &making.planes(geometry), RECOVERED)?);
    Ok(RecoveredPlan { making, exceptions, place_bytes, method })
}

fn patched(details: &mut Cursor<'_>, geometry: &Geometry) -> Result<PatchedPlan> {
    let mut number = || details.u32("place of the patch");
    let (left, top, width, height) = (number()?, number()?, number()?, number()?);
    let mut bytes = details.counted("runs")?.iter();
    let mut runs = Vec::new();
    while !bytes.as_slice().is_empty() {
        let run = sums::read(&mut bytes);
        runs.push(run.ok_or_else(|| Error::corrupt(format!("{WHAT}: runs end within a number")))?);
    }
    let patch = Patch { left, top, width, height, runs };
    check_patch(geometry, &patch)?;
    let mut plan = Cursor::new(WHAT, details.counted("plan of the patch")?);
    let method = Box::new(read_below(&mut plan, &patch.geometry(geometry), PATCHED)?);
    plan.finish()?;
    Ok(PatchedPlan { patch, recovered: recovered(details, geometry)?, method })
}

/// Blocks of a batch.
pub fn count(method: &Method, geometry: &Geometry) -> usize {
    match method {
        Method::Planes(plan) => block_count(geometry, plan.span_samples),
        Method::Tiles(plan) => {
            plan.segments(geometry).saturating_mul(plan.bands as usize).saturating_add(plan.moves.into())
        }
        Method::Discrete => 1,
        Method::Strips(plan) => plan.strips as usize + usize::from(plan.moves),
        Method::Recovered(plan) => recovered_count(plan, geometry),
        Method::Patched(plan) => {
            let of_patch = count(&plan.method, &plan.patch.geometry(geometry));
            recovered_count(&plan.recovered, geometry).saturating_add(of_patch)
        }
    }
}

/// Blocks of a batch whose planes are recovered.
pub fn recovered_count(plan: &RecoveredPlan, geometry: &Geometry) -> usize {
    count(&plan.method, &plan.making.planes(geometry)).saturating_add(plan.exception_blocks().count())
}

/// What is known of a packed block.
pub enum Bounds {
    /// A block of a plane that has so many bytes. Packed it has no more; stored, as many.
    Plane(u64),
    /// A block of this codec, as long as it is.
    Of(CodecId),
}

/// The bounds of each block.
pub fn bounds<'a>(method: &'a Method, geometry: &'a Geometry) -> Box<dyn Iterator<Item = Bounds> + 'a> {
    match method {
        Method::Planes(plan) => {
            Box::new(blocks(geometry, plan.span_samples).map(|block| Bounds::Plane(block.bytes.len() as u64)))
        }
        Method::Tiles(plan) => Box::new((0..count(method, geometry)).map(|block| Bounds::Of(tile_codec(plan, block)))),
        Method::Discrete => Box::new(std::iter::once(Bounds::Of(CodecId::Discrete))),
        Method::Strips(_) => Box::new((0..count(method, geometry)).map(|_| Bounds::Of(CodecId::Model))),
        Method::Recovered(plan) => Box::new(recovered_bounds(plan, geometry)),
        Method::Patched(plan) => {
            let of_patch: Vec<Bounds> = bounds(&plan.method, &plan.patch.geometry(geometry)).collect();
            Box::new(recovered_bounds(&plan.recovered, geometry).chain(of_patch))
        }
    }
}

fn recovered_bounds<'a>(plan: &'a RecoveredPlan, geometry: &Geometry) -> impl Iterator<Item = Bounds> + use<'a> {
    let planes = plan.making.planes(geometry);
    let of_planes: Vec<Bounds> = bounds(&plan.method, &planes).collect();
    of_planes.into_iter().chain(plan.exception_blocks().map(Bounds::Plane))
}

/// The codec that a block of tiles counts as: one with vectors, if there are any, and then segments.
pub fn tile_codec(plan: &TilePlan, block: usize) -> CodecId {
    match plan.coding {
        _ if plan.moves && block == 0 => CodecId::Model,
        TileCoding::Tables(_) => CodecId::Ans,
        TileCoding::Packed => CodecId::Pack,
    }
}
