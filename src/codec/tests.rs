use super::ans::contexts;
use super::*;
use crate::cpu::SimdLevel;
use crate::plan::CodecChoice;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn round_trips_never_expand() {
    for choice in [
        CodecChoice::Store,
        CodecChoice::Lz4,
        CodecChoice::Zstd,
        CodecChoice::Ans,
        CodecChoice::Pack,
        CodecChoice::Auto,
    ] {
        let mut encoder = Encoder::new(choice, 3, true).unwrap();
        for length in [0, 1, 2, 12, 13, 100, 70_000] {
            for block in [vec![7; length], noise(length), [noise(length / 2), vec![0; length - length / 2]].concat()] {
                let mut packed = b"before".to_vec();
                let codec = encoder.encode(&block, Surroundings::default(), &mut packed);
                let packed = packed.strip_prefix(b"before").unwrap();
                assert!(packed.len() <= block.len());
                let mut decoded = vec![1; length];
                Decoder::default().decode(codec, packed, Surroundings::default(), &mut decoded).unwrap();
                assert_eq!(decoded, block, "{choice:?} {length}");
            }
        }
    }
}

#[test]
fn adaptive_blocks_round_trip() {
    let simd = SimdLevel::detect();
    for (length, width, picture) in
        [(1, 1, 1), (2, 5, 0), (300, 1, 7), (5000, 2, 2), (5000, 77, 770), (5000, 4999, 5000), (70_000, 1 << 40, 3)]
    {
        let [many, few] = span(length);
        let around = Surroundings { width, picture, higher: &[] };
        for block in [many, few] {
            let packs = SimdLevel::available().into_iter().map(|simd| {
                let mut packed = Vec::new();
                model::bytes::encode(simd, &block, around, &mut packed);
                packed
            });
            let packs: Vec<_> = packs.collect();
            for (simd, packed) in SimdLevel::available().into_iter().zip(&packs) {
                assert_eq!(packed, &packs[0], "{length} {width} {picture} {}", simd.name());
                let mut decoded = vec![1; length];
                model::bytes::decode(simd, packed, around, &mut decoded).unwrap();
                assert_eq!(decoded, block, "{length} {width} {picture} {}", simd.name());
            }
        }
    }
    let [_, few] = span(3000);
    let around = Surroundings { width: 40, picture: 400, higher: &[] };
    let mut packed = Vec::new();
    assert!(model::bytes::encode(simd, &few, around, &mut packed));
    let refused = |packed: &[u8]| model::bytes::decode(simd, packed, around, &mut vec![0; 3000]).is_err();
    assert!((0..packed.len()).all(|end| refused(&packed[..end])));
    // A value that is no longer there, the last of all.
    let last = packed[..32].iter().rposition(|&bits| bits != 0).unwrap();
    packed[last] &= packed[last] - 1;
    assert!(refused(&packed));
}

#[test]
fn long_blocks_go_where_they_are_smaller() {
    let repeated = noise(100_000).repeat(3);
    let skewed: Vec<u8> = noise(300_000).into_iter().map(|byte| byte.leading_zeros() as u8).collect();
    for (block, expected) in [(repeated, CodecId::Zstd), (skewed, CodecId::Ans), (noise(300_000), CodecId::Store)] {
        let mut packed = Vec::new();
        let mut encoder = Encoder::new(CodecChoice::Auto, 19, true).unwrap();
        assert_eq!(encoder.encode(&block, Surroundings::default(), &mut packed), expected);
    }
}

/// Two blocks of one span: sparse large values of either sign, so that contexts of either kind pay.
fn span(length: usize) -> [Vec<u8>; 2] {
    let noise = noise(3 * length);
    let active = |at: usize| noise[at / 50] < 60;
    let high = (0..length).map(|at| if active(at) { noise[at + length] % 8 + 100 } else { 0 }).collect();
    let low = (0..length).map(|at| if active(at) { noise[at + 2 * length] } else { 0 }).collect();
    [low, high]
}

