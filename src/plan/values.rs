//! Batches that use few of the values their samples could have.
//!
//! Depth cameras, quantised sensors and stretched channels leave gaps between the values that occur.
//! Samples are then replaced by the places of their values in a table before anything else is done, so
//! that neighbouring values are neighbouring numbers and prediction does not pay for the gaps.

use crate::error::{Error, Result};
use crate::frame::{Batch, Geometry};

/// The values that occur in a batch, in order, as unsigned numbers (the sign bit of signed samples is turned
/// over); or none, where samples are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Values(Vec<u16>);

/// The gap byte that another one continues.
const CONTINUED: u8 = u8::MAX;

/// Values of samples of this many bytes.
fn possible(sample_bytes: usize) -> usize {
    1 << (8 * sample_bytes)
}

/// Turns the order of samples into the order of unsigned numbers, and back.
fn sign(geometry: &Geometry) -> u16 {
    match (geometry.signed, geometry.sample_bytes) {
        (true, 1) => 1 << 7,
        (true, _) => 1 << 15,
        _ => 0,
    }
}

/// Calls `with` for every sample of one or two bytes.
fn samples(raw: &[u8], sample_bytes: usize, mut with: impl FnMut(u16)) {
    match sample_bytes {
        1 => raw.iter().for_each(|&byte| with(byte.into())),
        _ => raw.as_chunks().0.iter().for_each(|&bytes| with(u16::from_le_bytes(bytes))),
    }
}

impl Values {
    /// Whether samples are left as they are.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The values of a batch, if at least a quarter of those between the lowest and the highest are
    /// missing. Samples of more than two bytes are not looked at: those that are sparse repeat, and are left to
    /// Zstandard.
    pub(crate) fn of(batch: Batch<'_>) -> Option<Self> {
        let geometry = batch.geometry;
        if geometry.sample_bytes > 2 || batch.raw.is_empty() {
            return None;
        }
        let mut occurs = vec![false; possible(geometry.sample_bytes)];
        samples(batch.raw, geometry.sample_bytes, |value| occurs[usize::from(value)] = true);
        let sign = sign(geometry);
        // There are 2^16 at most.
        let all = (0..occurs.len()).map(|value| value as u16);
        let values: Vec<u16> = all.filter(|&value| occurs[usize::from(value ^ sign)]).collect();
        let (first, last) = (*values.first()?, *values.last()?);
        let range = usize::from(last - first) + 1;
        (values.len() <= range / 4 * 3).then_some(Self(values))
    }

    /// Checks that samples can have the values.
    pub(crate) fn check(&self, geometry: &Geometry) -> Result<()> {
        let too_high = |last: u16| geometry.sample_bytes > 2 || usize::from(last) >= possible(geometry.sample_bytes);
        match self.0.last() {
            Some(&last) if too_high(last) => Err(Error::corrupt("value table: a value that samples cannot have")),
            _ => Ok(()),
        }
    }

