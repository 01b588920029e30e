//! Vectors of motion, by distributions that adapt.
//!
//! A block of four units is whole or falls into them, by a bit in the context of its neighbours. A vector is as expected
//! (`motion::expected`), by a bit, or differs from that, each way by a symbol of 16 in the context of how much those before
//! did.

use super::adaptive::{Bit, Distribution, code_symbol};
use super::lanes::{Lanes, Portable};
use super::rans::{Coder, Decoder, Encoder};
use super::run::code_escape;
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};
use crate::motion::{BLOCK_UNITS, Field, Filter, Vector, expected};

/// How a block begins whose filters are of more bits than the first ones needed; no states of a coder are like that.
const WIDE: [u8; 4] = [1, 0, 0, 0];

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
    /// The number of a filter that is not known, if there was one.
    type Output = Option<u32>;

    #[inline(always)]
    fn run(self) -> Option<u32> {
        let Self { lanes, coder, filter_bits, fields } = self;
        let mut models = Models::new();
        for field in fields {
            if coder.is_spent() {
                break;
            }
            let filter = coder.plain(filter_bits, field.filter as u32);
            let Some(&known) = Filter::ALL.get(filter as usize) else { return Some(filter) };
            field.filter = known;
            let across = field.across / BLOCK_UNITS;
            let mut above = vec![Trace::default(); across];
            for row in 0..field.vectors.len() / field.across / BLOCK_UNITS {
                let mut left = Trace::default();
                for (column, above) in above.iter_mut().enumerate() {
                    left = code_block(lanes, coder, &mut models, field, (column, row), [left, *above]);
                    *above = left;
                }
            }
        }
        None
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
) -> Trace {
    let (column, row) = (column * BLOCK_UNITS, row * BLOCK_UNITS);
    let places = [(column, row), (column + 1, row), (column, row + 1), (column + 1, row + 1)];
    let place = |(column, row): (usize, usize)| row * field.across + column;
    let units = places.map(place);
    let splits = C::ENCODES && units.iter().any(|&unit| field.vectors[unit] != field.vectors[units[0]]);
    let split = models.split[usize::from(left.split) + usize::from(above.split)].code(coder, splits);
    let mut trace = Trace { split, distance: 0 };
    let distance = usize::from(left.distance.saturating_add(above.distance));
    let coded = if split { 4 } else { 1 };
    for (&unit, &(column, row)) in units.iter().zip(&places).take(coded) {
        let beside = expected(field, column, row, if split { 1 } else { BLOCK_UNITS });
        let vector = code_vector(lanes, coder, models, field.vectors[unit], beside, split, distance);
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

fn run<C: Coder>(simd: SimdLevel, coder: &mut C, filter_bits: u32, fields: &mut [Field]) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(Job { lanes, coder, filter_bits, fields });
    }
    simd.run(Job { lanes: Portable, coder, filter_bits, fields })
}

/// The coded fields of all frames but the first.
pub fn encode(simd: SimdLevel, fields: &[Field]) -> Vec<u8> {
    let is_wide = fields.iter().any(|field| field.filter as u32 >> 2 > 0);
    let (filter_bits, mut packed) = if is_wide { (4, WIDE.to_vec()) } else { (2, Vec::new()) };
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
    let unknown = |what| Error::unsupported(format!("vectors: {what} is not known to this version; update framepress"));
    let (filter_bits, words) = match packed.split_first_chunk::<4>() {
        Some((&WIDE, words)) => (4, words),
        Some((&[low, high, 0, 0], _)) => return Err(unknown(format!("form {}", u16::from_le_bytes([low, high])))),
        _ => (2, packed),
    };
    let mut decoder = Decoder::new(words);
    if let Some(filter) = run(simd, &mut decoder, filter_bits, fields) {
        return Err(unknown(format!("filter {filter}")));
    }
    if decoder.finish() { Ok(()) } else { Err(Error::corrupt("vectors: their words do not end as they should")) }
}
