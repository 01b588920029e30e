//! From a geometry and a plan to the commands that carry it out.

use super::layout::{Group, Phase, Plane, Planes, groups};
use super::params::{self, MOST_PLANES};
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::cpu::counted_frames;
use crate::cpu::histogram::BINS;
use crate::error::Result;
use crate::frame::Geometry;
use crate::plan::{Candidate, Colour, Plan, Predictor, Shuffle};
use crate::stage;

/// Units that a workgroup of the histogram counts: 16 for each of its invocations.
const HISTOGRAM_UNITS: usize = 16 * 256;

/// Raw frames in, residuals out as [`Geometry`] lays them out.
pub(super) fn forward(geometry: &Geometry, plan: &Plan) -> Result<Recording> {
    let mut recorder = Recorder::new(geometry, plan.colour);
    let has_temporal = geometry.frames > 1 && plan.planes.iter().any(|plane| plane.temporal);
    // The raw frames are done with once they are split.
    let raw = recorder.recording.buffer(geometry.raw_bytes().max(geometry.work_bytes()))?;
    let planar = recorder.recording.buffer(geometry.work_bytes())?;
    let differences = if has_temporal { recorder.recording.buffer(geometry.work_bytes())? } else { planar };
    let residuals = raw;

    recorder.recording.upload(raw);
    for plane in recorder.planes() {
        recorder.split(plane, raw, planar);
    }
    for plane in recorder.planes() {
        let plane_plan = &plan.planes[plane.index];
        if plane_plan.temporal && plane.frames > 1 {
            recorder.difference(plane, planar, differences);
        }
        for phase in Phase::all(geometry, recorder.has_colour(), plane.index, plane_plan) {
            recorder.residual(plane, phase, if phase.temporal { differences } else { planar }, residuals);
        }
    }
    for plane in recorder.planes() {
        let shuffled = match plan.planes[plane.index].shuffle {
            Shuffle::None => residuals,
            Shuffle::Byte => recorder.shuffle(Kernel::ByteShuffleForward, plan, plane, residuals, planar),
            Shuffle::Bit => recorder.shuffle(Kernel::BitShuffleForward, plan, plane, residuals, planar),
        };
        recorder.recording.download(shuffled, geometry.plane_range(plane.index));
    }
    Ok(recorder.recording)
}

/// Residuals in, raw frames out.
pub(super) fn inverse(geometry: &Geometry, plan: &Plan) -> Result<Recording> {
    let groups = groups(geometry)?;
    let mut recorder = Recorder::new(geometry, plan.colour);
    let has_shuffle = plan.planes.iter().any(|plane| plane.shuffle != Shuffle::None);
    // The residuals are done with once they are padded rows.
    let residuals = recorder.recording.buffer(geometry.raw_bytes().max(geometry.work_bytes()))?;
    let unshuffled = if has_shuffle { recorder.recording.buffer(geometry.work_bytes())? } else { residuals };
    let padded = recorder.recording.buffer(recorder.layout.padded_bytes)?;
    let raw = residuals;

    recorder.recording.upload(residuals);
    for plane in recorder.planes() {
        let plane_plan = &plan.planes[plane.index];
        let dense = match plane_plan.shuffle {
            Shuffle::None => residuals,
            Shuffle::Byte => recorder.shuffle(Kernel::ByteShuffleInverse, plan, plane, residuals, unshuffled),
            Shuffle::Bit => recorder.shuffle(Kernel::BitShuffleInverse, plan, plane, residuals, unshuffled),
        };
        for phase in Phase::all(geometry, recorder.has_colour(), plane.index, plane_plan) {
            recorder.predict_inverse(plane, phase, dense, padded);
        }
        if plane_plan.temporal && plane.frames > 1 {
            recorder.sum(plane, padded);
        }
    }
    recorder.join(&groups, padded, raw);
    recorder.recording.download(raw, 0..geometry.raw_bytes());
    Ok(recorder.recording)
}

