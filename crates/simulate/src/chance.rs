//! Chance that a seed repeats exactly.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance of its own for each host, so that one host's life does not shift another's.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of this number under this seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number in `[from, until)`.
    pub(crate) fn between(&mut self, from: f64, until: f64) -> f64 {
        let unit = (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        from + unit * (until - from)
    }

    /// A whole number in `[from, until]`.
    pub(crate) fn whole(&mut self, from: u64, until: u64) -> u64 {
        from + self.0.next_u64() % (until.saturating_sub(from) + 1)
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }
}
