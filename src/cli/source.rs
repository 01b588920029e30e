//! The frames that a run compresses.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use framepress::frame::{FrameFormat, Origin};
use framepress::input::{Description, FrameReader, InputBatch};
use framepress::{Error, ErrorKind, Result, Writer};

use super::interrupt;
use super::progress::Progress;

/// Frames to compress.
pub struct Source<'a> {
    pub name: &'a str,
    pub reader: Box<dyn FrameReader>,
    /// What is to be kept with the frames.
    pub metadata: BTreeMap<String, String>,
    /// The time of every frame, if times are to be kept.
    pub timestamps: Option<Vec<i64>>,
    pub progress: Progress,
}

impl Source<'_> {
    /// What the header says of the frames.
    pub fn header(&self) -> (FrameFormat, Origin) {
        let Description { format, origin, .. } = self.reader.description().clone();
        (format, Origin { metadata: self.metadata.clone(), ..origin })
    }

    /// Writes the frames, batch by batch, as long as `admit` takes them. Returns how many there were. `packed_bytes` is
    /// what has been written at any time, if that is counted.
    pub fn write_to<W: Write + Send>(
        self,
        writer: &mut Writer<'_, W>,
        packed_bytes: Option<&AtomicU64>,
        mut admit: impl FnMut(&InputBatch) -> Result<()>,
    ) -> Result<u64> {
        let Self { name, reader, timestamps, mut progress, .. } = self;
        let mut times = Times { all: timestamps, taken: 0 };
        let mut frames = 0;
        let batch_frames = writer.batch_frames();
        read_ahead(reader, batch_frames, |batches, give_back| {
            let batches = batches.into_iter().map(|batch| {
                interrupt::check()?;
                let mut batch = batch.map_err(|error| error.context(name))?;
                batch.timestamps = times.take(batch.frames)?;
                admit(&batch).map_err(|error| error.context(name))?;
                Ok(batch)
            });
            writer.write_batches(batches, |batch| {
                frames += batch.frames as u64;
                let packed_bytes = packed_bytes.map(|bytes| bytes.load(Ordering::Relaxed));
                progress.advance(batch.frames as u64, batch.bytes.len() as u64, packed_bytes);
                // Reading may be over.
                let _ = give_back.send(batch.bytes);
                Ok(())
            })
        })?;
        times.finish()?;
        progress.finish();
        Ok(frames)
    }
}

/// Times, batch by batch.
struct Times {
    all: Option<Vec<i64>>,
    taken: usize,
}

impl Times {
    fn take(&mut self, frames: usize) -> Result<Vec<i64>> {
        let Some(all) = &self.all else { return Ok(Vec::new()) };
        let times = all.get(self.taken..self.taken + frames).map(<[i64]>::to_vec);
        self.taken += frames;
        times.ok_or_else(|| wrong_count(all.len(), "more"))
    }

    fn finish(self) -> Result<()> {
        match self.all {
            Some(all) if all.len() != self.taken => Err(wrong_count(all.len(), &self.taken.to_string())),
            _ => Ok(()),
        }
    }
}

fn wrong_count(times: usize, frames: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("--timestamps: {times} times are given, there are {frames} frames"))
}

/// Does `work` with the batches that a thread of its own reads, and gives their memory back to it.
fn read_ahead(
    mut reader: Box<dyn FrameReader>,
    batch_frames: usize,
    work: impl FnOnce(Receiver<Result<InputBatch>>, Sender<Vec<u8>>) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        // No queue: what is in work and one batch being read bound the memory.
        let (sender, batches) = sync_channel(0);
        let (give_back, returned) = channel();
        scope.spawn(move || {
            while let Some(batch) = reader.read_batch(batch_frames).transpose() {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    break;
                }
                if let Ok(bytes) = returned.try_recv() {
                    reader.reuse(bytes);
                }
            }
        });
        work(batches, give_back)
    })
}
