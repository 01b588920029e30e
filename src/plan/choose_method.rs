//! Which path a batch takes.
//!
//! Tiles suit pictures from cameras. What repeats itself is for other paths: pictures of few values
//! (masks, labels, screens) for the discrete coder, anything else for whole planes and Zstandard. Each
//! path says on a sample what it would make of the batch; a path whose sign is not seen in a cheap
//! look is not asked.

use std::ops::Range;
use std::sync::Arc;

use super::choose_motion::searched;
use super::choose_moving_tiles::{with_motion, with_order};
use super::choose_patch::choose_patch;
use super::{
    CodecChoice, Extent, Found, LevelParameters, Making, Plan, Sample, Settings, StripPlan, TileChoice, choose,
    choose_conversion, choose_strips, choose_tiles, places_of_planes,
};
use crate::codec::{discrete, repeats};
use crate::cpu::CpuBackend;
use crate::cpu::frame_sums::FrameSums;
use crate::error::Result;
use crate::frame::{Batch, Geometry, Tiling};
use crate::motion::OrderedMotion;
use crate::patched::{Patched, take_apart};
use crate::recovered::{Excepted, Recovered, recover, recover_there};
use crate::stage::{Backend, SolvedThere};

/// A method with what only the encoder knows.
pub enum MethodChoice<'a> {
    /// Whole planes.
    Planes(Plan),
    /// Tiles.
    Tiles(TileChoice),
    /// Pictures of few values.
    Discrete(discrete::Picture),
    /// The adaptive model, and how frames move, if that is known.
    Strips(StripPlan, Option<Arc<OrderedMotion>>),
    /// The planes that packed frames were made from, and what to do with them.
    Recovered(Arc<Recovered>, Box<Self>),
    /// Such planes on the device that has solved them, and their tiles.
    RecoveredThere(Box<Recovered<SolvedThere<'a>>>, TileChoice),
    /// The same of a part of the frames: what to do with the planes, and with the rest.
    Patched(Arc<Patched>, Box<Self>, Box<Self>),
}

/// Raw bytes that repetition is looked for in, from each of two frames.
const PROBE_BYTES: usize = 1 << 16;
/// Bytes of each frame that the discrete coder is tried on, about.
const TRIAL_BYTES: usize = 1 << 19;
/// Frames it is tried on.
const TRIAL_FRAMES: usize = 3;

/// One exception in so many pixels leaves no doubt that recovered planes are the better ones.
const FEW_EXCEPTIONS: usize = 200;

/// A ratio at which the discrete coder needs no rival.
const CLEAR: u64 = 100;

/// The methods for a batch, best first: more than one only where the level leaves it to the coded
/// batch. `backend` measures; the result is the same for every backend, but for where planes are. Where the CPU goes over all of
/// the batch, it takes its `sums`.
pub fn choose_methods<'a>(
    batch: Batch<'_>,
    settings: &'a Settings,
    backend: &'a dyn Backend,
    cpu: &'a CpuBackend,
    sums: Option<&'a FrameSums>,
) -> Result<Vec<MethodChoice<'a>>> {
    let mut contest = Contest { sums, ..Contest::new(settings, backend, cpu) };
    contest.enter_all(batch, true)?;
    Ok(contest.finalists().map(|(_, method)| method).collect())
}

/// What becomes of a batch of which some places are there.
pub enum ChoiceByPlaces {
    /// It is coded as tiles.
    Tiles(TileChoice),
    /// It is made of planes, of which [`choose_planes_by_places`] says what becomes.
    Recovered(Making),
}

/// What [`choose_methods`] chooses and nothing else, if that can be said by the `places` of a batch: what it has elsewhere is
/// not looked at.
pub fn choose_by_places(batch: Batch<'_>, settings: &Settings, cpu: &CpuBackend) -> Result<Option<ChoiceByPlaces>> {
    let mut contest = Contest::by_places(settings, cpu);
    contest.enter_all(batch, true)?;
    Ok(match contest.made {
        Some(making) => Some(ChoiceByPlaces::Recovered(making)),
        None => contest.tiles_alone().map(|(_, choice)| ChoiceByPlaces::Tiles(choice)),
    })
}

