//! NetFlow and IPFIX: what a record is worth, and what pairing makes of several.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_model::{ByteLayer, ByteQuality, CoverageState, Detail, Flow, FlowReply, Loss, RecordPhase};
use std::path::{Path, PathBuf};

struct Read {
    flows: Vec<(i64, Flow)>,
    skipped: usize,
    malformed: Vec<String>,
    lost: Vec<(Loss, Option<u64>)>,
}

fn read(path: &Path) -> Read {
    let (format, input) = Input::open(path).unwrap().with_head(monologue_formats::detect).unwrap();
    let format = format.unwrap();
    assert_eq!(format.name(), "netflow", "{path:?}");
    let mut read = Read { flows: Vec::new(), skipped: 0, malformed: Vec::new(), lost: Vec::new() };
    for item in format.read(input) {
        match item {
            Ok(Item::Event(event) | Item::Derived(event)) => match event.detail {
                Detail::Flow(flow) => {
                    read.flows.push((event.time.nanoseconds() / 1_000_000 - 1_772_431_200_000, *flow))
                }
                Detail::Coverage(coverage) => {
                    if let CoverageState::Lost { reason, records } = coverage.state {
                        read.lost.push((reason, records));
                    }
                }
                other => panic!("expected a flow, found {other:?}"),
            },
            Ok(Item::Skipped(_)) => read.skipped += 1,
            Err(malformed) => read.malformed.push(malformed.to_string()),
        }
    }
    read
}

fn sample(name: &str) -> Read {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/netflow").join(name))
}

fn of(read: &Read, port: u16) -> &(i64, Flow) {
    read.flows
        .iter()
        .find(|(_, flow)| flow.originator.port() == port)
        .unwrap_or_else(|| panic!("no flow of port {port}"))
}

#[test]
fn directions_are_paired_and_stretches_added_up() {
    let read = sample("export.pcap");
    let (time, flow) = of(&read, 50_001);
    assert_eq!((*time, flow.duration_ns), (0, Some(100_000_000_000)), "by the router's uptime, from its start");
    assert_eq!((flow.sent.measured_value(), flow.sent.layer), (Some(9000 + 1500), ByteLayer::Ip));
    assert_eq!((flow.received.measured_value(), flow.received_packets), (Some(62_000), Some(72)));
    assert_eq!(
        (flow.reply, flow.phase),
        (FlowReply::Payload, RecordPhase::End),
        "72 headers cannot explain 62,000 bytes"
    );
}

#[test]
fn headers_alone_are_no_reply_and_silence_needs_all_packets() {
    let read = sample("export.pcap");
    let (_, attempt) = of(&read, 50_002);
    assert!(attempt.unanswered_attempt && attempt.reply == FlowReply::NothingIfTwoSided);
    assert_eq!(attempt.received.quality, ByteQuality::Absent, "a record that is missing is no zero");
    assert_eq!(of(&read, 123).1.reply, FlowReply::NothingIfTwoSided);
    let (_, sampled) = of(&read, 40_009);
    assert_eq!((sampled.reply, sampled.sent.quality), (FlowReply::Unknown, ByteQuality::Partial));
    let (_, six) = of(&read, 50_010);
    assert_eq!(six.reply, FlowReply::Unknown, "five packets of 72 bytes: a handshake would have them");
    assert_eq!(of(&read, 40_010).1.phase, RecordPhase::Snapshot, "its answer may come with the next packets");
}

#[test]
fn sequence_numbers_and_missing_templates_are_losses() {
    let read = sample("export.pcap");
    assert_eq!(read.malformed.len(), 1, "{:?}", read.malformed);
    assert!(read.malformed[0].contains("template"), "{:?}", read.malformed);
    // 1000 + 4, then 1004 + 2, then 1009: three records are missing.
    assert_eq!(read.lost, [(Loss::SequenceGap, Some(3)), (Loss::Malformed, Some(1))]);
    assert_eq!((read.flows.len(), read.skipped), (6, 4), "ten records, of which six begin a flow");
}

#[test]
fn ipfix_messages_with_both_directions_in_one_record_are_read() {
    let read = sample("messages.ipfix");
    assert_eq!((read.flows.len(), read.skipped, read.malformed.len()), (2, 2, 0));
    let (time, answered) = of(&read, 50_020);
    assert_eq!((*time, answered.sent.value, answered.received.value), (5_000, Some(1800), Some(10_000)));
    assert_eq!(answered.reply, FlowReply::Payload);
    assert_eq!(of(&read, 50_021).1.reply, FlowReply::Unknown, "no bytes counted, and no flags to say why");
    // The second message held records 0 and 1, the third begins with 4.
    assert_eq!(read.lost, [(Loss::SequenceGap, Some(2))]);
}

fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/formats/netflow").join(name);
    if !path.is_file() {
        eprintln!("skipped: ../shared/data is not there");
        return None;
    }
    Some(path)
}

#[test]
fn real_exports_without_their_templates_say_how_much_cannot_be_read() {
    let Some(path) = real("ndpi-netflowv9.pcap") else { return };
    // Ten packets of twenty-three sets by a walk over set headers; no template is among them.
    let read = read(&path);
    assert_eq!((read.flows.len(), read.malformed.len()), (0, 23), "{:?}", read.malformed.len());
}
