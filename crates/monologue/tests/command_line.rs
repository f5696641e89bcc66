//! The command line as a user meets it: help, errors, exit codes, rubbish.
#![cfg(test)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn monologue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("monologue-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A Zeek conn.log: `count` connections from a private address to a public one, `period` seconds apart, with this state,
/// history and answer.
fn conn(count: u32, period: f64, state: &str, history: &str, received: &str) -> Vec<u8> {
    let mut text = String::from(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
         #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\n",
    );
    for number in 0..count {
        let time = 1_772_431_200.0 + f64::from(number) * period;
        text.push_str(&format!(
            "{time:.6}\tC{number}\t10.20.0.9\t{}\t203.0.113.66\t8443\ttcp\t-\t0.5\t0\t{received}\t{state}\t0\t{history}\n",
            40_000 + number
        ));
    }
    // One answered connection elsewhere shows that the sensor sees both sides.
    text.push_str(
        "1772431201.000000\tCother\t10.20.0.9\t39999\t203.0.113.1\t80\ttcp\thttp\t0.5\t90\t800\tSF\t0\tShADadFf\n",
    );
    text.push_str("#close\t2026-03-02-09-00-00\n");
    text.into_bytes()
}

#[test]
fn help_is_as_reviewed() {
    insta::assert_snapshot!("help", stdout(&monologue(&["--help"])));
    insta::assert_snapshot!("help-hunt", stdout(&monologue(&["hunt", "--help"])));
    let bare = monologue(&[]);
    assert_eq!(code(&bare), 2);
    assert!(stderr(&bare).contains("Usage: monologue"));
}

#[test]
fn a_silent_beacon_gives_exit_code_one_and_a_clean_day_zero() {
    let folder = Folder::new("codes");
    let silent = folder.file("silent.log", &conn(60, 60.0, "S0", "S", "-"));
    let found = monologue(&["hunt", &silent]);
    assert_eq!(code(&found), 1, "{}", stderr(&found));
    assert!(stdout(&found).contains("none of 60 requests found a listener"), "{}", stdout(&found));
    let answered = folder.file("answered.log", &conn(3, 977.0, "SF", "ShADadFf", "812"));
    let clean = monologue(&["hunt", &answered]);
    assert_eq!(code(&clean), 0, "{}", stdout(&clean));
    let words: Vec<String> = stdout(&clean).split_whitespace().map(str::to_owned).collect();
    assert!(words.join(" ").contains("no channel reached the minimum level"), "{words:?}");
}

#[test]
fn less_coverage_than_required_is_exit_code_three() {
    let folder = Folder::new("require");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let short = monologue(&["hunt", &log, "--require", "file.effect=50"]);
    assert_eq!(code(&short), 3);
    assert!(
        stderr(&short).contains("could not look: 10.20.0.9 was watched by file.effect for 0.0 %"),
        "{}",
        stderr(&short)
    );
    assert_eq!(code(&monologue(&["hunt", &log, "--require", "flow.reply=99"])), 1, "watched enough, and found");
}

#[test]
fn options_that_cannot_be_understood_are_named_with_a_hint() {
    let folder = Folder::new("options");
    let log = folder.file("conn.log", &conn(3, 60.0, "SF", "ShADadFf", "1"));
    let assets = folder.file("leases.csv", b"ip,host\nnot-an-address,anna\n");
    for (arguments, expected) in [
        (vec!["--output", "xml"], "expected the name of an output, found \"xml\""),
        (vec!["--require", "wings=5"], "expected a sight, found \"wings\""),
        (vec!["--require", "flow.reply=500"], "expected a percentage from 0 to 100"),
        (vec!["--local", "ten"], "expected a network, found \"ten\""),
        (vec!["--timezone", "Moon/Base"], "expected a time zone, found \"Moon/Base\""),
        (vec!["--since", "yesterday"], "expected a date or a time, found \"yesterday\""),
        (vec!["--format", "zeek-conn"], "expected NAME=GLOB"),
        (vec!["--host-pattern", "hosts/*"], "expected {host} in the pattern"),
        (vec!["--assets", &assets], "leases.csv:2: expected an IP address"),
    ] {
        let mut all = vec!["hunt", log.as_str()];
        all.extend(arguments);
        let output = monologue(&all);
        assert_eq!(code(&output), 2, "{all:?}");
        let talk = stderr(&output);
        assert!(talk.contains(expected) && talk.contains("hint: "), "{all:?}: {talk}");
    }
    let missing = monologue(&["hunt", "/nowhere/at/all"]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("cannot read /nowhere/at/all"));
}