#[test]
fn contexts_round_trip() {
    for kind in [ContextKind::Higher, ContextKind::Neighbours] {
        for (length, width) in [(1, 1), (2, 1), (300, 1), (5000, 2), (5000, 77), (5000, 4999), (70_000, 1 << 40)] {
            let [low, high] = span(length);
            let higher = [high.as_slice()];
            for (block, higher) in [(&low, &higher[..]), (&high, &[])] {
                let around = Surroundings { width, picture: 5 * width, higher };
                let Some(plan) = contexts::Plan::of(SimdLevel::detect(), block, around, kind) else {
                    assert!(kind == ContextKind::Higher && higher.is_empty());
                    continue;
                };
                for simd in SimdLevel::available() {
                    let (mut packed, mut decoded) = (Vec::new(), vec![1; length]);
                    plan.encode(simd, block, &mut packed);
                    contexts::decode(simd, &packed, around, &mut decoded).unwrap();
                    assert_eq!(&decoded, block, "{kind:?} {length} {width} {}", simd.name());
                }
            }
        }
    }
}

#[test]
fn lower_bytes_of_sparse_samples_leave_out_zeros() {
    let [low, high] = span(70_000);
    let around = Surroundings { width: 350, picture: 0, higher: &[&high] };
    let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap();
    let mut packed = Vec::new();
    assert_eq!(encoder.encode(&low, around, &mut packed), CodecId::Sparse);
    let kept = high.iter().filter(|&&byte| byte != 0).count();
    assert!(packed.len() <= kept + 1);
    let decode = |packed: &[u8], around| {
        let mut decoded = vec![1; low.len()];
        Decoder::default().decode(CodecId::Sparse, packed, around, &mut decoded).map(|()| decoded)
    };
    assert_eq!(decode(&packed, around).unwrap(), low);
    assert!((0..packed.len()).all(|cut| decode(&packed[..cut], around).is_err()));
    // Of the highest bytes, or by a codec that itself looks at others.
    assert!(decode(&packed, Surroundings { higher: &[], ..around }).is_err());
    for id in [CodecId::Contexts as u8, CodecId::Adaptive as u8, CodecId::Sparse as u8, CodecId::Model as u8, 77] {
        packed[0] = id;
        assert!(decode(&packed, around).is_err());
    }
}

#[test]
fn highest_bytes_of_sparse_samples_are_mapped() {
    let noise = noise(140_000);
    let byte = |at: usize| if noise[at / 7] < 60 { noise[at + 70_000] % 8 + 100 } else { 0 };
    let high: Vec<u8> = (0..70_000).map(byte).collect();
    let around = Surroundings { width: 350, picture: 0, higher: &[] };
    let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap();
    let (mut packed, mut by_ans) = (Vec::new(), Vec::new());
    assert_eq!(encoder.encode(&high, around, &mut packed), CodecId::Mapped);
    assert!(ans::encode(SimdLevel::detect(), &high, &mut by_ans) && packed.len() < by_ans.len() / 8 * 7);
    let decode = |packed: &[u8]| {
        let mut decoded = vec![1; high.len()];
        Decoder::default().decode(CodecId::Mapped, packed, around, &mut decoded).map(|()| decoded)
    };
    assert_eq!(decode(&packed).unwrap(), high);
    assert!((0..packed.len()).all(|cut| decode(&packed[..cut]).is_err()));
    for bit in (0..8 * packed.len()).step_by(7) {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Any outcome but a panic: checksums are the container's.
        let _ = decode(&flipped);
    }
    // The map, or what is kept, by a codec that itself looks at others.
    let map_bytes = u32::from_le_bytes(*packed.first_chunk().unwrap()) as usize;
    for at in [4, 4 + map_bytes] {
        for id in [CodecId::Contexts as u8, CodecId::Adaptive as u8, CodecId::Mapped as u8, CodecId::Model as u8, 77] {
            let mut other = packed.clone();
            other[at] = id;
            assert!(decode(&other).is_err(), "{id} at {at}");
        }
    }
}

