//! The units of coded blocks as they are, together one Zstandard frame: where there is no time for a model.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, compress_bound};

use crate::error::{Error, Result};

/// The units of a band's coded blocks: an encoder's so far, or a decoder's that are still to come.
#[derive(Default)]
pub(super) struct Plain {
    units: Vec<u8>,
    taken: usize,
}

impl Plain {
    pub fn append(&mut self, units: &[u8]) {
        self.units.extend_from_slice(units);
    }

    /// Fills `units` with the next.
    pub fn take(&mut self, units: &mut [u8]) -> Result<()> {
        let next = self.units.get(self.taken..).and_then(|rest| rest.get(..units.len()));
        units.copy_from_slice(next.ok_or_else(|| Error::corrupt("discrete block: too few units"))?);
        self.taken += units.len();
        Ok(())
    }

    pub fn is_finished(&self) -> bool {
        self.taken == self.units.len()
    }

    /// The code of a band: two lengths, its `decisions`, and the units at this level of Zstandard.
    pub fn code(&self, decisions: &[u8], zstd_level: i32) -> Result<Vec<u8>> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| Error::limit("band: more than 4 GiB"));
        let mut out = Vec::new();
        out.extend(length(decisions)?.to_le_bytes());
        out.extend(length(&self.units)?.to_le_bytes());
        out.extend(decisions);
        let mut compressor = Compressor::new(zstd_level)?;
        compressor.set_parameter(CParameter::ContentSizeFlag(false))?;
        // Only what is written of it takes time and memory.
        let mut packed = Vec::with_capacity(compress_bound(self.units.len()));
        compressor.compress_to_buffer(&self.units, &mut packed)?;
        out.extend(packed);
        Ok(out)
    }

    /// Reads what [`Plain::code`] gave: the units, which are at most so many bytes, and the decisions.
    pub fn read(code: &[u8], most: usize) -> Result<(Self, &[u8])> {
        let damaged = |what: &str| Error::corrupt(format!("discrete block: {what}"));
        let (lengths, rest) = code.split_first_chunk::<8>().ok_or_else(|| damaged("it ends within its lengths"))?;
        let [decisions, units] =
            bytemuck::cast::<_, [[u8; 4]; 2]>(*lengths).map(|length| u32::from_le_bytes(length) as usize);
        let (decisions, packed) =
            rest.split_at_checked(decisions).ok_or_else(|| damaged("it ends within its decisions"))?;
        if units > most {
            return Err(damaged("more units than its blocks have"));
        }
        let mut plain = Self { units: vec![0; units], taken: 0 };
        let found = Decompressor::new()?
            .decompress_to_buffer(packed, &mut plain.units[..])
            .map_err(|error| damaged(&format!("units: {error}")))?;
        if found == units { Ok((plain, decisions)) } else { Err(damaged("too few units")) }
    }
}
