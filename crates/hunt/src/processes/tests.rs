//! Lineage by hand-made lists of events, one situation each.

use super::*;
use crate::{identity, lineage::lineage};
use monologue_model::{FileEffect, FileEffectKind, ProcessExit, ProcessFork, Sha256, SignatureState};
use std::sync::Arc;

/// A pid with its version.
type Token = (u32, u32);

const LAUNCHD: Token = (1, 1);

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(milliseconds * 1_000_000)
}

fn key(token: Token) -> ProcessKey {
    ProcessKey::from_pid(token.0, (token.1 > 0).then_some(token.1))
}

fn image(token: Token, path: &str, parent: Token) -> ProcessImage {
    ProcessImage {
        key: key(token),
        path: Some(path.into()),
        parent: Some(key(parent)),
        responsible: Some(key(token)),
        ..ProcessImage::default()
    }
}

fn event(milliseconds: i64, detail: Detail) -> Event {
    let provenance = Provenance {
        source: "events".into(),
        offset: milliseconds.unsigned_abs(),
        length: 1,
        sha256: Sha256::default(),
    };
    Event { time: at(milliseconds), host: None, format: "eslogger".into(), provenance, detail }
}

fn fork(milliseconds: i64, parent: &ProcessImage, child: Token) -> Event {
    let child = ProcessImage { key: key(child), parent: Some(parent.key.clone()), ..parent.clone() };
    event(milliseconds, Detail::ProcessFork(Box::new(ProcessFork { parent: parent.clone(), child })))
}

fn exec_of(previous: &ProcessImage, target: &ProcessImage, arguments: &str) -> ProcessExec {
    ProcessExec {
        previous: previous.clone(),
        target: target.clone(),
        arguments: arguments.split(' ').map(str::to_owned).collect(),
        script: None,
        working_directory: None,
        launch_label: None,
    }
}

fn exec(milliseconds: i64, previous: &ProcessImage, target: &ProcessImage, arguments: &str) -> Event {
    event(milliseconds, Detail::ProcessExec(Box::new(exec_of(previous, target, arguments))))
}

fn labelled(milliseconds: i64, previous: &ProcessImage, target: &ProcessImage, arguments: &str, label: &str) -> Event {
    let mut exec = exec_of(previous, target, arguments);
    exec.launch_label = Some(label.into());
    event(milliseconds, Detail::ProcessExec(Box::new(exec)))
}

fn exit(milliseconds: i64, process: &ProcessImage) -> Event {
    event(milliseconds, Detail::ProcessExit(Box::new(ProcessExit { process: process.clone(), status: Some(0) })))
}

fn wrote(milliseconds: i64, process: &ProcessImage) -> Event {
    let effect = FileEffect {
        process: process.clone(),
        effect: FileEffectKind::Write,
        path: "/private/tmp/x".into(),
        target: None,
    };
    event(milliseconds, Detail::FileEffect(Box::new(effect)))
}

fn table(mut events: Vec<Event>) -> ProcessTable {
    events.sort_by(|one, other| (one.time, &one.provenance).cmp(&(other.time, &other.provenance)));
    let mut table = ProcessTable::default();
    table.extend(events.iter());
    table
}

fn chain(table: &ProcessTable, token: Token) -> String {
    table.by_key(&key(token)).map_or_else(|| "not there".to_owned(), |found| lineage(table, found).join(" → "))
}

const UPDATER: &str = "/Users/anna/Library/x/updater.sh";

/// launchd → xpcproxy → sh updater.sh → (fork) → curl: what a launch agent looks like.
fn agent(offset_ms: i64, shell: Token, curl: Token) -> Vec<Event> {
    let launchd = image(LAUNCHD, "/sbin/launchd", (0, 0));
    let copy = ProcessImage { parent: Some(key(LAUNCHD)), ..image((shell.0, shell.1 - 2), "/sbin/launchd", LAUNCHD) };
    let proxy = image((shell.0, shell.1 - 1), "/usr/libexec/xpcproxy", LAUNCHD);
    let sh = image(shell, "/bin/sh", LAUNCHD);
    let forked = image((curl.0, curl.1 - 1), "/bin/sh", shell);
    let asker = image(curl, "/usr/bin/curl", shell);
    vec![
        fork(offset_ms, &launchd, (shell.0, shell.1 - 2)),
        exec(offset_ms + 1, &copy, &proxy, "xpcproxy com.example.updater"),
        labelled(offset_ms + 5, &proxy, &sh, &format!("/bin/sh {UPDATER}"), "com.example.updater"),
        fork(offset_ms + 20, &sh, (curl.0, curl.1 - 1)),
        labelled(offset_ms + 21, &forked, &asker, "curl -s https://a.example/", "com.example.updater"),
    ]
}