/// The tiles that [`choose_methods`] chooses for the planes of frames and nothing else, if it does, by the `places_of_planes`:
/// what planes and frames have elsewhere is not looked at.
pub fn choose_planes_by_places(
    frames: &Geometry,
    planes: Batch<'_>,
    excepted: &Excepted,
    settings: &Settings,
    cpu: &CpuBackend,
) -> Result<Option<TileChoice>> {
    if !Entered::of(planes.geometry, excepted).is_clear(frames) {
        return Ok(None);
    }
    Ok(tiles_by_places(planes, settings, cpu)?.map(|(_, choice)| choice))
}

/// The tiles that prediction makes of planes, and what they come to, if they are the best and that can be said by the
/// `places_of_planes`.
fn tiles_by_places(planes: Batch<'_>, settings: &Settings, cpu: &CpuBackend) -> Result<Option<(Packed, TileChoice)>> {
    let mut contest = Contest::by_places(settings, cpu);
    contest.enter_predicted(planes)?;
    Ok(contest.tiles_alone())
}

/// Whether a codec is for residuals, of whatever prediction.
pub(super) fn predicts(codec: CodecChoice) -> bool {
    matches!(codec, CodecChoice::Auto | CodecChoice::Ans | CodecChoice::Pack)
}

/// What the methods make of their samples.
struct Contest<'a> {
    settings: &'a Settings,
    level: LevelParameters,
    codec: CodecChoice,
    backend: &'a dyn Backend,
    cpu: &'a CpuBackend,
    entries: Vec<(Packed, MethodChoice<'a>)>,
    /// Sums of the batch, if anyone wants them.
    sums: Option<&'a FrameSums>,
    /// Whether all of the batch is there, and not some places alone.
    sees_all: bool,
    /// Whether more than those places would have to be seen to go on.
    needs_all: bool,
    /// What makes all of those places of planes, which would do as well.
    made: Option<Making>,
}

impl<'a> Contest<'a> {
    /// Without entries.
    fn new(settings: &'a Settings, backend: &'a dyn Backend, cpu: &'a CpuBackend) -> Self {
        let level = LevelParameters::of(settings.level());
        let codec = level.codec(settings.codec());
        let (entries, sums) = (Vec::new(), None);
        Self { settings, level, codec, backend, cpu, entries, sums, sees_all: true, needs_all: false, made: None }
    }

    /// The same for a batch of which there are some places.
    fn by_places(settings: &'a Settings, cpu: &'a CpuBackend) -> Self {
        Self { sees_all: false, ..Self::new(settings, cpu, cpu) }
    }

    /// Another one of the same rules.
    fn another(&self) -> Self {
        Self { sees_all: self.sees_all, ..Self::new(self.settings, self.backend, self.cpu) }
    }

    /// Whether it ends here, because `all` of a batch is needed of which there are some places.
    fn ends(&mut self, all: bool) -> bool {
        self.needs_all |= all && !self.sees_all;
        self.needs_all
    }

    /// Enters all methods that suit a batch; patches only if it `may_be_patched`.
    fn enter_all(&mut self, batch: Batch<'_>, may_be_patched: bool) -> Result<()> {
        if !self.sees_all && self.codec == CodecChoice::Auto {
            let picture = picture(batch.geometry);
            if self.ends(picture.is_some_and(|picture| discrete::looks_discrete(picture, batch.raw))) {
                return Ok(());
            }
        }
        if self.sees_all
            && self.codec == CodecChoice::Auto
            && !batch.raw.is_empty()
            && let Some((picture, packed)) = try_discrete(batch, self.level.discrete)
        {
            self.enter(packed.times(self.level.discrete_quarters, 4), MethodChoice::Discrete(picture));
            if packed.times(CLEAR, 1).is_below(Packed { bytes: 1, of: 1 }) {
                return Ok(());
            }
        }
        let found = if self.level.recovers && predicts(self.codec) { choose_conversion(batch, self.cpu) } else { None };
        if self.ends(found.is_some()) {
            // A part is looked for in whole frames.
            self.made = found.filter(|found| found.extent == Extent::All).map(|found| found.making);
            return Ok(());
        }
        let mut recovered = None;
        if let Some(Found { making, extent }) = found {
            if may_be_patched && extent < Extent::All {
                recovered = self.enter_patched(batch, making)?;
            }
            if recovered.is_none() && extent > Extent::Part {
                recovered = self.enter_recovered(batch, making)?;
            }
        }
        if !recovered.is_some_and(|entered| entered.is_clear(batch.geometry)) {
            self.enter_predicted(batch)?;
        }
        Ok(())
    }