/// Blocks of a span, that of the lowest bytes first, as `Decoder::decode` decodes them one by one.
fn one_by_one(blocks: &[(CodecId, Vec<u8>)], length: usize, around: Surroundings<'_>) -> Result<Vec<Vec<u8>>> {
    let mut decoded: Vec<Vec<u8>> = Vec::new();
    for (codec, packed) in blocks.iter().rev() {
        let higher: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).collect();
        let mut block = vec![1; length];
        Decoder::default().decode(*codec, packed, Surroundings { higher: &higher, ..around }, &mut block)?;
        decoded.insert(0, block);
    }
    Ok(decoded)
}

/// The same by a decoder that puts the parts of a span together.
fn by_parts(
    decoder: &mut Decoder,
    blocks: &[(CodecId, Vec<u8>)],
    length: usize,
    around: Surroundings<'_>,
) -> Result<Vec<Vec<u8>>> {
    let found: Vec<(CodecId, &[u8])> = blocks.iter().map(|(codec, packed)| (*codec, packed.as_slice())).collect();
    let mut decoded = vec![Vec::new(); blocks.len()];
    decoder.decode_span(&found, length, around, |samples, lanes| {
        assert!(lanes.iter().all(|lane| lane.len() == samples.len()) && samples.start == decoded[0].len());
        decoded.iter_mut().zip(lanes).for_each(|(block, lane)| block.extend_from_slice(lane));
    })?;
    Ok(decoded)
}

/// A mapped block whose map says more than what is not 0: by hand, for no encoder makes it.
fn mapped_with_zeros(block: &[u8]) -> Vec<u8> {
    let map: Vec<u8> = block.chunks(8).map(|bytes| u8::MAX >> (8 - bytes.len())).collect();
    let store = |bytes: &[u8]| [&[CodecId::Store as u8], bytes].concat();
    [&(map.len() as u32 + 1).to_le_bytes()[..], &store(&map), &store(block)].concat()
}

#[test]
fn parts_of_a_span_are_those_of_its_blocks() {
    let mut decoder = Decoder::default();
    let mut used = std::collections::BTreeSet::new();
    for length in [1, 63, 64, 100, 4095, 4096, 4097, 9000, 70_000] {
        let noise = noise(4 * length);
        let some = |at: usize, byte: u8| if noise[at / 9] < 80 { byte } else { 0 };
        let highest: Vec<u8> = (0..length).map(|at| some(at, noise[at] % 8 + 100)).collect();
        // 0 in some places where the highest byte is not.
        let second: Vec<u8> = (0..length).map(|at| some(at, noise[length + at] % 9)).collect();
        let third: Vec<u8> = (0..length).map(|at| some(at, noise[2 * length + at])).collect();
        let lowest: Vec<u8> = third.iter().map(|&byte| byte.wrapping_mul(37) / 2).collect();
        let around = Surroundings { width: 50, picture: 0, higher: &[] };
        for (level, contexts) in [(1, &[][..]), (1, &[ContextKind::Higher, ContextKind::Neighbours])] {
            let mut encoder = Encoder::new(CodecChoice::Auto, level, false).unwrap().with_contexts(contexts);
            let blocks = [&lowest, &third, &second, &highest];
            let mut coded: Vec<(CodecId, Vec<u8>)> = Vec::new();
            for (at, block) in blocks.iter().enumerate() {
                let higher: Vec<&[u8]> = blocks[at + 1..].iter().map(|block| block.as_slice()).collect();
                let mut packed = Vec::new();
                let codec = encoder.encode(block, Surroundings { higher: &higher, ..around }, &mut packed);
                coded.push((codec, packed));
            }
            let strange = (CodecId::Mapped, mapped_with_zeros(&highest));
            let in_turn =
                [coded[0].clone(), (CodecId::Mapped, mapped_with_zeros(&third)), coded[2].clone(), strange.clone()];
            let with_strange = [&coded[..3], std::slice::from_ref(&strange)].concat();
            for blocks in [&coded[..], &coded[1..], &coded[2..], &with_strange, &in_turn] {
                used.extend(blocks.windows(2).map(|pair| (pair[0].0 as u8, pair[1].0 as u8)));
                let expected = one_by_one(blocks, length, around).unwrap();
                assert!(by_parts(&mut decoder, blocks, length, around).unwrap() == expected, "{length}");
                let mut short = blocks.to_vec();
                short[0].1.pop();
                let damaged = by_parts(&mut decoder, &short, length, around);
                assert_eq!(damaged.is_err(), one_by_one(&short, length, around).is_err(), "{length}");
            }
        }
    }
    let pair = |lower: CodecId, higher: CodecId| used.contains(&(lower as u8, higher as u8));
    assert!(pair(CodecId::Sparse, CodecId::Sparse) && pair(CodecId::Sparse, CodecId::Mapped), "{used:?}");
    assert!(used.iter().any(|pair| pair.0 == CodecId::Contexts as u8), "{used:?}");
    assert!(pair(CodecId::Mapped, CodecId::Sparse) || pair(CodecId::Mapped, CodecId::Contexts), "{used:?}");
}