#[test]
fn a_launch_agent_reads_as_its_label_its_script_and_its_tool() {
    let table = table(agent(0, (500, 12), (501, 14)));
    let expected = "launchd (com.example.updater) → /bin/sh ~/Library/x/updater.sh → /usr/bin/curl";
    assert_eq!(chain(&table, (501, 14)), expected);
    assert_eq!(chain(&table, (500, 12)), "launchd (com.example.updater) → /bin/sh ~/Library/x/updater.sh");
}

#[test]
fn the_label_comes_from_xpcproxys_command_line_where_no_environment_was_recorded() {
    let mut events = agent(0, (500, 12), (501, 14));
    for event in &mut events {
        if let Detail::ProcessExec(exec) = &mut event.detail {
            exec.launch_label = None;
        }
    }
    assert!(chain(&table(events), (501, 14)).starts_with("launchd (com.example.updater) → /bin/sh"));
}

#[test]
fn records_that_come_in_out_of_order_by_milliseconds_give_the_same_lineage() {
    let expected = chain(&table(agent(0, (500, 12), (501, 14))), (501, 14));
    // Every pair of records within the disorder changes places.
    for first in 0..5 {
        for second in first + 1..5 {
            let mut events = agent(0, (500, 12), (501, 14));
            let times: Vec<Timestamp> = events.iter().map(|event| event.time).collect();
            events[first].time = times[second];
            events[second].time = times[first];
            let table = table(events);
            assert_eq!(chain(&table, (501, 14)), expected, "records {first} and {second} changed places");
            assert_eq!(table.by_key(&key((500, 12))).unwrap().end, None, "the shell still runs");
        }
    }
}

#[test]
fn an_effect_before_the_exec_that_explains_it_does_not_hide_the_exec() {
    let sh = image((500, 10), "/bin/sh", LAUNCHD);
    let tool = image((501, 14), "/usr/local/bin/tool", (500, 10));
    let copy = image((501, 13), "/bin/sh", (500, 10));
    let table =
        table(vec![wrote(100, &tool), exec(103, &copy, &tool, "tool"), exit(101, &tool), exec(1, &sh, &sh, "sh -c x")]);
    let found = table.by_key(&key((501, 14))).unwrap();
    assert_eq!((found.start, found.end), (at(100), Some(at(101))));
    assert!(found.exec.is_some() && found.exited.is_some() && found.started_by.is_some());
}

#[test]
fn exec_in_place_keeps_who_was_there_before() {
    // `exec curl …` at the end of a script: the shell is gone, and still the one who asked.
    let proxy = image((500, 11), "/usr/libexec/xpcproxy", LAUNCHD);
    let sh = image((500, 12), "/bin/sh", LAUNCHD);
    let env = image((500, 13), "/usr/bin/env", LAUNCHD);
    let curl = image((500, 14), "/usr/bin/curl", LAUNCHD);
    let table = table(vec![
        exec(1, &image((500, 10), "/sbin/launchd", LAUNCHD), &proxy, "xpcproxy com.example.updater"),
        labelled(5, &proxy, &sh, &format!("/bin/sh {UPDATER}"), "com.example.updater"),
        exec(30, &sh, &env, "env -i curl https://a.example/"),
        exec(31, &env, &curl, "curl https://a.example/"),
    ]);
    let expected = "launchd (com.example.updater) → /bin/sh ~/Library/x/updater.sh → /usr/bin/curl";
    assert_eq!(chain(&table, (500, 14)), expected);
    let found = table.by_key(&key((500, 14))).unwrap();
    assert_eq!(identity::of_instance(&table, found).agent().map(|agent| &**agent), Some("~/Library/x/updater.sh"));
}