/// Raw frames in; out, two words (low, high) for each candidate, plane and byte of a sample, in this
/// order: the cost of a candidate on a plane is the sum over the bytes.
pub(super) fn costs(geometry: &Geometry, candidates: &[Candidate]) -> Result<Recording> {
    let mut recorder = Recorder::new(geometry, Colour::None);
    let histograms = candidates.len() * geometry.planes.len() * geometry.sample_bytes;
    let has_temporal = geometry.frames > 1 && candidates.iter().any(|candidate| candidate.temporal);
    let raw = recorder.recording.buffer(geometry.raw_bytes())?;
    let planar = recorder.recording.buffer(geometry.work_bytes())?;
    let differences = if has_temporal { recorder.recording.buffer(geometry.work_bytes())? } else { planar };
    let residuals = recorder.recording.buffer(geometry.work_bytes())?;
    let bins = recorder.recording.buffer(histograms * BINS * size_of::<u32>())?;
    let entropies = recorder.recording.buffer(histograms * size_of::<u64>())?;

    recorder.recording.upload(raw);
    recorder.recording.clear(bins);
    for &colour in Colour::ALL {
        recorder.colour = colour;
        let of_colour: Vec<_> =
            candidates.iter().enumerate().filter(|(_, candidate)| candidate.colour == colour).collect();
        if of_colour.is_empty() {
            continue;
        }
        for plane in recorder.planes() {
            recorder.split(plane, raw, planar);
            if plane.frames > 1 && of_colour.iter().any(|(_, candidate)| candidate.temporal) {
                recorder.difference(plane, planar, differences);
            }
            let counted = counted_frames(geometry.frames);
            for &(at, &candidate) in &of_colour {
                let plane_plan = stage::candidate_plane(candidate);
                let one = Phase::of_frame(geometry, recorder.has_colour(), plane.index, &plane_plan, counted.start);
                let phase = Phase { frames: counted.len(), ..one };
                recorder.residual(plane, phase, if phase.temporal { differences } else { planar }, residuals);
                let first_bin = (at * geometry.planes.len() + plane.index) * geometry.sample_bytes * BINS;
                recorder.count(plane, phase, residuals, bins, first_bin);
            }
        }
    }
    let overrides = recorder.overrides(None);
    let params = params::Entropy { histograms: histograms as u32 };
    let work = Work::Workgroups(histograms);
    recorder.recording.dispatch(Kernel::EntropyForward, overrides, params, &[bins, entropies], work);
    recorder.recording.download(entropies, 0..histograms * size_of::<u64>());
    Ok(recorder.recording)
}

/// Adds the dispatches of each stage to a recording. All numbers fit 32 bits because the buffers
/// they index do, which [`Recording::buffer`] has checked before.
struct Recorder<'a> {
    geometry: &'a Geometry,
    layout: Planes,
    colour: Colour,
    recording: Recording,
}

impl<'a> Recorder<'a> {
    fn new(geometry: &'a Geometry, colour: Colour) -> Self {
        Self { geometry, layout: Planes::new(geometry), colour, recording: Recording::default() }
    }

    fn planes(&self) -> Vec<Plane> {
        self.layout.planes.clone()
    }

    fn has_colour(&self) -> bool {
        self.colour != Colour::None
    }

    fn overrides(&self, predictor: Option<Predictor>) -> Overrides {
        Overrides { sample_bytes: self.geometry.sample_bytes as u32, predictor }
    }

    /// Units that hold some of the samples in `first..last`.
    fn units(&self, first: usize, last: usize) -> usize {
        last.div_ceil(self.layout.unit_samples) - first / self.layout.unit_samples
    }

    /// Says that the last dispatch reads and writes this many samples.
    fn moves(&mut self, samples: usize) {
        self.recording.moves_only(2 * samples * self.geometry.sample_bytes);
    }