    /// Enters the planes that the batch is made of.
    fn enter_recovered(&mut self, batch: Batch<'_>, making: Making) -> Result<Option<Entered>> {
        let Some(solved) = self.solve_there(batch, &making)? else {
            let recovered = recover(batch, making, None, self.backend, self.cpu, self.sums)?;
            return recovered.map(|recovered| self.enter_planes(batch, recovered)).transpose();
        };
        let recovered = recover_there(batch.geometry, making, solved, |_| Ok(batch.raw), self.cpu)?;
        let Some(recovered) = recovered else { return Ok(None) };
        match tiles_by_places(recovered.seen(), self.settings, self.cpu)? {
            Some((packed, choice)) if recovered.has_room(&choice) => {
                let Recovered { geometry, excepted, .. } = &recovered;
                let entered = Entered::of(geometry, excepted);
                let packed = packed.of_planes(geometry, excepted, batch.raw.len());
                self.enter(packed, MethodChoice::RecoveredThere(Box::new(recovered), choice));
                Ok(Some(entered))
            }
            // All of them have to be seen, or they are tiled in parts.
            _ => self.enter_planes(batch, recovered.brought(self.cpu)?).map(Some),
        }
    }

    /// Solves a batch where its planes can stay, if some places of these may say what becomes of them.
    fn solve_there(&self, batch: Batch<'_>, making: &Making) -> Result<Option<SolvedThere<'a>>> {
        if self.backend.is_cpu() {
            return Ok(None);
        }
        let Some(places) = places_of_planes(&making.planes(batch.geometry), self.settings) else { return Ok(None) };
        self.backend.solve_there(batch, making, places)
    }

    /// Enters what prediction makes of the planes of a batch.
    fn enter_planes(&mut self, batch: Batch<'_>, recovered: Recovered) -> Result<Entered> {
        let recovered = Arc::new(recovered);
        let mut of_planes = self.another();
        of_planes.enter_predicted(recovered.batch())?;
        let Recovered { geometry, excepted, .. } = &*recovered;
        for (packed, method) in of_planes.entries {
            let packed = packed.of_planes(geometry, excepted, batch.raw.len());
            self.enter(packed, MethodChoice::Recovered(Arc::clone(&recovered), Box::new(method)));
        }
        Ok(Entered::of(geometry, excepted))
    }

    /// Enters the best of planes that a part of the batch is made of with the best of the rest.
    fn enter_patched(&mut self, batch: Batch<'_>, making: Making) -> Result<Option<Entered>> {
        let Some(patch) = choose_patch(batch, &making, self.cpu)? else { return Ok(None) };
        let Some(patched) = take_apart(batch, patch, making, self.backend, self.cpu)? else { return Ok(None) };
        let Recovered { geometry, excepted, .. } = &patched.recovered;
        let entered = Entered::of(geometry, excepted);
        let (mut of_planes, mut of_patch) = (self.another(), self.another());
        of_planes.enter_predicted(patched.recovered.batch())?;
        of_patch.enter_all(patched.batch(), false)?;
        let best = |contest: Self| contest.entries.into_iter().next();
        if let Some(((of_planes, planes), (of_patch, rest))) = best(of_planes).zip(best(of_patch)) {
            let packed = of_planes.of_planes(geometry, excepted, batch.raw.len());
            let packed = packed.and(of_patch, patched.geometry.raw_bytes());
            self.enter(packed, MethodChoice::Patched(Arc::new(patched), Box::new(planes), Box::new(rest)));
        }
        Ok(Some(entered))
    }

    /// Enters what prediction makes of a batch.
    fn enter_predicted(&mut self, batch: Batch<'_>) -> Result<()> {
        let Self { settings, level, codec, backend, cpu, .. } = *self;
        let (mut tiles, mut motion) = (None, None);
        if predicts(codec) && Tiling::suits(batch.geometry) && !batch.raw.is_empty() {
            let packed = level.packs(codec);
            let mut choice = choose_tiles(batch, level.tiles, packed, cpu)?;
            if let Some((effort, shares)) = level.motion.zip(searched(batch.geometry)) {
                if self.ends(true) {
                    return Ok(());
                }
                choice = with_motion(batch, choice, shares, effort, backend, cpu)?;
                if level.model {
                    (choice, motion) = with_order(batch, choice, backend, cpu)?;
                }
            }
            tiles = Some(choice);
        }
        let has_model = codec == CodecChoice::Auto && level.model && StripPlan::suits(batch.geometry);
        if has_model && !batch.raw.is_empty() && (level.moving_model || motion.is_none()) {
            let strips = choose_strips(batch, level.moving_model, cpu)?;
            let packed = Packed { bytes: strips.packed_bytes as u64, of: strips.sampled_bytes as u64 };
            // Whoever searches finds the same.
            let motion = motion.filter(|_| strips.plan.moves);
            self.enter(packed, MethodChoice::Strips(strips.plan, motion));
        }
        if let Some(tiles) = tiles {
            let packed = Packed { bytes: tiles.bits / 8, of: tiles.sampled_bytes as u64 };
            self.enter(packed, MethodChoice::Tiles(tiles));
        }
        // Planes are tried unless what repeats is far more than they would make use of.
        let hopeless = match self.best() {
            Some(best) if batch.geometry.sample_bytes == 1 => {
                let probe = probe(batch);
                let repeated = Packed { bytes: repeats(&probe)? as u64, of: probe.len() as u64 };
                best.times(3, 2).is_below(repeated)
            }
            _ => false,
        };
        if !hopeless && !self.ends(!self.sees_all && Sample::of(batch).is_sparse()) {
            let planes = choose(batch, settings, backend, cpu)?;
            let packed = Packed { bytes: planes.packed_bytes as u64, of: planes.sampled_bytes as u64 };
            self.enter(packed, MethodChoice::Planes(planes.plan));
        }
        Ok(())
    }

    fn enter(&mut self, packed: Packed, method: MethodChoice<'a>) {
        let place = self.entries.partition_point(|(entered, _)| !packed.is_below(*entered));
        self.entries.insert(place, (packed, method));
    }

    fn best(&self) -> Option<Packed> {
        self.entries.first().map(|&(best, _)| best)
    }

    /// The best; where the model is tried, all that are not more than twice as large too, because samples are small.
    /// Not planes: where Zstandard does its utmost they would take most of the time.
    fn finalists(self) -> impl Iterator<Item = (Packed, MethodChoice<'a>)> {
        let model = self.level.model;
        let limit = self.best().map(|best| best.times(2, 1));
        let close = move |packed: Packed, method: &MethodChoice<'_>| {
            model && !matches!(method, MethodChoice::Planes(_)) && limit.is_some_and(|limit| packed.is_below(limit))
        };
        let entries = self.entries.into_iter().enumerate();
        let finalists = entries.filter(move |(at, (packed, method))| *at == 0 || close(*packed, method));
        finalists.map(|(_, entry)| entry)
    }

