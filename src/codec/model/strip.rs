//! All planes and frames of a strip, and what is decided about it beforehand.

use super::cells::Cells;
use super::lanes::Lanes;
use super::picture::{Picture, Traces};
use super::rans::Coder;
use super::{Exchange, Plane, Sample, Size};
use crate::error::{Error, Result};

/// Rows of a strip on which the choice of phases is tried.
const TRIAL_ROWS: usize = 64;

/// How a plane is coded.
#[derive(Clone, Copy, Default)]
pub(super) struct PlaneForm {
    /// Log2 of the width of a cell whose samples are mostly the same.
    across: u32,
    /// Log2 of its height.
    down: u32,
    /// Whether samples are signed: 0 is in the middle of their range.
    centred: bool,
    /// Whether samples are coded in patterns of neighbours.
    terraced: bool,
}

impl PlaneForm {
    fn byte(&self) -> u8 {
        (self.across | self.down << 1 | u32::from(self.centred) << 2 | u32::from(self.terraced) << 3) as u8
    }

    fn of_byte(byte: u8) -> Option<Self> {
        let form = Self {
            across: u32::from(byte & 1),
            down: u32::from(byte >> 1 & 1),
            centred: byte & 4 != 0,
            terraced: byte & 8 != 0,
        };
        (form.byte() == byte).then_some(form)
    }
}

/// How a strip is coded.
#[derive(Clone)]
pub(super) struct Form {
    bits: u32,
    /// Whether the four phases of a sample's place (odd or even row and column) have weights of their own.
    phases: bool,
    planes: Vec<PlaneForm>,
}

const PHASES: u8 = 1 << 7;

impl Form {
    /// What the samples of plane `plane` are combined with, to have their range in order.
    pub(super) fn centre(&self, plane: usize) -> u16 {
        if self.planes[plane].centred { 1 << (self.bits - 1) } else { 0 }
    }

    /// The same with phases.
    pub(super) fn with_phases(&self) -> Self {
        Self { phases: true, ..self.clone() }
    }

    /// The same with all planes terraced.
    pub(super) fn with_terraces(&self) -> Self {
        let planes = self.planes.iter().map(|&plane| PlaneForm { terraced: true, ..plane }).collect();
        Self { planes, ..self.clone() }
    }

    /// Appends the head of a strip.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.bits as u8 | if self.phases { PHASES } else { 0 });
        out.extend(self.planes.iter().map(PlaneForm::byte));
    }

    /// The head of a strip of samples of at most `most_bits` bits, and what follows it.
    pub(super) fn read<'a>(packed: &'a [u8], sizes: &[Size], most_bits: u32) -> Result<(Self, &'a [u8])> {
        let (head, words) = packed
            .split_at_checked(1 + sizes.len())
            .ok_or_else(|| Error::corrupt("model strip: it ends within its head"))?;
        let bits = u32::from(head[0] & !PHASES);
        let planes: Option<Vec<_>> = head[1..].iter().map(|&byte| PlaneForm::of_byte(byte)).collect();
        match planes {
            Some(planes) if (1..=most_bits).contains(&bits) => {
                Ok((Self { bits, phases: head[0] & PHASES != 0, planes }, words))
            }
            _ => Err(Error::corrupt("model strip: its head is not one")),
        }
    }
}

