//! Sending to receivers on this machine that are busy, slow, broken, choosy or gone.
#![cfg(test)]

mod server;

use monologue_send::{Credentials, Options, Secret, SendError, Summary, Target, send};
use server::{Answer, Server, say};
use std::{
    io::{BufReader, Read},
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const TOKEN: &str = "t0ken-of-the-test";

/// A folder for dead letters, and options to send to `url`.
fn options(target: Target, url: &str) -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(target, url, folder.path().join("dead"));
    options.timeout = Duration::from_secs(10);
    options.credentials = (target != Target::Syslog).then(|| Credentials::Token(Secret::new(TOKEN.to_owned())));
    (folder, options)
}

/// Sends, and gives what became of it with the waits in seconds.
fn run(options: &Options, input: &str) -> (Summary, Vec<u64>) {
    let mut waits = Vec::new();
    let summary = send(options, &mut input.as_bytes(), &mut |wait| waits.push(wait.as_secs())).unwrap();
    (summary, waits)
}

fn dead(options: &Options) -> String {
    std::fs::read_to_string(&options.dead_letters).unwrap_or_default()
}

/// Envelopes of Splunk's collector with these names.
fn envelopes(names: &[&str]) -> String {
    names.iter().map(|name| format!("{{\"event\":\"{name}\"}}\n")).collect()
}

/// Pairs of a bulk request with these ids.
fn pairs(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("{{\"create\":{{\"_id\":\"{id}\"}}}}\n{{\"name\":\"{id}\"}}\n")).collect()
}

/// The answer of a bulk interface with these statuses.
fn bulk(statuses: &[u16]) -> Answer {
    let items: Vec<String> = statuses
        .iter()
        .map(|status| match status {
            200..=299 => format!("{{\"create\":{{\"status\":{status}}}}}"),
            _ => {
                format!("{{\"create\":{{\"status\":{status},\"error\":{{\"type\":\"t\",\"reason\":\"r{status}\"}}}}}}")
            }
        })
        .collect();
    say(200, &format!("{{\"took\":1,\"errors\":true,\"items\":[{}]}}", items.join(",")))
}

#[test]
fn lines_go_in_batches_with_the_token_in_the_header_only() {
    let server = Server::in_order(vec![say(200, "{\"text\":\"Success\",\"code\":0}")]);
    let (_folder, mut options) = options(Target::SplunkHec, &server.url());
    options.batch_items = 2;
    let (summary, waits) = run(&options, &envelopes(&["a", "b", "c"]));
    assert_eq!(summary, Summary { taken: 3, requests: 2, ..Summary::default() });
    assert!(summary.is_complete() && waits.is_empty());
    let requests = server.requests();
    assert_eq!(requests[0].body, "{\"event\":\"a\"}\n{\"event\":\"b\"}");
    assert_eq!(requests[1].body, "{\"event\":\"c\"}");
    for request in &requests {
        assert_eq!(request.path, "/services/collector/event");
        assert_eq!(request.header("authorization"), Some("Splunk t0ken-of-the-test"));
    }
    assert!(!options.dead_letters.exists(), "no dead letter, no file");
    assert!(!format!("{options:?}").contains(TOKEN));
}

#[test]
fn bytes_bound_a_batch_too() {
    let server = Server::in_order(vec![say(200, "{}")]);
    let (_folder, mut options) = options(Target::SplunkHec, &server.url());
    // Two envelopes of 13 bytes and a line end fit, three do not.
    options.batch_bytes = 30;
    let (summary, _) = run(&options, &envelopes(&["a", "b", "c", "d", "e"]));
    assert_eq!((summary.taken, summary.requests), (5, 3));
}

#[test]
fn a_busy_receiver_is_tried_again_when_it_asks_for_it() {
    let server = Server::in_order(vec![
        say(503, "{\"text\":\"Server is busy\",\"code\":9}"),
        Answer::Say(429, "Retry-After: 7\r\n", String::new()),
        Answer::Say(429, "Retry-After: 86400\r\n", String::new()),
        // A date would need a clock: our own wait.
        Answer::Say(503, "Retry-After: Wed, 25 Nov 2026 12:00:00 GMT\r\n", String::new()),
        say(200, "{}"),
    ]);
    let (_folder, options) = options(Target::SplunkHec, &server.url());
    let (summary, waits) = run(&options, &envelopes(&["a"]));
    assert_eq!((summary.taken, summary.requests), (1, 5));
    assert_eq!(waits, [1, 7, 300, 8], "ours doubles; theirs counts where it is longer, up to five minutes");
}

