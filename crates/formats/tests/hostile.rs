//! Rubbish: whatever the bytes, every format ends, and none panics.
#![cfg(test)]

use monologue_formats::{FORMATS, Input, LINE_CAP};
use proptest::prelude::*;
use std::{io::Write, path::Path};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut files = Vec::new();
    for format in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(format.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() && !path.ends_with("ORIGIN") {
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files.into_iter().map(|(_, bytes)| bytes).collect()
}

/// Items of every format, read to the end whether or not it was detected.
fn read_with_all(bytes: &[u8]) -> Vec<(usize, usize)> {
    FORMATS
        .iter()
        .map(|format| {
            let mut good = 0;
            let mut malformed = 0;
            for item in format.read(Input::from_bytes("rubbish", bytes)) {
                if item.is_ok() { good += 1 } else { malformed += 1 }
            }
            (good, malformed)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn mutated_samples_are_borne(
        pick in 0_usize..1000,
        edits in prop::collection::vec((0_usize..100_000, any::<u8>(), 0_u8..4), 1..40),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[pick % corpus.len()].clone();
        for (at, value, kind) in edits {
            let at = at % bytes.len().max(1);
            match kind {
                0 => if let Some(byte) = bytes.get_mut(at) { *byte = value },
                1 => bytes.insert(at.min(bytes.len()), value),
                2 => bytes.truncate(at.max(1)),
                _ => { let tail = bytes.split_off(at.min(bytes.len())); bytes.extend_from_slice(&tail); bytes.extend_from_slice(&tail[..tail.len().min(64)]); }
            }
        }
        for (good, malformed) in read_with_all(&bytes) {
            prop_assert!(good + malformed <= bytes.len() + 64, "more items than bytes");
        }
    }

    #[test]
    fn noise_is_borne(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        for (good, malformed) in read_with_all(&bytes) {
            prop_assert!(good + malformed <= bytes.len() + 64);
        }
    }
}

#[test]
fn a_line_beyond_all_bounds_costs_one_record() {
    let good = br#"{"ts":1772431200.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"192.0.2.1","id.resp_p":2,"proto":"tcp","conn_state":"SF"}"#;
    let mut bytes = good.to_vec();
    bytes.push(b'\n');
    bytes.extend(vec![b'x'; LINE_CAP + 1]);
    bytes.push(b'\n');
    bytes.extend_from_slice(good);
    let format = monologue_formats::by_name("zeek-conn").unwrap();
    let items: Vec<_> = format.read(Input::from_bytes("conn.log", &bytes)).collect();
    let malformed = items.iter().filter(|item| item.is_err()).count();
    let events = items.iter().filter(|item| matches!(item, Ok(monologue_formats::Item::Event(_)))).count();
    assert_eq!((events, malformed), (2, 1));
}

#[test]
fn a_cut_gzip_gives_what_came_before_and_one_malformation() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/zeek-conn/conn.log");
    let text = std::fs::read(sample).unwrap().repeat(50);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&text).unwrap();
    let packed = encoder.finish().unwrap();
    let path = std::env::temp_dir().join(format!("monologue-cut-{}.log.gz", std::process::id()));
    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let (format, input) = Input::open(&path).unwrap().with_head(monologue_formats::detect).unwrap();
    let items: Vec<_> = format.unwrap().read(input).collect();
    std::fs::remove_file(&path).unwrap();
    assert!(items.iter().filter(|item| item.is_ok()).count() > 9, "what came before the cut is read");
    let last_error = items.iter().rev().find_map(|item| item.as_ref().err()).unwrap();
    assert_eq!(last_error.length, 0, "the cut itself: {last_error}");
}

#[test]
fn gzip_and_zstd_are_undone() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/zeek-conn/conn.log");
    let plain = std::fs::read(sample).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let expected: Vec<_> =
        monologue_formats::by_name("zeek-conn").unwrap().read(Input::from_bytes("conn.log", &plain)).collect();
    for (ending, packed) in [("gz", gzip.finish().unwrap()), ("zst", zstd::encode_all(&plain[..], 1).unwrap())] {
        let path = std::env::temp_dir().join(format!("monologue-packed-{}.log.{ending}", std::process::id()));
        std::fs::write(&path, packed).unwrap();
        let (format, input) = Input::open(&path).unwrap().with_head(monologue_formats::detect).unwrap();
        let items: Vec<_> = format.unwrap().read(input).collect();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(items.len(), expected.len(), "{ending}");
        for (item, plain) in items.iter().zip(&expected) {
            // Offsets count bytes of the decompressed stream, so only the source's name differs.
            match (item, plain) {
                (Ok(monologue_formats::Item::Event(one)), Ok(monologue_formats::Item::Event(other))) => {
                    assert_eq!(
                        (one.time, one.provenance.offset, &one.detail),
                        (other.time, other.provenance.offset, &other.detail)
                    );
                }
                (Err(one), Err(other)) => assert_eq!(one, other),
                _ => assert_eq!(item.is_ok(), plain.is_ok()),
            }
        }
    }
}

#[test]
fn a_decompression_bomb_is_an_error_in_the_middle() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Zeros pack about a thousand to one; packed twice they would pass every bound. Once is within it and must be read.
    encoder.write_all(&vec![0_u8; 1 << 20]).unwrap();
    let path = std::env::temp_dir().join(format!("monologue-zeros-{}.gz", std::process::id()));
    std::fs::write(&path, encoder.finish().unwrap()).unwrap();
    let (found, _) = Input::open(&path).unwrap().with_head(|head| (head.bytes.len(), head.complete)).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(found, (64 * 1024, false), "only the head is looked at");
}

#[test]
fn what_is_said_of_nothing_points_at_nothing() {
    for format in FORMATS {
        for item in format.read(Input::from_bytes("nothing", b"")) {
            if let Err(malformed) = item {
                assert_eq!((malformed.offset, malformed.length), (0, 0), "{}: {malformed}", format.name());
            }
        }
    }
}

#[test]
fn an_empty_file_is_refused() {
    let path = std::env::temp_dir().join(format!("monologue-empty-{}.log", std::process::id()));
    std::fs::write(&path, b"").unwrap();
    let error = Input::open(&path).err().unwrap().to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(error.ends_with("is empty"), "{error}");
}