    /// The tiles that are chosen by what is there, and what they come to, if they are the only finalist.
    fn tiles_alone(self) -> Option<(Packed, TileChoice)> {
        if self.needs_all {
            return None;
        }
        let mut finalists = self.finalists();
        match (finalists.next(), finalists.next()) {
            (Some((packed, MethodChoice::Tiles(choice))), None) => Some((packed, choice)),
            _ => None,
        }
    }
}

/// What there is to say of recovered planes that were entered.
struct Entered {
    exceptions: usize,
    suits_tiles: bool,
}

impl Entered {
    fn of(planes: &Geometry, excepted: &Excepted) -> Self {
        Self { exceptions: excepted.pixels, suits_tiles: Tiling::suits(planes) }
    }

    /// Whether nothing else need be asked: planes that were recovered are not worth less than the frames that were made of
    /// them, unless they are too small for tiles.
    fn is_clear(&self, frames: &Geometry) -> bool {
        self.suits_tiles && self.exceptions * FEW_EXCEPTIONS <= frames.plane_samples(0)
    }
}

/// Packed bytes of raw ones.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    bytes: u64,
    of: u64,
}

impl Packed {
    fn is_below(self, other: Self) -> bool {
        u128::from(self.bytes) * u128::from(other.of) < u128::from(other.bytes) * u128::from(self.of)
    }

