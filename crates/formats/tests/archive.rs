//! Stores of the unified log, written by hand and read back; and the real files that are at hand.
#![cfg(test)]

#[path = "archive/write.rs"]
mod write;

use monologue_formats::{Bundle, Input, Item, Malformed, detect, detect_bundle};
use monologue_model::{
    ByteLayer, ConnectionFact, CoverageState, Detail, Event, Loss, RequestBody, Sight, TaskFact, Timestamp,
};
use std::path::{Path, PathBuf};
use write::{Argument, Chunk, EPOCH, Format, LANTERN, RESOLVER, Store, TICKS};

type Items = Vec<Result<Item, Malformed>>;

const TASK: u128 = 0xA1B2_C3D4_0001_4A5B_8C6D_0000_0000_0001;
const NAMED: &str = "Task <A1B2C3D4-0001-4A5B-8C6D-000000000001>.<7>";
const APP: (u64, u32) = (301, 9001);
const DAEMON: (u64, u32) = (12, 44);
const APP_STRINGS: &[&str] = &["counted %u things"];
const DAEMON_STRINGS: &[&str] =
    &["[R%u] getaddrinfo start -- flags: 0x%X, ifindex: %d, protocols: %u, hostname: %{public}s, options: 0x%X \
     {use-failover}, client pid: %d (%{public}s)"];
/// Ticks of a millisecond: 24,000.
const MS: u64 = 24_000;

fn processes() -> Vec<write::Process> {
    vec![(APP, 612, 501, LANTERN), (DAEMON, 140, 65, RESOLVER)]
}

fn summary(ticks: u64) -> Chunk {
    Chunk::of(APP, TICKS).message(
        ticks,
        Format::Library(0, 3),
        &[
            Argument::Uuid(TASK),
            Argument::Wide(7),
            Argument::Text("task success"),
            Argument::Number(152),
            Argument::Wide(204),
            Argument::Wide(5),
            Argument::Text("h2"),
            Argument::Number(3),
            Argument::Wide(114),
            Argument::Wide(46),
            Argument::Number(0),
        ],
    )
}

/// A request of one application, from its first line to the end of its connection, among lines that do not matter.
fn first_file() -> Vec<u8> {
    let [one, other] = first_sets();
    write::trace(&processes(), &[&one, &other])
}

fn first_sets() -> [Vec<Chunk>; 2] {
    let requests = Chunk::of(APP, TICKS)
        .message(
            TICKS + MS,
            Format::Library(0, 0),
            &[Argument::Text(NAMED), Argument::Text("60.0, 604800.0"), Argument::Number(0x19), Argument::Hidden],
        )
        .message(TICKS + 2 * MS, Format::Library(2, 0), &[Argument::Text("a database")])
        .message(
            TICKS + 3 * MS + 1,
            Format::Library(0, 1),
            &[Argument::Text(NAMED), Argument::Text("S"), Argument::Wide(640)],
        )
        .activity(TICKS + 4 * MS)
        .message(TICKS + 5 * MS, Format::Own(0, APP_STRINGS), &[Argument::Number(3)])
        .message(
            TICKS + 6 * MS,
            Format::Library(0, 2),
            &[Argument::Text(NAMED), Argument::Number(204), Argument::Text("K")],
        );
    let question = Chunk::of(DAEMON, TICKS).message(
        TICKS + 1,
        Format::Own(0, DAEMON_STRINGS),
        &[
            Argument::Number(9),
            Argument::Number(0xC000_D000),
            Argument::Number(0),
            Argument::Number(0),
            Argument::Text("tiles.example.com."),
            Argument::Number(8),
            Argument::Number(612),
            Argument::Text("Lantern"),
        ],
    );
    let closed = Chunk::of(APP, TICKS).message(
        TICKS + 20 * MS,
        Format::Library(1, 0),
        &[
            Argument::Number(5),
            Argument::Uuid(TASK),
            Argument::Text("Hostname#5eaf00d1:443"),
            Argument::Text("tcp, url hash: 7ab1e5e7, tls, definite"),
            Argument::Text("5.1"),
            Argument::Uuid(TASK),
            Argument::Text("10.9.8.7:51999"),
            Argument::Text("IPv4#0ddba115:443"),
            Argument::Text("satisfied (Path is satisfied), interface: en0"),
            Argument::Number(30),
            Argument::Number(98),
            Argument::Number(0),
            Argument::Number(0),
            Argument::Number(0),
            Argument::Number(5),
            Argument::Wide(6120),
            Argument::Wide(1530),
            Argument::Wide(6),
            Argument::Wide(3),
        ],
    );
    [vec![requests, question], vec![summary(TICKS + 7 * MS), closed]]
}

