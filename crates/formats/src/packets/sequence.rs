//! One direction of a TCP connection: which bytes were seen, each counted once, and the stream in its order.
//!
//! Positions are counted from the first byte after the SYN (or from the first byte seen), beyond the 32 bits of a sequence
//! number, so that long connections do not wrap.

use std::collections::BTreeMap;

/// Separate stretches of one direction that are told apart; beyond it holes are no longer filled.
const STRETCH_CAP: usize = 64;

/// Segments of one direction held until what is missing before them comes.
const HELD_CAP: usize = 256;

/// Bytes held for all streams of a capture: 64 MiB.
const BUDGET: usize = 64 << 20;

/// How many bytes may still be held.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(BUDGET)
    }
}

impl Budget {
    /// Takes some, if there are.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.0 = (self.0 + bytes).min(BUDGET);
    }
}

/// What one segment added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Added {
    /// Position of its first byte.
    pub(super) at: i64,
    /// Bytes not seen before.
    pub(super) new: u64,
}

/// Which bytes of one direction were seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// Sequence number of position 0. `None`: no segment came yet.
    base: Option<u32>,
    /// Position 0 follows the SYN: nothing can come before it.
    opened: bool,
    /// Position of the last segment's start, near which the next is looked for.
    near: i64,
    /// Stretches seen, ascending, apart from each other.
    seen: Vec<(i64, i64)>,
    /// Position of the FIN. `None`: it was not seen.
    end: Option<i64>,
    /// Highest position the other side acknowledged.
    acknowledged: Option<i64>,
    /// There were more stretches than are told apart.
    overflowed: bool,
}

impl Sequence {
    /// The SYN with that sequence number was seen. `false`: another than the one known.
    pub(super) fn open(&mut self, syn: u32) -> bool {
        let first = syn.wrapping_add(1);
        if self.base.is_none() {
            self.base = Some(first);
            self.opened = true;
        }
        self.base == Some(first)
    }

    /// The sequence number of the SYN. `None`: it was not seen.
    pub(super) fn syn(&self) -> Option<u32> {
        self.base.filter(|_| self.opened).map(|base| base.wrapping_sub(1))
    }

    fn position(&self, sequence: u32) -> i64 {
        let base = self.base.unwrap_or(sequence);
        let expected = base.wrapping_add(self.near as u32);
        self.near + i64::from(sequence.wrapping_sub(expected).cast_signed())
    }

    /// A segment came.
    pub(super) fn add(&mut self, sequence: u32, length: u32) -> Added {
        if self.base.is_none() {
            self.base = Some(sequence);
        }
        let at = self.position(sequence);
        self.near = at;
        let (mut from, until) = (at, at + i64::from(length));
        if self.opened {
            from = from.max(0);
        }
        let before = self.bytes();
        if from < until {
            self.cover(from, until);
        }
        Added { at, new: self.bytes() - before }
    }

    fn cover(&mut self, mut from: i64, mut until: i64) {
        let first = self.seen.partition_point(|(_, end)| *end < from);
        let last = self.seen.partition_point(|(start, _)| *start <= until);
        if let (Some((start, _)), true) = (self.seen.get(first), first < last) {
            from = from.min(*start);
        }
        if let (Some((_, end)), true) = (self.seen.get(last.wrapping_sub(1)), first < last) {
            until = until.max(*end);
        }
        if first == last && self.seen.len() >= STRETCH_CAP {
            self.overflowed = true;
            return;
        }
        self.seen.splice(first..last, [(from, until)]);
    }

    /// The FIN came with a segment that ends at that position.
    pub(super) fn finish(&mut self, position: i64) {
        self.end = Some(self.end.map_or(position, |known| known.max(position)));
    }

    /// The other side acknowledged all before that sequence number.
    pub(super) fn acknowledge(&mut self, sequence: u32) {
        if self.base.is_some() {
            let position = self.position(sequence);
            self.acknowledged = Some(self.acknowledged.map_or(position, |known| known.max(position)));
        }
    }

    /// Payload bytes seen, each once.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.iter().map(|(from, until)| from.abs_diff(*until)).sum()
    }

    /// Whether the capture missed some: a hole, an acknowledgement of bytes that were never seen, or a FIN beyond them.
    pub(super) fn has_gap(&self) -> bool {
        let start = if self.opened { Some(0) } else { self.seen.first().map(|(from, _)| *from) };
        let last = self.seen.last().map(|(_, until)| *until).or(start);
        let hole = match self.seen.as_slice() {
            [] => false,
            [(from, _)] => Some(*from) != start,
            _ => true,
        };
        // A FIN takes a number of its own: missed alone, it is no missed payload.
        let beyond = last.is_some_and(|last| {
            self.acknowledged.is_some_and(|position| position > last + 1) || self.end.is_some_and(|end| end > last)
        });
        hole || beyond || self.overflowed
    }
}

