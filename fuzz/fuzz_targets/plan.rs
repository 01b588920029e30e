//! Plan and block table: what the reader takes is written again as the same bytes. A number of a timestamp can be written in
//! several ways, so where there are any, the same record has to come back.

#![no_main]

use framepress::Limits;
use framepress::internal::{RecordReader, RecordWriter};
use framepress_fuzz::File;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let file = File::new(input);
    let mut reader = RecordReader::new(file.bytes.as_slice(), Limits::default()).expect("the header is sound");
    if let Ok(Some(record)) = reader.next() {
        let mut again = Vec::new();
        let mut writer = RecordWriter::new(&mut again, reader.header()).expect("a header");
        writer.write(&record).expect("a record that was read");
        if record.timestamps.is_empty() {
            assert!(again == file.bytes);
        } else {
            let mut reader = RecordReader::new(again.as_slice(), Limits::default()).expect("a header that was written");
            assert!(reader.next().expect("a record that was written") == Some(record));
        }
    }
});