/// What came after it: an error text with private data, a loss, and a record whose image nobody kept.
fn second_file() -> Vec<u8> {
    let failed = Chunk::of(APP, TICKS).message(
        TICKS + 1000 * MS,
        Format::Library(0, 4),
        &[Argument::Text(NAMED), Argument::Wide(-999_i64 as u64), Argument::Private("NSErrorFailingURL=secret")],
    );
    let lost = Chunk::of(DAEMON, TICKS).loss(TICKS + 1001 * MS, TICKS + 1003 * MS, 41);
    let elsewhere = Chunk::of(APP, TICKS).message(TICKS + 2000 * MS, Format::Elsewhere(0xBAD), &[Argument::Number(1)]);
    write::trace(&processes(), &[&[failed, lost, elsewhere]])
}

fn store() -> Store {
    Store::from([
        ("Persist/0000000000000001.tracev3".into(), first_file()),
        ("Persist/0000000000000002.tracev3".into(), second_file()),
        ("timesync/0000000000000001.timesync".into(), write::timesync()),
        (write::image_name(LANTERN), write::image("/Applications/Lantern.app/Contents/MacOS/Lantern", APP_STRINGS)),
        (write::image_name(RESOLVER), write::image("/usr/sbin/mDNSResponder", DAEMON_STRINGS)),
        (format!("dsc/{:032X}", write::CACHE), write::cache()),
    ])
}

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("monologue-archive-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn read(path: &Path) -> Items {
    let bundle = Bundle::open(path).unwrap().expect("a bundle");
    let format = detect_bundle(&bundle).unwrap();
    assert_eq!(format.name(), "unified-log-archive");
    format.read_bundle(bundle).collect()
}

fn read_store(name: &str, store: &Store) -> Items {
    let folder = folder(name);
    let archive = folder.join("test.logarchive");
    write::write(store, &archive);
    let items = read(&archive);
    std::fs::remove_dir_all(folder).unwrap();
    items
}

fn events(items: &Items) -> Vec<&Event> {
    items.iter().filter_map(|item| if let Ok(Item::Event(event)) = item { Some(&**event) } else { None }).collect()
}

fn coverage(items: &Items) -> Vec<(Timestamp, Timestamp, CoverageState)> {
    let statement = |item: &Result<Item, Malformed>| match item {
        Ok(Item::Derived(event) | Item::Event(event)) => match &event.detail {
            Detail::Coverage(record) => Some((record.from, record.until, record.state)),
            _ => None,
        },
        _ => None,
    };
    items.iter().filter_map(statement).collect()
}

fn counts(items: &Items) -> [usize; 3] {
    let skipped = items.iter().filter(|item| matches!(item, Ok(Item::Skipped(_)))).count();
    [events(items).len(), skipped, items.iter().filter(|item| item.is_err()).count()]
}

/// `milliseconds` after the first moment of the test's clock.
fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_nanoseconds(EPOCH + milliseconds as i64 * 1_000_000)
}