#[test]
fn contexts_pay_where_bytes_depend_on_others() {
    let [_, high] = span(70_000);
    let low = |(noise, high): (&u8, &u8)| (high / 2).wrapping_mul(40).wrapping_add(noise % 8);
    let low: Vec<u8> = noise(70_000).iter().zip(&high).map(low).collect();
    let around = Surroundings { width: 350, picture: 0, higher: &[&high] };
    for contexts in [&[ContextKind::Higher][..], &[ContextKind::Higher, ContextKind::Neighbours], &[]] {
        let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap().with_contexts(contexts);
        let codec = encoder.encode(&low, around, &mut Vec::new());
        assert_eq!(codec == CodecId::Contexts, !contexts.is_empty(), "{codec:?}");
    }
    let noise = noise(70_000);
    let mut encoder = Encoder::new(CodecChoice::Auto, 1, false).unwrap().with_contexts(&[ContextKind::Higher]);
    assert_eq!(encoder.encode(&noise, around, &mut Vec::new()), CodecId::Store);
}

#[test]
fn hostile_contexts_are_refused() {
    let [low, high] = span(1500);
    let around = Surroundings { width: 40, picture: 0, higher: &[&high] };
    for kind in [ContextKind::Higher, ContextKind::Neighbours] {
        let mut packed = Vec::new();
        let simd = SimdLevel::detect();
        contexts::Plan::of(simd, &low, around, kind).unwrap().encode(simd, &low, &mut packed);
        for cut in 0..packed.len() {
            assert!(contexts::decode(simd, &packed[..cut], around, &mut vec![0; 1500]).is_err(), "cut at {cut}");
        }
        for length in [0, 1, 1499, 1501] {
            let around = Surroundings { higher: &[&vec![0; length]], ..around };
            assert!(contexts::decode(simd, &packed, around, &mut vec![0; length]).is_err(), "{length} bytes");
        }
        for bit in 0..8 * packed.len() {
            let mut flipped = packed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Any outcome but a panic: checksums are the container's.
            let _ = contexts::decode(simd, &flipped, around, &mut vec![0; 1500]);
        }
    }
}

#[test]
fn hostile_blocks_are_refused() {
    let block = [noise(50), vec![3; 500], noise(50)].concat();
    for choice in [CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans, CodecChoice::Pack] {
        let mut packed = Vec::new();
        let codec = Encoder::new(choice, 1, false).unwrap().encode(&block, Surroundings::default(), &mut packed);
        let decode = |packed: &[u8], length| {
            Decoder::default().decode(codec, packed, Surroundings::default(), &mut vec![0; length])
        };
        // `ans` and `pack` fill up with zeros: only the container knows the length.
        let group = match choice {
            CodecChoice::Ans => 256,
            CodecChoice::Pack => 64 * pack::GROUP,
            _ => 1,
        };
        assert!(decode(&packed, (block.len() + 1).next_multiple_of(group) + 1).is_err(), "too little");
        assert!(decode(&packed, block.len() - 1).is_err(), "too much");
        for cut in 0..packed.len() {
            assert!(decode(&packed[..cut], block.len()).is_err(), "cut at {cut}");
        }
        for bit in 0..8 * packed.len() {
            let mut flipped = packed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Any outcome but a panic: checksums are the container's.
            let _ = decode(&flipped, block.len());
        }
    }
}
