//! Facts of the `eslogger` reader, each checked by hand against the sample lines or against lines made here.

#![cfg(test)]

use monologue_formats::{Format, Head, Input, Item, Malformed, by_name};
use monologue_model::{
    CoverageRecord, CoverageState, Detail, Event, FileEffectKind, Loss, ProcessKey, Sha256, Sight, SightSet,
    SignatureState, Timestamp,
};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// What reading gave.
#[derive(Default)]
struct Read {
    events: Vec<Event>,
    coverage: Vec<CoverageRecord>,
    skipped: Vec<&'static str>,
    malformed: Vec<Malformed>,
}

impl Read {
    fn losses(&self) -> Vec<&CoverageRecord> {
        self.coverage.iter().filter(|record| record.state != CoverageState::Complete).collect()
    }

    fn complete(&self) -> Vec<&CoverageRecord> {
        self.coverage.iter().filter(|record| record.state == CoverageState::Complete).collect()
    }
}

fn format() -> &'static dyn Format {
    by_name("eslogger").unwrap()
}

/// Reads `text`, and checks the law of counting and every provenance.
fn read(text: &[u8]) -> Read {
    let mut read = Read::default();
    for item in format().read(Input::from_bytes("test", text)) {
        match item {
            Ok(Item::Event(event)) => read.events.push(*event),
            Ok(Item::Derived(event)) => match event.detail {
                Detail::Coverage(record) => read.coverage.push(record),
                other => panic!("expected coverage only, found {other:?}"),
            },
            Ok(Item::Skipped(reason)) => read.skipped.push(reason),
            Err(malformed) => read.malformed.push(malformed),
        }
    }
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    assert_eq!(read.events.len() + read.skipped.len() + read.malformed.len(), lines);
    for event in &read.events {
        let place = event.provenance.offset as usize..(event.provenance.offset + event.provenance.length) as usize;
        assert_eq!(Sha256::of(&text[place]), event.provenance.sha256);
    }
    read
}

