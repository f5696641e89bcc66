//! What a reader hands out for whole exports: one item a record, and honest statements about the rest.

use super::*;
use monologue_model::{BackgroundFact, CoverageState, Detail, Loss, Sha256, Sight, TaskFact, Timestamp};
use proptest::prelude::*;

const TASK: &str = "Task <3F2504E0-4F89-41D3-9A0C-0305E82C3301>.<1>";
const CFNETWORK: &str = "/System/Library/Frameworks/CFNetwork.framework/Versions/A/CFNetwork";
const BOOT: &str = "11111111-2222-3333-4444-555555555555";
const TRAILER: &str = "{\"count\":2,\"finished\":1}";

/// One record of Apple's spelling at `second` past 08:00 UTC, written in a zone three hours east.
fn apple(second: u32, boot: &str, sender: &str, message: &str) -> String {
    serde_json::json!({
        "timestamp": format!("2026-03-04 11:00:{second:02}.000000+0300"),
        "eventType": "logEvent",
        "messageType": "Default",
        "bootUUID": boot,
        "processID": 501,
        "processImagePath": "/Applications/Notes.app/Contents/MacOS/Notes",
        "processImageUUID": "C0FFEE00-1234-3ABC-8DEF-0123456789AB",
        "senderImagePath": sender,
        "subsystem": "",
        "userID": 502,
        "traceID": u64::MAX,
        "eventMessage": message,
    })
    .to_string()
}

fn decoded(time: &str, library: &str, message: &str) -> String {
    serde_json::json!({
        "timestamp": time,
        "event_type": "Log",
        "log_type": "Default",
        "boot_uuid": BOOT.replace('-', ""),
        "pid": 501,
        "euid": 4_294_967_294_u32,
        "process": "/usr/libexec/nsurlsessiond",
        "process_uuid": "C0FFEE0012343ABC8DEF0123456789AB",
        "library": library,
        "subsystem": "",
        "message": message,
        "message_entries": [{"message_strings": "x", "item": {"deep": [1, 2]}}],
    })
    .to_string()
}

fn moment(second: u32) -> Timestamp {
    Timestamp::parse(&format!("2026-03-04T08:00:{second:02}Z")).unwrap()
}

fn read(text: &str, shape: Shape) -> Vec<Result<Item, Malformed>> {
    Reader::new(Input::from_bytes("export", text.as_bytes()), shape).collect()
}

/// Events, skipped and malformed records; derived events are no records.
fn counts(items: &[Result<Item, Malformed>]) -> (usize, usize, usize) {
    let of = |wanted: fn(&Result<Item, Malformed>) -> bool| items.iter().filter(|item| wanted(item)).count();
    (of(|item| matches!(item, Ok(Item::Event(_)))), of(|item| matches!(item, Ok(Item::Skipped(_)))), of(Result::is_err))
}

/// Every statement about coverage, derived or not: seconds past 08:00 and what is stated.
fn statements(items: &[Result<Item, Malformed>]) -> Vec<(i64, i64, CoverageState)> {
    let second = |time: Timestamp| time.since(moment(0)) / 1_000_000_000;
    items
        .iter()
        .filter_map(|item| match item {
            Ok(Item::Event(event) | Item::Derived(event)) => Some(event),
            _ => None,
        })
        .filter_map(|event| match &event.detail {
            Detail::Coverage(record) => Some((second(record.from), second(record.until), record.state)),
            _ => None,
        })
        .collect()
}

const fn lost(reason: Loss, records: Option<u64>) -> CoverageState {
    CoverageState::Lost { reason, records }
}

#[test]
fn a_record_becomes_an_event_with_process_time_and_place() {
    let line = apple(5, BOOT, CFNETWORK, &format!("{TASK} response ended"));
    let items = read(&format!("{line}\n{TRAILER}\n"), Shape::Apple);
    let Ok(Item::Event(event)) = &items[0] else { panic!("{items:?}") };
    assert_eq!((event.time, &*event.format, event.host.is_none()), (moment(5), "unified-log", true));
    let place = &event.provenance;
    assert_eq!((place.offset, place.length, place.sha256), (0, line.len() as u64, Sha256::of(line.as_bytes())));
    let Detail::Task(task) = &event.detail else { panic!("{event:?}") };
    assert_eq!(task.fact, TaskFact::ResponseEnded);
    let process = &task.process;
    assert_eq!(process.key.boot.as_deref(), Some("11111111222233334444555555555555"));
    assert_eq!((process.key.pid, process.user_id), (Some(501), Some(502)));
    assert_eq!(process.path.as_deref(), Some("/Applications/Notes.app/Contents/MacOS/Notes"));
    assert_eq!(process.code_uuid.as_deref(), Some("C0FFEE0012343ABC8DEF0123456789AB"));
    assert_eq!(items[1], Ok(Item::Skipped("closing line of a complete export")));
    assert_eq!(statements(&items), [(5, 5, CoverageState::Complete)]);
}