/// Decides all but the phases.
pub(super) fn choose<S: Sample>(frames: usize, planes: &[Plane<'_, S>]) -> Form {
    // Wide samples may use fewer bits than they have; of narrow ones that is not worth asking.
    let mut bits = S::BITS;
    if bits > 8 {
        let rows = |plane: Plane<'_, S>| (0..frames).flat_map(move |f| (0..plane.size.height).map(move |y| (f, y)));
        let most = planes.iter().filter(|plane| plane.size.width > 0).map(|plane| {
            rows(*plane)
                .map(|(f, y)| plane.row(f, y).iter().fold(0, |all, s| all | s.widen()))
                .fold(0, |all, s| all | s)
        });
        bits = (16 - most.fold(0, |all, s| all | s).leading_zeros()).max(1);
    }
    let planes = planes.iter().map(|plane| choose_plane(frames, plane, bits)).collect();
    Form { bits, phases: false, planes }
}

fn choose_plane<S: Sample>(frames: usize, plane: &Plane<'_, S>, bits: u32) -> PlaneForm {
    let (half, mask) = (1u16 << (bits - 1), ((1u32 << bits) - 1) as u16);
    // By parity of the second place: how many neighbours differ.
    let (mut across, mut down) = ([0u64; 2], [0u64; 2]);
    let (mut unsigned, mut signed) = (0u64, 0u64);
    if plane.size.width == 0 || plane.size.height == 0 || frames == 0 {
        return PlaneForm::default();
    }
    for frame in [0, frames / 2] {
        for y in 0..plane.size.height {
            let row = plane.row(frame, y);
            for (x, pair) in row.windows(2).enumerate() {
                let [a, b] = [pair[0].widen(), pair[1].widen()];
                across[(x + 1) & 1] += u64::from(a != b);
                unsigned += u64::from(a.abs_diff(b));
                signed += u64::from(((a ^ half) & mask).abs_diff((b ^ half) & mask));
            }
            if y > 0 {
                let above = plane.row(frame, y - 1);
                down[y & 1] += row.iter().zip(above).map(|(a, b)| u64::from(a.widen() != b.widen())).sum::<u64>();
            }
        }
    }
    let repeats = |unequal: [u64; 2]| u32::from(4 * unequal[1] < unequal[0]);
    PlaneForm { across: repeats(across), down: repeats(down), centred: signed < unsigned, terraced: false }
}

/// Rows from the middle of a plane's part, from an even one on.
pub(super) fn middle<S>(plane: Plane<'_, S>) -> Plane<'_, S> {
    let Size { width, height } = plane.size;
    let top = (height.saturating_sub(TRIAL_ROWS) / 4) * 2;
    let size = Size { width, height: height.min(TRIAL_ROWS) };
    Plane { size, samples: &plane.samples[top * width..], frame_stride: plane.frame_stride }
}

/// A plane on its way.
struct State {
    size: Size,
    /// Of the picture: cells.
    cells_size: (usize, usize),
    cells: Cells,
    picture: Picture,
    /// Traces of the planes before at this plane's size, where theirs is another.
    reduced: [Traces; 2],
    /// Samples of the frame, and of the frame before.
    now: Vec<u16>,
    before: Vec<u16>,
}

impl State {
    fn new(size: Size, form: &Form, plane: &PlaneForm) -> Self {
        let (across, down) = (plane.across, plane.down);
        let (width, height) = (size.width.div_ceil(1 << across), size.height.div_ceil(1 << down));
        let samples = || vec![0; size.width * size.height];
        Self {
            size,
            cells_size: (width, height),
            cells: Cells::new(size, across, down),
            picture: Picture::new(width, height, form.bits, form.phases, plane.terraced),
            reduced: [Traces::new(width, height), Traces::new(width, height)],
            now: samples(),
            before: samples(),
        }
    }

    /// Whether the traces of a plane of this size can be halved to this one's.
    fn halves(&self, other: (usize, usize)) -> Option<(u32, u32)> {
        let log = |own: usize, other: usize| match other {
            _ if own == other => Some(0),
            _ if own == other.div_ceil(2) => Some(1),
            _ => None,
        };
        Some((log(self.cells_size.0, other.0)?, log(self.cells_size.1, other.1)?))
    }
}

/// A strip on its way, frame by frame.
pub(super) struct Strip {
    bits: u32,
    /// Planes that have samples, by number, in order.
    numbers: Vec<usize>,
    states: Vec<State>,
}

impl Strip {
    pub(super) fn new(sizes: &[Size], form: &Form) -> Self {
        let with_samples = |(_, (size, _)): &(usize, (&Size, &PlaneForm))| size.width * size.height > 0;
        let planes = sizes.iter().zip(&form.planes).enumerate().filter(with_samples);
        let (numbers, states) = planes.map(|(number, (&size, plane))| (number, State::new(size, form, plane))).unzip();
        Self { bits: form.bits, numbers, states }
    }

    /// Codes the next frame. `exchange` fills each plane before it is encoded, or takes it when it was decoded;
    /// `expect` fills it with what is expected of it, if that is not the frame before.
    #[inline(always)]
    pub(super) fn code_frame<L: Lanes, C: Coder>(
        &mut self,
        lanes: L,
        coder: &mut C,
        exchange: Exchange<'_>,
        expect: Option<Exchange<'_>>,
    ) {
        if let Some(expect) = expect {
            for (&number, state) in self.numbers.iter().zip(&mut self.states) {
                // The place of the samples is free until they are coded.
                expect(number, &mut state.now);
                state.picture.expect(&state.now, state.size.width, [state.cells.across, state.cells.down]);
            }
        }
        for (index, &number) in self.numbers.iter().enumerate() {
            let (done, rest) = self.states.split_at_mut(index);
            let state = &mut rest[0];
            if C::ENCODES {
                exchange(number, &mut state.now);
            }
            code_plane(lanes, coder, self.bits, state, done);
            if !C::ENCODES {
                exchange(number, &mut state.now);
            }
        }
        for state in &mut self.states {
            state.picture.advance();
            std::mem::swap(&mut state.now, &mut state.before);
        }
    }
}

#[inline(always)]
fn code_plane<L: Lanes, C: Coder>(lanes: L, coder: &mut C, bits: u32, state: &mut State, done: &[State]) {
    let width = state.size.width;
    let (across, down) = (state.cells.across, state.cells.down);
    let height = state.cells_size.1;
    if C::ENCODES {
        for y in 0..height {
            state.picture.set_row(y, &state.now[(y << down) * width..][..width], across);
        }
    }
    for (back, reduced) in (1..=2).zip(0..) {
        let Some(other) = done.len().checked_sub(back).map(|at| &done[at]) else { continue };
        match state.halves(other.cells_size) {
            None | Some((0, 0)) => {}
            Some((across, down)) => {
                other.picture.traces.halve(
                    other.cells_size,
                    &mut state.reduced[reduced],
                    state.cells_size,
                    across,
                    down,
                );
            }
        }
    }
    let trace = |back: usize| match done.len().checked_sub(back).map(|at| &done[at]) {
        Some(other) if other.cells_size == state.cells_size => &other.picture.traces,
        _ => &state.reduced[back - 1],
    };
    state.picture.code(lanes, coder, [trace(1), trace(2)]);
    if !C::ENCODES {
        for y in 0..height {
            state.picture.get_row(y, &mut state.now[(y << down) * width..][..width], across);
        }
    }
    if across + down > 0 {
        let guide = done.first().filter(|first| first.size == state.size).map(|first| &first.now[..]);
        let previous = (!state.picture.first).then_some(&state.before[..]);
        state.cells.code(lanes, coder, bits, &mut state.now, guide, previous);
    }
}
