//! Hostile inputs made of samples: the same seed gives the same inputs.

/// Longest input that is made, in bytes.
pub const SIZE_CAP: usize = 256 * 1024;

/// Inputs to begin with where there is no sample.
const PLAIN: [&[u8]; 4] = [b"", b"{}\n", b"[\n]\n", b"#separator \\x09\n#fields\tts\tuid\n#types\ttime\tstring\n"];

/// Texts that readers trip over: broken escapes, numbers at the edge, dates far away, structure without end.
const TOKENS: [&[u8]; 40] = [
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\x09",
    b"\\x",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"(empty)",
    b"null",
    b"true",
    b"{\"\":",
    b"-1",
    b"0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"1e308",
    b"-1e999",
    b"0.000000001",
    b"NaN",
    b"1601-01-01T00:00:00Z",
    b"9999-12-31T23:59:60.999999999Z",
    b"-253402300800.5",
    b"#close",
    b"#fields\t",
    b"{\"count\":1,\"finished\":1}",
    b"<private>",
];

/// Makes inputs.
#[derive(Clone, Debug)]
pub struct Mutator {
    samples: Vec<Vec<u8>>,
    state: u64,
}

impl Mutator {
    /// Makes inputs of `samples` and of a few plain ones.
    #[must_use]
    pub fn new(mut samples: Vec<Vec<u8>>, seed: u64) -> Self {
        samples.extend(PLAIN.map(<[u8]>::to_vec));
        Self { samples, state: seed }
    }

    /// The next input: at first each sample as it is, then mutations without end.
    pub fn input(&mut self, number: u64) -> Vec<u8> {
        let whole = usize::try_from(number).ok().and_then(|number| self.samples.get(number));
        if let Some(sample) = whole {
            return sample.get(..SIZE_CAP).unwrap_or(sample).to_vec();
        }
        let mut input = self.some_lines();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input);
        }
        input.truncate(SIZE_CAP);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        match self.below(9) {
            0 => self.flip_bit(input),
            1 => self.replace_byte(input),
            2 => {
                let end = self.below(input.len() + 1);
                input.truncate(end);
            }
            3 => self.insert_token(input),
            4 => self.replace_number(input),
            5 => {
                let (start, end) = self.stretch(input.len());
                input.drain(start..end);
            }
            6 => {
                let (start, end) = self.stretch(input.len());
                let copy = input.get(start..end).unwrap_or_default().repeat(1 + self.below(8));
                self.insert(input, &copy);
            }
            7 => {
                let other = self.some_lines();
                let (start, end) = self.stretch(other.len());
                self.insert(input, other.get(start..end).unwrap_or_default());
            }
            _ => {
                let token = self.token();
                let times = 1 << self.below(12);
                self.insert(input, &token.repeat(times));
            }
        }
    }

    /// A sample, or its first lines (a header may stand there) with a few of the others: short inputs run faster.
    fn some_lines(&mut self) -> Vec<u8> {
        let chosen = self.below(self.samples.len());
        let sample = self.samples.get(chosen).cloned().unwrap_or_default();
        if self.below(4) == 0 {
            return sample;
        }
        let lines: Vec<&[u8]> = sample.split_inclusive(|byte| *byte == b'\n').collect();
        let first = self.below(10);
        let mut kept: Vec<u8> = lines.iter().take(first).copied().flatten().copied().collect();
        for _ in 0..self.below(8) {
            let line = self.below(lines.len());
            kept.extend_from_slice(lines.get(line).copied().unwrap_or_default());
        }
        kept
    }

    fn flip_bit(&mut self, input: &mut [u8]) {
        let (at, bit) = (self.below(input.len()), self.below(8));
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn replace_byte(&mut self, input: &mut [u8]) {
        let (at, value) = (self.below(input.len()), self.next().to_le_bytes());
        if let (Some(byte), [value, ..]) = (input.get_mut(at), value) {
            *byte = value;
        }
    }

    fn insert_token(&mut self, input: &mut Vec<u8>) {
        let token = self.token();
        self.insert(input, token);
    }

    /// Puts a token in place of one run of digits.
    fn replace_number(&mut self, input: &mut Vec<u8>) {
        let from = self.below(input.len());
        let Some(start) = (from..input.len()).find(|at| input.get(*at).is_some_and(u8::is_ascii_digit)) else { return };
        let digits = input.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
        let token = self.token();
        input.splice(start..start + digits, token.iter().copied());
    }

    fn insert(&mut self, input: &mut Vec<u8>, piece: &[u8]) {
        let room = SIZE_CAP.saturating_sub(input.len());
        let piece = piece.get(..room).unwrap_or(piece);
        let at = self.below(input.len() + 1);
        input.splice(at..at, piece.iter().copied());
    }

    fn token(&mut self) -> &'static [u8] {
        let chosen = self.below(TOKENS.len());
        TOKENS.get(chosen).copied().unwrap_or_default()
    }

    /// Start and end of a stretch of up to 200 bytes within `length`.
    fn stretch(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        let end = (start + self.below(200)).min(length);
        (start, end)
    }

    /// A number from 0 up to but not `bound`; 0 where the bound is 0. Its slight unevenness is of no matter here.
    fn below(&mut self, bound: usize) -> usize {
        let number = self.next();
        usize::try_from(number >> 1).map_or(0, |number| number.checked_rem(bound).unwrap_or(0))
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        // The first outputs of SplitMix64 for the seed 1234567, as its test vectors give them.
        let mut mutator = Mutator::new(Vec::new(), 1_234_567);
        assert_eq!([mutator.next(), mutator.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs_within_the_cap() {
        let samples = vec![b"{\"a\":1}\n{\"b\":22}\n".repeat(20_000)];
        let mut one = Mutator::new(samples.clone(), 7);
        let mut two = Mutator::new(samples.clone(), 7);
        let mut other = Mutator::new(samples, 8);
        let mut differs = false;
        for number in 0..500 {
            let input = one.input(number);
            assert_eq!(input, two.input(number));
            assert!(input.len() <= SIZE_CAP);
            differs |= input != other.input(number);
        }
        assert!(differs, "another seed makes other inputs");
    }

    #[test]
    fn samples_come_first_as_they_are() {
        let mut mutator = Mutator::new(vec![b"one".to_vec(), b"two".to_vec()], 1);
        assert_eq!((mutator.input(0), mutator.input(1)), (b"one".to_vec(), b"two".to_vec()));
    }
}
