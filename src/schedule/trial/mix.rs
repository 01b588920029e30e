//! Batches of every size and kind.

/// Random numbers that are the same everywhere.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits (splitmix64).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, but without, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of some.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.unit() * of.len() as f64) as usize]
    }

    /// Around 0, of variance 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A batch of a mix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Channels side by side, of 8 bits.
    pub channels: usize,
    /// Frames.
    pub frames: usize,
    /// From still (0) to noise (1).
    pub noise: f64,
    /// Whether it is restored, not packed.
    pub decompress: bool,
    /// Whether others keep the CPU busy.
    pub loaded: bool,
}

impl Item {
    /// Length of the frames.
    pub fn raw_bytes(&self) -> usize {
        self.width * self.height * self.channels * self.frames
    }
}

/// Raw bytes of a batch at most, as by default, but for single frames.
const MOST_BYTES: usize = 64 << 20;

/// Batches in random order: 32 x 32 to 4K, 1 to 64 frames, still to noise, there and back; the CPU is idle, then
/// loaded, then idle again, a third of the batches each.
pub fn mix(batches: usize, seed: u64) -> Vec<Item> {
    let mut random = Random::new(seed);
    let item = |at: usize| {
        let sizes = [(32, 32), (128, 128), (320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160)];
        let (width, height) = random.pick(&sizes);
        let channels = random.pick(&[1, 3]);
        let most = MOST_BYTES / (width * height * channels);
        Item {
            width,
            height,
            channels,
            frames: random.pick(&[1, 2, 4, 8, 16, 32, 64]).min(most).max(1),
            noise: random.unit(),
            decompress: random.pick(&[false, true]),
            loaded: (batches / 3..2 * batches / 3).contains(&at),
        }
    };
    (0..batches).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_has_everything_and_is_always_the_same() {
        let items = mix(400, 1);
        assert_eq!(items, mix(400, 1));
        assert_ne!(items, mix(400, 2));
        let with = |condition: fn(&Item) -> bool| items.iter().filter(|item| condition(item)).count();
        assert!(with(|item| item.width == 32) > 20 && with(|item| item.width == 3840) > 20);
        assert!(with(|item| item.frames == 1) > 20 && with(|item| item.frames == 64) > 20);
        assert!(with(|item| item.noise < 0.1) > 20 && with(|item| item.noise > 0.9) > 20);
        assert!(with(|item| item.decompress) > 150 && with(|item| !item.decompress) > 150);
        assert_eq!(with(|item| item.loaded), 133);
        assert!(items.iter().all(|item| item.raw_bytes() <= MOST_BYTES));
    }

    #[test]
    fn random_numbers_are_spread() {
        let mut random = Random::new(7);
        let units: Vec<f64> = (0..10_000).map(|_| random.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let normals: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let variance = normals.iter().map(|normal| normal * normal).sum::<f64>() / 1e4;
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
