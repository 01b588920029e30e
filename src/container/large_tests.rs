//! Files that are longer than 4 GiB, and files of very many batches.

use std::cell::Cell;
use std::io::{Cursor, Read, Result as IoResult, Seek, SeekFrom, Write};

use super::tests::{gray, record, record_of_spans};
use super::*;

/// A file that keeps what is written but for payloads, which are all the same.
struct Thin<'a> {
    payload: &'a [u8],
    /// Where each write went, and what it was, unless it was the payload.
    writes: Vec<(u64, Option<Vec<u8>>)>,
    length: u64,
}

impl Write for Thin<'_> {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.writes.push((self.length, (bytes != self.payload).then(|| bytes.to_vec())));
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

struct ThinReader<'a> {
    file: &'a Thin<'a>,
    length: u64,
    position: u64,
}

impl Read for ThinReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let after = self.file.writes.partition_point(|(at, _)| *at <= self.position);
        let (at, bytes) = &self.file.writes[after - 1];
        let bytes = &bytes.as_deref().unwrap_or(self.file.payload)[(self.position - at) as usize..];
        let read = buffer.len().min(bytes.len()).min(left);
        buffer[..read].copy_from_slice(&bytes[..read]);
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ThinReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.checked_add_signed(by).unwrap(),
            SeekFrom::End(by) => self.length.checked_add_signed(by).unwrap(),
        };
        Ok(self.position)
    }
}

#[test]
fn files_above_4_gib() {
    const BATCHES: u64 = 70;
    let header = gray(1 << 13, 1 << 13);
    let mut one = record_of_spans(&header, 0, 0, 1, 1 << 20);
    let payload = one.payload.clone();
    let thin = Thin { payload: &payload, writes: Vec::new(), length: 0 };
    let mut writer = RecordWriter::new(thin, &header).unwrap();
    for number in 0..BATCHES {
        (one.number, one.first_frame) = (number, number);
        writer.write(&one).unwrap();
    }
    let file = writer.finish().unwrap();
    assert!(file.length > (1 << 32) + 1000);
    // With its index, and without: the records are walked then.
    for (length, damage) in [(file.length, 0), (file.length - 1, 1)] {
        let input = ThinReader { file: &file, length, position: 0 };
        let mut reader = IndexedReader::open(input, Limits::default()).unwrap();
        assert_eq!(reader.table().damage().len(), damage);
        assert_eq!(reader.table().total_frames(), BATCHES);
        let last = reader.table().batches()[BATCHES as usize - 1];
        assert!(last.offset > 1 << 32 && reader.table().find(BATCHES - 1) == Some(BATCHES as usize - 1));
        assert_eq!(reader.read_record(BATCHES as usize - 1).unwrap(), one);
        let resumed = Resumption::find(ThinReader { file: &file, length, position: 0 }, Limits::default()).unwrap();
        assert_eq!(resumed.position, file.length - 28 - 24 * BATCHES - 12);
    }
}

/// Counts the bytes that are read.
struct Counted<'a, R> {
    input: R,
    bytes: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.input.seek(to)
    }
}

type Input<'a> = Counted<'a, Cursor<&'a [u8]>>;

/// What is read of a file of so many batches, to open it with and without its index, for all of its records, and to go
/// on with it; and its length.
fn bytes_read(batches: usize) -> ([u64; 5], u64) {
    let header = gray(3, 2);
    let mut one = record(&header, 0, 0, 1);
    let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
    for number in 0..batches as u64 {
        (one.number, one.first_frame) = (number, number);
        writer.write(&one).unwrap();
    }
    let file = writer.finish().unwrap();
    let cut = &file[..file.len() - 1];
    let counted = |work: &dyn Fn(Input<'_>, bool), whole: bool| {
        let bytes = Cell::new(0);
        work(Counted { input: Cursor::new(if whole { &file } else { cut }), bytes: &bytes }, whole);
        bytes.get()
    };
    let open = |input: Input<'_>, whole: bool| {
        let mut reader = IndexedReader::open(input, Limits::default()).unwrap();
        assert_eq!((reader.table().batches().len(), reader.table().damage().is_empty()), (batches, whole));
        assert_eq!(reader.read_record(batches - 1).unwrap().number, batches as u64 - 1);
    };
    let stream = |input: Input<'_>, _: bool| {
        let mut reader = RecordReader::new(input, Limits::default()).unwrap();
        let mut records = 0;
        while reader.next().unwrap().is_some() {
            records += 1;
        }
        assert_eq!(records, batches);
    };
    let resume = |input: Input<'_>, _: bool| {
        drop(Resumption::find(input, Limits::default()).unwrap());
    };
    let read = [
        counted(&open, true),
        counted(&open, false),
        counted(&stream, true),
        counted(&resume, true),
        counted(&resume, false),
    ];
    (read, file.len() as u64)
}

#[test]
fn twice_as_many_batches_are_twice_as_many_bytes() {
    const BATCHES: usize = 100_000;
    let ((once, file_bytes), (twice, _)) = (bytes_read(BATCHES), bytes_read(2 * BATCHES));
    for (once, twice) in once.into_iter().zip(twice) {
        assert!(once > 24 * BATCHES as u64 && twice < 2 * once + (1 << 14), "{once} {twice}");
        assert!(once < 2 * file_bytes, "{once}");
    }
}
