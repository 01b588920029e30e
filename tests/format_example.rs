//! The example of `docs/FORMAT.md` is a file that the reader reads and the writer writes.

mod reference;

use framepress::frame::{ChannelOrder, Dtype, FrameFormat, Layout, Origin};
use framepress::internal::{BatchRecord, BlockEntry, FileHeader, RecordReader, RecordWriter, checksum};
use framepress::plan::{Colour, Method, Plan, PlanePlan, Predictor, Shuffle, Values};
use framepress::{CodecId, Limits};

const RAW: [u8; 12] = [10, 20, 30, 11, 21, 31, 12, 22, 32, 13, 23, 40];

/// One line of the example: position, bytes, meaning.
struct Line {
    at: usize,
    bytes: Vec<u8>,
    meaning: String,
}

fn lines() -> Vec<Line> {
    let text = include_str!("../docs/FORMAT.md");
    let (_, example) = text.split_once("```hex\n").expect("the document has an example");
    let (example, _) = example.split_once("```").expect("the example ends");
    let fields = example.lines().map(|line| line.splitn(3, "  ").collect::<Vec<_>>());
    fields
        .map(|fields| Line {
            at: usize::from_str_radix(fields[0], 16).unwrap(),
            bytes: fields[1].split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect(),
            meaning: fields[2].trim().to_owned(),
        })
        .collect()
}

fn header() -> FileHeader {
    let layout = Layout::Packed { width: 2, height: 2, order: ChannelOrder::Rgb };
    FileHeader { format: FrameFormat::new(Dtype::U8, layout).unwrap(), origin: Origin::default() }
}

fn record() -> BatchRecord {
    let plane =
        PlanePlan { intra: Predictor::Gradient, temporal: false, inter: Predictor::None, shuffle: Shuffle::None };
    BatchRecord {
        number: 0,
        first_frame: 0,
        frames: 1,
        raw_bytes: 12,
        raw_checksum: checksum(&RAW),
        method: Method::Planes(Plan {
            values: Values::default(),
            colour: Colour::SubtractGreen,
            span_samples: 8,
            planes: vec![plane; 3],
        }),
        blocks: vec![BlockEntry { codec: CodecId::Store, packed_bytes: 4 }; 3],
        side: Vec::new(),
        timestamps: Vec::new(),
        payload: vec![19, 0, 0, 0, 40, 2, 4, 0, 20, 0, 0, 14],
    }
}

#[test]
fn lines_follow_one_another_and_say_what_their_bytes_say() {
    let mut at = 0;
    for Line { at: position, bytes, meaning } in lines() {
        assert_eq!(position, at, "{meaning}");
        at += bytes.len();
        if let Some((_, value)) = meaning.split_once(" = ") {
            let value = value.split([' ', ',', ':']).next().unwrap();
            let number = bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
            assert_eq!(value.parse::<u64>().unwrap(), number, "{meaning}");
        }
        if let Some((_, range)) = meaning.split_once("XXH3 of ") {
            let (from, to) = range.split_once(" to ").expect("a range");
            let [from, to] = [from, to].map(|bound| usize::from_str_radix(bound, 16).unwrap());
            let file: Vec<u8> = lines().into_iter().flat_map(|line| line.bytes).collect();
            assert_eq!(bytes, checksum(&file[from..=to]).to_le_bytes(), "{meaning}");
        }
    }
}

#[test]
fn the_reader_reads_every_field() {
    let file: Vec<u8> = lines().into_iter().flat_map(|line| line.bytes).collect();
    let mut reader = RecordReader::new(&file[..], Limits::default()).unwrap();
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.next().unwrap(), Some(record()));
    assert_eq!(reader.next().unwrap(), None);
    assert_eq!(reference::decode(&file), RAW);
}

#[test]
fn the_writer_writes_it() {
    let mut writer = RecordWriter::new(Vec::new(), &header()).unwrap();
    writer.write(&record()).unwrap();
    let example: Vec<u8> = lines().into_iter().flat_map(|line| line.bytes).collect();
    let file = writer.finish().unwrap();
    assert_eq!(file, example, "the file is {file:02X?}");
}
