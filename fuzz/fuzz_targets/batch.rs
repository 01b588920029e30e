//! A whole batch: every SIMD level restores the same frames, and the library those.

#![no_main]

use framepress::frame::{Geometry, WorkBuffer};
use framepress::internal::{Backend, BatchRecord, CpuBackend, Decoder, RecordReader, blocks, checksum};
use framepress::{DecodedBatch, Decompressor, Limits, Reader, Result};
use framepress_fuzz::{File, at_every_level};
use libfuzzer_sys::fuzz_target;

fn decode(geometry: &Geometry, record: &BatchRecord) -> Result<WorkBuffer> {
    let mut residuals = WorkBuffer::zeroed(geometry.work_bytes());
    let mut packed = record.payload.as_slice();
    for (entry, place) in record.blocks.iter().zip(blocks(geometry, record.plan.span_samples)) {
        let (coded, rest) = packed.split_at(entry.packed_bytes as usize);
        Decoder::default().decode(entry.codec, coded, &mut residuals.as_bytes_mut()[place.bytes])?;
        packed = rest;
    }
    Ok(residuals)
}

/// What the library makes of the first batch.
fn first_batch(file: &[u8]) -> Result<Option<DecodedBatch>> {
    Reader::new(file, &Decompressor::default())?.next_batch()
}

fuzz_target!(|input: &[u8]| {
    let mut file = File::new(input);
    let next = RecordReader::new(file.bytes.as_slice(), Limits::default()).expect("the header is sound").next();
    let Ok(Some(record)) = next else {
        assert!(first_batch(&file.bytes).is_err());
        return;
    };
    let geometry = Geometry::new(&file.format, record.frames as usize);
    let Ok(residuals) = decode(&geometry, &record) else {
        assert!(first_batch(&file.bytes).is_err());
        return;
    };
    let raw = at_every_level(|level| {
        let (mut residuals, mut raw) = (residuals.clone(), vec![0; geometry.raw_bytes()]);
        let done = CpuBackend::new(level, 1).inverse(&geometry, &record.plan, &mut residuals, &mut raw);
        done.is_ok().then_some(raw)
    });
    let raw = raw.expect("residuals of any content are those of some frames");
    file.seal(checksum(&raw));
    let batch = first_batch(&file.bytes).expect("a sound batch").expect("a batch");
    assert!(batch.frames.as_bytes() == raw);
});