#[test]
fn a_pid_that_is_used_again_within_a_second_is_two_processes() {
    let other = image((300, 5), "/Applications/Notes.app/Contents/MacOS/Notes", LAUNCHD);
    let mut events = agent(0, (500, 12), (501, 14));
    events.push(exit(200, &image((501, 14), "/usr/bin/curl", (500, 12))));
    events.push(fork(700, &other, (501, 90)));
    let helper = image((501, 91), "/opt/helper", (300, 5));
    events.push(exec(705, &image((501, 90), "", (300, 5)), &helper, "helper"));
    let table = table(events);
    assert!(chain(&table, (501, 14)).ends_with("updater.sh → /usr/bin/curl"));
    assert_eq!(chain(&table, (501, 91)), "launchd → /Applications/Notes.app/Contents/MacOS/Notes → /opt/helper");
    assert_eq!(table.exit_after(501, at(0)).map(|(end, _)| end), Some(at(200)));
    assert_eq!(table.exit_after(501, at(300)), None, "the second use of the pid did not end");
    assert_eq!(table.at(501, at(900), None, 0).unwrap().image.key.pidversion, Some(91));
    assert!(table.at(501, at(400), None, 0).is_none(), "nobody had the pid");
}

#[test]
fn a_process_older_than_the_log_says_that_its_beginning_is_unknown() {
    let old = image((400, 7), "/usr/local/bin/daemon", (399, 6));
    let table = table(vec![wrote(50, &old), fork(60, &old, (600, 80))]);
    assert_eq!(chain(&table, (400, 7)), "… → /usr/local/bin/daemon");
    let found = table.by_key(&key((400, 7))).unwrap();
    assert!(found.exec.is_none() && found.started_by.is_none());
    let child_of_launchd = image((410, 8), "/usr/local/bin/other", LAUNCHD);
    let mut table = table;
    table.take(&wrote(70, &child_of_launchd));
    assert_eq!(chain(&table, (410, 8)), "launchd → /usr/local/bin/other", "its token names its parent all the same");
}

#[test]
fn an_agent_that_launchd_starts_again_is_the_same_application() {
    let mut events = agent(0, (500, 12), (501, 14));
    events.push(exit(5_000, &image((501, 14), "/usr/bin/curl", (500, 12))));
    events.push(exit(5_100, &image((500, 12), "/bin/sh", LAUNCHD)));
    events.extend(agent(15_000, (777, 40), (778, 44)));
    let table = table(events);
    let of = |token| {
        let found = table.by_key(&key(token)).unwrap();
        let image = ProcessImage {
            signing_id: Some("com.apple.curl".into()),
            signature: SignatureState::Platform,
            ..found.image.clone()
        };
        identity::of_instance(&table, &Instance { image, ..found.clone() })
    };
    assert_eq!(of((501, 14)), of((778, 44)));
    assert_eq!(of((778, 44)).to_string(), "platform:com.apple.curl for ~/Library/x/updater.sh");
    assert_eq!(chain(&table, (501, 14)), chain(&table, (778, 44)));
}

#[test]
fn an_inline_program_of_launchd_is_named_by_its_label() {
    let proxy = image((500, 11), "/usr/libexec/xpcproxy", LAUNCHD);
    let curl = image((500, 12), "/usr/bin/curl", LAUNCHD);
    let table = table(vec![labelled(5, &proxy, &curl, "curl -s https://a.example/", "com.example.beat")]);
    let found = table.by_key(&key((500, 12))).unwrap();
    assert_eq!(identity::of_instance(&table, found).agent().map(|agent| &**agent), Some("com.example.beat"));
}

#[test]
fn where_the_parent_is_launchd_the_chain_says_who_is_responsible() {
    let safari = image((300, 5), "/Applications/Safari.app/Contents/MacOS/Safari", LAUNCHD);
    let path = "/System/Library/Frameworks/WebKit.framework/XPCServices/com.apple.WebKit.Networking";
    let networking = ProcessImage { responsible: Some(key((300, 5))), ..image((310, 8), path, LAUNCHD) };
    let orphan = ProcessImage { responsible: Some(key((999, 9))), ..image((320, 9), "/opt/orphan", LAUNCHD) };
    let table = table(vec![wrote(1, &safari), wrote(2, &networking), wrote(3, &orphan)]);
    let expected = format!("launchd → {path} (responsible: /Applications/Safari.app/Contents/MacOS/Safari)");
    assert_eq!(chain(&table, (310, 8)), expected);
    assert_eq!(chain(&table, (320, 9)), "launchd → /opt/orphan (responsible: unknown)");
    assert_eq!(chain(&table, (300, 5)), "launchd → /Applications/Safari.app/Contents/MacOS/Safari", "itself");
}

#[test]
fn a_responsible_process_is_not_named_where_the_parents_are_known() {
    let mut events = agent(0, (500, 12), (501, 14));
    for event in &mut events {
        if let Detail::ProcessExec(exec) = &mut event.detail {
            exec.target.responsible = Some(key((500, 12)));
        }
    }
    assert!(!chain(&table(events), (501, 14)).contains("responsible"));
}

