//! SIMD level: detected once, passed as a value, chosen at run time.
//!
//! Kernels are plain loops that the compiler vectorises. [`SimdLevel::run`] compiles a kernel once
//! per level and jumps to the one for this machine; the results are the same bit for bit.

use std::sync::OnceLock;

/// Environment variable that lowers the level: `baseline`, `avx2` or `avx512`. It cannot raise it
/// above what the machine has.
pub const SIMD_VARIABLE: &str = "FRAMEPRESS_SIMD";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Features {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A set of instructions that this machine has.
///
/// Invariant S1: a value of this type exists only if the machine has the features it names. The
/// field is private and [`SimdLevel::available`] is the only place that makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimdLevel(Features);

/// Proof that the machine has AVX-512 F, BW, CD, DQ and VL (invariant S1).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

/// Proof that the machine has AVX-512 VBMI and VBMI2 besides (invariant S1).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vbmi2(());

/// Proof that the machine has AVX2, BMI1, BMI2, LZCNT, POPCNT and FMA (invariant S1).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// A loop to be compiled for each level. `run` must be `#[inline(always)]` to be compiled with the
/// level's features.
pub(crate) trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

impl SimdLevel {
    /// The levels of this machine, lowest first. There is always at least one.
    pub fn available() -> Vec<SimdLevel> {
        #[allow(unused_mut)]
        let mut levels = vec![SimdLevel(Features::Baseline)];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") && has!("fma") {
                levels.push(SimdLevel(Features::Avx2));
                if has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl") {
                    levels.push(SimdLevel(Features::Avx512));
                }
            }
        }
        levels
    }

    /// The highest level, or a lower one if `FRAMEPRESS_SIMD` asks for it. Read once per process.
    pub fn detect() -> Self {
        static LEVEL: OnceLock<SimdLevel> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let asked = std::env::var(SIMD_VARIABLE).ok();
            let available = Self::available();
            let lowered = asked.and_then(|name| available.iter().copied().find(|level| level.name() == name));
            lowered.unwrap_or(available[available.len() - 1])
        })
    }

    /// The name that `FRAMEPRESS_SIMD` takes.
    pub fn name(self) -> &'static str {
        match self.0 {
            Features::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Features::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Features::Avx512 => "avx512",
        }
    }

    /// Proof that AVX-512 may be used, at levels that have it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn avx512(self) -> Option<Avx512> {
        (self.0 == Features::Avx512).then_some(Avx512(()))
    }

    /// Proof that AVX-512 and its byte extensions may be used, at levels that have AVX-512 on machines that
    /// have them.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn avx512_vbmi2(self) -> Option<Avx512Vbmi2> {
        use std::arch::is_x86_feature_detected as has;
        (self.0 == Features::Avx512 && has!("avx512vbmi") && has!("avx512vbmi2")).then_some(Avx512Vbmi2(()))
    }

    /// Proof that AVX2 may be used, at levels that have it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn avx2(self) -> Option<Avx2> {
        (self.0 >= Features::Avx2).then_some(Avx2(()))
    }

    /// This level, or AVX2 in the place of AVX-512: for kernels that compilers make gathers of otherwise.
    pub(crate) fn without_avx512(self) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Features::Avx512 => Self(Features::Avx2),
            _ => self,
        }
    }

    /// Runs `kernel` compiled for this level.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Features::Baseline => kernel.run(),
            // SAFETY: by invariant S1 the machine has the features the callee is compiled with.
            #[cfg(target_arch = "x86_64")]
            Features::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: by invariant S1 the machine has the features the callee is compiled with.
            #[cfg(target_arch = "x86_64")]
            Features::Avx512 => unsafe { run_avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt,fma")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Fetches the line of the cache that some bytes begin in.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch reads and writes nothing, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(bytes.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// The sum of 16 bytes.
#[inline(always)]
pub(crate) fn sum(bytes: [u8; 16]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_sad_epu8, _mm_setzero_si128};
        // SAFETY: SSE2 is part of every x86-64.
        let halves: [u64; 2] = bytemuck::cast(unsafe { _mm_sad_epu8(bytemuck::cast(bytes), _mm_setzero_si128()) });
        (halves[0] + halves[1]) as u32
    }
    #[cfg(not(target_arch = "x86_64"))]
    bytes.into_iter().map(u32::from).sum()
}

/// The sums of the differences of four rows of 16 samples, of the first 8 columns and of the others.
#[inline(always)]
pub(crate) fn differences(own: &[[u8; 16]; 4], other: &[[u8; 16]; 4]) -> [u32; 2] {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_add_epi64, _mm_sad_epu8};
        // SAFETY: SSE2 is part of every x86-64.
        let of_row = |row: usize| unsafe { _mm_sad_epu8(bytemuck::cast(own[row]), bytemuck::cast(other[row])) };
        let (upper, lower) = ([of_row(0), of_row(1)], [of_row(2), of_row(3)]);
        // SAFETY: as above.
        let sums = unsafe { _mm_add_epi64(_mm_add_epi64(upper[0], upper[1]), _mm_add_epi64(lower[0], lower[1])) };
        bytemuck::cast::<_, [u64; 2]>(sums).map(|sum| sum as u32)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let mut sums = [0; 2];
        for (at, (own, other)) in own.as_flattened().iter().zip(other.as_flattened()).enumerate() {
            sums[at / 8 % 2] += u32::from(own.abs_diff(*other));
        }
        sums
    }
}

/// The sum modulo 256 of each byte and all before it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn prefix_sum(bytes: [u8; 16]) -> [u8; 16] {
    use std::arch::x86_64::{__m128i, _mm_add_epi8, _mm_slli_si128};
    let sums: __m128i = bytemuck::cast(bytes);
    // SAFETY: SSE2 is part of every x86-64.
    let sums = unsafe {
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<1>(sums));
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<2>(sums));
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<4>(sums));
        _mm_add_epi8(sums, _mm_slli_si128::<8>(sums))
    };
    bytemuck::cast(sums)
}