    /// The samples of a batch as places in the table. Every value must be in it.
    pub(crate) fn places(&self, batch: Batch<'_>) -> Vec<u8> {
        let sign = sign(batch.geometry);
        let mut place_of = vec![0u16; possible(batch.geometry.sample_bytes)];
        for (place, &value) in (0u16..).zip(&self.0) {
            place_of[usize::from(value ^ sign)] = place;
        }
        let mut places = Vec::with_capacity(batch.raw.len());
        let place = |value: u16| place_of.get(usize::from(value)).copied().unwrap_or(0);
        match batch.geometry.sample_bytes {
            // The places of a byte are bytes.
            1 => places.extend(batch.raw.iter().map(|&byte| place(byte.into()) as u8)),
            _ => {
                let values = batch.raw.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes));
                places.extend(values.flat_map(|value| place(value).to_le_bytes()));
            }
        }
        places
    }

    /// Turns places back into samples.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for a place that the table does not have.
    pub fn restore(&self, geometry: &Geometry, raw: &mut [u8]) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        // The highest place is found as they are looked up, so that the loop has no exit.
        let (mut highest, sign) = (0, sign(geometry));
        let mut value = |place: u16| {
            highest = highest.max(place);
            self.0.get(usize::from(place)).map_or(0, |&value| value ^ sign)
        };
        match geometry.sample_bytes {
            // The values of bytes are bytes.
            1 => raw.iter_mut().for_each(|byte| *byte = value((*byte).into()) as u8),
            _ => {
                for bytes in raw.as_chunks_mut().0 {
                    *bytes = value(u16::from_le_bytes(*bytes)).to_le_bytes();
                }
            }
        }
        if usize::from(highest) >= self.len() {
            return Err(Error::corrupt(format!("value table: place {highest} of {}", self.len())));
        }
        Ok(())
    }

    /// The table as it is recorded: for each value how many were left out since the one before.
    pub(crate) fn gaps(&self) -> Vec<u8> {
        let mut next = 0u32;
        let mut gaps = Vec::new();
        for &value in &self.0 {
            let mut gap = u32::from(value) - next;
            while gap >= u32::from(CONTINUED) {
                gaps.push(CONTINUED);
                gap -= u32::from(CONTINUED);
            }
            gaps.push(gap as u8);
            next = u32::from(value) + 1;
        }
        gaps
    }

    /// Reads a table of `count` values; `byte` gives its bytes.
    pub(crate) fn from_gaps(geometry: &Geometry, count: u32, mut byte: impl FnMut() -> Result<u8>) -> Result<Self> {
        let wrong = || Err(Error::corrupt("value table: a value that samples cannot have"));
        if count > 0 && geometry.sample_bytes > 2 {
            return wrong();
        }
        let mut next = 0;
        let mut values = Vec::new();
        for _ in 0..count {
            loop {
                let gap = byte()?;
                next += usize::from(gap);
                if next >= possible(geometry.sample_bytes) {
                    return wrong();
                }
                if gap != CONTINUED {
                    break;
                }
            }
            // It is below 2^16.
            values.push(next as u16);
            next += 1;
        }
        Ok(Self(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Dtype, FrameFormat, Layout};

    fn geometry(dtype: Dtype, samples: usize) -> Geometry {
        Geometry::new(&FrameFormat::new(dtype, Layout::Gray { width: samples, height: 1 }).unwrap(), 1)
    }

    fn raw(values: &[u16], sample_bytes: usize) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()[..sample_bytes].to_vec()).collect()
    }

    #[test]
    fn sparse_samples_become_places_and_come_back() {
        for (dtype, values, places) in [
            (Dtype::U16, vec![65535, 0, 1000, 1000], vec![2, 0, 1, 1]),
            (Dtype::I16, vec![65535, 0, 1000, 0x8000], vec![1, 2, 3, 0]),
            (Dtype::F16, vec![0x3C00, 0xFE01, 0x8000, 0], vec![1, 3, 2, 0]),
            (Dtype::U8, vec![255, 0, 128, 7], vec![3, 0, 2, 1]),
            (Dtype::I8, vec![255, 0, 128, 7], vec![1, 2, 0, 3]),
        ] {
            let geometry = geometry(dtype, values.len());
            let bytes = geometry.sample_bytes;
            let batch = raw(&values, bytes);
            let batch = Batch { geometry: &geometry, raw: &batch };
            let table = Values::of(batch).expect("sparse");
            let mut mapped = table.places(batch);
            assert_eq!(mapped, raw(&places, bytes), "{dtype}");
            table.restore(&geometry, &mut mapped).unwrap();
            assert_eq!(mapped, batch.raw, "{dtype}");

            let gaps = table.gaps();
            let mut input = gaps.iter();
            let mut byte = || input.next().copied().ok_or_else(|| Error::corrupt("end"));
            assert_eq!(Values::from_gaps(&geometry, table.len() as u32, &mut byte).unwrap(), table);
            assert!(input.next().is_none());
        }
    }

    #[test]
    fn dense_samples_are_left_alone() {
        let dense: Vec<u16> = (100..200).collect();
        let geometry = geometry(Dtype::U16, dense.len());
        assert!(Values::of(Batch { geometry: &geometry, raw: &raw(&dense, 2) }).is_none());
    }

    #[test]
    fn hostile_tables_are_refused() {
        let two = geometry(Dtype::U16, 4);
        let read = |geometry: &Geometry, count, gaps: &[u8]| {
            let mut gaps = gaps.iter();
            Values::from_gaps(geometry, count, || gaps.next().copied().ok_or_else(|| Error::corrupt("end")))
        };
        assert!(read(&two, 2, &[255, 0, 0]).is_ok());
        assert!(read(&two, 3, &[255, 0, 0]).is_err(), "too short");
        assert!(read(&two, 1, &[255; 300]).is_err(), "past 65535");
        assert!(read(&geometry(Dtype::U8, 4), 2, &[254, 1]).is_err(), "past 255");
        assert!(read(&geometry(Dtype::F32, 4), 1, &[0]).is_err(), "four bytes");
        let table = read(&two, 2, &[0, 5]).unwrap();
        assert!(table.restore(&two, &mut [1, 0, 2, 0]).is_err(), "place 2 of 2");
    }
}
