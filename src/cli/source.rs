//! The frames that a run compresses.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use framepress::input::{FrameReader, InputBatch};
use framepress::{Result, Writer};

use super::interrupt;
use super::progress::Progress;

/// Frames to compress.
pub struct Source<'a> {
    pub name: &'a str,
    pub reader: Box<dyn FrameReader>,
    pub progress: Progress,
}

impl Source<'_> {
    /// Writes the frames, batch by batch, as long as `admit` takes them. Returns how many there were. `packed_bytes` is
    /// what has been written at any time, if that is counted.
    pub fn write_to<W: Write + Send>(
        self,
        writer: &mut Writer<'_, W>,
        packed_bytes: Option<&AtomicU64>,
        mut admit: impl FnMut(&InputBatch) -> Result<()>,
    ) -> Result<u64> {
        let Self { name, reader, mut progress } = self;
        let mut frames = 0;
        let batch_frames = writer.batch_frames();
        read_ahead(reader, batch_frames, |batches, give_back| {
            let batches = batches.into_iter().map(|batch| {
                interrupt::check()?;
                let batch = batch.and_then(|batch| admit(&batch).map(|()| batch));
                batch.map_err(|error| error.context(name))
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
        progress.finish();
        Ok(frames)
    }
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
