//! Vectors of motion, by distributions that adapt.
//!
//! A block of four units is whole or falls into them, by a bit in the context of its neighbours. A vector is as expected
//! (`motion::expected`), by a bit, or differs from that, each way by a symbol of 16 in the context of how much those before
//! did.
//!
//! Where frames refer to later ones ([`encode_ordered`]), the order comes first, and each frame between anchors has its sides
//! before its vectors; what no unit has a use for takes no bits.

use super::adaptive::{Bit, Distribution, code_symbol};
use super::lanes::{Lanes, Portable};
use super::rans::{Coder, Decoder, Encoder};
use super::run::code_escape;
use super::sides::{Sides, code_order};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};
use crate::motion::order::{Order, Step};
use crate::motion::{BLOCK_UNITS, Field, Filter, Later, Moved, Side, Vector, expected};

/// How a block begins whose filters are of more bits than the first ones needed; no states of a coder are like that.
const WIDE: [u8; 4] = [1, 0, 0, 0];
/// How one begins whose frames are not coded in turn.
const ORDERED: [u8; 4] = [2, 0, 0, 0];
/// Bits of a filter in both.
const WIDE_BITS: u32 = 4;

/// Sums of two distances that are told apart.
const DISTANCES: usize = 4;

struct Models {
    split: [Bit; 3],
    as_expected: [Bit; 2 * 3],
    /// By whether it is of a unit, the way, and distances.
    one: [Distribution; 2 * 2 * DISTANCES],
    two: [Distribution; 2],
    escapes: [[Bit; 16]; 2],
}

impl Models {
    fn new() -> Self {
        let even = Distribution::of([2048; 16]);
        Self {
            split: [Bit::EVEN; 3],
            as_expected: [Bit::EVEN; 6],
            one: [even; 16],
            two: [even; 2],
            escapes: [[Bit::EVEN; 16]; 2],
        }
    }
}

/// What is known of a block once it is coded: whether it fell apart, and how far from what was expected its last
/// vector was.
#[derive(Clone, Copy, Default)]
struct Trace {
    split: bool,
    distance: u16,
}

struct Job<'a, L, C> {
    lanes: L,
    coder: &'a mut C,
    filter_bits: u32,
    fields: &'a mut [Field],
}

impl<L: Lanes, C: Coder> Kernel for Job<'_, L, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, coder, filter_bits, fields } = self;
        let mut models = Models::new();
        for field in fields {
            if coder.is_spent() {
                break;
            }
            code_field(lanes, coder, &mut models, filter_bits, field, |_| true);
        }
    }
}

/// What [`Job`] does, of frames in an order that is coded too.
struct OrderedJob<'a, L, C> {
    lanes: L,
    coder: &'a mut C,
    order: Order,
    still: &'a Field,
    moved: Vec<Moved>,
}

impl<L: Lanes, C: Coder> Kernel for OrderedJob<'_, L, C> {
    /// What was coded.
    type Output = (Order, Vec<Moved>);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { lanes, coder, order, still, mut moved } = self;
        let order = code_order(coder, &order);
        let steps = order.steps();
        let of_step = |step: &Step| Moved { earlier: still.clone(), later: step.later.map(|_| Later::still(still)) };
        if !C::ENCODES {
            moved = steps.iter().skip(1).map(of_step).collect();
        }
        let mut models = [Models::new(), Models::new()];
        let mut sides = Sides::new();
        for Moved { earlier, later } in &mut moved {
            if coder.is_spent() {
                break;
            }
            let [of_earlier, of_later] = &mut models;
            match later {
                None => code_field(lanes, coder, of_earlier, WIDE_BITS, earlier, |_| true),
                Some(later) => {
                    sides.code(coder, later);
                    let Later { field, sides } = later;
                    let sides = &sides[..];
                    code_field(lanes, coder, of_earlier, WIDE_BITS, earlier, |unit| sides[unit] != Side::Later);
                    code_field(lanes, coder, of_later, WIDE_BITS, field, |unit| sides[unit] != Side::Earlier);
                }
            }
        }
        (order, moved)
    }
}