#[test]
fn of_a_bulk_request_only_what_failed_for_now_is_sent_again() {
    let server = Server::in_order(vec![bulk(&[201, 429, 400, 409]), bulk(&[503]), bulk(&[201])]);
    let (_folder, options) = options(Target::Elastic, &server.url());
    let (summary, waits) = run(&options, &pairs(&["a", "b", "c", "d"]));
    assert_eq!((summary.taken, summary.known, summary.refused, summary.unsent), (3, 1, 1, 0));
    assert_eq!(summary.reasons.into_iter().collect::<Vec<_>>(), [("status 400: t: r400".to_owned(), 1)]);
    assert_eq!(waits, [1, 2], "as the first answer was progress, its wait is the first one");
    let requests = server.requests();
    assert_eq!(requests[0].path, "/_bulk");
    assert_eq!(requests[0].header("authorization"), Some("ApiKey t0ken-of-the-test"));
    assert_eq!(requests[0].header("content-type"), Some("application/x-ndjson"));
    assert_eq!(requests[0].body, pairs(&["a", "b", "c", "d"]));
    assert_eq!((&*requests[1].body, &*requests[2].body), (&*pairs(&["b"]), &*pairs(&["b"])));
    assert_eq!(dead(&options), pairs(&["c"]), "as it stood, ready to be sent again");
}

#[test]
fn user_and_password_are_sent_as_basic_credentials() {
    let server = Server::in_order(vec![bulk(&[201])]);
    let (_folder, mut options) = options(Target::Elastic, &server.url());
    options.credentials = Some(Credentials::Password("Aladdin".to_owned(), Secret::new("open sesame".to_owned())));
    run(&options, &pairs(&["a"]));
    // The example of RFC 7617, section 2.
    assert_eq!(server.requests()[0].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[test]
fn one_bad_line_is_found_by_smaller_batches() {
    let server = Server::new(|_, request| match request.body.contains("bad") {
        true => say(400, "{\"text\":\"Invalid data format\",\"code\":6}"),
        false => say(200, "{}"),
    });
    let (_folder, options) = options(Target::SplunkHec, &server.url());
    let (summary, _) = run(&options, &envelopes(&["a", "b", "bad", "d"]));
    assert_eq!((summary.taken, summary.refused, summary.requests), (3, 1, 5));
    assert_eq!(dead(&options), envelopes(&["bad"]));
}

#[test]
fn a_request_that_is_too_large_is_made_smaller() {
    let server = Server::new(|_, request| say(if request.body.lines().count() > 1 { 413 } else { 200 }, ""));
    let (_folder, options) = options(Target::SplunkHec, &server.url());
    let (summary, _) = run(&options, &envelopes(&["a", "b", "c"]));
    assert!(summary.is_complete() && summary.taken == 3, "{summary:?}");
}

#[test]
fn refused_credentials_end_it_and_nothing_is_lost_or_shown() {
    let server = Server::in_order(vec![say(403, &format!("{{\"text\":\"Invalid token {TOKEN}\",\"code\":4}}"))]);
    let (_folder, mut options) = options(Target::SplunkHec, &server.url());
    options.batch_items = 2;
    let (summary, waits) = run(&options, &envelopes(&["a", "b", "c", "d", "e"]));
    assert_eq!((summary.taken, summary.unsent, summary.requests), (0, 5, 1));
    assert!(waits.is_empty());
    let stopped = summary.stopped.unwrap();
    assert!(stopped.contains("credentials") && stopped.contains("Invalid token (secret)"), "{stopped}");
    assert_eq!(dead(&options), envelopes(&["a", "b", "c", "d", "e"]));
}

#[test]
fn a_wrong_index_ends_it_since_every_line_would_be_refused() {
    let server = Server::in_order(vec![say(400, "{\"text\":\"Incorrect index\",\"code\":7}")]);
    let (_folder, options) = options(Target::SplunkHec, &server.url());
    let (summary, _) = run(&options, &envelopes(&["a", "b"]));
    assert_eq!((summary.unsent, summary.requests), (2, 1));
}

#[test]
fn a_receiver_that_is_not_there_is_given_up_with_everything_kept() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_folder, mut options) = options(Target::Webhook, &format!("http://127.0.0.1:{port}/secret-path"));
    options.retries = 3;
    std::fs::write(&options.dead_letters, "{\"earlier\":true}\n").unwrap();
    let (summary, waits) = run(&options, "{\"a\":1}\n{\"b\":2}\n");
    assert_eq!(waits, [1, 2, 4]);
    assert_eq!((summary.unsent, summary.requests), (2, 4));
    let stopped = summary.stopped.unwrap();
    assert!(stopped.starts_with("given up after 4 tries") && !stopped.contains("secret-path"), "{stopped}");
    assert_eq!(dead(&options), "{\"earlier\":true}\n{\"a\":1}\n{\"b\":2}\n", "what was there stays");
}