    /// What `raw_bytes` of frames come to if their planes come to this.
    fn of_planes(self, planes: &Geometry, excepted: &Excepted, raw_bytes: usize) -> Self {
        let exceptions: usize = excepted.bytes.iter().map(Vec::len).sum();
        // Exceptions shrink to a third, about.
        let bytes = self.bytes * planes.raw_bytes() as u64 / self.of.max(1) + exceptions as u64 / 3;
        Self { bytes, of: raw_bytes as u64 }
    }

    /// With what `raw_bytes` of others come to besides.
    fn and(self, other: Self, raw_bytes: usize) -> Self {
        Self { bytes: self.bytes + other.bytes * raw_bytes as u64 / other.of.max(1), ..self }
    }

    /// Times `factor` / `divisor`.
    fn times(self, factor: u64, divisor: u64) -> Self {
        Self { bytes: self.bytes * factor, of: self.of * divisor }
    }
}

/// The frames as a picture for the discrete coder, if they are one.
pub(crate) fn picture(geometry: &Geometry) -> Option<discrete::Picture> {
    let plane = geometry.planes.first()?;
    let interleaved = geometry.planes.len() == plane.step
        && geometry
            .planes
            .iter()
            .enumerate()
            .all(|(at, plane)| plane.offset == at && plane.step == geometry.planes.len());
    let unit_bytes = geometry.sample_bytes * plane.step;
    let picture = discrete::Picture { width: plane.width, height: plane.height, unit_bytes };
    (interleaved && unit_bytes <= discrete::MOST_UNIT_BYTES && plane.width > 0 && plane.height > 1).then_some(picture)
}

/// What the discrete coder makes of some rows of a few frames, if they look as if it would do well.
fn try_discrete(batch: Batch<'_>, effort: discrete::Effort) -> Option<(discrete::Picture, Packed)> {
    let picture = picture(batch.geometry)?;
    if !discrete::looks_discrete(picture, batch.raw) {
        return None;
    }
    let frame_bytes = batch.geometry.frame_samples * batch.geometry.sample_bytes;
    let row_bytes = picture.width * picture.unit_bytes;
    let height = (TRIAL_BYTES / row_bytes).clamp(1, picture.height);
    let first = batch.geometry.frames.saturating_sub(TRIAL_FRAMES) / 2;
    let top = (picture.height - height) / 2 * row_bytes;
    let frames = batch.raw.chunks_exact(frame_bytes).skip(first).take(TRIAL_FRAMES);
    let pieces: Vec<&[u8]> = frames.map(|frame| &frame[top..top + height * row_bytes]).collect();
    let sample = pieces.concat();
    let bytes = discrete::estimate(discrete::Picture { height, ..picture }, effort, batch.geometry.frames, &sample)?;
    Some((picture, Packed { bytes: bytes as u64, of: sample.len() as u64 }))
}

/// Some bytes of two neighbouring frames.
fn probe(batch: Batch<'_>) -> Vec<u8> {
    probe_places(batch.geometry).flat_map(|place| &batch.raw[place]).copied().collect()
}

/// Where they are.
pub(super) fn probe_places(geometry: &Geometry) -> impl Iterator<Item = Range<usize>> {
    let frame_bytes = geometry.frame_samples * geometry.sample_bytes;
    let first = geometry.frames.saturating_sub(1) / 2;
    let start = frame_bytes.saturating_sub(PROBE_BYTES) / 2;
    let frames = first..geometry.frames.min(first + 2);
    frames.map(move |frame| frame * frame_bytes + start..frame * frame_bytes + frame_bytes.min(start + PROBE_BYTES))
}
