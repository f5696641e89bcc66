//! Files that are opened before they are read: archives of one file, and Parquet files as lines.
#![cfg(test)]

use monologue_formats::{Cited, Input, Item, OpenError, detect};
use monologue_model::{Detail, Event, Sha256};
use std::{
    io::{Read, Write},
    path::Path,
};

/// A zip archive by hand (APPNOTE 4.3): local headers with their bytes, the directory, its end. Checksums are 0.
fn zip(members: &[(&str, &[u8])], deflated: bool, flags: u16) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let packed = if deflated {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.to_vec()
        };
        let offset = archive.len() as u32;
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(flags.to_le_bytes());
        common.extend(if deflated { 8_u16 } else { 0 }.to_le_bytes());
        common.extend([0; 8]);
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        // An extra field of four bytes in the local header, none in the directory: their lengths differ in real archives.
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(4_u16.to_le_bytes());
        archive.extend(name.as_bytes());
        archive.extend([0; 4]);
        archive.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 12]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, size) = (archive.len() as u32, directory.len() as u32);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06");
    archive.extend([0; 4]);
    archive.extend([members.len() as u16; 2].iter().flat_map(|count| count.to_le_bytes()));
    archive.extend(size.to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend(3_u16.to_le_bytes());
    archive.extend(b"end");
    archive
}

fn opened(folder: &Path, name: &str, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let mut text = Vec::new();
    Input::open(&path)?.reader.read_to_end(&mut text)?;
    let mut cited = Vec::new();
    Cited::open(&path)?.reader.read_to_end(&mut cited)?;
    assert_eq!(text, cited, "citations count in what was read");
    Ok(text)
}

#[test]
fn a_zip_archive_of_one_file_is_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let (text, finder) = (b"a line\n".repeat(1000), b"\0\x05\x16\x07".as_slice());
    let members = [("logs/", b"".as_slice()), ("logs/x.csv", text.as_slice()), ("__MACOSX/logs/._x.csv", finder)];
    assert_eq!(opened(folder.path(), "a.zip", &zip(&members, true, 8)).unwrap(), text);
    assert_eq!(opened(folder.path(), "b.zip", &zip(&members, false, 0)).unwrap(), text);
}

#[test]
fn other_zip_archives_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let error = |bytes: &[u8]| opened(folder.path(), "a.zip", bytes).unwrap_err().to_string();
    let two = zip(&[("a", b"1".as_slice()), ("b", b"2".as_slice())], true, 0);
    assert!(error(&two).contains("expected one file in the zip archive, found 2; hint: unpack it"), "{}", error(&two));
    assert!(error(&zip(&[("a", b"1".as_slice())], true, 1)).contains("without a password"));
    assert!(error(b"PK\x03\x04 and no more").contains("expected the end of a zip archive"));
    let mut far = zip(&[("a", b"1".as_slice())], true, 0);
    let at = far.len() - 9;
    far[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(error(&far).contains("found 0"), "a directory beyond the end has no entries");
}