#[test]
fn copies_of_a_shell_are_shown_once_and_long_chains_are_bounded() {
    let mut events = agent(0, (500, 12), (501, 14));
    let sh = image((500, 12), "/bin/sh", LAUNCHD);
    let copy = image((600, 50), "/bin/sh", (500, 12));
    events.push(fork(40, &sh, (600, 50)));
    events.push(fork(41, &copy, (601, 51)));
    let tool = image((601, 52), "/usr/bin/curl", (600, 50));
    events.push(exec(42, &image((601, 51), "/bin/sh", (600, 50)), &tool, "curl https://a.example/"));
    let mut last = tool;
    for step in 0..30_u32 {
        let parent = (last.key.pid.unwrap(), 0);
        let copy = image((700 + step, 99 + 2 * step), last.path.as_deref().unwrap(), parent);
        let next = image((700 + step, 100 + 2 * step), &format!("{}{step}", "/opt/x".repeat(60)), parent);
        events.push(exec(50 + i64::from(step), &copy, &next, "x"));
        last = next;
    }
    let table = table(events);
    let expected = "launchd (com.example.updater) → /bin/sh ~/Library/x/updater.sh → /usr/bin/curl";
    assert_eq!(chain(&table, (601, 52)), expected);
    let long = chain(&table, (729, 158));
    assert!(long.len() < 2_000 && long.contains(" → … → "), "{} bytes", long.len());
}

#[test]
fn a_table_carried_on_forgets_the_dead_and_keeps_their_part_in_lineages() {
    let mut events = agent(0, (500, 12), (501, 14));
    events.push(exit(900, &image((500, 12), "/bin/sh", LAUNCHD)));
    events.push(exec(910, &image((40, 60), "/bin/sh", (39, 59)), &image((40, 61), "/bin/ls", (39, 59)), "ls"));
    events.push(exit(920, &image((40, 61), "/bin/ls", (39, 59))));
    let whole = table(events.clone());
    let mut carried = whole.clone();
    carried.forget(at(2_000).saturating_add(crate::settings::KEEP_NS), &std::collections::BTreeSet::new(), &[]);
    assert_eq!(chain(&carried, (501, 14)), chain(&whole, (501, 14)));
    assert!(whole.by_key(&key((40, 61))).is_some() && carried.by_key(&key((40, 61))).is_none());
    let names: Vec<Arc<str>> = carried.instances().filter_map(|instance| instance.image.path.clone()).collect();
    assert!(!names.iter().any(|name| &**name == "/bin/ls"), "{names:?}");
    // What it gathers later is what it would have gathered.
    let (mut one, mut other) = (whole, carried);
    let next = agent(3_000, (800, 112), (801, 114));
    next.iter().for_each(|event| one.take(event));
    next.iter().for_each(|event| other.take(event));
    assert_eq!(chain(&one, (801, 114)), chain(&other, (801, 114)));
}

/// An image that a sensor gives an identifier, and perhaps no pid.
fn identified(pid: Option<u32>, identifier: &str, path: Option<&str>, parent: Option<&str>) -> ProcessImage {
    let key = |pid, identifier: &str| ProcessKey { pid, instance: Some(identifier.into()), ..ProcessKey::default() };
    ProcessImage {
        key: key(pid, identifier),
        path: path.map(Into::into),
        parent: parent.map(|parent| key(None, parent)),
        ..ProcessImage::default()
    }
}

#[test]
fn a_sensors_identifier_finds_the_process_where_nothing_else_is_recorded() {
    let nobody = ProcessImage::default();
    let shell = identified(Some(70), "A1", Some("/bin/zsh"), None);
    let agent = identified(Some(71), "B2", Some("/opt/agent"), Some("A1"));
    // The pid is used again.
    let later = identified(Some(71), "C3", Some("/opt/other"), None);
    let mut table = ProcessTable::default();
    let events =
        [exec(0, &nobody, &shell, "zsh"), exec(10, &nobody, &agent, "agent"), exec(9_000, &nobody, &later, "other")];
    table.extend(events.iter());
    let path =
        |identifier: &str, time| match table.find(&identified(None, identifier, None, None), at(time), 2_000_000_000) {
            Found::One(found) => (found.instance.image.path.clone(), found.strength),
            other => panic!("expected one, found {other:?}"),
        };
    assert_eq!(path("B2", 60_000), (Some("/opt/agent".into()), monologue_model::LinkStrength::Instance));
    assert_eq!(path("C3", 60_000).0.as_deref(), Some("/opt/other"));
    assert!(matches!(table.find(&identified(None, "D4", None, None), at(10), 0), Found::Nobody));
    let Found::One(found) = table.find(&agent, at(20), 0) else { panic!() };
    assert_eq!(table.parent(found.instance).unwrap().image.path.as_deref(), Some("/bin/zsh"));
    // Its end may be told by the identifier alone.
    let exit = ProcessExit { process: identified(None, "C3", None, None), status: None };
    table.take(&event(10_000, Detail::ProcessExit(Box::new(exit))));
    assert_eq!(table.exit_after(71, at(9_500)).unwrap().0, at(10_000));
}