    fn split(&mut self, plane: Plane, raw: Slot, planar: Slot) {
        let source = &self.geometry.planes[plane.index];
        let subtract_green = self.has_colour() && self.geometry.planes.len() > 2 && matches!(plane.index, 0 | 2);
        let params = params::Colour {
            frames: plane.frames as u32,
            frame_samples: self.geometry.frame_samples as u32,
            subtract_green: subtract_green.into(),
            green_offset: self.geometry.planes.get(1).map_or(0, |green| green.offset) as u32,
            base: plane.base as u32,
            plane_samples: plane.frame_samples() as u32,
            offset: source.offset as u32,
            step: source.step as u32,
            ..Default::default()
        };
        let work = Work::Invocations(self.units(0, plane.samples()));
        self.recording.dispatch(Kernel::ColourForward, self.overrides(None), params, &[raw, planar], work);
        self.moves(plane.samples());
    }

    fn difference(&mut self, plane: Plane, planar: Slot, differences: Slot) {
        let params = params::Temporal {
            base: plane.base as u32,
            frames: plane.frames as u32,
            frame_length: plane.frame_samples() as u32,
        };
        let work = Work::Invocations(self.units(plane.frame_samples(), plane.samples()));
        self.recording.dispatch(Kernel::TemporalForward, self.overrides(None), params, &[planar, differences], work);
        self.moves(plane.samples());
    }

    fn predict_params(plane: Plane, phase: Phase) -> params::Predict {
        params::Predict {
            base: plane.base as u32,
            padded_base: plane.padded_base as u32,
            width: plane.width as u32,
            height: plane.height as u32,
            pitch: plane.pitch as u32,
            first_frame: phase.first_frame as u32,
            frames: phase.frames as u32,
            zigzag: phase.zigzag.into(),
            sign_low: phase.sign[0],
            sign_high: phase.sign[1],
        }
    }

    fn residual(&mut self, plane: Plane, phase: Phase, from: Slot, to: Slot) {
        let first = phase.first_frame * plane.frame_samples();
        let work = Work::Invocations(self.units(first, first + phase.frames * plane.frame_samples()));
        let overrides = self.overrides(Some(phase.predictor));
        let params = Self::predict_params(plane, phase);
        self.recording.dispatch(Kernel::PredictForward, overrides, params, &[from, to], work);
        self.moves(phase.frames * plane.frame_samples());
    }

    fn predict_inverse(&mut self, plane: Plane, phase: Phase, dense: Slot, padded: Slot) {
        let params = Self::predict_params(plane, phase);
        let rows = phase.frames * plane.height;
        let units = Work::Invocations(rows * plane.pitch);
        let columns = Work::Invocations(phase.frames * plane.pitch);
        let plain = self.overrides(None);
        let samples = phase.frames * plane.frame_samples();
        self.recording.dispatch(Kernel::PredictInverseZigzag, plain, params, &[dense, padded], units);
        self.moves(samples);
        if matches!(phase.predictor, Predictor::Left | Predictor::Gradient) && plane.width > 1 {
            let rows = Work::Workgroups(rows);
            self.recording.dispatch(Kernel::PredictInverseLeft, plain, params, &[padded], rows);
            self.moves(samples);
        }
        if matches!(phase.predictor, Predictor::Up | Predictor::Gradient) && plane.height > 1 {
            self.recording.dispatch(Kernel::PredictInverseUp, plain, params, &[padded], columns);
            self.moves(samples);
        }
        if matches!(phase.predictor, Predictor::Average | Predictor::Median) {
            let overrides = self.overrides(Some(phase.predictor));
            let frames = Work::Workgroups(phase.frames);
            self.recording.dispatch(Kernel::PredictInverseWavefront, overrides, params, &[padded], frames);
            self.moves(samples);
        }
    }

    fn sum(&mut self, plane: Plane, padded: Slot) {
        let frame_units = plane.pitch * plane.height;
        let params = params::Temporal {
            base: plane.padded_base as u32,
            frames: plane.frames as u32,
            frame_length: frame_units as u32,
        };
        let work = Work::Invocations(frame_units);
        self.recording.dispatch(Kernel::TemporalInverse, self.overrides(None), params, &[padded], work);
        self.moves(plane.samples());
    }