fn sample(name: &str) -> Read {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/eslogger").join(name);
    read(&std::fs::read(path).unwrap())
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn key(pid: u32, version: u32) -> ProcessKey {
    ProcessKey::from_pid(pid, Some(version))
}

fn sights(list: &[Sight]) -> SightSet {
    SightSet::of(list)
}

#[test]
fn version_9_tells_a_shell_that_runs_curl() {
    let read = sample("version-9.ndjson");
    assert_eq!((read.events.len(), read.malformed.len()), (6, 0));
    assert_eq!(read.skipped, ["event type not used", "file closed without change"]);
    let Detail::ProcessFork(fork) = &read.events[0].detail else { panic!() };
    assert_eq!((&fork.parent.key, &fork.child.key), (&key(500, 5000), &key(501, 5002)));
    assert_eq!(fork.child.path.as_deref(), Some("/bin/zsh"));
    let Detail::ProcessExec(exec) = &read.events[1].detail else { panic!() };
    assert_eq!(read.events[1].time, time("2026-11-24T08:00:01.000000200Z"));
    assert_eq!((&exec.previous.key, &exec.target.key), (&key(501, 5002), &key(501, 5003)));
    assert_eq!(exec.target.parent, Some(key(500, 5000)));
    assert_eq!(exec.target.responsible, Some(key(400, 4000)));
    assert_eq!(exec.target.signature, SignatureState::Platform);
    assert_eq!(exec.target.team_id, None);
    assert_eq!(exec.target.user_id, Some(501));
    assert_eq!(exec.target.cdhash.as_deref(), Some("89abcdef0123456789abcdef0123456789abcdef"));
    assert_eq!(exec.working_directory.as_deref(), Some("/Users/anna/work"));
    assert_eq!((&exec.script, &exec.launch_label), (&None, &None));
    let expected = [
        "curl",
        "-s",
        "-H",
        "Authorization: Bearer ***",
        "-u",
        "anna:***",
        "-o",
        "/dev/null",
        "https://updates.example.com/feed?token=***&page=2",
    ];
    assert_eq!(exec.arguments, expected);
    let effects: Vec<_> = read.events[2..5]
        .iter()
        .map(|event| match &event.detail {
            Detail::FileEffect(effect) => (effect.effect, &*effect.path),
            other => panic!("expected a file effect, found {other:?}"),
        })
        .collect();
    let feed = "/Users/anna/work/feed.json";
    assert_eq!(effects, [(FileEffectKind::Create, feed), (FileEffectKind::Write, feed), (FileEffectKind::Write, feed)]);
    let Detail::ProcessExit(exit) = &read.events[5].detail else { panic!() };
    assert_eq!((exit.status, &exit.process.key), (Some(256), &key(501, 5003)));
    let [complete] = read.coverage.as_slice() else { panic!("{:?}", read.coverage) };
    assert_eq!(complete.state, CoverageState::Complete);
    assert_eq!(complete.from, time("2026-11-24T08:00:01.0000001Z"));
    assert_eq!(complete.until, time("2026-11-24T08:00:03Z"));
    assert_eq!(
        complete.sights,
        sights(&[
            Sight::ProcessExec,
            Sight::ProcessFork,
            Sight::ProcessExit,
            Sight::ProcessSignature,
            Sight::ProcessArguments,
            Sight::FileEffect
        ])
    );
}

#[test]
fn version_10_has_tokens_as_arrays_and_lost_two_execs() {
    let read = sample("version-10-array-tokens.ndjson");
    assert_eq!((read.events.len(), read.skipped.as_slice()), (8, &["file mapped, not as code"][..]));
    let Detail::ProcessExec(exec) = &read.events[0].detail else { panic!() };
    assert_eq!(exec.launch_label.as_deref(), Some("com.example.agent.job"));
    assert_eq!(exec.target.key, key(700, 7002));
    assert_eq!(exec.target.parent, Some(key(1, 1029)));
    assert_eq!((exec.target.user_id, exec.target.signature), (Some(501), SignatureState::Team));
    assert_eq!(exec.target.team_id.as_deref(), Some("EXAMPLE123"));
    let Detail::ServiceConnect(connect) = &read.events[1].detail else { panic!() };
    assert_eq!(&*connect.service, "com.apple.nsurlsessiond");
    let Detail::LaunchItem(item) = &read.events[2].detail else { panic!() };
    assert!(item.added);
    assert_eq!(item.item.as_deref(), Some("/Users/anna/Library/LaunchAgents/com.example job.plist"));
    assert_eq!(item.executable.as_deref(), Some("/private/tmp/helper"));
    assert_eq!(item.instigator.as_ref().unwrap().key, key(700, 7002));
    let Detail::ProcessExec(helper) = &read.events[3].detail else { panic!() };
    assert_eq!((helper.target.signature, helper.launch_label.as_deref()), (SignatureState::AdHoc, None));
    let effects: Vec<_> = read.events[4..]
        .iter()
        .map(|event| match &event.detail {
            Detail::FileEffect(effect) => (effect.effect, &*effect.path, effect.target.as_deref()),
            other => panic!("expected a file effect, found {other:?}"),
        })
        .collect();
    assert_eq!(
        effects,
        [
            (FileEffectKind::MapExecutable, "/usr/lib/libexample.dylib", None),
            (FileEffectKind::Attribute, "/private/tmp/helper", None),
            (FileEffectKind::Copy, "/private/tmp/a", Some("/private/tmp/b")),
            (FileEffectKind::Rename, "/private/tmp/b", Some("/private/tmp/c")),
        ]
    );
    // Two exec numbers are missing, and the two of the whole client are explained by them: one gap.
    let exec_sights = sights(&[Sight::ProcessExec, Sight::ProcessSignature, Sight::ProcessArguments]);
    let [gap] = read.losses()[..] else { panic!("{:?}", read.coverage) };
    assert_eq!(gap.state, CoverageState::Lost { reason: Loss::SequenceGap, records: Some(2) });
    assert_eq!(gap.sights, exec_sights);
    assert_eq!((gap.from, gap.until), (time("2026-11-24T09:00:00.000000001Z"), time("2026-11-24T09:01:00Z")));
    // Neither create nor close occurs: nothing can be said from the absence of file effects.
    let expected = exec_sights.union(sights(&[Sight::ServiceConnect, Sight::LaunchItem]));
    assert_eq!(read.complete()[0].sights, expected);
}

#[test]
fn version_11_names_the_script_and_keeps_no_environment() {
    let read = sample("version-11.ndjson");
    assert_eq!((read.events.len(), read.skipped.len(), read.malformed.len()), (7, 1, 0));
    let Detail::ProcessExec(exec) = &read.events[0].detail else { panic!() };
    assert_eq!(exec.script.as_deref(), Some("/Users/anna/bin/poll.py"));
    assert_eq!(exec.arguments, ["python3", "/Users/anna/bin/poll.py", "--password", "***"]);
    assert_eq!(exec.launch_label.as_deref(), Some("com.example.poll"));
    let Detail::FileEffect(create) = &read.events[1].detail else { panic!() };
    assert_eq!((create.effect, &*create.path), (FileEffectKind::Create, "/private/tmp/état.txt"));
    let Detail::FileEffect(copy) = &read.events[2].detail else { panic!() };
    assert_eq!((copy.effect, copy.target.as_deref()), (FileEffectKind::Copy, Some("/private/tmp/copy.txt")));
    let Detail::LaunchItem(item) = &read.events[5].detail else { panic!() };
    assert!(!item.added && item.instigator.is_none() && item.executable.is_none());
    let expected = "/Applications/Example Agent.app/Contents/Library/LaunchAgents/x.plist";
    assert_eq!(item.item.as_deref(), Some(expected));
    let all = serde_json::to_string(&read.events).unwrap();
    assert!(!all.contains("never-kept") && !all.contains("geheim"));
    // Created but never closed or written: no claim about files.
    assert!(!read.complete()[0].sights.contains(Sight::FileEffect));
    assert!(read.losses().is_empty());
}

fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/formats");
    if root.is_dir() {
        return Some(root.join(name));
    }
    println!("skipped: ../shared/data is not there");
    None
}

