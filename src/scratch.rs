#![allow(missing_docs)]
use crate::codec::*;
use crate::cpu::*;
use crate::frame::*;
use crate::plan::*;
use crate::stage::Backend;
use std::time::Instant;
pub fn run(path: &str, level: u8, threads: usize) {
    let file = std::fs::read(path).unwrap();
    let hl = u16::from_le_bytes([file[8], file[9]]) as usize;
    let h = String::from_utf8_lossy(&file[10..10 + hl]).to_string();
    let descr = h.split("'descr': '").nth(1).unwrap().split('\'').next().unwrap().to_string();
    let shape: Vec<usize> = h
        .split("'shape': (")
        .nth(1)
        .unwrap()
        .split(')')
        .next()
        .unwrap()
        .split(',')
        .filter_map(|x| x.trim().parse().ok())
        .collect();
    let dtype = match &descr[1..] {
        "b1" => Dtype::Bool,
        "u1" => Dtype::U8,
        "u2" => Dtype::U16,
        "i4" => Dtype::I32,
        "i8" => Dtype::I64,
        "f4" => Dtype::F32,
        _ => panic!(),
    };
    let raw = &file[10 + hl..];
    let format = FrameFormat::from_shape(dtype, &shape[1..]).unwrap();
    let bf = ((64usize << 20) / format.frame_bytes()).clamp(1, shape[0]);
    let cpu = CpuBackend::new(SimdLevel::detect(), threads);
    let settings = Settings::new().with_level(level).unwrap();
    let lp = LevelParameters::of(level);
    let (mut tc, mut tf, mut te, mut td, mut ti, mut packed_total) = (0f64, 0f64, 0f64, 0f64, 0f64, 0usize);
    let mut plans = vec![];
    for rep in 0..3 {
        packed_total = 0;
        (tc, tf, te, td, ti) = (0., 0., 0., 0., 0.);
        plans.clear();
        for chunk in raw.chunks(bf * format.frame_bytes()) {
            let n = chunk.len() / format.frame_bytes();
            let g = Geometry::new(&format, n);
            let b = Batch { geometry: &g, raw: chunk };
            let t = Instant::now();
            let plan = choose(b, &settings, &cpu, &cpu).unwrap();
            tc += t.elapsed().as_secs_f64();
            let mut out = WorkBuffer::default();
            let t = Instant::now();
            cpu.forward(b, &plan, &mut out).unwrap();
            tf += t.elapsed().as_secs_f64();
            let mut enc = Encoder::new(lp.codec(CodecChoice::Auto), lp.zstd_level()).unwrap();
            let t = Instant::now();
            let mut blocks = vec![];
            for p in 0..g.planes.len() {
                for span in out.as_bytes()[g.plane_range(p)].chunks(plan.span_samples as usize * g.sample_bytes) {
                    for blk in span.chunks(span.len() / g.sample_bytes) {
                        let mut o = vec![];
                        let c = enc.encode(blk, &mut o);
                        packed_total += o.len() + 5;
                        blocks.push((c, o, blk.len()));
                    }
                }
            }
            te += t.elapsed().as_secs_f64();
            let t = Instant::now();
            let mut res = WorkBuffer::zeroed(g.work_bytes());
            let mut dec = Decoder::default();
            let mut it = blocks.iter();
            for p in 0..g.planes.len() {
                for span in res.as_bytes_mut()[g.plane_range(p)].chunks_mut(plan.span_samples as usize * g.sample_bytes)
                {
                    let l = span.len() / g.sample_bytes;
                    for blk in span.chunks_mut(l) {
                        let (c, o, _) = it.next().unwrap();
                        dec.decode(*c, o, blk).unwrap();
                    }
                }
            }
            td += t.elapsed().as_secs_f64();
            let mut back = vec![0; chunk.len()];
            let t = Instant::now();
            cpu.inverse(&g, &plan, &mut res, &mut back).unwrap();
            ti += t.elapsed().as_secs_f64();
            if rep == 0 {
                assert!(back == chunk, "ROUND TRIP");
            }
            plans.push(plan);
        }
    }
    let mb = raw.len() as f64 / 1e6;
    println!(
        "{:14} L{level} ratio {:8.2} comp {:6.0} (choose {:6.0} forward {:6.0} encode {:6.0}) decomp {:6.0} (decode {:6.0} inverse {:6.0})  {:?}",
        path.rsplit('/').next().unwrap(),
        raw.len() as f64 / packed_total as f64,
        mb / (tc + tf + te),
        mb / tc,
        mb / tf,
        mb / te,
        mb / (td + ti),
        mb / td,
        mb / ti,
        plans[0]
            .planes
            .iter()
            .map(|p| format!("{:?} {} {:?} {:?}", p.intra, if p.temporal { "T" } else { "-" }, p.inter, p.shuffle))
            .collect::<Vec<_>>()
            .join("; ")
            + &format!(" {:?}", plans[0].colour)
    );
}