/// A field, of which some units are used.
#[inline(always)]
fn code_field<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    models: &mut Models,
    filter_bits: u32,
    field: &mut Field,
    used: impl Fn(usize) -> bool,
) {
    let filter = coder.plain(filter_bits, field.filter as u32);
    // There are as many as these bits have numbers.
    field.filter = Filter::ALL[filter as usize % Filter::ALL.len()];
    let across = field.across / BLOCK_UNITS;
    let mut above = vec![Trace::default(); across];
    for row in 0..field.vectors.len() / field.across / BLOCK_UNITS {
        let mut left = Trace::default();
        for (column, above) in above.iter_mut().enumerate() {
            left = code_block(lanes, coder, models, field, (column, row), [left, *above], &used);
            *above = left;
        }
    }
}

#[inline(always)]
fn code_block<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    models: &mut Models,
    field: &mut Field,
    (column, row): (usize, usize),
    [left, above]: [Trace; 2],
    used: impl Fn(usize) -> bool,
) -> Trace {
    let (column, row) = (column * BLOCK_UNITS, row * BLOCK_UNITS);
    let places = [(column, row), (column + 1, row), (column, row + 1), (column + 1, row + 1)];
    let place = |(column, row): (usize, usize)| row * field.across + column;
    let units = places.map(place);
    let is_used = units.map(used);
    let Some(first) = is_used.iter().position(|&used| used) else {
        let beside = expected(field, column, row, BLOCK_UNITS);
        units.iter().for_each(|&unit| field.vectors[unit] = beside);
        return Trace::default();
    };
    let of_block = field.vectors[units[first]];
    let splits = C::ENCODES && units.iter().zip(is_used).any(|(&unit, used)| used && field.vectors[unit] != of_block);
    let split = models.split[usize::from(left.split) + usize::from(above.split)].code(coder, splits);
    let mut trace = Trace { split, distance: 0 };
    let distance = usize::from(left.distance.saturating_add(above.distance));
    let coded = if split { 4 } else { 1 };
    for ((&unit, &(column, row)), used) in units.iter().zip(&places).zip(is_used).take(coded) {
        let beside = expected(field, column, row, if split { 1 } else { BLOCK_UNITS });
        if split && !used {
            field.vectors[unit] = beside;
            continue;
        }
        let own = if split { field.vectors[unit] } else { of_block };
        let vector = code_vector(lanes, coder, models, own, beside, split, distance);
        field.vectors[unit] = vector;
        let far = |own: i16, beside: i16| own.abs_diff(beside);
        trace.distance = far(vector.x, beside.x).saturating_add(far(vector.y, beside.y));
    }
    if !split {
        units.iter().for_each(|&unit| field.vectors[unit] = field.vectors[units[0]]);
    }
    trace
}

#[inline(always)]
fn code_vector<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    models: &mut Models,
    vector: Vector,
    beside: Vector,
    split: bool,
    distance: usize,
) -> Vector {
    let near = usize::from(distance > 0) + usize::from(distance > 8);
    if models.as_expected[usize::from(split) * 3 + near].code(coder, vector == beside) {
        return beside;
    }
    let near = near + usize::from(distance > 40);
    let x = code_way(lanes, coder, models, (vector.x, beside.x), (usize::from(split), 0, near));
    Vector { x, y: code_way(lanes, coder, models, (vector.y, beside.y), (usize::from(split), 1, near)) }
}

/// A vector to the right or down.
#[inline(always)]
fn code_way<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    models: &mut Models,
    (own, beside): (i16, i16),
    (split, way, near): (usize, usize, usize),
) -> i16 {
    let difference = if C::ENCODES { i32::from(own) - i32::from(beside) } else { 0 };
    let symbol = if (-7..=7).contains(&difference) { (difference + 7) as usize } else { 15 };
    let one = &mut models.one[(split * 2 + way) * DISTANCES + near];
    let symbol = code_symbol(lanes, coder, one, &mut models.two[way], symbol);
    let difference = match symbol {
        15 => code_escape(coder, &mut models.escapes[way], difference),
        symbol => symbol as i32 - 7,
    };
    (i32::from(beside) + difference) as i16
}