#[test]
fn real_records_of_three_versions_are_read() {
    let Some(folder) = shared("eslogger") else { return };
    let real = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let head = Head { name, bytes: &bytes, complete: true };
        assert_eq!(format().detect(&head), Ok(()), "{name}");
        let read = read(&bytes);
        assert_eq!(read.malformed, [], "{name}");
        read
    };
    let read = real("mullvad-v9-exec.ndjson");
    let Detail::ProcessExec(exec) = &read.events[0].detail else { panic!() };
    assert_eq!((&exec.previous.key, &exec.target.key), (&key(97391, 149_091), &key(97391, 149_092)));
    assert_eq!(exec.target.responsible, Some(key(938, 2424)));
    assert_eq!(exec.target.path.as_deref(), Some("/bin/connection-checker"));
    // 570556931 = 0x22020203: signed, ad hoc (0x2), linker-signed (0x20000).
    assert_eq!(exec.target.signature, SignatureState::AdHoc);
    let read = real("mullvad-v9-exit.ndjson");
    let Detail::ProcessExit(exit) = &read.events[0].detail else { panic!() };
    assert_eq!((exit.status, &exit.process.key), (Some(0), &key(11221, 170_692)));
    let read = real("mullvad-v10-fork.ndjson");
    let Detail::ProcessFork(fork) = &read.events[0].detail else { panic!() };
    assert_eq!((&fork.parent.key, &fork.child.key), (&key(19745, 35165), &key(21497, 38282)));
    assert_eq!((fork.parent.user_id, fork.parent.signature), (Some(501), SignatureState::Team));
    let read = real("mullvad-v11-exec.ndjson");
    let Detail::ProcessExec(exec) = &read.events[0].detail else { panic!() };
    assert_eq!((&exec.previous.key, &exec.target.key), (&key(11085, 25188), &key(11085, 25189)));
    assert_eq!(exec.launch_label.as_deref(), Some("com.apple.localizationswitcherd"));
    assert_eq!(read.events[0].time, time("2026-08-04T11:38:25.825904694Z"));
    assert_eq!(real("macmonitor-fixture-v10-open.ndjson").skipped, ["event type not used"]);
}

#[test]
fn a_real_line_of_mac_monitor_is_read() {
    let Some(file) = shared("mac-monitor/macmonitor-2.1-exit.jsonl") else { return };
    let bytes = std::fs::read(file).unwrap();
    let refusal = format().detect(&Head { name: "x", bytes: &bytes, complete: true }).unwrap_err();
    assert!(refusal.0.contains("Mac Monitor"), "it has a format of its own, which mutes");
    let read = read(&bytes);
    let Detail::ProcessExit(exit) = &read.events[0].detail else { panic!() };
    assert_eq!((exit.status, &exit.process.key), (Some(9), &key(4444, 4445)));
}

