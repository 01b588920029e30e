//! Reading a file that is still being written.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::container;
use crate::error::ErrorKind;

/// Time between two looks at the end of the file.
const PAUSE: Duration = Duration::from_millis(20);

/// A file that is read as it grows: at its end, reading waits for more bytes, until the file has its index, or until
/// the writer is given up. Then the end is the end, and a [`Reader`](crate::Reader) says that the file is truncated
/// unless it is whole.
///
/// ```
/// use std::io::Cursor;
/// use framepress::{Decompressor, Following, Reader, Settings, compress};
/// # let file = Cursor::new(compress(ndarray::Array3::<u8>::zeros((10, 4, 5)).view(), &Settings::new())?);
/// let decompressor = Decompressor::default();
/// let mut reader = Reader::new(Following::new(file), &decompressor)?;
/// while let Some(batch) = reader.next_batch()? {
///     println!("{} frames more", batch.frames.frames());
/// }
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct Following<F> {
    file: F,
    position: u64,
    timeout: Option<Duration>,
    stop: Box<dyn Fn() -> bool + Send>,
}

impl<F: Read + Seek> Following<F> {
    /// Follows a file from its start, for as long as it takes.
    pub fn new(file: F) -> Self {
        Self { file, position: 0, timeout: None, stop: Box::new(|| false) }
    }

    /// Gives up once nothing has been written for `timeout`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gives up once `stop` says so. It is asked many times a second.
    #[must_use]
    pub fn with_stop(mut self, stop: impl Fn() -> bool + Send + 'static) -> Self {
        self.stop = Box::new(stop);
        self
    }

    /// Bytes that the file has now.
    fn bytes(&mut self) -> io::Result<u64> {
        let bytes = self.file.seek(SeekFrom::End(0))?;
        if bytes < self.position {
            return Err(io::Error::other("the file was cut while it was followed"));
        }
        Ok(bytes)
    }

    fn is_whole(&mut self) -> io::Result<bool> {
        match container::read_index(&mut self.file, 0, self.position) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Io => Err(io::Error::other(error)),
            Err(_) => Ok(false),
        }
    }
}