    fn join(&mut self, groups: &[Group], padded: Slot, raw: Slot) {
        let mut params = params::Colour {
            frames: self.geometry.frames as u32,
            frame_samples: self.geometry.frame_samples as u32,
            subtract_green: self.has_colour().into(),
            ..Default::default()
        };
        for plane in &self.layout.planes {
            params.bases[plane.index % MOST_PLANES] = plane.padded_base as u32;
        }
        for (to, group) in params.groups.iter_mut().zip(groups) {
            let pitch = group.width.div_ceil(self.layout.unit_samples);
            *to = [group.planes, group.width, group.height, pitch].map(|number| number as u32);
        }
        let samples = self.geometry.frames * self.geometry.frame_samples;
        let work = Work::Invocations(self.units(0, samples));
        self.recording.dispatch(Kernel::ColourInverse, self.overrides(None), params, &[padded, raw], work);
    }

    /// Returns `to`.
    fn shuffle(&mut self, kernel: Kernel, plan: &Plan, plane: Plane, from: Slot, to: Slot) -> Slot {
        // A span that is longer than the plane might not fit 32 bits.
        let span_samples = plane.samples().min(plan.span_samples as usize);
        let base = self.geometry.planes[plane.index].base / size_of::<u32>();
        let params =
            params::Span { base: base as u32, samples: plane.samples() as u32, span_samples: span_samples as u32 };
        let words = self.geometry.plane_bytes(plane.index).div_ceil(size_of::<u32>());
        self.recording.dispatch(kernel, self.overrides(None), params, &[from, to], Work::Invocations(words));
        self.moves(plane.samples());
        to
    }

