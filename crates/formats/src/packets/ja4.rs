//! JA4: the fingerprint of a ClientHello (FoxIO's published specification, "JA4: TLS Client Fingerprinting", BSD 3-Clause).

use super::tls::{Fields, Hello, shorts};
use monologue_model::Sha256;

/// What carried the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// TLS over TCP.
    Tcp,
}

/// Values reserved to keep servers tolerant (RFC 8701): 0x?A?A with both halves alike.
const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// `t13d1516h2_8daaf6152771_b186095e22b6`: carrier, version, whether a name is asked for, numbers of ciphers and extensions,
/// the first protocol offered; a hash of the sorted ciphers; a hash of the sorted extensions and the signature algorithms.
pub(super) fn fingerprint(hello: &Hello<'_>, carrier: Carrier) -> String {
    let mut ciphers: Vec<u16> = hello.ciphers.iter().copied().filter(|cipher| !is_grease(*cipher)).collect();
    let mut numbers: Vec<u16> =
        hello.extensions.iter().map(|(number, _)| *number).filter(|number| !is_grease(*number)).collect();
    let carrier = match carrier {
        Carrier::Tcp => 't',
    };
    let start = format!(
        "{carrier}{}{}{:02}{:02}{}",
        version(hello),
        if hello.extension(0).is_some() { 'd' } else { 'i' },
        ciphers.len().min(99),
        numbers.len().min(99),
        protocol(hello),
    );
    ciphers.sort_unstable();
    // Name (0) and protocols (16) vary with the destination: they are counted, and not hashed.
    numbers.retain(|number| !matches!(number, 0 | 16));
    numbers.sort_unstable();
    let mut extensions = listed(&numbers);
    let algorithms: Vec<u16> = hello
        .extension(13)
        .and_then(|body| Fields(body).vector())
        .map(|list| shorts(list).filter(|algorithm| !is_grease(*algorithm)).collect())
        .unwrap_or_default();
    if !algorithms.is_empty() && !extensions.is_empty() {
        extensions = format!("{extensions}_{}", listed(&algorithms));
    }
    format!("{start}_{}_{}", short_hash(&listed(&ciphers)), short_hash(&extensions))
}

fn version(hello: &Hello<'_>) -> &'static str {
    let offered = hello.extension(43).and_then(|body| Fields(body).short_vector());
    let highest = offered.and_then(|list| shorts(list).filter(|version| !is_grease(*version)).max());
    match highest.unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol offered (ALPN); of their hexadecimal form where they are no letters or
/// digits; `00` where none is offered.
fn protocol(hello: &Hello<'_>) -> String {
    let first = hello.extension(16).and_then(|body| Fields(Fields(body).vector()?).short_vector());
    let (Some(start), Some(end)) = (first.and_then(<[u8]>::first), first.and_then(<[u8]>::last)) else {
        return "00".to_owned();
    };
    if start.is_ascii_alphanumeric() && end.is_ascii_alphanumeric() {
        return [char::from(*start), char::from(*end)].iter().collect();
    }
    let (start, end) = (format!("{start:02x}"), format!("{end:02x}"));
    start.chars().take(1).chain(end.chars().skip(1)).collect()
}

fn listed(values: &[u16]) -> String {
    values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
}

/// The first twelve digits of the hash; zeros for an empty list.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    Sha256::of(text.as_bytes()).to_string().chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own example: a Chrome hello with GREASE, 15 ciphers, 16 extensions, `h2`.
    #[test]
    fn the_published_example_has_the_published_fingerprint() {
        let ciphers = vec![
            0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
            0x009d, 0x002f, 0x0035,
        ];
        let algorithms: &[u8] = &[0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];
        let versions: &[u8] = &[6, 0x1a, 0x1a, 3, 4, 3, 3];
        let protocols: &[u8] = &[0, 12, 2, b'h', b'2', 8, b'h', b't', b't', b'p', b'/', b'1', b'.', b'1'];
        let empty: &[u8] = &[];
        let mut extensions: Vec<(u16, &[u8])> = [
            0x3a3a, 0x001b, 0x0000, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0xff01, 0x000b, 0x000a,
            0x0015,
        ]
        .into_iter()
        .map(|number| (number, empty))
        .collect();
        extensions.extend([(0x0010, protocols), (0x000d, algorithms), (0x002b, versions)]);
        let hello = Hello { version: 0x0303, ciphers, extensions };
        assert_eq!(fingerprint(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn what_is_missing_is_written_as_zeros() {
        let hello = Hello { version: 0x0301, ciphers: Vec::new(), extensions: Vec::new() };
        assert_eq!(fingerprint(&hello, Carrier::Tcp), "t10i000000_000000000000_000000000000");
        let dash: &[u8] = &[0, 2, 1, b'-'];
        let hello = Hello { version: 0x0303, ciphers: vec![0x002f], extensions: vec![(16, dash)] };
        assert!(fingerprint(&hello, Carrier::Tcp).starts_with("t12i01012d_"));
    }
}
