//! From measurements to a plan.
//!
//! The order-0 entropy of every candidate picks the colour transform and, per plane, a few
//! finalists. Entropy does not see repetition, so the finalists are then coded for a trial, with
//! each shuffle, and the smallest wins. Ties go to the earlier candidate.

use super::{
    Candidate, CodecChoice, Colour, LevelParameters, Plan, PlanePlan, Predictor, Sample, Settings, Shuffle, Statistics,
    Values,
};
use crate::codec::{ContextKind, Encoder, Surroundings, surroundings};
use crate::cpu::{CpuBackend, counted_frames};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::pool;
use crate::stage::{self, Backend};

/// Finalists that entropy picks, with and without temporal differences.
const FINALISTS: usize = 2;

/// Level of Zstandard in trials: candidates rank alike at higher ones.
const TRIAL_ZSTD_LEVEL: i32 = 1;

/// A plan of whole planes with what it makes of a sample.
pub struct PlanesChoice {
    /// The plan.
    pub plan: Plan,
    /// Bytes of the sample packed, about.
    pub packed_bytes: usize,
    /// Raw bytes of the sample.
    pub sampled_bytes: usize,
}

/// The plan of a batch. `backend` measures; the trials run on `cpu`, and the result is the same for
/// every backend.
pub fn choose(batch: Batch<'_>, settings: &Settings, backend: &dyn Backend, cpu: &CpuBackend) -> Result<PlanesChoice> {
    let level = LevelParameters::of(settings.level());
    let codec = level.codec(settings.codec());
    let identity = Plan { span_samples: level.span_samples, ..Plan::identity(batch.geometry) };
    if codec == CodecChoice::Store || batch.raw.is_empty() {
        return Ok(PlanesChoice { plan: identity, packed_bytes: batch.raw.len(), sampled_bytes: batch.raw.len() });
    }

    let sample = Sample::of(batch);
    let choose = |sample: &Sample| Chosen::of(sample.batch(), &level, codec, backend, cpu);
    let plain = choose(&sample)?;
    let (values, chosen) = match sample.values(batch) {
        Some(values) => {
            let sparse = choose(&sample.with_values(&values))?;
            let table_bytes = values.gaps().len() * sample.batch().raw.len() / batch.raw.len();
            if sparse.packed_bytes + table_bytes < plain.packed_bytes {
                (values, sparse)
            } else {
                (Values::default(), plain)
            }
        }
        None => (Values::default(), plain),
    };
    let Chosen { colour, planes, packed_bytes } = chosen;
    let geometry = sample.batch().geometry;
    let sampled_bytes = counted_frames(geometry.frames).len() * geometry.frame_samples * geometry.sample_bytes;
    Ok(PlanesChoice { plan: Plan { values, colour, planes, ..identity }, packed_bytes, sampled_bytes })
}

/// What does best on a sample.
struct Chosen {
    colour: Colour,
    planes: Vec<PlanePlan>,
    /// About the bytes of the sample.
    packed_bytes: usize,
}

impl Chosen {
    fn of(
        sample: Batch<'_>,
        level: &LevelParameters,
        codec: CodecChoice,
        backend: &dyn Backend,
        cpu: &CpuBackend,
    ) -> Result<Self> {
        let geometry = sample.geometry;
        let candidates = level.candidates(geometry.colour, geometry.frames > 1);
        let statistics = Statistics::measure(backend, sample, candidates)?;
        let colour = best_colour(&statistics, geometry.colour);
        let finalists: Vec<Vec<Candidate>> =
            (0..statistics.planes()).map(|plane| finalists(&statistics, colour, plane)).collect();
        let trials = Trials::run(sample, colour, &finalists, codec, level.contexts, cpu)?;
        let (planes, packed_bytes): (Vec<_>, Vec<_>) =
            (0..statistics.planes()).map(|plane| trials.best(plane, geometry.frames > 1)).unzip();
        Ok(Self { colour, planes, packed_bytes: packed_bytes.iter().sum() })
    }
}

/// The colour transform whose best candidates cost least over all planes.
fn best_colour(statistics: &Statistics, has_colour: bool) -> Colour {
    if !has_colour {
        return Colour::None;
    }
    let cost = |colour: Colour| -> u64 {
        let cheapest = |plane| {
            let of_colour = statistics.of_plane(plane).filter(|(candidate, _)| candidate.colour == colour);
            of_colour.map(|(_, cost)| cost).min().unwrap_or(0)
        };
        (0..statistics.planes()).map(cheapest).sum()
    };
    Colour::ALL.iter().copied().min_by_key(|&colour| cost(colour)).unwrap_or(Colour::None)
}

/// The candidates of a plane that are tried: those of least entropy, and none at all.
fn finalists(statistics: &Statistics, colour: Colour, plane: usize) -> Vec<Candidate> {
    let mut finalists = Vec::new();
    for temporal in [false, true] {
        let of_kind = statistics.of_plane(plane);
        let mut of_kind: Vec<_> =
            of_kind.filter(|(candidate, _)| candidate.colour == colour && candidate.temporal == temporal).collect();
        of_kind.sort_by_key(|&(_, cost)| cost);
        let (cheapest, others) = of_kind.split_at(of_kind.len().min(FINALISTS));
        finalists.extend(cheapest.iter().map(|&(candidate, _)| candidate));
        finalists
            .extend(others.iter().map(|&(candidate, _)| candidate).find(|other| other.predictor == Predictor::None));
    }
    finalists
}