#[test]
fn where_no_end_is_recorded_the_processes_longest_silent_are_forgotten_and_the_others_kept() {
    let agent = image((500, 900), "/opt/agent", LAUNCHD);
    let copy = image((500, 899), "/sbin/launchd", LAUNCHD);
    let mut events = vec![exec(0, &copy, &agent, "agent")];
    let hour = 3_600_000;
    for number in 1..=20_000_u32 {
        let token = (1_000 + number, 10_000 + number);
        let (shell, tool) = (image(token, "/bin/sh", (500, 900)), image((token.0, token.1 + 50_000), "/bin/ls", token));
        events.push(exec(i64::from(number) * 1_000, &shell, &tool, "ls"));
    }
    let last = 20_000 * 1_000;
    // The agent, older than all of them, still acts.
    let wrote =
        FileEffect { process: agent.clone(), effect: FileEffectKind::Write, path: "/tmp/a".into(), target: None };
    events.push(event(last + 1, Detail::FileEffect(Box::new(wrote))));
    let mut table = ProcessTable::default();
    table.extend(events.iter());
    // Each has its shell and what the shell became; the shells have ended, as they were replaced.
    assert_eq!(table.instances().count(), 2 * 20_000 + 2);
    table.forget(at(last + 100 * hour), &BTreeSet::new(), &[]);
    assert!(table.instances().count() <= INSTANCE_CAP, "{}", table.instances().count());
    assert!(table.instances().count() > INSTANCE_CAP - 4, "no more is dropped than must be");
    assert!(table.at(500, at(last + hour), None, 0).is_some(), "the agent acted after all of them began");
    assert!(table.at(1_001, at(last + hour), None, 0).is_none(), "the first was silent for longest");
    assert!(table.at(21_000, at(last + hour), None, 0).is_some());
}

#[test]
fn a_parent_that_never_ends_keeps_one_fork_of_each_pid() {
    let day_ms = 86_400_000;
    let launchd = image(LAUNCHD, "/sbin/launchd", (0, 0));
    let mut table = ProcessTable::default();
    table.take(&fork(1_000, &launchd, (600, 2)));
    for day in 0..50_u32 {
        let (begin, child) = (i64::from(day) * day_ms + 5_000, (500, 10 + day));
        table.take(&fork(begin, &launchd, child));
        table.take(&exit(begin + 2_000, &image(child, "/sbin/launchd", LAUNCHD)));
        table.take(&fork(begin + 3_000, &launchd, (500, 100 + day)));
        table.forget(at(begin + day_ms / 2), &BTreeSet::new(), &[]);
    }
    // Without the daily forks of a pid that has them again, there would be a hundred.
    let last = at(49 * day_ms + 8_000);
    assert_eq!(table.children[&1], [(at(1_000), 600), (last, 500)]);
    let tree = table.tree(1, at(0), at(50 * day_ms));
    assert_eq!(
        tree,
        [(1, at(0)), (600, at(1_000)), (500, last)],
        "the one that runs since the first day still descends"
    );
    // What was forked within the time that is looked back on stays, each with its own moment.
    let begin = 50 * day_ms;
    table.take(&exit(begin, &image((500, 149), "/sbin/launchd", LAUNCHD)));
    table.take(&fork(begin + 1, &launchd, (500, 300)));
    table.take(&fork(begin + 2, &launchd, (500, 301)));
    table.forget(at(begin + 3), &BTreeSet::new(), &[]);
    let forks: Vec<i64> = table.children[&1].iter().map(|(time, _)| time.nanoseconds() / 1_000_000).collect();
    assert_eq!(forks, [1_000, 49 * day_ms + 8_000, begin + 1, begin + 2]);
}