/// Events of a file, each cited bytes checked in the stream that citations count in.
fn events(path: &Path) -> (&'static str, Vec<Event>, usize) {
    let (format, input) = Input::open(path).unwrap().with_head(detect).unwrap();
    let format = format.unwrap_or_else(|refusals| panic!("{refusals:?}"));
    let mut text = Vec::new();
    Cited::open(path).unwrap().reader.read_to_end(&mut text).unwrap();
    let (mut events, mut others) = (Vec::new(), 0);
    for item in format.read(input) {
        match item {
            Ok(Item::Event(event)) => {
                let place = &event.provenance;
                let cited = &text[place.offset as usize..(place.offset + place.length) as usize];
                assert_eq!(Sha256::of(cited), place.sha256);
                events.push(*event);
            }
            Ok(Item::Derived(_)) => {}
            Ok(Item::Skipped(_)) => others += 1,
            Err(malformed) => panic!("{malformed}"),
        }
    }
    (format.name(), events, others)
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use super::*;
    use parquet::{
        basic::Compression,
        data_type::{ByteArrayType, Int32Type, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };
    use std::sync::Arc;

    const SCHEMA: &str = "message schema {
        REQUIRED INT32 class_uid;
        REQUIRED INT32 activity_id;
        OPTIONAL INT64 time;
        OPTIONAL INT64 start_time_dt (TIMESTAMP_MICROS);
        OPTIONAL group src_endpoint { OPTIONAL BYTE_ARRAY ip (UTF8); OPTIONAL INT32 port; }
        OPTIONAL group dst_endpoint { OPTIONAL BYTE_ARRAY ip (UTF8); OPTIONAL INT32 port; }
        OPTIONAL group traffic { OPTIONAL INT64 bytes_out; OPTIONAL INT64 bytes_in; }
    }";

    /// Two rows: a closed connection, and one whose groups are null.
    fn write(path: &Path, compression: Compression) {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let mut writer = SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let texts = ["10.0.0.5", "192.0.2.10"];
        let mut place = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            let (first, none): (&[i16], &[i16]) = (&[2, 0], &[1, 0]);
            let written = match place {
                0 => column.typed::<Int32Type>().write_batch(&[4001, 4001], None, None),
                1 => column.typed::<Int32Type>().write_batch(&[2, 2], None, None),
                2 => {
                    let times = [1_795_600_000_000, 1_795_600_001_000];
                    column.typed::<Int64Type>().write_batch(&times, Some(&[1, 1]), None)
                }
                3 => column.typed::<Int64Type>().write_batch(&[1_795_600_000_123_456], Some(none), None),
                4 | 6 => {
                    let text = [texts[(place - 4) / 2].into()];
                    column.typed::<ByteArrayType>().write_batch(&text, Some(first), None)
                }
                5 => column.typed::<Int32Type>().write_batch(&[51_234], Some(first), None),
                7 => column.typed::<Int32Type>().write_batch(&[443], Some(first), None),
                8 => column.typed::<Int64Type>().write_batch(&[i64::MAX], Some(first), None),
                _ => column.typed::<Int64Type>().write_batch(&[3720], Some(first), None),
            };
            written.unwrap();
            column.close().unwrap();
            place += 1;
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn rows_are_lines_of_json_whatever_the_codec() {
        let folder = tempfile::tempdir().unwrap();
        let codecs = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::ZSTD(Default::default()),
        ];
        for compression in codecs {
            let path = folder.path().join("rows.parquet");
            write(&path, compression);
            let mut text = String::new();
            Input::open(&path).unwrap().reader.read_to_string(&mut text).unwrap();
            let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), 2, "{compression:?}");
            assert_eq!(lines[0]["src_endpoint"], serde_json::json!({"ip": "10.0.0.5", "port": 51234}));
            assert_eq!(lines[0]["traffic"]["bytes_out"].as_i64(), Some(i64::MAX), "numbers keep all digits");
            assert_eq!(lines[0]["start_time_dt"], "2026-11-25T09:46:40.123456Z");
            assert_eq!(
                lines[1],
                serde_json::json!({"class_uid": 4001, "activity_id": 2, "time": 1_795_600_001_000_i64})
            );
        }
    }

    #[test]
    fn rows_of_ocsf_are_read_as_its_json_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        write(&path, Compression::UNCOMPRESSED);
        let mut malformed = Vec::new();
        let (format, input) = Input::open(&path).unwrap().with_head(detect).unwrap();
        let format = format.unwrap_or_else(|refusals| panic!("{refusals:?}"));
        assert_eq!(format.name(), "ocsf-network");
        let mut flows = Vec::new();
        for item in format.read(input) {
            match item {
                Ok(Item::Event(event)) => flows.push(*event),
                Ok(_) => {}
                Err(error) => malformed.push(error.expected),
            }
        }
        let Detail::Flow(flow) = &flows[0].detail else { panic!("{flows:?}") };
        assert_eq!(flow.responder.to_string(), "192.0.2.10:443");
        assert_eq!(flow.received.measured_value(), Some(3720));
        assert_eq!(malformed, ["in `originator.address`, expected an address, found none"]);
    }

    #[test]
    fn a_page_that_would_fill_the_memory_is_refused_before_it_is_decompressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.parquet");
        let schema = Arc::new(parse_message_type("message schema { REQUIRED BYTE_ARRAY name (UTF8); }").unwrap());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(Default::default()))
            .set_dictionary_enabled(false)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[vec![b'a'; 64 << 20].into()], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20, "64 MiB in less than one");
        // The text and the four bytes of its length.
        assert_eq!(
            Input::open(&path).map(|_| ()).unwrap_err().to_string().split("expected").last().unwrap(),
            " pages of at most 67108864 bytes, found one that claims 67108868"
        );
    }

    #[test]
    fn files_that_mislead_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        write(&path, Compression::SNAPPY);
        let whole = std::fs::read(&path).unwrap();
        // Every byte changed in turn: an error, or other rows, and never the end of the program.
        let mut readable = 0;
        for at in 4..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, bytes).unwrap();
            let mut text = String::new();
            readable +=
                usize::from(Input::open(&path).is_ok_and(|mut input| input.reader.read_to_string(&mut text).is_ok()));
        }
        assert!(readable < whole.len() - 4, "some of them cannot be read");
        for cut in [4, 12, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Input::open(&path).is_err(), "cut at {cut}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn real_rows_of_security_lake_are_told_and_counted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/formats/ocsf/amazon-security-lake-sample.parquet");
    if !path.exists() {
        eprintln!("skipped: ../shared/data is not there");
        return;
    }
    let (format, events, others) = events(&path);
    // One row, class 3005 (API Activity) of schema 1.0.0-rc.2: known, and of no use here.
    assert_eq!((format, events.len(), others), ("ocsf-dns", 0, 1));
}

#[test]
fn a_real_export_in_a_zip_archive_is_read_row_by_row() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network/aktaion/PANTrafficBenign.csv.zip");
    if !path.exists() {
        eprintln!("skipped: ../shared/data is not there");
        return;
    }
    let (format, events, others) = events(&path);
    // By a reader of CSV of our own: 65,532 rows, all of type TRAFFIC and subtype end.
    assert_eq!((format, events.len(), others), ("pan-traffic", 65_532, 0));
    // The first row: started 2017/05/31 00:38:47, 31 s, udp, 240 bytes sent and 328 received in 4 packets each.
    let Detail::Flow(flow) = &events[0].detail else { panic!("{:?}", events[0]) };
    assert_eq!((events[0].time.to_string().as_str(), flow.duration_ns), ("2017-05-31T00:38:47Z", Some(31_000_000_000)));
    assert_eq!((flow.originator.to_string().as_str(), flow.responder.port()), ("192.168.4.55:56222", 5351));
    assert_eq!((flow.sent.value, flow.received.value, flow.received_packets), (Some(240), Some(328), Some(4)));
}