#[test]
fn lines_of_other_senders_are_skipped_whatever_they_say() {
    let text = [
        apple(1, "", "/Users/anna/evil", &format!("{TASK} response ended")),
        apple(2, "", "/Users/anna/evil", "[C1 x.example:443 tcp] start"),
        apple(3, "", "/usr/lib/libboringssl.dylib", "x"),
    ]
    .join("\n");
    let items = read(&text, Shape::Apple);
    assert_eq!(counts(&items), (0, 3, 0));
    assert_eq!(statements(&items), [], "no sight was seen, so none is called complete");
}

#[test]
fn an_export_of_the_store_without_closing_line_is_truncated() {
    let line = |boot| apple(7, boot, CFNETWORK, &format!("{TASK} response ended"));
    let truncated = (7, 7, lost(Loss::Truncated, None));
    let complete = (7, 7, CoverageState::Complete);
    assert_eq!(statements(&read(&line(BOOT), Shape::Apple)), [truncated, complete]);
    assert_eq!(statements(&read(&line(""), Shape::Apple)), [complete], "a live stream has no closing line");
    assert_eq!(statements(&read(&format!("[{}]", line(BOOT)), Shape::Apple)), [complete]);
    assert_eq!(statements(&read(&format!("[{},", line(BOOT)), Shape::Apple)), [truncated, complete]);
    let twice = format!("{0}\n{TRAILER}\n{0}\n", line(BOOT));
    assert_eq!(statements(&read(&twice, Shape::Apple)), [truncated, complete], "the second export is cut");
}

#[test]
fn malformed_records_are_lost_between_their_neighbours() {
    let good = |second| apple(second, BOOT, CFNETWORK, &format!("{TASK} response ended"));
    let text = format!("{}\nnonsense\n{{\"timestamp\":\"never\"}}\n{}\n{TRAILER}\n", good(3), good(9));
    let items = read(&text, Shape::Apple);
    assert_eq!(counts(&items), (2, 1, 2));
    let expected = [(3, 9, lost(Loss::Malformed, Some(2))), (3, 9, CoverageState::Complete)];
    assert_eq!(statements(&items), expected);
    let Err(malformed) = &items[1] else { panic!("{items:?}") };
    assert_eq!((malformed.offset, malformed.length), (good(3).len() as u64 + 1, 8));
    let Err(malformed) = &items[2] else { panic!("{items:?}") };
    assert!(malformed.expected.starts_with("expected an RFC 3339 time"), "{malformed}");
}

#[test]
fn a_last_record_that_is_cut_is_malformed_and_truncates() {
    let good = apple(3, "", CFNETWORK, &format!("{TASK} response ended"));
    let items = read(&format!("{good}\n{}", &good[..40]), Shape::Apple);
    assert_eq!(counts(&items), (1, 0, 1));
    let expected =
        [(3, 3, lost(Loss::Malformed, Some(1))), (3, 3, lost(Loss::Truncated, None)), (3, 3, CoverageState::Complete)];
    assert_eq!(statements(&items), expected);
}

#[test]
fn records_that_the_log_lost_are_events() {
    let loss = apple(4, "", "", "").replace("logEvent", "lossEvent").replacen('{', "{\"lossCount\":17,", 1);
    let other = apple(5, "", CFNETWORK, &format!("{TASK} response ended")).replace("logEvent", "activityCreateEvent");
    let items = read(&format!("{loss}\n{other}\n"), Shape::Apple);
    assert_eq!(counts(&items), (1, 1, 0));
    assert_eq!(statements(&items), [(4, 4, lost(Loss::SensorLoss, Some(17)))]);
}

#[test]
fn decoded_records_are_unordered_so_what_is_unread_may_lie_anywhere() {
    let lines = [
        decoded("2026-03-04T08:00:09.5Z", CFNETWORK, &format!("{TASK} response ended")),
        decoded("2026-03-04T08:00:08Z", CFNETWORK, "Failed to get string message from UUIDText file: AB"),
        decoded(
            "2026-03-04T08:00:02Z",
            "/usr/libexec/nsurlsessiond",
            &format!("{TASK} client acknowledged completion"),
        ),
        decoded("2026-03-04T08:00:03Z", CFNETWORK, &format!("{TASK} client acknowledged file download")),
    ];
    let items = read(&lines.join("\n"), Shape::Decoded);
    assert_eq!(counts(&items), (3, 1, 0));
    assert_eq!(statements(&items), [(2, 9, lost(Loss::Malformed, Some(1))), (2, 9, CoverageState::Complete)]);
    let Ok(Item::Event(event)) = &items[2] else { panic!("{items:?}") };
    let Detail::Background(background) = &event.detail else { panic!("{event:?}") };
    assert_eq!(background.fact, BackgroundFact::Acknowledged { download: false });
    assert_eq!(background.process.user_id, Some(u32::MAX - 1));
    assert!(matches!(&items[3], Ok(Item::Event(event)) if matches!(event.detail, Detail::Background(_))));
}