#[test]
fn a_request_is_read_from_its_first_line_to_its_last_byte() {
    let items = read_store("whole", &store());
    // Of 12 records: eight texts of ours and a loss; skipped are a library's, an activity, the program's own line and one
    // without strings.
    assert_eq!(counts(&items), [8, 4, 0], "{items:#?}");
    let events = events(&items);
    let facts: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.detail {
            Detail::Task(task) => {
                assert_eq!((&*task.task.uuid, task.task.number), ("A1B2C3D400014A5B8C6D000000000001", 7));
                assert_eq!(task.process.path.as_deref(), Some("/Applications/Lantern.app/Contents/MacOS/Lantern"));
                assert_eq!(task.process.code_uuid.as_deref(), Some("1A2B3C4D5E6F30718293A4B5C6D7E8F9"));
                assert_eq!((task.process.key.pid, task.process.user_id), (Some(612), Some(501)));
                assert_eq!(task.process.key.boot.as_deref(), Some("6B1F0A529C3D4E7A8F210D5C7E9A3B44"));
                Some((event.time, &task.fact))
            }
            _ => None,
        })
        .collect();
    assert!(matches!(facts[0], (time, TaskFact::Resumed { request_timeout_s: Some(60.0), .. }) if time == at(1)));
    // 3 ms and one tick of 125/3 ns.
    let tick = Timestamp::from_nanoseconds(EPOCH + 3_000_041);
    assert_eq!(facts[1], (tick, &TaskFact::RequestSent { body: RequestBody::Bytes(640) }));
    assert!(matches!(facts[2], (time, TaskFact::ResponseReceived { status: 204, .. }) if time == at(6)));
    let TaskFact::Summary(summary) = facts[3].1 else { panic!("{facts:?}") };
    assert_eq!((summary.success, summary.status, summary.connection), (true, Some(204), Some(5)));
    assert_eq!((summary.request_bytes, summary.response_bytes, summary.cache_hit), (Some(114), Some(46), Some(false)));
    assert_eq!(summary.protocol.as_deref(), Some("h2"));
    assert_eq!(facts[4], (at(1000), &TaskFact::Failed { code: -999 }));
    let closed = events.iter().find_map(|event| match &event.detail {
        Detail::Connection(connection) => Some((event.time, connection)),
        _ => None,
    });
    let (time, connection) = closed.unwrap();
    let ConnectionFact::Closed { endpoint, local, duration_ms, received, sent } = &connection.fact else { panic!() };
    assert_eq!((time, connection.connection, *duration_ms), (at(20), 5, Some(30_098)));
    assert_eq!(endpoint.name_hash.as_deref(), Some("Hostname#5eaf00d1"));
    assert_eq!(local.unwrap().to_string(), "10.9.8.7:51999");
    assert_eq!(
        (received.measured_value(), sent.measured_value(), received.layer),
        (Some(6120), Some(1530), ByteLayer::Payload)
    );
    let question = events.iter().find_map(|event| match &event.detail {
        Detail::Dns(query) => Some(query),
        _ => None,
    });
    let question = question.unwrap();
    assert_eq!(question.name.as_deref(), Some("tiles.example.com"));
    assert_eq!(question.process.as_ref().unwrap().key.pid, Some(612));
}

#[test]
fn losses_and_missing_strings_are_told_where_they_lie() {
    let items = read_store("losses", &store());
    let told = coverage(&items);
    let lost = |reason, records| CoverageState::Lost { reason, records };
    assert_eq!(
        told,
        [
            (at(1001), at(1003), lost(Loss::SensorLoss, Some(41))),
            (at(2000), at(2000), lost(Loss::Malformed, Some(1))),
            (Timestamp::from_nanoseconds(EPOCH + 41), at(2000), CoverageState::Complete),
        ]
    );
    let Some(Ok(Item::Derived(complete))) = items.last() else { panic!() };
    let sights: Vec<_> = complete.coverage_sights().iter().collect();
    assert_eq!(sights, [Sight::TaskLifecycle, Sight::FlowBytes, Sight::DnsQuery]);
}

#[test]
fn a_gap_in_the_numbers_is_not_covered() {
    let mut store = store();
    let second = store.remove("Persist/0000000000000002.tracev3").unwrap();
    store.insert("Persist/0000000000000004.tracev3".into(), second.clone());
    let complete = |items: &Items| -> Vec<_> {
        let states = coverage(items).into_iter().filter(|(_, _, state)| *state == CoverageState::Complete);
        states.map(|(from, until, _)| (from, until)).collect()
    };
    let apart = [(Timestamp::from_nanoseconds(EPOCH + 41), at(20)), (at(1000), at(2000))];
    assert_eq!(complete(&read_store("gap", &store)), apart);
    // Records of other kinds outlive the rest: they do not say that nothing is missing.
    store.remove("Persist/0000000000000004.tracev3");
    store.insert("Special/0000000000000003.tracev3".into(), second);
    assert_eq!(complete(&read_store("special", &store)), apart[..1]);
}