/// One coded trial.
#[derive(Debug, Clone, Copy)]
struct Trial {
    candidate: Candidate,
    shuffle: Shuffle,
    packed_bytes: usize,
}

/// Trials of every plane.
struct Trials {
    planes: Vec<Vec<Trial>>,
}

impl Trials {
    fn run(
        sample: Batch<'_>,
        colour: Colour,
        finalists: &[Vec<Candidate>],
        codec: CodecChoice,
        contexts: &'static [ContextKind],
        cpu: &CpuBackend,
    ) -> Result<Self> {
        let rounds = finalists.iter().map(Vec::len).max().unwrap_or(0);
        let results = pool::map(cpu.crew(), (0..rounds).collect(), |round| {
            let mut residuals = WorkBuffer::default();
            cpu.forward(sample, &trial_plan(sample.geometry, colour, finalists, round), &mut residuals)?;
            let mut encoder = Encoder::new(codec, TRIAL_ZSTD_LEVEL, false)?.with_contexts(contexts);
            let mut trials = Vec::new();
            for (plane, candidates) in finalists.iter().enumerate() {
                if let Some(&candidate) = candidates.get(round) {
                    let residuals = counted_bytes(sample.geometry, &residuals, plane);
                    for &shuffle in shuffles(sample.geometry.sample_bytes) {
                        let shuffled = cpu.shuffled(shuffle, sample.geometry.sample_bytes, residuals);
                        let packed_bytes = packed_bytes(&mut encoder, sample.geometry, plane, shuffle, &shuffled);
                        trials.push((plane, Trial { candidate, shuffle, packed_bytes }));
                    }
                }
            }
            Ok(trials)
        })?;
        let mut planes = vec![Vec::new(); finalists.len()];
        for (plane, trial) in results.into_iter().flatten() {
            planes[plane].push(trial);
        }
        Ok(Self { planes })
    }

    /// The plan of `plane`: the best trial for frames after the first, and for the first the best
    /// one that needs no other frame and is shuffled alike. Beside it, the bytes of the best trial.
    fn best(&self, plane: usize, several_frames: bool) -> (PlanePlan, usize) {
        let nothing = Candidate { colour: Colour::None, temporal: false, predictor: Predictor::None };
        let smallest =
            |trials: &mut dyn Iterator<Item = &Trial>| trials.min_by_key(|trial| trial.packed_bytes).copied();
        let trials = &self.planes[plane];
        let inter = smallest(&mut trials.iter()).unwrap_or(Trial {
            candidate: nothing,
            shuffle: Shuffle::None,
            packed_bytes: 0,
        });
        let mut alike = trials.iter().filter(|trial| !trial.candidate.temporal && trial.shuffle == inter.shuffle);
        let intra = smallest(&mut alike).unwrap_or(inter);
        let inter = if several_frames { inter } else { Trial { candidate: nothing, ..inter } };
        let plan = PlanePlan {
            intra: intra.candidate.predictor,
            temporal: inter.candidate.temporal,
            inter: inter.candidate.predictor,
            shuffle: inter.shuffle,
        };
        (plan, inter.packed_bytes)
    }
}

/// About the bytes that `encoder` makes of a span of `plane`, one block per byte of a sample.
fn packed_bytes(encoder: &mut Encoder, geometry: &Geometry, plane: usize, shuffle: Shuffle, span: &[u8]) -> usize {
    let blocks: Vec<&[u8]> = span.chunks((span.len() / geometry.sample_bytes).max(1)).collect();
    let mut estimate = |at: usize| {
        // Only then are the blocks bytes of the same samples.
        let around = match shuffle {
            Shuffle::Byte => surroundings(geometry, plane, &blocks[at + 1..]),
            Shuffle::None | Shuffle::Bit => Surroundings::default(),
        };
        encoder.estimate(blocks[at], around)
    };
    (0..blocks.len()).map(&mut estimate).sum()
}

/// Shuffles that change anything.
fn shuffles(sample_bytes: usize) -> &'static [Shuffle] {
    if sample_bytes == 1 { &[Shuffle::None, Shuffle::Bit] } else { Shuffle::ALL }
}

/// The plan that applies each plane's finalist of this round.
fn trial_plan(geometry: &Geometry, colour: Colour, finalists: &[Vec<Candidate>], round: usize) -> Plan {
    let identity = Plan::identity(geometry);
    let of_round =
        |candidates: &Vec<Candidate>| candidates.get(round).map(|&candidate| stage::candidate_plane(candidate));
    let planes =
        identity.planes.iter().zip(finalists).map(|(&plane, candidates)| of_round(candidates).unwrap_or(plane));
    Plan { colour, planes: planes.collect(), ..identity }
}

/// The residuals of a plane that count.
fn counted_bytes<'a>(geometry: &Geometry, residuals: &'a WorkBuffer, plane: usize) -> &'a [u8] {
    let frame_bytes = geometry.planes[plane].frame_samples() * geometry.sample_bytes;
    let bytes = &residuals.as_bytes()[geometry.plane_range(plane)];
    &bytes[counted_frames(geometry.frames).start * frame_bytes..]
}