#[test]
fn sights_are_claimed_only_where_their_records_were_seen() {
    let sights = |sender: &str, message: &str| -> Vec<Sight> {
        let items = read(&apple(1, "", sender, message), Shape::Apple);
        let Some(Ok(Item::Derived(event))) = items.last() else { return Vec::new() };
        event.coverage_sights().iter().collect()
    };
    assert_eq!(sights(CFNETWORK, "Connection 3: done"), [Sight::TaskLifecycle]);
    assert_eq!(sights("/usr/sbin/mDNSResponder", "[R1] x"), [Sight::DnsQuery]);
    assert_eq!(sights("/usr/lib/libnetwork.dylib", "[C1 x.example:443 tcp] cancelled\n\tx"), [Sight::FlowBytes]);
    assert_eq!(sights("/usr/lib/libnetwork.dylib", "[C1 x.example:443 tcp] start"), []);
}

#[test]
fn an_export_of_one_process_is_complete_for_nothing() {
    let line = apple(1, "", CFNETWORK, &format!("{TASK} response ended"));
    let items = read(&format!("Filtering the log data using \"process == 'x'\"\n{line}\n"), Shape::Apple);
    assert_eq!((counts(&items), statements(&items)), ((1, 1, 0), vec![]));
    let array = format!("Filtering the log data using \"sender == 'CFNetwork'\"\n[{line}]\n");
    assert_eq!(statements(&read(&array, Shape::Apple)), [(1, 1, CoverageState::Complete)]);
}

#[test]
fn a_connection_carries_the_code_it_is_made_for() {
    let message = "[C1 x.example:443 tcp, proc: ABABABAB-0000-0000-0000-000000000001] start";
    let items = read(&apple(1, "", "/usr/lib/libnetwork.dylib", message), Shape::Apple);
    let Ok(Item::Event(event)) = &items[0] else { panic!("{items:?}") };
    assert_eq!(event.process().unwrap().code_uuid.as_deref(), Some("ABABABAB000000000000000000000001"));
}

#[test]
fn a_question_is_put_by_the_client_not_by_the_resolver() {
    let message = "[R1] getaddrinfo start -- hostname: x.example, client pid: 77 (Notes)";
    let items = read(&apple(1, BOOT, "/usr/sbin/mDNSResponder", message), Shape::Apple);
    let Ok(Item::Event(event)) = &items[0] else { panic!("{items:?}") };
    let process = event.process().unwrap();
    assert_eq!((process.key.pid, process.path.as_deref()), (Some(77), None));
    assert_eq!(process.key.boot.as_deref(), Some("11111111222233334444555555555555"));
}

#[test]
fn a_failing_source_is_one_malformation_and_a_truncation() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken stream"))
        }
    }
    let good = apple(3, "", CFNETWORK, &format!("{TASK} response ended")) + "\n";
    let reader = std::io::BufReader::new(std::io::Read::chain(good.as_bytes(), Failing));
    let input = Input { source: "export".into(), reader: Box::new(reader), zone: crate::Zone::default() };
    let items: Vec<_> = Reader::new(input, Shape::Apple).collect();
    assert_eq!(counts(&items), (1, 0, 1));
    assert!(statements(&items).contains(&(3, 3, lost(Loss::Truncated, None))));
}

proptest! {
    #[test]
    fn every_line_is_one_record_whatever_it_holds(lines in prop::collection::vec("[ -~]{0,40}", 0..8)) {
        // A first line that opens an array changes what a record is.
        let lines: Vec<_> = lines.iter().filter(|line| !line.trim_start().starts_with('[')).collect();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let records = lines.iter().filter(|line| !line.trim().is_empty()).count();
        for shape in [Shape::Apple, Shape::Decoded] {
            let (events, skipped, malformed) = counts(&read(&text, shape));
            prop_assert_eq!(events + skipped + malformed, records);
        }
    }

    #[test]
    fn damaged_exports_never_panic(
        bytes in prop::collection::vec((0_usize..900, any::<u8>()), 0..6),
        array in any::<bool>(),
    ) {
        let line = apple(1, BOOT, CFNETWORK, &format!("{TASK} response ended"));
        let mut text = if array { format!("[{line},\n{line}]") } else { format!("{line}\n{line}\n") }.into_bytes();
        for (at, byte) in bytes {
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
        }
        for shape in [Shape::Apple, Shape::Decoded] {
            let items: Vec<_> = Reader::new(Input::from_bytes("export", &text), shape).collect();
            prop_assert!(items.len() < 2000);
        }
    }
}
