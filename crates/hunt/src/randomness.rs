//! How random a piece of text looks: Shannon's entropy of its characters, where it is long enough to tell.

/// Characters below which the entropy of a piece says nothing: 24 different characters are needed for 4.58 bits.
const LEAST_CHARACTERS: usize = 24;

/// Bytes of an address that are looked at.
const ADDRESS_CAP: usize = 8192;

/// The most random part of an address (path and query), in tenths of bits per character. Parts are what stands between
/// separators, so that a long address of words is no random text. `None`: no part is long enough.
pub(crate) fn of_address(address: &str) -> Option<u8> {
    let address = address.get(..ADDRESS_CAP).unwrap_or(address);
    let parts = address.split(['/', '?', '&', '=', ';', ',', ':', '.', '#', '%', '|']);
    parts.filter_map(of_text).max()
}

/// Shannon's entropy of the bytes of a text, in tenths of bits per byte (Shannon, A Mathematical Theory of Communication,
/// 1948, section 6). `None`: it is too short.
fn of_text(text: &str) -> Option<u8> {
    if text.len() < LEAST_CHARACTERS {
        return None;
    }
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    });
    let length = text.len() as f64;
    let bits: f64 =
        counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|p| -p * p.log2()).sum();
    Some((bits * 10.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_of_known_texts_is_what_the_formula_gives() {
        // 32 different characters, each once: log2(32) = 5 bits.
        assert_eq!(of_text("abcdefghijklmnopqrstuvwxyz012345"), Some(50));
        // Two characters in equal shares: one bit.
        assert_eq!(of_text(&"ab".repeat(16)), Some(10));
        assert_eq!(of_text(&"a".repeat(40)), Some(0));
        assert_eq!(of_text("tooshort"), None);
    }

    #[test]
    fn the_most_random_part_of_an_address_counts() {
        assert_eq!(of_address("/a/b?c=d"), None);
        let words = of_address("/documentation/getting-started-with-the-new-interface/overview.html").unwrap();
        let encoded = of_address("/api/c?d=Zm9vIGJhciBiYXogcXV4IDAxMjM0NTY3ODkgYWJj").unwrap();
        assert!(words < 42 && encoded > 43, "{words} {encoded}");
        assert_eq!(of_address(&"é".repeat(9000)).map(|tenths| tenths > 0), Some(true));
    }
}
