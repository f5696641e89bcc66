//! Identifiers made from what they name: the same thing has the same identifier in every file.

use std::fmt::Write as _;

/// A 64-bit hash of texts (FNV-1a, finished as in SplitMix64). No security rests on it.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut value = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A number in `[from, until]` that the texts decide.
pub(crate) fn number(from: u64, until: u64, parts: &[&str]) -> u64 {
    from + hash(parts) % (until.saturating_sub(from) + 1)
}

/// The 128 bits that the texts decide.
fn wide(parts: &[&str]) -> u128 {
    let text = parts.join("\n");
    u128::from(hash(&["high", &text])) << 64 | u128::from(hash(&["low", &text]))
}

/// An upper-case UUID of version 4 form.
pub(crate) fn uuid(parts: &[&str]) -> String {
    let value = wide(parts) & !(0xf << 76) | 0x4 << 76;
    let value = value & !(0x3 << 62) | 0x2 << 62;
    format!(
        "{:08X}-{:04X}-{:04X}-{:04X}-{:012X}",
        value >> 96,
        value >> 80 & 0xffff,
        value >> 64 & 0xffff,
        value >> 48 & 0xffff,
        value & 0xffff_ffff_ffff
    )
}

/// A code directory hash: 40 upper-case hexadecimal digits.
pub(crate) fn cdhash(parts: &[&str]) -> String {
    format!("{:032X}{:08X}", wide(parts), hash(parts) & 0xffff_ffff)
}

/// A masked host name of `mDNSResponder`: 16 bytes in base64.
pub(crate) fn mask_hash(parts: &[&str]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = wide(parts);
    let mut text = String::with_capacity(24);
    for place in 0..22_u32 {
        // 128 bits are 21 digits of six bits, and two bits more, which four zero bits fill up.
        let digit = if place < 21 { (bits >> (122 - 6 * place)) & 0x3f } else { (bits & 0x3) << 4 };
        text.push(ALPHABET.get(digit as usize).map_or('A', |byte| char::from(*byte)));
    }
    text + "=="
}

/// The identifier of a connection in Zeek: `C` and 17 letters or digits.
pub(crate) fn connection_uid(parts: &[&str]) -> String {
    let mut value = wide(parts);
    let mut text = String::from("C");
    for _ in 0..17 {
        let digit = (value % 62) as u32;
        value /= 62;
        let base = match digit {
            0..=9 => u32::from('0'),
            10..=35 => u32::from('A') - 10,
            _ => u32::from('a') - 36,
        };
        text.push(char::from_u32(base + digit).unwrap_or('0'));
    }
    text
}

/// A short lower-case name, such as attackers and temporary files have.
pub(crate) fn letters(count: usize, parts: &[&str]) -> String {
    let mut value = wide(parts);
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let _ = write!(text, "{}", char::from(b'a' + (value % 26) as u8));
        value /= 26;
    }
    text
}