impl<F: Read + Seek> Read for Following<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        let mut whole = None;
        loop {
            // Other eyes on the file move its position.
            self.file.seek(SeekFrom::Start(self.position))?;
            let read = self.file.read(buffer)?;
            self.position += read as u64;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if self.bytes()? > self.position {
                continue;
            }
            // Looked at once: it stays what it is until the file grows.
            if whole.is_none() {
                whole = Some(self.is_whole()?);
            }
            let given_up = self.timeout.is_some_and(|timeout| start.elapsed() >= timeout);
            if whole == Some(true) || given_up || (self.stop)() {
                return Ok(0);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::num::NonZeroUsize;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;
    use crate::frame::{Dtype, FrameFormat, Layout};
    use crate::input::InputBatch;
    use crate::plan::{DeviceChoice, Settings};
    use crate::{Compressor, Decompressor, Reader, Writer};

    /// A file in memory, which grows by some bytes whenever its end is looked for.
    struct Growing {
        bytes: Rc<Vec<u8>>,
        there: usize,
        step: usize,
        position: usize,
        /// How long it was when it was read.
        seen: Rc<RefCell<Vec<usize>>>,
    }

    impl Read for Growing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = &self.bytes[self.position.min(self.there)..self.there];
            let read = left.len().min(buffer.len());
            buffer[..read].copy_from_slice(&left[..read]);
            self.position += read;
            Ok(read)
        }
    }

    impl Seek for Growing {
        fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
            self.position = match position {
                SeekFrom::Start(position) => position as usize,
                SeekFrom::End(_) => {
                    self.there = (self.there + self.step).min(self.bytes.len());
                    self.seen.borrow_mut().push(self.there);
                    self.there
                }
                SeekFrom::Current(by) => (self.position as i64 + by) as usize,
            };
            Ok(self.position as u64)
        }
    }

    const FRAMES: usize = 5;

    fn compressor() -> Compressor {
        let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(2));
        Compressor::new(settings).unwrap()
    }

    fn format() -> FrameFormat {
        FrameFormat::new(Dtype::U8, Layout::Gray { width: 6, height: 4 }).unwrap()
    }

    fn raw() -> Vec<u8> {
        (0..FRAMES * format().frame_bytes()).map(|at| (at * at) as u8).collect()
    }

    fn file() -> Vec<u8> {
        let compressor = compressor();
        let mut writer = Writer::new(Vec::new(), format(), &compressor).unwrap();
        writer.write_frames(FRAMES, &raw()).unwrap();
        writer.finish().unwrap()
    }

    fn growing(bytes: Vec<u8>, step: usize) -> (Growing, Rc<RefCell<Vec<usize>>>) {
        let seen = Rc::new(RefCell::new(vec![0]));
        (Growing { bytes: Rc::new(bytes), there: 0, step, position: 0, seen: seen.clone() }, seen)
    }

    #[test]
    fn batches_come_out_as_they_appear() {
        let file = file();
        let decompressor = Decompressor::default();
        for step in [1, 7, 100, 1000] {
            let (growing, seen) = growing(file.clone(), step);
            let mut reader = Reader::new(Following::new(growing), &decompressor).unwrap();
            let (mut frames, mut lengths) = (Vec::new(), Vec::new());
            while let Some(batch) = reader.next_batch().unwrap() {
                frames.extend(batch.frames.into_bytes());
                lengths.push(*seen.borrow().last().unwrap());
            }
            assert_eq!(frames, raw(), "{step} bytes at a time");
            // A batch does not wait for the next one.
            assert!(step > 7 || lengths.is_sorted_by(|a, b| a + 72 < *b), "{lengths:?}");
        }
    }

    #[test]
    fn a_writer_that_has_died_is_given_up() {
        let file = file();
        let decompressor = Decompressor::default();
        for length in [file.len() - 1, file.len() / 2] {
            let (growing, _) = growing(file[..length].to_vec(), 50);
            let following = Following::new(growing).with_timeout(Duration::from_millis(60));
            let mut reader = Reader::new(following, &decompressor).unwrap();
            let mut frames = Vec::new();
            let error = loop {
                match reader.next_batch() {
                    Ok(batch) => frames.extend(batch.expect("no end").frames.into_bytes()),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::Truncated);
            assert!(!frames.is_empty() && raw().starts_with(&frames));
        }
    }

    #[test]
    fn a_stop_ends_it() {
        let asked = Arc::new(AtomicU64::new(0));
        let counted = asked.clone();
        let (growing, _) = growing(Vec::new(), 1);
        let stop = move || counted.fetch_add(1, Ordering::Relaxed) == 3;
        let error = Reader::new(Following::new(growing).with_stop(stop), &Decompressor::default()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let (mut growing, _) = growing(file(), 100);
        growing.position = 0;
        let mut following = Following::new(growing);
        following.read_exact(&mut [0; 90]).unwrap();
        following.file.bytes = Rc::new(vec![0; 50]);
        following.file.there = 50;
        assert_eq!(following.read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::Other);
    }

    /// A real file, a real writer in another thread.
    #[test]
    fn a_file_on_disk() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let read = Arc::new((Mutex::new(0), std::sync::Condvar::new(), AtomicBool::new(false)));
        let reader_side = read.clone();
        std::thread::scope(|scope| {
            let path = &path;
            scope.spawn(move || {
                let decompressor = Decompressor::default();
                let following = Following::new(std::fs::File::open(path).unwrap());
                let mut reader = Reader::new(following, &decompressor).unwrap();
                let mut frames = Vec::new();
                while let Some(batch) = reader.next_batch().unwrap() {
                    frames.extend(batch.frames.into_bytes());
                    *reader_side.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    reader_side.1.notify_all();
                }
                assert_eq!(frames, raw());
                reader_side.2.store(true, Ordering::Relaxed);
            });
            let compressor = compressor();
            let file = std::fs::File::create(path).unwrap();
            let mut writer = Writer::new(io::BufWriter::new(file), format(), &compressor).unwrap();
            for (at, batch) in raw().chunks(2 * format().frame_bytes()).enumerate() {
                let frames = batch.len() / format().frame_bytes();
                writer.write_batch(&InputBatch { frames, bytes: batch, ..InputBatch::default() }).unwrap();
                // The batch can be read before the next one is written, although the writer buffers.
                let guard = read.0.lock().unwrap();
                let late = Duration::from_secs(60);
                let (count, waited) = read.1.wait_timeout_while(guard, late, |count| *count <= at).unwrap();
                assert!(!waited.timed_out(), "batch {at}: {count} were read");
            }
            writer.finish().unwrap();
        });
        assert!(read.2.load(Ordering::Relaxed));
    }
}