#[test]
fn real_files_of_other_formats_are_refused() {
    let Some(root) = shared("") else { return };
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut refused = 0;
    for folder in folders.filter(|path| !path.ends_with("eslogger") && !path.ends_with("mac-monitor")) {
        let files = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.is_file()) {
            let Ok(input) = Input::open(&file) else { continue };
            let (detected, _) = input.with_head(|head| format().detect(head)).unwrap();
            assert!(detected.is_err(), "{} is taken for eslogger", file.display());
            refused += 1;
        }
    }
    assert!(refused > 20, "only {refused} files were looked at");
}

/// Event types of made-up records, with their bodies.
const KINDS: [(u32, &str); 5] = [
    (11, r#"{"fork":{"child":{"audit_token":{"pid":8}}}}"#),
    (15, r#"{"exit":{"stat":0}}"#),
    (13, r#"{"create":{"destination_type":0,"destination":{"existing_file":{"path":"/a"}}}}"#),
    (12, r#"{"close":{"modified":false,"target":{"path":"/a"}}}"#),
    (145, r#"{"xpc_connect":{"service_name":"s"}}"#),
];

/// Milliseconds between two made-up records.
const STEP_MS: i64 = 250;

fn moment(index: usize, start_ms: i64) -> Timestamp {
    Timestamp::from_nanoseconds((start_ms + index as i64 * STEP_MS) * 1_000_000)
}

/// The records of one client that misses none: kinds as given, numbers and times in order.
fn series(kinds: &[usize], start_ms: i64) -> Vec<String> {
    let mut numbers = [0_u64; KINDS.len()];
    kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let (event_type, body) = KINDS[*kind];
            let number = numbers[*kind];
            numbers[*kind] += 1;
            format!(
                r#"{{"event":{body},"time":"{}","event_type":{event_type},"seq_num":{number},"global_seq_num":{index},"process":{{"audit_token":[1,1,1,1,1,7,1,1]}}}}"#,
                moment(index, start_ms)
            )
        })
        .collect()
}

/// The lines, each moved by fewer than 50 places.
fn shuffled(lines: Vec<(usize, String)>, offsets: &[usize]) -> String {
    let mut keyed: Vec<_> =
        lines.into_iter().enumerate().map(|(place, line)| (place + offsets[place % offsets.len()], line)).collect();
    keyed.sort_by_key(|(order, _)| *order);
    keyed.into_iter().map(|(_, (_, line))| line + "\n").collect()
}

fn gaps(read: &Read) -> Vec<(Timestamp, Timestamp, u64)> {
    read.losses()
        .into_iter()
        .map(|record| match record.state {
            CoverageState::Lost { reason: Loss::SequenceGap, records: Some(count) } => {
                (record.from, record.until, count)
            }
            ref other => panic!("expected a counted gap, found {other:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_gap_is_told_where_none_is_and_a_removed_record_is_one_gap(
        kinds in prop::collection::vec(0..KINDS.len(), 3..1500),
        offsets in prop::collection::vec(0_usize..50, 1..200),
        removed in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<_> = series(&kinds, 0).into_iter().enumerate().collect();
        let whole = read(shuffled(lines.clone(), &offsets).as_bytes());
        prop_assert_eq!(whole.losses(), Vec::<&CoverageRecord>::new());
        prop_assert_eq!(whole.complete()[0].from, moment(0, 0));
        prop_assert_eq!(whole.complete()[0].until, moment(kinds.len() - 1, 0));

        let removed = 1 + removed.index(kinds.len() - 2);
        lines.remove(removed);
        let found = gaps(&read(shuffled(lines, &offsets).as_bytes()));
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        let (from, until, count) = found[0];
        prop_assert_eq!(count, 1);
        prop_assert!(from <= moment(removed, 0) && moment(removed, 0) <= until);
    }

    #[test]
    fn gaps_add_up_and_cover_every_removed_record(
        kinds in prop::collection::vec(0..KINDS.len(), 3..1500),
        offsets in prop::collection::vec(0_usize..20, 1..200),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
    ) {
        let removed: std::collections::BTreeSet<_> =
            removed.into_iter().map(|index| 1 + index.index(kinds.len() - 2)).collect();
        let lines: Vec<_> =
            series(&kinds, 0).into_iter().enumerate().filter(|(index, _)| !removed.contains(index)).collect();
        let found = gaps(&read(shuffled(lines, &offsets).as_bytes()));
        prop_assert_eq!(found.iter().map(|(_, _, count)| count).sum::<u64>(), removed.len() as u64);
        for index in removed {
            let time = moment(index, 0);
            prop_assert!(found.iter().any(|(from, until, _)| *from <= time && time <= *until), "{}", index);
        }
    }

    #[test]
    fn any_bytes_are_counted_and_nothing_panics(lines in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        read(&lines.join(&b'\n'));
    }

    #[test]
    fn damaged_lines_are_counted_and_nothing_panics(kind in 0..KINDS.len(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = series(&[kind, 0, 1], 0).join("\n").into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        read(&text);
    }
}

#[test]
fn a_restart_is_a_loss_of_unknown_size_and_two_stretches() {
    let first = series(&[0, 1, 0, 1], 0);
    let second = series(&[1, 1], 60_000);
    let text = [first, second].concat().join("\n") + "\n";
    let read = read(text.as_bytes());
    let [loss] = read.losses()[..] else { panic!("{:?}", read.coverage) };
    assert_eq!(loss.state, CoverageState::Lost { reason: Loss::SequenceGap, records: None });
    assert_eq!((loss.from, loss.until), (moment(3, 0), moment(0, 60_000)));
    let stretches: Vec<_> = read.complete().iter().map(|record| (record.from, record.until, record.sights)).collect();
    assert_eq!(
        stretches,
        [
            (moment(0, 0), moment(3, 0), sights(&[Sight::ProcessFork, Sight::ProcessExit])),
            (moment(0, 60_000), moment(1, 60_000), sights(&[Sight::ProcessExit])),
        ]
    );
}

#[test]
fn lines_told_twice_are_no_restart() {
    let lines = series(&[0, 1, 0, 1], 0);
    let text = [lines.clone(), lines].concat().join("\n") + "\n";
    assert!(read(text.as_bytes()).losses().is_empty());
}

#[test]
fn without_numbers_nothing_is_claimed_to_be_complete() {
    let text = series(&[0, 1], 0).join("\n").replace("seq_num", "number");
    let read = read(text.as_bytes());
    assert_eq!((read.events.len(), read.coverage), (2, vec![]));
}

#[test]
fn an_older_run_after_a_newer_one_adds_no_coverage() {
    let newer = series(&[0, 0, 0], 600_000);
    let older = series(&[0, 0, 0, 0, 0], 0);
    let text = [newer, older].concat().join("\n") + "\n";
    let read = read(text.as_bytes());
    assert_eq!(read.events.len(), 8);
    for record in read.complete() {
        assert!(record.from >= moment(0, 600_000), "{record:?}");
    }
}

#[test]
fn lines_that_cannot_be_read_lower_coverage_where_they_stand() {
    let lines = series(&[0, 1, 1], 0);
    let text = format!("{}\nnoise\n{{\"event\":1}}\n\n{}\n{}", lines[0], lines[1], &lines[2][..40]);
    let read = read(text.as_bytes());
    assert_eq!((read.events.len(), read.malformed.len()), (2, 3));
    assert_eq!(read.malformed[0].expected, "expected a JSON object");
    assert!(read.malformed[1].expected.contains("expected an Endpoint Security message"));
    let losses: Vec<_> =
        read.losses().iter().map(|record| (record.from, record.until, record.sights, record.state)).collect();
    let lost = |reason, records| CoverageState::Lost { reason, records };
    assert_eq!(
        losses,
        [
            (moment(0, 0), moment(0, 0), format().sights(), lost(Loss::Malformed, Some(2))),
            (moment(1, 0), moment(1, 0), format().sights(), lost(Loss::Truncated, None)),
        ]
    );
}

#[test]
fn unknown_shapes_say_what_was_expected() {
    let line = |process: &str, event: &str| {
        format!(r#"{{"time":"2026-11-24T08:00:00Z","process":{process},"event":{event}}}"#) + "\n"
    };
    let process = r#"{"audit_token":{"pid":7}}"#;
    for (text, expected) in [
        (line(process, "{}"), "one member"),
        (line(process, r#"{"exit":{"stat":0},"fork":1}"#), "one member"),
        (line(process, r#"{"exec":{"args":[]}}"#), "target"),
        (line(process, r#"{"create":{"destination":{}}}"#), "`existing_file` or `new_path`"),
        (line(process, r#"{"clone":{"source":{"path":"/a"}}}"#), "`target_dir`"),
        (line(process, r#"{"write":{"target":{"path":""}}}"#), "path"),
        (line(r#"{"audit_token":[1,2,3]}"#, r#"{"exit":{}}"#), "eight numbers"),
        (line(r#"{"audit_token":[1,2,3,4,5,6,7,8,9]}"#, r#"{"exit":{}}"#), "eight numbers"),
        (line(r#"{"audit_token":{"euid":0}}"#, r#"{"exit":{}}"#), "pid"),
        (line(r#"{"audit_token":{"pid":-1}}"#, r#"{"exit":{}}"#), "u32"),
        (line(process, "[[[[") + "\n", "one member"),
        (r#"{"time":"soon","process":{"audit_token":{"pid":7}},"event":{"exit":{}}}"#.to_owned() + "\n", "`time`"),
        ("[1]\n".to_owned(), "JSON object"),
    ] {
        let read = read(text.as_bytes());
        assert_eq!(read.malformed.len(), 1, "{text}");
        assert!(read.malformed[0].expected.contains(expected), "{} lacks {expected}", read.malformed[0].expected);
    }
    let deep = line(process, &format!(r#"{{"later":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)));
    let found = read(deep.as_bytes());
    assert_eq!(found.skipped.len() + found.malformed.len(), 1);
}

#[test]
fn long_command_lines_are_cut_between_characters() {
    let long = "é".repeat(40_000);
    let many: Vec<String> = std::iter::once(long).chain((0..400).map(|number| number.to_string())).collect();
    let text = format!(
        r#"{{"time":"2026-11-24T08:00:00Z","process":{{"audit_token":{{"pid":7}}}},"event":{{"exec":{{"target":{{"audit_token":{{"pid":7}}}},"args":{}}}}}}}"#,
        serde_json::to_string(&many).unwrap()
    );
    let read = read(text.as_bytes());
    let Detail::ProcessExec(exec) = &read.events[0].detail else { panic!() };
    assert_eq!(exec.arguments.len(), 256);
    // 4096 bytes are 2048 times é, and the mark of the cut.
    assert_eq!(exec.arguments[0].chars().count(), 2049);
    assert!(exec.arguments[0].ends_with("é…"));
    assert_eq!(exec.arguments[255], "254");
}

#[test]
fn a_path_that_is_no_text_is_read_with_a_mark() {
    let line = br#"{"time":"2026-11-24T08:00:00Z","process":{"audit_token":{"pid":7}},"event":{"unlink":{"target":{"path":"/tmp/X"}}}}"#;
    let line: Vec<u8> = line.iter().map(|byte| if *byte == b'X' { 0xff } else { *byte }).collect();
    let read = read(&line);
    let Detail::FileEffect(effect) = &read.events[0].detail else { panic!() };
    assert_eq!(&*effect.path, "/tmp/\u{fffd}");
}

#[test]
fn detection_names_what_is_missing_and_reads_cut_heads() {
    let refusal =
        |bytes: &[u8], complete| format().detect(&Head { name: "x", bytes, complete }).map_err(|refusal| refusal.0);
    let whole = br#"{"event":{},"event_type":9,"process":{},"time":"","schema_version":1,"seq_num":0}"#;
    assert_eq!(refusal(whole, true), Ok(()));
    let lacking = refusal(br#"{"event":{},"event_type":9,"process":{},"schema_version":1}"#, true);
    assert_eq!(lacking, Err("the first line lacks the members time, seq_num".to_owned()));
    assert!(refusal(b"#separator \\x09\n", true).unwrap_err().contains("not a JSON object"));
    assert!(refusal(b"", true).is_err() && refusal(b"\xef\xbb\xbf\n\n", true).is_err());
    let jamf = br#"{"event":{},"event_type":9,"process":{},"time":"","seq_num":0,"glob_seq_num":0}"#;
    assert!(refusal(jamf, true).unwrap_err().contains("Jamf"));
    // A rotated file begins in the middle of a line.
    let rotated = [b"t_uid\":0}}}\n".as_slice(), whole].concat();
    assert_eq!(refusal(&rotated, true), Ok(()));
    let cut = format!(r#"{{"event":{{"exec":{{"args":["{}"#, "a".repeat(64 * 1024));
    assert_eq!(refusal(&cut.as_bytes()[..64 * 1024], false), Ok(()));
    assert!(refusal(&cut.as_bytes()[..64 * 1024], true).is_err());
    let other = format!(r#"{{"message":"{}"#, "a".repeat(64 * 1024));
    assert!(refusal(&other.as_bytes()[..64 * 1024], false).is_err());
}
