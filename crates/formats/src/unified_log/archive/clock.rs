//! The clock of the log: from ticks since boot to nanoseconds of UTC, exactly.
//!
//! Layout of timesync files: dtformats, "Timesync database file". A boot record (signature 0xbbb0, 48 bytes) begins a
//! boot session; the records after it (signature "Ts ", 32 bytes) pair ticks with wall-clock time.

use super::chunks::{u16_at, u32_at, u64_at, uuid_at};
use monologue_model::Timestamp;
use std::collections::HashMap;

/// Pairs of ticks and time that are kept for one boot session.
const PAIR_CAP: usize = 1 << 20;

/// What the header of a tracev3 file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Boot session: 32 hexadecimal digits, upper case.
    pub(super) boot: String,
    /// Nanoseconds in a tick, as a fraction.
    numerator: u32,
    denominator: u32,
    /// Ticks and nanoseconds of UTC when the file was begun.
    begun: (u64, i64),
}

impl Header {
    /// Reads the header chunk, preamble included. `None` if it is too short.
    pub(super) fn read(chunk: &[u8]) -> Option<Self> {
        let seconds = i64::try_from(u64_at(chunk, 32)?).ok()?;
        let nanoseconds = seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(u32_at(chunk, 40)?) * 1000)?;
        Some(Self {
            boot: uuid_at(chunk, 0x90)?,
            numerator: u32_at(chunk, 16)?,
            denominator: u32_at(chunk, 20)?,
            begun: (u64_at(chunk, 24)?, nanoseconds),
        })
    }
}

#[derive(Debug, Default)]
struct Boot {
    numerator: u32,
    denominator: u32,
    /// Nanoseconds of UTC at tick zero.
    begun: i64,
    /// Ticks and nanoseconds of UTC, in order of ticks.
    pairs: Vec<(u64, i64)>,
}

/// All boot sessions of a store.
#[derive(Debug, Default)]
pub(super) struct Clock {
    boots: HashMap<String, Boot>,
}

impl Clock {
    /// Adds what a timesync file says.
    ///
    /// # Errors
    /// What was expected, where it ends to be one; what stands before that is kept.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut at = 0;
        let mut boot: Option<String> = None;
        let result = loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            let taken = if u16_at(rest, 0) == Some(0xbbb0) {
                self.boot_record(rest).map(|(name, length)| {
                    boot = Some(name);
                    length
                })
            } else if u32_at(rest, 0) == Some(0x0020_7354) {
                boot.as_deref().and_then(|boot| self.pair_record(rest, boot))
            } else {
                None
            };
            match taken {
                Some(length) => at += length,
                None => break Err(format!("expected a record of ticks and time at byte {at}, found something else")),
            }
        };
        self.boots.values_mut().for_each(|boot| boot.pairs.sort_unstable());
        result
    }

    fn boot_record(&mut self, record: &[u8]) -> Option<(String, usize)> {
        let name = uuid_at(record, 8)?;
        let (numerator, denominator) = (u32_at(record, 24)?, u32_at(record, 28)?);
        let begun = u64_at(record, 32)?.cast_signed();
        record.get(..48)?;
        let length = usize::from(u16_at(record, 2)?).max(48);
        // macOS begins a new file within one boot session: the first record of it holds.
        self.boots.entry(name.clone()).or_insert_with(|| Boot { numerator, denominator, begun, pairs: Vec::new() });
        Some((name, length))
    }

    fn pair_record(&mut self, record: &[u8], boot: &str) -> Option<usize> {
        let (ticks, time) = (u64_at(record, 8)?, u64_at(record, 16)?.cast_signed());
        record.get(..32)?;
        let pairs = &mut self.boots.get_mut(boot)?.pairs;
        if pairs.len() < PAIR_CAP {
            pairs.push((ticks, time));
        }
        Some(32)
    }

    /// The moment of `ticks` in the boot session of a file: from the last pair before it. Without a timesync file for
    /// that session, from the header of the file. `None` if the moment cannot be represented.
    pub(super) fn time(&self, header: &Header, ticks: u64) -> Option<Timestamp> {
        let Some(boot) = self.boots.get(&header.boot) else {
            return moment(ticks, header.begun, header.numerator, header.denominator);
        };
        let after = boot.pairs.partition_point(|(known, _)| *known <= ticks);
        let pair = after.checked_sub(1).and_then(|last| boot.pairs.get(last)).copied();
        moment(ticks, pair.unwrap_or((0, boot.begun)), boot.numerator, boot.denominator)
    }
}

fn moment(ticks: u64, (known, time): (u64, i64), numerator: u32, denominator: u32) -> Option<Timestamp> {
    let passed = (i128::from(ticks) - i128::from(known)) * i128::from(numerator);
    let nanoseconds = passed.checked_div(i128::from(denominator))?;
    i64::try_from(i128::from(time) + nanoseconds).ok().map(Timestamp::from_nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: u128 = 0x1122_3344_5566_7788_99AA_BBCC_DDEE_FF00;

    fn timesync(numerator: u32, denominator: u32, begun: i64, pairs: &[(u64, i64)]) -> Vec<u8> {
        let mut bytes = [0xbbb0_u16.to_le_bytes(), 48_u16.to_le_bytes()].concat();
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(BOOT.to_be_bytes());
        bytes.extend(numerator.to_le_bytes());
        bytes.extend(denominator.to_le_bytes());
        bytes.extend(begun.to_le_bytes());
        bytes.extend([0; 8]);
        for (ticks, time) in pairs {
            bytes.extend(0x0020_7354_u32.to_le_bytes());
            bytes.extend(0_u32.to_le_bytes());
            bytes.extend(ticks.to_le_bytes());
            bytes.extend(time.to_le_bytes());
            bytes.extend([0; 8]);
        }
        bytes
    }

    fn header() -> Header {
        let boot = format!("{BOOT:032X}");
        Header { boot, numerator: 125, denominator: 3, begun: (300, 7_000_000_000) }
    }

    fn at(clock: &Clock, ticks: u64) -> i64 {
        clock.time(&header(), ticks).unwrap().nanoseconds()
    }

    #[test]
    fn ticks_are_converted_exactly_from_the_last_pair_before_them() {
        let mut clock = Clock::default();
        let second = 1_700_000_000_123_456_789;
        clock.read(&timesync(125, 3, 1_600_000_000_000_000_000, &[(2400, second), (240, 5)])).unwrap();
        // 24 ticks of 125/3 nanoseconds are 1,000.
        assert_eq!(at(&clock, 2424), second + 1000);
        assert_eq!(at(&clock, 264), 5 + 1000);
        // Before the first pair: from the boot itself. A float of 53 bits could not hold this.
        assert_eq!(at(&clock, 3), 1_600_000_000_000_000_125);
        let unknown = Header { boot: "0".repeat(32), ..header() };
        assert_eq!(clock.time(&unknown, 324).unwrap().nanoseconds(), 7_000_001_000, "from the header of the file");
        let broken = Header { denominator: 0, boot: "0".repeat(32), ..header() };
        assert_eq!(clock.time(&broken, 1), None);
    }

    #[test]
    fn what_stands_before_a_broken_record_is_kept() {
        let mut bytes = timesync(1, 1, 0, &[(10, 1000)]);
        bytes.extend(b"rubbish and more");
        let mut clock = Clock::default();
        let error = clock.read(&bytes).unwrap_err();
        assert!(error.contains("at byte 80"), "{error}");
        assert_eq!(at(&clock, 11), 1001);
        bytes.truncate(60);
        assert!(Clock::default().read(&bytes).is_err(), "a cut record");
    }
}