#[test]
fn rubbish_costs_a_line_each_and_nothing_else() {
    let folder = Folder::new("rubbish");
    folder.file("good/conn.log", &conn(60, 60.0, "S0", "S", "-"));
    folder.file("good/empty.log", b"");
    folder.file("good/binary.bin", &[0, 159, 146, 150, 0, 255, 254, 1]);
    folder.file("good/cut.log.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75, 76]);
    folder.file("good/readme.txt", b"just some words\n");
    folder.file("good/huge.ndjson", &vec![b'{'; 11 << 20]);
    let mut old = conn(1, 1.0, "SF", "ShADadFf", "1");
    old.extend_from_slice(
        b"-11644473600.0\tCold\t10.20.0.9\t1\t203.0.113.5\t80\ttcp\t-\t-\t-\t-\tSF\t0\tS\n\xff\xfe\n",
    );
    folder.file("good/old.log", &old);
    let output = monologue(&["hunt", folder.text(), "--output", "json", "--minimum-level", "info"]);
    let talk = stderr(&output);
    assert_eq!(code(&output), 1, "{talk}");
    for name in ["empty.log", "binary.bin", "cut.log.gz", "readme.txt", "huge.ndjson"] {
        assert_eq!(talk.matches(&format!("/{name}: ")).count(), 1, "{name}: {talk}");
    }
    assert!(talk.contains("old.log: 2 malformed records"), "{talk}");
    // What could not be read lowers coverage: one of the lost rows may have been an answer, so nothing is said from absence.
    let lines = stdout(&output);
    let beacon = lines.lines().find(|line| line.contains("203.0.113.66")).expect("the beacon is still listed");
    assert!(beacon.contains("\"disposition\":\"unknown\"") && beacon.contains("\"leaning\":\"no-reply\""), "{beacon}");
}

#[test]
fn when_every_input_is_refused_it_is_an_error() {
    let folder = Folder::new("refused");
    let text = folder.file("notes.txt", b"nothing to see\n");
    let output = monologue(&["hunt", &text]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("error: no input could be read"), "{}", stderr(&output));
    assert!(stderr(&output).contains("hint: "));
}

#[test]
fn hostile_names_and_arguments_come_out_inert_and_redacted() {
    let folder = Folder::new("hostile");
    folder.file("bad\u{1b}[31m\u{202e}.log", b"rubbish\n");
    let exec = include_str!("../../formats/samples/eslogger/version-11.ndjson");
    let hostile =
        exec.replacen("\"args\":[", "\"args\":[\"--password\",\"hunter2-secret\",\"<img src=x>\\u001b[2J\",", 1);
    assert_ne!(exec, hostile, "the sample has arguments");
    folder.file("hosts/anna/es.ndjson", hostile.as_bytes());
    for arguments in [vec!["read", folder.text()], vec!["hunt", folder.text(), "--minimum-level", "info"]] {
        let output = monologue(&arguments);
        for text in [stdout(&output), stderr(&output)] {
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
            assert!(!text.contains("hunter2-secret"), "{text}");
        }
    }
    let read = stdout(&monologue(&["read", folder.text()]));
    assert!(read.contains("***") && read.contains("\"host\":\"anna\""), "{read}");
}

#[test]
fn reports_are_written_whole_to_files() {
    let folder = Folder::new("files");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let page = folder.0.join("out.html");
    let lines = folder.0.join("out.ndjson");
    let output = monologue(&[
        "hunt",
        &log,
        "--report",
        page.to_str().unwrap(),
        "--output",
        &format!("json={}", lines.display()),
    ]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).is_empty(), "files were asked for");
    assert!(std::fs::read_to_string(page).unwrap().ends_with("</html>\n"));
    assert_eq!(std::fs::read_to_string(lines).unwrap().lines().count(), 1);
    let nowhere = monologue(&["hunt", &log, "--report", "/nowhere/at/all/r.html"]);
    assert_eq!(code(&nowhere), 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new("pipe");
    let log = folder.file("conn.log", &conn(20_000, 1.0, "SF", "ShADadFf", "99"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["read", &log])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn lists_and_manual_pages_come_from_the_lists_themselves() {
    let formats = stdout(&monologue(&["formats"]));
    for format in monologue_formats::FORMATS {
        assert!(formats.contains(format.name()), "{} is not listed", format.name());
    }
    let markdown = stdout(&monologue(&["signals", "--markdown"]));
    assert!(markdown.starts_with("# Signals\n\n| signal |"));
    let page = stdout(&monologue(&["signals", "wire.no-reply"]));
    assert!(page.contains("# When it is wrong"), "{page}");
    let unknown = monologue(&["signals", "wire.silence"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("wire.no-reply"), "close names are offered: {}", stderr(&unknown));
    let outputs = stdout(&monologue(&["outputs"]));
    assert!(outputs.contains("html") && outputs.contains("json") && outputs.contains("text"));
}

#[test]
fn simulate_refuses_a_folder_in_use() {
    let folder = Folder::new("inuse");
    folder.file("mine.txt", b"keep me");
    let output = monologue(&["simulate", folder.text()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("expected an empty or new folder"));
    assert!(Path::new(folder.text()).join("mine.txt").exists());
    std::io::stderr().flush().unwrap();
}

#[test]
fn causes_stand_before_the_hint() {
    let missing = stderr(&monologue(&["hunt", "/nowhere/at/all"]));
    let lines: Vec<&str> = missing.lines().collect();
    assert!(lines[0].starts_with("error: cannot read /nowhere/at/all: ") && lines[0].len() > 40, "{missing}");
    assert_eq!(lines[1..], ["hint: check the path and its permissions"]);
}

#[test]
fn a_window_that_ends_before_it_starts_is_an_error() {
    let folder = Folder::new("window");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let output = monologue(&["hunt", &log, "--since", "2026-03-03", "--until", "2026-03-02"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("expected --until after --since"), "{}", stderr(&output));
    // The first connection is at 06:00:00Z, one a minute, and the answered one at 06:00:01Z: 06:00 to 06:09:30 holds
    // ten and one. Paris is one hour ahead of UTC in March before the 29th.
    for window in [
        ["--since", "2026-03-02T06:00:00Z", "--until", "2026-03-02T06:09:30Z"],
        ["--since", "2026-03-02T07:00:00", "--until", "2026-03-02T07:09:30"],
    ] {
        let mut all = vec!["read", log.as_str(), "--timezone", "Europe/Paris"];
        all.extend(window);
        let flows = stdout(&monologue(&all)).lines().filter(|line| line.contains("\"kind\":\"flow\"")).count();
        assert_eq!(flows, 11, "{window:?}");
    }
}

#[test]
fn a_file_of_nothing_but_broken_records_is_not_read() {
    let folder = Folder::new("broken");
    let mut text: Vec<u8> = conn(1, 1.0, "S0", "S", "-");
    let header = text.windows(9).position(|window| window == b"\thistory\n").unwrap() + 9;
    text.truncate(header);
    let quiet = folder.file("quiet.log", &text);
    text.extend_from_slice(b"x\ty\nz\n");
    let broken = folder.file("broken.log", &text);
    let output = monologue(&["hunt", &broken]);
    assert_eq!(code(&output), 2, "no record could be used, so nothing was looked at");
    assert!(stderr(&output).contains("broken.log: 2 malformed records"), "{}", stderr(&output));
    assert_eq!(code(&monologue(&["hunt", &quiet])), 0, "a log without a record says that nothing happened");
    // An error outweighs coverage below what was required.
    assert_eq!(code(&monologue(&["hunt", &broken, "--require", "file.effect=50"])), 2);
}

#[test]
fn an_asset_list_among_the_inputs_is_named_as_one() {
    let folder = Folder::new("assets");
    folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let list = folder.file("assets.csv", b"ip,host,from,until\n10.20.0.9,anna-mac,,\n10.20.0.10,,,\n");
    let without = stderr(&monologue(&["hunt", folder.text()]));
    assert!(without.contains("assets.csv: it looks like an asset list; give it with --assets"), "{without}");
    let with = monologue(&["hunt", folder.text(), "--assets", &list, "--output", "json"]);
    assert_eq!(code(&with), 1);
    assert!(stdout(&with).contains("\"host\":\"anna-mac\""), "{}", stdout(&with));
    let talk = stderr(&with);
    assert!(talk.contains("1 rows without a host were left out") && !talk.contains("not read"), "{talk}");
    assert!(!talk.contains("second time"), "{talk}");
    let swapped =
        folder.file("swapped.csv", b"ip,host,from,until\n10.20.0.9,a,2026-03-03T00:00:00Z,2026-03-02T00:00:00Z\n");
    let latin = folder.file("latin.csv", b"ip,host\n10.20.0.9,zo\xeb\n");
    for (list, expected) in [(swapped, "swapped.csv:2: expected the end"), (latin, "latin.csv:2: expected UTF-8 text")]
    {
        let output = monologue(&["hunt", folder.text(), "--assets", &list]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(expected) && stderr(&output).contains("\nhint: "), "{}", stderr(&output));
    }
}

#[test]
fn a_file_named_twice_is_read_once() {
    let folder = Folder::new("twice");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    folder.file("other.log", &conn(3, 977.0, "SF", "ShADadFf", "812"));
    let output = monologue(&["read", folder.text(), &log]);
    assert!(stderr(&output).contains("65 events"), "61 in one, 4 in the other: {}", stderr(&output));
    assert!(stderr(&output).contains("1 files met a second time"), "{}", stderr(&output));
}

#[test]
fn the_same_inputs_print_the_same_lines() {
    let folder = Folder::new("order");
    for number in 0..6 {
        folder.file(&format!("{number}.log"), &conn(3000, 1.0, "SF", "ShADadFf", "99"));
    }
    let first = stdout(&monologue(&["read", folder.text()]));
    assert!(first.lines().count() >= 18_000);
    assert!(first == stdout(&monologue(&["read", folder.text()])), "order of lines differs");
}

#[test]
fn a_forced_format_that_matches_nothing_is_said() {
    let folder = Folder::new("forced");
    let log = folder.file("conn.log", &conn(3, 60.0, "SF", "ShADadFf", "1"));
    let talk = stderr(&monologue(&["read", &log, "--format", "zeek-conn=*.nothing"]));
    assert!(talk.contains("--format zeek-conn=*.nothing matches no file"), "{talk}");
    let talk = stderr(&monologue(&["read", &log, "--format", "zeek-conn=conn.*"]));
    assert!(!talk.contains("matches no file"), "{talk}");
}

#[test]
fn nobody_listening_to_talk_is_no_crash() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["hunt", "/nowhere/at/all"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_costs_no_file() {
    let folder = Folder::new("pipefile");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let page = folder.0.join("out.html");
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["hunt", &log, "--output", "text", "--report", page.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(std::fs::read_to_string(page).unwrap().ends_with("</html>\n"));
}

/// Only within a folder of our own: what is tested here replaces a file, where the program is wrong.
#[cfg(unix)]
#[test]
fn links_and_pipes_are_written_through_and_never_replaced() {
    let folder = Folder::new("through");
    let log = folder.file("conn.log", &conn(60, 60.0, "S0", "S", "-"));
    let real = folder.file("real.ndjson", b"old");
    let link = folder.0.join("link.ndjson");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert_eq!(code(&monologue(&["hunt", &log, "--output", &format!("json={}", link.display())])), 1);
    assert!(link.symlink_metadata().unwrap().file_type().is_symlink(), "the link is still one");
    assert_eq!(std::fs::read_to_string(&real).unwrap().lines().count(), 1);

    let pipe = folder.0.join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        println!("skipped: mkfifo is not there");
        return;
    }
    // `cat` reads the pipe; if the program replaced it instead, nobody would ever write, so the check comes first.
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    let output = monologue(&["hunt", &log, "--output", &format!("json={}", pipe.display())]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(!pipe.symlink_metadata().unwrap().is_file(), "the pipe was replaced by a file");
    let read = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(read.lines().count(), 1, "{read}");
    let left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_reading() {
    let folder = Folder::new("nofolder");
    let text = folder.file("notes.txt", b"nothing to see\n");
    let output = monologue(&["hunt", &text, "--report", "/nowhere/at/all/r.html"]);
    assert_eq!(code(&output), 2);
    let talk = stderr(&output);
    assert!(talk.contains("its folder does not exist") && !talk.contains("not read"), "{talk}");
    let onto = monologue(&["hunt", &text, "--output", &format!("json={}", folder.text())]);
    assert_eq!(code(&onto), 2);
    assert!(stderr(&onto).contains("expected a file name after json="), "{}", stderr(&onto));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end_and_broken_ones_are_named() {
    let folder = Folder::new("links");
    folder.file("logs/conn.log", &conn(60, 60.0, "S0", "S", "-"));
    std::os::unix::fs::symlink(folder.text(), folder.0.join("logs/up")).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", folder.0.join("logs/gone")).unwrap();
    let output = monologue(&["hunt", folder.text()]);
    let talk = stderr(&output);
    assert_eq!(code(&output), 1, "{talk}");
    assert!(talk.contains("not followed: ") && talk.contains("not read: ") && talk.contains("logs/gone"), "{talk}");
}

#[test]
fn demo_ends_by_naming_the_report_and_refuses_a_folder_in_use() {
    let folder = Folder::new("demo");
    let keep = folder.0.join("fleet");
    let output = monologue(&["demo", "--keep", keep.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let talk = stderr(&output);
    assert!(talk.trim_end().ends_with(keep.join("report.html").to_str().unwrap()), "{talk}");
    assert!(std::fs::read_to_string(keep.join("report.html")).unwrap().ends_with("</html>\n"));
    let again = monologue(&["demo", "--keep", keep.to_str().unwrap()]);
    assert_eq!(code(&again), 2);
    assert!(!stderr(&again).contains("--force"), "demo has no such option: {}", stderr(&again));
}

#[test]
fn explain_names_the_bytes_of_each_field() {
    let folder = Folder::new("explain");
    let file = folder.file("conn.log", &conn(3, 60.0, "SF", "ShADadFf", "120"));
    let output = monologue(&["read", "--explain", &file]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let shown = stdout(&output);
    assert_eq!(shown.matches("sha256").count(), 1, "one record of each input:\n{shown}");
    let line = |field: &str| {
        let lines = shown.lines().map(str::trim_start);
        lines.clone().find(|line| line.starts_with(field)).unwrap_or_else(|| panic!("{field}:\n{shown}")).to_owned()
    };
    assert!(line("time").contains("ts [0.."), "{shown}");
    assert!(
        line("detail.detail.originator").contains("id.orig_h [")
            && line("detail.detail.originator").contains(" and id.orig_p [")
    );
    assert!(line("detail.detail.received.value").contains("resp_bytes ["));
    assert!(line("detail.detail.received.quality").contains("not spelled in the record"));
    let offset = std::fs::read(&file).unwrap().windows(3).rposition(|bytes| bytes == b"\tSF").unwrap().to_string();
    let last = stdout(&monologue(&["read", &format!("--explain={offset}"), &file]));
    assert!(last.contains("sha256") && last != shown, "{last}");
    assert_eq!(code(&monologue(&["read", "--explain=1", &file])), 2, "no record stands there");
    assert_eq!(code(&monologue(&["read", "--explain=x", &file])), 2);
}

#[test]
fn explain_keeps_secrets_back() {
    let folder = Folder::new("explain-secrets");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/samples/eslogger/version-11.ndjson");
    let text = std::fs::read_to_string(sample).unwrap();
    let secret = text.replace("\"env\":[", "\"env\":[\"API_KEY=verysecretvalue\",");
    assert!(secret.contains("verysecretvalue"));
    let file = folder.file("eslogger.ndjson", secret.as_bytes());
    let offset = secret.find("verysecretvalue").unwrap();
    let output = monologue(&["read", &format!("--explain={offset}"), &file]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(!stdout(&output).contains("verysecret"), "{}", stdout(&output));
}

#[test]
fn an_archive_of_the_unified_log_is_one_input() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/samples/unified-log-archive");
    let output = monologue(&["read", "--host", "anna-mac", sample.join("lantern.logarchive").to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("8 events, 4 skipped, 0 malformed, from 1 inputs"), "{}", stderr(&output));
    assert!(stdout(&output).lines().all(|line| line.contains("\"host\":\"anna-mac\"")));
    // Found while walking, too: beside it lies only what is no telemetry.
    let walked = monologue(&["read", "--host", "anna-mac", sample.to_str().unwrap()]);
    assert_eq!(
        stdout(&walked).replace("unified-log-archive/", ""),
        stdout(&output).replace("unified-log-archive/", "")
    );
    let explained = stdout(&monologue(&["read", "--explain", sample.to_str().unwrap()]));
    assert!(
        explained.contains("the record is binary") && explained.contains("request-sent")
            || explained.contains("resumed"),
        "{explained}"
    );
}
