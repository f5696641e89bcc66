//! Real captures: counts by hand from the bytes, and the payload of each direction as tshark counts it.

use monologue_formats::{Input, Item};
use monologue_model::{ConnectionFact, Detail, Event, Flow, Transport};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// A folder of the real data. `None` where it is not there.
fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: ../shared/data is not there");
    None
}

fn captures(folder: &str) -> Vec<PathBuf> {
    let Some(folder) = data(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng"));
    files.sort();
    files
}

struct Read {
    events: Vec<Event>,
    derived: Vec<Event>,
    skipped: usize,
    malformed: Vec<String>,
}

fn read(path: &Path) -> Read {
    let format = monologue_formats::by_name("packet-capture").unwrap();
    let mut read = Read { events: Vec::new(), derived: Vec::new(), skipped: 0, malformed: Vec::new() };
    for item in format.read(Input::open(path).unwrap()) {
        match item {
            Ok(Item::Event(event)) => read.events.push(*event),
            Ok(Item::Derived(event)) => read.derived.push(*event),
            Ok(Item::Skipped(_)) => read.skipped += 1,
            Err(malformed) => read.malformed.push(malformed.to_string()),
        }
    }
    read
}

fn flows(read: &Read) -> impl Iterator<Item = &Flow> {
    read.events.iter().filter_map(|event| if let Detail::Flow(flow) = &event.detail { Some(&**flow) } else { None })
}

#[test]
fn every_packet_of_the_real_captures_is_accounted_for() {
    // Packets by a walk over the record headers alone (and `decoded-by-hand.txt` of the data set).
    let counts = [
        ("network/pcap/1kxun.pcap", 1723),
        ("network/pcap/iphone.pcap", 500),
        ("network/pcap/mercury_capture2.pcap", 5617),
        ("network/pcap/netflix.pcap", 1793),
        ("formats/pktap/ndpi-mpeg.pcapng", 19),
        ("formats/pktap/radar-101007576-iperf.pcapng", 24),
        ("formats/pktap/radar-63494669.pcapng", 40),
        ("formats/pktap/radar-74957353.pcapng", 197),
        ("formats/pktap/radar-79792659.pcapng", 10),
        ("formats/pktap/radar-88502733.pcapng", 4),
    ];
    let Some(root) = data("") else { return };
    for (file, packets) in counts {
        let read = read(&root.join(file));
        assert_eq!(read.events.len() + read.skipped + read.malformed.len(), packets, "{file}: {:?}", read.malformed);
        assert!(read.malformed.is_empty(), "{file}: {:?}", read.malformed);
    }
}

#[test]
fn the_capture_that_broke_others_does_not_break_us() {
    let Some(folder) = data("formats/pktap") else { return };
    let read = read(&folder.join("pktap-heap-overflow.pcap"));
    // Two packets, whose pktap headers claim lengths beyond the packet.
    assert_eq!((read.events.len(), read.malformed.len()), (0, 2), "{:?}", read.malformed);
    assert!(read.malformed[0].contains("pktap header"), "{:?}", read.malformed);
}

#[test]
fn processes_of_a_real_capture_are_named_once_for_each_connection() {
    let Some(folder) = data("formats/pktap") else { return };
    // Outgoing connections of network_test (its block has the build, the one of the effective process has none: same pid).
    let read = read(&folder.join("radar-74957353.pcapng"));
    let mut owners = BTreeSet::new();
    for event in &read.derived {
        if let Detail::Connection(connection) = &event.detail
            && let ConnectionFact::Closed { .. } = connection.fact
        {
            assert_eq!(connection.effective_process, None, "it acts for itself");
            let process = &connection.process;
            owners.insert((process.key.pid.unwrap(), process.path.clone().unwrap().to_string()));
            assert_eq!(process.code_uuid.as_deref(), Some("4491B4FAC7EC367C9F2F1395E91BE636"), "{process:?}");
        }
    }
    let expected = [1500, 1505, 1524, 1528].map(|pid| (pid, "network_test".to_owned()));
    assert_eq!(owners, expected.into());
}

/// Payload of each direction: bytes by (transport, from, to).
type Directions = BTreeMap<(Transport, SocketAddr, SocketAddr), u64>;

fn ours(read: &Read) -> Directions {
    let mut directions = Directions::new();
    for flow in flows(read) {
        for (from, to, count) in
            [(flow.originator, flow.responder, flow.sent), (flow.responder, flow.originator, flow.received)]
        {
            *directions.entry((flow.transport, from, to)).or_default() += count.value.unwrap_or(0);
        }
    }
    directions.retain(|_, bytes| *bytes > 0);
    directions
}

/// The same by tshark's decoding of each packet. TCP: the union of what each stream's segments cover, so that bytes sent
/// again are counted once; tshark tells streams apart and takes the sequence numbers off the wire.
fn tsharks(path: &Path) -> Option<(Directions, BTreeSet<(SocketAddr, SocketAddr)>)> {
    let fields = [
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "tcp.stream",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.seq_raw",
        "tcp.len",
        "tcp.flags.syn",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "tcp.flags.reset",
        "frame.protocols",
    ];
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(path).args(["-o", "ip.defragment:FALSE", "-T", "fields", "-E", "occurrence=f"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let Ok(output) = command.output() else {
        eprintln!("skipped: tshark is not installed");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let mut directions = Directions::new();
    let mut streams: BTreeMap<(u64, SocketAddr, SocketAddr), Vec<(i64, i64)>> = BTreeMap::new();
    // Captured on both sides of a firewall that rewrites sequence numbers: every segment stands there twice, with two
    // numbers, and no union of ranges is right.
    let mut rewritten = BTreeSet::new();
    let mut bases: BTreeMap<(u64, SocketAddr, SocketAddr), u32> = BTreeMap::new();
    for line in text.lines() {
        let row: Vec<&str> = line.split('\t').collect();
        // An ICMP error quotes the datagram it is about.
        let protocols = row.get(14).unwrap().split(':');
        if protocols.take_while(|name| !matches!(*name, "tcp" | "udp")).any(|name| name.starts_with("icmp")) {
            continue;
        }
        let field = |at: usize| row.get(at).copied().filter(|text| !text.is_empty());
        let (Some(from), Some(to)) = (field(0).or(field(2)), field(1).or(field(3))) else { continue };
        let ends = |source: usize, destination: usize| {
            let address = |ip: &str, port: &str| SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap());
            Some((address(from, field(source)?), address(to, field(destination)?)))
        };
        if let (Some(stream), Some((from, to))) = (field(4), ends(5, 6)) {
            if field(13) == Some("1") || field(13) == Some("True") {
                continue;
            }
            let key = (stream.parse().unwrap(), from, to);
            let syn = matches!(field(9), Some("1" | "True"));
            let sequence = field(7).unwrap().parse::<u32>().unwrap().wrapping_add(u32::from(syn));
            let base = *bases.entry(key).or_insert(sequence);
            if syn && base != sequence {
                rewritten.insert((from, to));
            }
            let at = i64::from(sequence.wrapping_sub(base).cast_signed());
            let length: i64 = field(8).unwrap().parse().unwrap();
            // Keep-alives before the first byte of an opened stream carry nothing new.
            streams.entry(key).or_default().push((at, at + length));
        } else if let (Some((from, to)), Some(length)) = (ends(10, 11), field(12)) {
            *directions.entry((Transport::Udp, from, to)).or_default() += length.parse::<u64>().unwrap() - 8;
        }
    }
    for ((_, from, to), mut parts) in streams {
        parts.sort_unstable();
        let (mut bytes, mut end) = (0, i64::MIN);
        for (start, until) in parts {
            bytes += (until - start.max(end)).max(0);
            end = end.max(until);
        }
        *directions.entry((Transport::Tcp, from, to)).or_default() += bytes.unsigned_abs();
    }
    directions.retain(|_, bytes| *bytes > 0);
    Some((directions, rewritten))
}

#[test]
fn tshark_counts_the_same_payload_in_each_direction() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut files = captures("network/pcap");
    files.extend(captures("formats/pktap"));
    files.extend(captures("formats/netflow"));
    files.extend(
        ["packet-capture/plain.pcap", "apple-capture/apple.pcapng", "packet-capture/cut.pcap"]
            .map(|name| samples.join(name)),
    );
    let mut compared = 0;
    for file in files {
        let Some((expected, rewritten)) = tsharks(&file) else { return };
        let found = ours(&read(&file));
        let differing: Vec<_> = expected
            .keys()
            .chain(found.keys())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|key| expected.get(key) != found.get(key) && !rewritten.contains(&(key.1, key.2)))
            .map(|key| format!("{key:?}: tshark {:?}, ours {:?}", expected.get(key), found.get(key)))
            .collect();
        let known = if file.ends_with("mercury_capture2.pcap") { 9 } else { 0 };
        assert_eq!(rewritten.len(), known, "{}: {rewritten:?}", file.display());
        eprintln!("{}: {} directions, {} differ", file.display(), expected.len(), differing.len());
        assert!(differing.is_empty(), "{}:\n{}", file.display(), differing.join("\n"));
        compared += expected.len();
    }
    assert!(compared > 10, "only {compared} directions were compared");
}