/// Brings one direction into order. Only streams whose beginning was seen are read.
#[derive(Debug, Default)]
pub(super) struct Stream {
    next: i64,
    held: BTreeMap<i64, Vec<u8>>,
    /// Something is missing for good: nothing more is delivered.
    pub(super) broken: bool,
}

impl Stream {
    /// Takes a segment in, and hands over what is now in order. `whole`: the capture kept all of it.
    pub(super) fn add(
        &mut self,
        at: i64,
        payload: &[u8],
        whole: bool,
        budget: &mut Budget,
        mut deliver: impl FnMut(&[u8]),
    ) {
        if self.broken || payload.is_empty() {
            self.broken |= !whole;
            return;
        }
        let skip = usize::try_from(self.next - at).unwrap_or(0);
        if at > self.next {
            if self.held.len() >= HELD_CAP || !whole || !budget.take(payload.len()) {
                self.give_up(budget);
            } else if let Some(earlier) = self.held.insert(at, payload.to_vec()) {
                budget.give_back(earlier.len());
            }
            return;
        }
        if let Some(new) = payload.get(skip..).filter(|new| !new.is_empty()) {
            self.next += new.len() as i64;
            deliver(new);
        }
        if !whole {
            return self.give_up(budget);
        }
        while let Some(entry) = self.held.first_entry().filter(|entry| *entry.key() <= self.next) {
            let (at, payload) = entry.remove_entry();
            budget.give_back(payload.len());
            let skip = usize::try_from(self.next - at).unwrap_or(0);
            if let Some(new) = payload.get(skip..).filter(|new| !new.is_empty()) {
                self.next += new.len() as i64;
                deliver(new);
            }
        }
    }

    /// Lets go of what is held; nothing more is delivered.
    pub(super) fn give_up(&mut self, budget: &mut Budget) {
        self.broken = true;
        for payload in std::mem::take(&mut self.held).into_values() {
            budget.give_back(payload.len());
        }
    }

    /// Whether something came that cannot be delivered yet.
    pub(super) fn waits(&self) -> bool {
        !self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_once_whatever_was_sent_again() {
        let mut sequence = Sequence::default();
        assert!(sequence.open(u32::MAX - 1), "the number wraps within the stream");
        assert_eq!(sequence.add(u32::MAX, 100), Added { at: 0, new: 100 });
        assert_eq!(sequence.add(u32::MAX, 100), Added { at: 0, new: 0 }, "sent again");
        assert_eq!(sequence.add(49, 100), Added { at: 50, new: 50 }, "half of it sent again");
        assert_eq!(sequence.add(98, 1), Added { at: 99, new: 0 }, "a keep-alive repeats the last byte");
        assert_eq!(sequence.bytes(), 150);
        assert!(!sequence.has_gap());
        sequence.acknowledge(149);
        assert!(!sequence.has_gap());
        sequence.acknowledge(150);
        sequence.finish(150);
        assert!(!sequence.has_gap(), "the FIN takes a number");
        sequence.acknowledge(400);
        assert!(sequence.has_gap(), "acknowledged, and never seen");
    }

    #[test]
    fn a_hole_is_a_gap_until_it_is_filled() {
        let mut sequence = Sequence::default();
        sequence.open(0);
        sequence.add(101, 50);
        assert!(sequence.has_gap(), "the first hundred bytes are missing");
        sequence.add(1, 100);
        assert!(!sequence.has_gap());
        assert_eq!(sequence.bytes(), 150);
        let mut unopened = Sequence::default();
        unopened.add(500, 10);
        unopened.add(490, 10);
        assert!(!unopened.has_gap(), "nobody knows what came before");
        assert_eq!(unopened.bytes(), 20);
    }

    #[test]
    fn a_stream_is_delivered_in_order_and_ends_at_what_is_missing() {
        let (mut stream, mut budget, mut got) = (Stream::default(), Budget::default(), Vec::new());
        stream.add(3, b"def", true, &mut budget, |bytes| got.extend_from_slice(bytes));
        assert!(got.is_empty() && stream.waits());
        stream.add(0, b"abcd", true, &mut budget, |bytes| got.extend_from_slice(bytes));
        assert_eq!(got, b"abcdef");
        assert_eq!(budget.0, BUDGET);
        stream.add(6, b"gh", false, &mut budget, |bytes| got.extend_from_slice(bytes));
        stream.add(20, b"zz", true, &mut budget, |bytes| got.extend_from_slice(bytes));
        assert_eq!(got, b"abcdefgh");
        assert!(stream.broken);
    }
}