fn run<C: Coder>(simd: SimdLevel, coder: &mut C, filter_bits: u32, fields: &mut [Field]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(Job { lanes, coder, filter_bits, fields });
    }
    simd.run(Job { lanes: Portable, coder, filter_bits, fields })
}

fn run_ordered<C: Coder>(
    simd: SimdLevel,
    coder: &mut C,
    order: Order,
    still: &Field,
    moved: Vec<Moved>,
) -> (Order, Vec<Moved>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(OrderedJob { lanes, coder, order, still, moved });
    }
    simd.run(OrderedJob { lanes: Portable, coder, order, still, moved })
}

/// The coded fields of all frames but the first.
pub fn encode(simd: SimdLevel, fields: &[Field]) -> Vec<u8> {
    let is_wide = fields.iter().any(|field| field.filter as u32 >> 2 > 0);
    let (filter_bits, mut packed) = if is_wide { (WIDE_BITS, WIDE.to_vec()) } else { (2, Vec::new()) };
    let mut encoder = Encoder::default();
    run(simd, &mut encoder, filter_bits, &mut fields.to_vec());
    encoder.finish(&mut packed);
    packed
}

/// Decodes as many fields as there are in `fields`, of their sizes.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if `packed` is not what `encode` gives for such fields;
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if it is what that of a later version may give.
pub fn decode(simd: SimdLevel, packed: &[u8], fields: &mut [Field]) -> Result<()> {
    let (filter_bits, words) = match packed.split_first_chunk::<4>() {
        Some((&WIDE, words)) => (WIDE_BITS, words),
        Some((&[low, high, 0, 0], _)) => {
            let form = u16::from_le_bytes([low, high]);
            return Err(Error::unsupported(format!(
                "vectors: form {form} is not known to this version; update framepress"
            )));
        }
        _ => (2, packed),
    };
    let mut decoder = Decoder::new(words);
    run(simd, &mut decoder, filter_bits, fields);
    ended(decoder)
}

fn ended(decoder: Decoder<'_>) -> Result<()> {
    if decoder.finish() { Ok(()) } else { Err(Error::corrupt("vectors: their words do not end as they should")) }
}

/// The coded order of a batch, and how each frame is made but the first one, as they are coded: vectors that no unit has a use
/// for become those that they are decoded to. Where frames are coded in turn that is what [`encode`] gives.
pub fn encode_ordered(simd: SimdLevel, order: &Order, moved: Vec<Moved>) -> (Vec<u8>, Vec<Moved>) {
    if order.is_in_turn() {
        let fields: Vec<Field> = moved.iter().map(|moved| moved.earlier.clone()).collect();
        return (encode(simd, &fields), moved);
    }
    let mut packed = ORDERED.to_vec();
    let mut encoder = Encoder::default();
    let still = Field { filter: Filter::Whole, across: 0, vectors: Vec::new() };
    let (_, moved) = run_ordered(simd, &mut encoder, order.clone(), &still, moved);
    encoder.finish(&mut packed);
    (packed, moved)
}

/// Decodes the order of `frames` frames, and how each is made but the first one, in that order; `still` is a field of their
/// size.
///
/// # Errors
/// As [`decode`].
pub fn decode_ordered(simd: SimdLevel, packed: &[u8], frames: usize, still: &Field) -> Result<(Order, Vec<Moved>)> {
    let in_turn = Order::in_turn(frames);
    let Some((&ORDERED, words)) = packed.split_first_chunk::<4>() else {
        let mut fields = vec![still.clone(); frames.saturating_sub(1)];
        decode(simd, packed, &mut fields)?;
        return Ok((in_turn, fields.into_iter().map(|earlier| Moved { earlier, later: None }).collect()));
    };
    let mut decoder = Decoder::new(words);
    let decoded = run_ordered(simd, &mut decoder, in_turn, still, Vec::new());
    ended(decoder)?;
    Ok(decoded)
}