#[test]
fn a_file_without_its_header_gives_no_record_that_nothing_leads_back_to() {
    let mut store = store();
    let whole = counts(&read_store("headed", &store));
    let first = store.get_mut("Persist/0000000000000001.tracev3").unwrap();
    // The tag of the chunk that a header begins with (0x6100 at byte 0x38).
    first[0x38] ^= 1;
    let items = read_store("headless", &store);
    let named = |item: &&Result<Item, Malformed>| matches!(item, Err(malformed) if malformed.expected.contains("expected the header of a tracev3 file"));
    assert_eq!(items.iter().filter(named).count(), 1);
    assert!(counts(&items)[0] < whole[0], "what the other file says is still read");
    let from = coverage(&items).into_iter().map(|(from, _, _)| from).min();
    assert_eq!(from, Some(at(1000)), "nothing is claimed of the time of the damaged file");
}

#[test]
fn a_sysdiagnose_is_read_without_unpacking_it() {
    let folder = folder("sysdiagnose");
    let archive = folder.join("sysdiagnose.tar.gz");
    write::sysdiagnose(&store(), &archive);
    let packed = read(&archive);
    let plain = read_store("plain", &store());
    assert_eq!(counts(&packed), counts(&plain));
    let place = events(&packed)[0].provenance.source.clone();
    assert!(
        place.ends_with(
            "sysdiagnose.tar.gz/sysdiagnose_2026.05.06/system_logs.logarchive/Persist/0000000000000002.tracev3"
        ),
        "{place}"
    );
    let mut details: Vec<_> = events(&packed).iter().map(|event| (event.time, event.provenance.sha256)).collect();
    let mut expected: Vec<_> = events(&plain).iter().map(|event| (event.time, event.provenance.sha256)).collect();
    details.sort();
    expected.sort();
    assert_eq!(details, expected);
    let whole = std::fs::read(&archive).unwrap();
    std::fs::write(&archive, &whole[..whole.len() * 2 / 3]).unwrap();
    let told = match Bundle::open(&archive) {
        Err(error) => error.to_string(),
        Ok(bundle) => {
            let bundle = bundle.unwrap();
            let items: Items = detect_bundle(&bundle).unwrap().read_bundle(bundle).collect();
            items.iter().find_map(|item| item.as_ref().err()).unwrap().to_string()
        }
    };
    assert!(told.len() > 10, "a cut archive is told: {told}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn chunk_sets_of_macos_27_are_unpacked() {
    let [one, other] = first_sets();
    let packed = write::trace_packed(&processes(), &[&one, &other], write::lzbitmap);
    assert!(packed.windows(3).any(|bytes| bytes == b"ZBM") && packed != first_file());
    // The library is the judge of what we wrote: it finds the same records in either.
    let records = |file: &[u8]| {
        let parsed = macos_unifiedlogs::parser::parse_log(file, "").unwrap();
        let chunks = parsed.catalog_data.iter().flat_map(|catalog| &catalog.firehose);
        chunks.map(|chunk| format!("{:?}", chunk.public_data)).collect::<Vec<_>>()
    };
    assert_eq!(records(&packed).len(), 4);
    assert_eq!(records(&packed), records(&first_file()));
    let mut newer = store();
    newer.insert("Persist/0000000000000001.tracev3".into(), packed);
    assert_eq!(read_store("lzbitmap", &newer), read_store("lzbitmap", &store()));
}

#[test]
fn without_strings_every_text_is_lost_and_nothing_is_claimed() {
    let mut store = store();
    store.retain(|name, _| name.ends_with(".tracev3") || name.starts_with("timesync"));
    let items = read_store("no-strings", &store);
    assert_eq!(counts(&items), [1, 11, 0]);
    let told = coverage(&items);
    assert!(told.iter().all(|(_, _, state)| matches!(state, CoverageState::Lost { .. })), "{told:?}");
    // Nine texts of the first file; two of the second, a second apart.
    let counted: Vec<_> = told
        .iter()
        .filter_map(|(_, _, state)| match state {
            CoverageState::Lost { reason: Loss::Malformed, records } => *records,
            _ => None,
        })
        .collect();
    assert_eq!(counted, [8, 2]);
}

#[test]
fn one_file_alone_is_counted() {
    let file = first_file();
    let (format, input) = Input::from_bytes("0000000000000001.tracev3", &file).with_head(detect).unwrap();
    let items: Items = format.unwrap().read(input).collect();
    assert_eq!(counts(&items), [0, 9, 0]);
    // Without a timesync file the header says the time, which here is the same.
    let told = coverage(&items);
    let lost = CoverageState::Lost { reason: Loss::Malformed, records: Some(8) };
    assert_eq!(told, [(Timestamp::from_nanoseconds(EPOCH + 41), at(20), lost)]);
}

#[test]
fn broken_files_lose_what_they_held_and_no_more() {
    let (mut store, whole) = (store(), store());
    let file = store.get_mut("Persist/0000000000000001.tracev3").unwrap();
    // The second chunk set is cut.
    file.truncate(file.len() - 40);
    let items = read_store("cut", &store);
    assert_eq!(counts(&items)[2], 1);
    assert!(events(&items).len() < events(&read_store("uncut", &whole)).len());
    let truncated = CoverageState::Lost { reason: Loss::Truncated, records: None };
    assert!(coverage(&items).iter().any(|(_, _, state)| *state == truncated));
    let mut store = whole;
    store.insert(format!("dsc/{:032X}", write::CACHE), b"hcsd rubbish".to_vec());
    let items = read_store("rubbish", &store);
    assert_eq!(counts(&items)[2], 1, "the broken cache is told");
    assert_eq!(counts(&items)[0], 2, "the resolver's line needs no cache, the loss no strings");
}

#[test]
fn mutated_stores_are_borne() {
    // A small generator (xorshift) is enough to try many bytes.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let folder = folder("mutated");
    let whole = store();
    let names: Vec<String> = whole.keys().cloned().collect();
    for round in 0..150 {
        let mut store = whole.clone();
        let bytes = store.get_mut(&names[random(names.len())]).unwrap();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            bytes[at] = [0, 0xff, 0x7f, random(256) as u8][random(4)];
        }
        let archive = folder.join("test.logarchive");
        write::write(&store, &archive);
        let items = read(&archive);
        assert!(!items.is_empty() && items.len() < 1000, "round {round}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_sample_is_what_is_written_here() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/unified-log-archive/lantern.logarchive");
    if std::env::var_os("MONOLOGUE_REWRITE").is_some() {
        write::write(&store(), &sample);
    }
    for (name, bytes) in store() {
        let written = std::fs::read(sample.join(&name)).unwrap_or_default();
        assert!(written == bytes, "{name}: MONOLOGUE_REWRITE=1 writes the sample anew");
    }
}

#[test]
fn real_files_without_strings_are_counted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/unified-log/dtformats");
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/data is not there");
        return;
    }
    let items = read(&folder);
    // Their strings are not there, so no record has a text; each is counted, as the library counts them.
    let counted: usize = ["0000000000000030.tracev3", "0000000000000f85.tracev3"]
        .iter()
        .map(|name| {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            let data = macos_unifiedlogs::parser::parse_log(&bytes[..], name).unwrap();
            let provider = macos_unifiedlogs::filesystem::LogarchiveProvider::new(&folder.join("nothing"));
            let cache = macos_unifiedlogs::cache::MemoryStringCache::default();
            macos_unifiedlogs::parser::build_log(&data, &provider, &cache, &Default::default(), false).0.len()
        })
        .sum();
    assert_eq!((counts(&items), counted), ([0, 8659, 0], 8659));
    let told = coverage(&items);
    assert!(told.iter().all(|(_, _, state)| matches!(state, CoverageState::Lost { records: Some(_), .. })));
    // The first file is of January 2019: its header says 2019-01-27T09:10:53Z for the moment it was begun.
    let (from, until, _) = told[0];
    assert!(from > Timestamp::parse("2019-01-27T09:10:00Z").unwrap() && until.since(from) < 1_000_000_000);
}
