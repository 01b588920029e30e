use super::*;
use crate::frame::Dtype;
use crate::input::restorer;

fn file(descr: &str, fortran_order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend(data);
    bytes
}

fn data(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 37 + 11) as u8).collect()
}

fn read_all(file: &[u8], length: Option<u64>, frames: usize) -> Result<(Description, Vec<InputBatch>)> {
    let mut reader = NpyReader::new(file, length)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.read_batch(frames)? {
        assert!(batch.frames > 0);
        batches.push(batch.clone());
        reader.reuse(batch.bytes);
    }
    assert_eq!(reader.read_batch(frames)?, None);
    Ok((reader.description().clone(), batches))
}

fn assert_round_trip(file: &[u8]) -> (Description, Vec<InputBatch>) {
    for length in [None, Some(file.len() as u64)] {
        for frames in [1, 2, usize::MAX] {
            let (description, batches) = read_all(file, length, frames).unwrap();
            let mut out = Vec::new();
            let mut restorer = restorer(&description.origin, &description.format, &mut out).unwrap();
            for batch in &batches {
                restorer.write_batch(batch.frames, &batch.bytes, &batch.side).unwrap();
            }
            restorer.finish().unwrap();
            drop(restorer);
            assert_eq!(out, file);
            let found: usize = batches.iter().map(|batch| batch.frames).sum();
            assert_eq!(Some(found as u64), description.frames);
        }
    }
    read_all(file, None, usize::MAX).unwrap()
}

#[test]
fn every_dtype_in_both_orders() {
    for dtype in Dtype::ALL.into_iter().filter(|&dtype| dtype != Dtype::Bf16) {
        let descr = header::descr_of(dtype);
        for order in ["<", ">", "="] {
            let descr = if dtype.bytes() == 1 { descr.to_owned() } else { descr.replace('<', order) };
            let data = data(3 * 5 * 7 * dtype.bytes());
            let (description, batches) = assert_round_trip(&file(&descr, "False", "(3, 5, 7)", &data));
            assert_eq!(description.format, FrameFormat::from_shape(dtype, &[5, 7]).unwrap());
            let first = &batches[0].bytes[..dtype.bytes()];
            let mut expected = data[..dtype.bytes()].to_vec();
            if order == ">" {
                expected.reverse();
            }
            assert_eq!(first, expected, "{descr}");
        }
    }
}

#[test]
fn every_version() {
    let mut second = file("<u2", "False", "(2, 3)", &data(12));
    second[6] = 2;
    second.splice(10..10, [0, 0]);
    assert_round_trip(&second);
    second[6] = 3;
    assert_round_trip(&second);
}

#[test]
fn unusual_shapes() {
    for (shape, elements, frames, frame_shape) in [
        ("()", 1, 1, &[][..]),
        ("(5,)", 5, 5, &[]),
        ("(0,)", 0, 0, &[]),
        ("(0, 4, 4)", 0, 0, &[4, 4]),
        ("(4, 0, 3)", 0, 4, &[0, 3]),
        ("(2, 3, 4, 3)", 72, 2, &[3, 4, 3]),
        ("(2, 1, 1, 1, 1, 3)", 6, 2, &[1, 1, 1, 1, 3]),
    ] {
        let (description, _) = assert_round_trip(&file("<u2", "False", shape, &data(2 * elements)));
        assert_eq!(description.frames, Some(frames), "{shape}");
        assert_eq!(description.format, FrameFormat::from_shape(Dtype::U16, frame_shape).unwrap());
    }
}

#[test]
fn fortran_order_reverses_the_shape() {
    let (description, _) = assert_round_trip(&file(">i4", "True", "(7, 5, 3)", &data(420)));
    assert_eq!(description.frames, Some(3));
    assert_eq!(description.format.shape(), [5, 7]);
}

#[test]
fn wrong_lengths() {
    let mut file = file("<u2", "False", "(3, 4)", &data(24));
    for cut in 0..file.len() {
        for length in [None, Some(cut as u64)] {
            let error = read_all(&file[..cut], length, 2).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated, "{cut}: {error}");
        }
    }
    file.extend([0; 3]);
    for length in [None, Some(file.len() as u64)] {
        let error = read_all(&file, length, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("found 3 more bytes"), "{error}");
    }
    file.resize(2 << 20, 0);
    assert!(read_all(&file, None, 2).unwrap_err().to_string().contains("or more"));
}

#[test]
fn flipped_bits_never_panic() {
    let file = file("<u2", "False", "(3, 4)", &data(24));
    for bit in 0..8 * (file.len() - 24) {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        for length in [None, Some(damaged.len() as u64)] {
            let _ = read_all(&damaged, length, 2);
        }
    }
}

#[test]
fn hostile_shapes() {
    for (shape, kind) in [
        ("(18446744073709551615, 2)", ErrorKind::InvalidInput),
        ("(2, 18446744073709551615, 2)", ErrorKind::InvalidInput),
        ("(4611686018427387903, 2)", ErrorKind::Truncated),
        ("(1, 4611686018427387903)", ErrorKind::Truncated),
        ("(18446744073709551615, 0)", ErrorKind::Limit),
    ] {
        let error = read_all(&file("<u1", "False", shape, &data(9)), None, 1 << 40).unwrap_err();
        assert_eq!(error.kind(), kind, "{shape}: {error}");
    }
}

#[test]
fn parts_get_a_header_of_their_own() {
    let (description, batches) = assert_round_trip(&file(">u2", "True", "(4, 3, 5)", &data(120)));
    let Description { format, origin, .. } = description;
    assert_eq!(origin_of_part(&origin, &format, 5, 0).unwrap(), origin);
    let part = origin_of_part(&origin, &format, 2, 0).unwrap();
    let mut out = Vec::new();
    let mut restorer = restorer(&part, &format, &mut out).unwrap();
    restorer.write_batch(2, &batches[0].bytes[24..72], &[]).unwrap();
    drop(restorer);
    let (again, batches) = read_all(&out, None, usize::MAX).unwrap();
    assert_eq!((again.frames, again.format), (Some(2), format.clone()));
    assert_eq!(batches[0].bytes.len(), 48);
    assert!(String::from_utf8_lossy(&out).contains("'>u2', 'fortran_order': True, 'shape': (4, 3, 2)"));

    let memory = origin_of_part(&Origin::default(), &format, 2, 0).unwrap();
    assert_eq!((memory.kind, memory.big_endian), (OriginKind::Npy, false));
    let damaged = Origin { header: origin.header[..20].to_vec(), ..origin };
    assert_eq!(origin_of_part(&damaged, &format, 2, 0).unwrap_err().kind(), ErrorKind::Corrupt);
}
