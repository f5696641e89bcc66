//! Hashes of the beginnings of a file, in one reading: has a source that was taken before only grown?

use monologue_model::Sha256;
use sha2::Digest;
use std::io::{self, Read};

/// Hashes of a stream and of its beginnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixHashes {
    /// For each length asked for, in the order asked: the hash of so many first bytes. `None` means the stream is shorter.
    pub prefixes: Vec<Option<Sha256>>,
    /// Hash of the whole stream.
    pub whole: Sha256,
    /// Bytes of the whole stream.
    pub bytes: u64,
}

/// Reads a stream once, to its end, and hashes the whole and its beginnings of the given lengths.
///
/// # Errors
/// When it cannot be read.
pub fn prefix_hashes(mut reader: impl Read, lengths: &[u64]) -> io::Result<PrefixHashes> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|place| lengths.get(*place).copied());
    let mut order = order.into_iter().peekable();
    let mut prefixes = vec![None; lengths.len()];
    let mut hasher = sha2::Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0_u8; 128 << 10];
    loop {
        while let Some(place) = order.next_if(|place| lengths.get(*place) == Some(&bytes)) {
            if let Some(prefix) = prefixes.get_mut(place) {
                *prefix = Some(finish(hasher.clone()));
            }
        }
        let until_next = order.peek().and_then(|place| lengths.get(*place)).map_or(u64::MAX, |length| length - bytes);
        let most = usize::try_from(until_next).unwrap_or(usize::MAX).min(buffer.len());
        let read = match reader.read(buffer.get_mut(..most).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            return Ok(PrefixHashes { prefixes, whole: finish(hasher), bytes });
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

fn finish(hasher: sha2::Sha256) -> Sha256 {
    Sha256::from_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn beginnings_in_any_order_and_beyond_the_end() {
        let hashes = prefix_hashes(&b"abcdef"[..], &[6, 3, 0, 7, 3]).unwrap();
        let of = |bytes: &[u8]| Some(Sha256::of(bytes));
        assert_eq!(hashes.prefixes, [of(b"abcdef"), of(b"abc"), of(b""), None, of(b"abc")]);
        assert_eq!((hashes.whole, hashes.bytes), (Sha256::of(b"abcdef"), 6));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn agrees_with_hashing_each_beginning_alone(
            length in 0_usize..300_000,
            lengths in prop::collection::vec(0_u64..400_000, 0..6),
        ) {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let hashes = prefix_hashes(&content[..], &lengths).unwrap();
            let expected: Vec<Option<Sha256>> =
                lengths.iter().map(|length| content.get(..*length as usize).map(Sha256::of)).collect();
            prop_assert_eq!(hashes.prefixes, expected);
            prop_assert_eq!(hashes.whole, Sha256::of(&content));
        }
    }
}