#[test]
fn a_slow_or_silent_receiver_is_tried_again() {
    let server = Server::in_order(vec![Answer::Late(Duration::from_secs(1), 200), Answer::HangUp, say(200, "")]);
    let (_folder, mut options) = options(Target::Webhook, &server.url());
    options.timeout = Duration::from_millis(300);
    let (summary, waits) = run(&options, "{\"a\":1}\n");
    assert_eq!((summary.taken, summary.requests), (1, 3), "{summary:?}");
    assert_eq!(waits, [1, 2]);
}

#[test]
fn a_webhook_gets_one_post_a_line_and_no_redirection_is_followed() {
    let server = Server::in_order(vec![
        say(204, ""),
        say(200, "ok"),
        Answer::Say(302, "Location: http://127.0.0.1:9/\r\n", String::new()),
    ]);
    let (_folder, options) = options(Target::Webhook, &format!("{}/hook?x=1", server.url()));
    let (summary, _) = run(&options, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    assert_eq!((summary.taken, summary.unsent), (2, 1));
    assert!(summary.stopped.unwrap().contains("redirection"));
    let requests = server.requests();
    assert_eq!((&*requests[0].path, &*requests[0].body), ("/hook?x=1", "{\"a\":1}"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer t0ken-of-the-test"));
}

#[test]
fn an_answer_that_is_no_bulk_answer_is_no_success() {
    let server = Server::in_order(vec![say(200, "<html>welcome</html>")]);
    let (_folder, mut options) = options(Target::Elastic, &server.url());
    options.retries = 1;
    let (summary, _) = run(&options, &pairs(&["a"]));
    assert_eq!((summary.taken, summary.unsent, summary.requests), (0, 1, 2));
    assert_eq!(dead(&options), pairs(&["a"]));
}

/// Frames of octet counting, read from a connection until it ends.
fn frames(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut rest = text;
    let mut frames = Vec::new();
    while let Some((length, more)) = rest.split_once(' ') {
        let (frame, after) = more.split_at(length.parse().unwrap());
        frames.push(frame.to_owned());
        rest = after;
    }
    assert_eq!(rest, "");
    frames
}

#[test]
fn syslog_messages_are_counted_and_a_closed_connection_is_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (closed, is_closed) = std::sync::mpsc::channel();
    let receiver = std::thread::spawn(move || {
        // The first connection is closed after one message; the second is read to its end.
        let (mut first, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 4096];
        let count = first.read(&mut bytes).unwrap();
        bytes.truncate(count);
        drop(first);
        closed.send(()).unwrap();
        let (mut second, _) = listener.accept().unwrap();
        let mut more = Vec::new();
        second.read_to_end(&mut more).unwrap();
        (frames(&bytes), frames(&more))
    });
    let (_folder, mut options) = options(Target::Syslog, &format!("tcp://127.0.0.1:{port}"));
    options.batch_items = 1;
    // The second line comes after the connection was closed.
    struct AfterClosing(std::sync::mpsc::Receiver<()>, usize);
    impl Read for AfterClosing {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let lines: [&[u8]; 2] = [b"CEF:0|one\n", "CEF:0|zw\u{f6}lf\n".as_bytes()];
            if self.1 == 1 {
                self.0.recv().unwrap();
                std::thread::sleep(Duration::from_millis(200));
            }
            let line = lines.get(self.1).copied().unwrap_or_default();
            self.1 += 1;
            to[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }
    let mut input = BufReader::new(AfterClosing(is_closed, 0));
    let summary = send(&options, &mut input, &mut |_| {}).unwrap();
    assert!(summary.is_complete() && summary.taken == 2, "{summary:?}");
    let (first, second) = receiver.join().unwrap();
    assert_eq!(first, ["<133>1 - - monologue - finding - CEF:0|one"]);
    assert_eq!(second, ["<133>1 - - monologue - finding - CEF:0|zw\u{f6}lf"]);
}

/// Lines without end of sense, and how many were read.
struct Counted(Arc<AtomicUsize>, usize);

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.0.load(Ordering::SeqCst) >= self.1 {
            return Ok(0);
        }
        let line = b"{\"event\":\"0123456789\"}\n";
        to[..line.len()].copy_from_slice(line);
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(line.len())
    }
}

#[test]
fn no_more_is_read_than_one_batch_ahead_of_the_receiver() {
    let read = Arc::new(AtomicUsize::new(0));
    let seen = read.clone();
    let ahead = Arc::new(AtomicUsize::new(0));
    let most = ahead.clone();
    let server = Server::new(move |number, _| {
        most.fetch_max(seen.load(Ordering::SeqCst) - number * 10, Ordering::SeqCst);
        say(200, "{}")
    });
    let (_folder, mut options) = options(Target::SplunkHec, &server.url());
    options.batch_items = 10;
    let mut input = BufReader::with_capacity(64, Counted(read, 300));
    let summary = send(&options, &mut input, &mut |_| {}).unwrap();
    assert_eq!((summary.taken, summary.requests), (300, 30));
    assert!(ahead.load(Ordering::SeqCst) <= 12, "{ahead:?} lines were read before the batch was taken");
}

#[test]
fn what_is_not_for_the_target_is_said_before_anything_is_sent() {
    let server = Server::in_order(vec![say(200, "{}")]);
    let (_folder, options) = options(Target::SplunkHec, &server.url());
    let error = send(&options, &mut "CEF:0|…\n".as_bytes(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, SendError::Input { output: "splunk-hec", .. }), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn lines_that_are_wrong_or_too_long_are_kept_and_the_rest_goes_on() {
    let server = Server::in_order(vec![say(200, "{}")]);
    let (_folder, mut options) = options(Target::SplunkHec, &server.url());
    options.item_bytes = 40;
    let long = format!("{{\"event\":\"{}\"}}\n", "x".repeat(10_000));
    let (summary, _) = run(&options, &format!("{}{long}nonsense\n{}", envelopes(&["a"]), envelopes(&["b"])));
    assert_eq!((summary.taken, summary.refused), (2, 2));
    assert_eq!(dead(&options), format!("{long}nonsense\n"));
}

#[test]
fn dead_letters_that_cannot_be_written_end_it() {
    let server = Server::in_order(vec![say(422, "no")]);
    let (_folder, mut options) = options(Target::Webhook, &server.url());
    options.dead_letters = Path::new("/nowhere/at/all").to_owned();
    let error = send(&options, &mut "{\"a\":1}\n{\"b\":2}\n".as_bytes(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, SendError::DeadLetters { .. }), "{error}");
    assert_eq!(server.requests().len(), 1, "going on would lose lines");
}

#[test]
fn dead_letters_can_be_sent_again() {
    let server = Server::in_order(vec![bulk(&[400, 201]), bulk(&[201])]);
    let (folder, mut options) = options(Target::Elastic, &server.url());
    let (summary, _) = run(&options, &pairs(&["a", "b"]));
    assert_eq!(summary.refused, 1);
    let kept = dead(&options);
    options.dead_letters = folder.path().join("again");
    let (summary, _) = run(&options, &kept);
    assert!(summary.is_complete(), "{summary:?}");
    assert_eq!(server.requests()[1].body, pairs(&["a"]));
}