    fn count(&mut self, plane: Plane, phase: Phase, residuals: Slot, bins: Slot, first_bin: usize) {
        let first = phase.first_frame * plane.frame_samples();
        let last = first + phase.frames * plane.frame_samples();
        let params = params::Histogram {
            base: plane.base as u32,
            first: first as u32,
            last: last as u32,
            first_bin: first_bin as u32,
        };
        let work = Work::Workgroups(self.units(first, last).div_ceil(HISTOGRAM_UNITS));
        self.recording.dispatch(Kernel::HistogramForward, self.overrides(None), params, &[residuals, bins], work);
        self.recording.moves_only((last - first) * self.geometry.sample_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording::Command;
    use super::*;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};
    use crate::plan::{PlanePlan, Values};

    fn geometry(frames: usize) -> Geometry {
        let layout = Layout::Packed { width: 5, height: 3, order: ChannelOrder::Rgb };
        Geometry::new(&FrameFormat::new(Dtype::U16, layout).unwrap(), frames)
    }

    fn plan(plane: PlanePlan) -> Plan {
        Plan { values: Values::default(), colour: Colour::SubtractGreen, span_samples: 64, planes: vec![plane; 3] }
    }

    fn kernels(recording: &Recording) -> Vec<Kernel> {
        recording.dispatches().map(|dispatch| dispatch.kernel).collect()
    }

    #[test]
    fn each_plane_takes_each_stage_once() {
        let plane =
            PlanePlan { intra: Predictor::Gradient, temporal: true, inter: Predictor::Median, shuffle: Shuffle::Bit };
        let geometry = geometry(4);
        let count = |recording: &Recording, kernel| kernels(recording).into_iter().filter(|&it| it == kernel).count();
        let forward = forward(&geometry, &plan(plane)).unwrap();
        assert_eq!(count(&forward, Kernel::ColourForward), 3);
        assert_eq!(count(&forward, Kernel::TemporalForward), 3);
        assert_eq!(count(&forward, Kernel::PredictForward), 6, "the first frame and the others");
        assert_eq!(count(&forward, Kernel::BitShuffleForward), 3);
        assert_eq!(kernels(&forward).len(), 15);
        assert_eq!(forward.buffers.len(), 3);
        let inverse = inverse(&geometry, &plan(plane)).unwrap();
        assert_eq!(count(&inverse, Kernel::PredictInverseLeft), 3, "the first frame only");
        assert_eq!(count(&inverse, Kernel::PredictInverseWavefront), 3);
        assert_eq!(count(&inverse, Kernel::TemporalInverse), 3);
        assert_eq!(count(&inverse, Kernel::ColourInverse), 1);
        assert_eq!(inverse.download_bytes(), geometry.raw_bytes() as u64);
    }

    #[test]
    fn a_plan_takes_no_more_than_it_needs() {
        let plane = PlanePlan { intra: Predictor::Up, temporal: false, inter: Predictor::Up, shuffle: Shuffle::None };
        let geometry = geometry(4);
        let forward = forward(&geometry, &plan(plane)).unwrap();
        assert_eq!((kernels(&forward).len(), forward.buffers.len()), (6, 2));
        let inverse = inverse(&geometry, &plan(plane)).unwrap();
        assert_eq!((kernels(&inverse).len(), inverse.buffers.len()), (7, 2));
    }

    #[test]
    fn no_dispatch_binds_a_buffer_twice() {
        let temporal =
            PlanePlan { intra: Predictor::None, temporal: true, inter: Predictor::None, shuffle: Shuffle::Byte };
        let geometry = geometry(2);
        let candidates = [true, false].map(|temporal| Candidate {
            colour: Colour::SubtractGreen,
            temporal,
            predictor: Predictor::Average,
        });
        for recording in [
            forward(&geometry, &plan(temporal)).unwrap(),
            inverse(&geometry, &plan(temporal)).unwrap(),
            costs(&geometry, &candidates).unwrap(),
        ] {
            assert!(matches!(recording.commands[0], Command::Upload { .. }));
            for dispatch in recording.dispatches() {
                let mut slots = dispatch.storage.clone();
                assert_eq!(slots.len(), dispatch.kernel.row().1.storage.len());
                slots.sort_by_key(|slot| slot.0);
                slots.dedup();
                assert_eq!(slots.len(), dispatch.storage.len(), "{:?}", dispatch.kernel);
            }
        }
    }

    /// Planes share their buffers, and each dispatch counts its own.
    #[test]
    fn every_sample_is_moved_once() {
        let plane = PlanePlan { intra: Predictor::Up, temporal: true, inter: Predictor::Left, shuffle: Shuffle::Byte };
        let geometry = geometry(4);
        let moved = |recording: Recording, kernel| -> u64 {
            recording.dispatches().filter(|it| it.kernel == kernel).map(|it| it.moved_bytes).sum()
        };
        for kernel in [Kernel::ColourForward, Kernel::PredictForward, Kernel::ByteShuffleForward] {
            assert_eq!(moved(forward(&geometry, &plan(plane)).unwrap(), kernel), 2 * geometry.raw_bytes() as u64);
        }
        for (kernel, frames) in [(Kernel::PredictInverseUp, 1), (Kernel::PredictInverseLeft, 3)] {
            let all = 2 * geometry.raw_bytes() as u64;
            assert_eq!(moved(inverse(&geometry, &plan(plane)).unwrap(), kernel), all * frames / 4);
        }
    }

    fn gray(dtype: Dtype, width: usize, height: usize, frames: usize) -> Geometry {
        Geometry::new(&FrameFormat::new(dtype, Layout::Gray { width, height }).unwrap(), frames)
    }

    /// The batches with which the parity table goes beyond one dimension of a dispatch do so.
    #[test]
    fn large_batches_take_two_dimensions() {
        let in_two = |recording: Recording| recording.dispatches().any(|dispatch| dispatch.workgroups[1] > 1);
        let workgroups = gray(Dtype::U8, 3, 2, 70_001);
        for predictor in [Predictor::Median, Predictor::Left] {
            let mut plan = Plan::identity(&workgroups);
            plan.planes[0].inter = predictor;
            assert!(in_two(inverse(&workgroups, &plan).unwrap()));
        }
        let units = gray(Dtype::U8, 8193, 4097, 2);
        assert!(in_two(forward(&units, &Plan::identity(&units)).unwrap()));
    }

    #[test]
    fn a_batch_beyond_any_device_is_an_error() {
        let huge = gray(Dtype::F64, 1 << 20, 1 << 20, 1 << 10);
        let plan = Plan::identity(&huge);
        for recording in [forward(&huge, &plan), inverse(&huge, &plan)] {
            assert_eq!(recording.unwrap_err().kind(), crate::ErrorKind::Gpu);
        }
    }
}
