//! `monologue send` as a user runs it, against a receiver on this machine.
#![cfg(feature = "send")]
#![cfg(test)]

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Output},
};

fn monologue(arguments: &[&str], token: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monologue"));
    command.args(arguments).env_remove("MONOLOGUE_SEND_TOKEN").env_remove("MONOLOGUE_SEND_USER");
    if let Some(token) = token {
        command.env("MONOLOGUE_SEND_TOKEN", token);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Answers one request with this text and gives what came in.
fn receiver(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 1 << 16];
        let mut length = 0;
        // The request of the test ends with this document.
        while !bytes[..length].ends_with(b"\"last\":true}") {
            length += stream.read(&mut bytes[length..]).unwrap();
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    (port, thread)
}

#[test]
fn what_is_taken_exits_with_0_and_what_is_not_with_2_and_no_token_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("findings.json");
    std::fs::write(&file, "{\"last\":true}\n").unwrap();
    let file = file.to_str().unwrap();

    let (port, thread) = receiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let done = monologue(&["send", "--to", "webhook", &format!("http://127.0.0.1:{port}/x"), file], Some("s3cret"));
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("sent 1, refused 0, not sent 0"));
    assert!(thread.join().unwrap().to_lowercase().contains("authorization: bearer s3cret"));

    let (port, thread) =
        receiver("HTTP/1.1 403 No\r\nContent-Length: 13\r\nConnection: close\r\n\r\ns3cret \u{1b}[31m!");
    let done = monologue(&["send", "--to", "webhook", &format!("http://127.0.0.1:{port}/x"), file], Some("s3cret"));
    thread.join().unwrap();
    let text = said(&done);
    assert_eq!(done.status.code(), Some(2), "{text}");
    assert!(text.contains("credentials were not accepted") && text.contains(".unsent"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(std::fs::read_to_string(format!("{file}.unsent")).unwrap(), "{\"last\":true}\n");
}

#[test]
fn what_cannot_work_is_said_at_once() {
    for (arguments, expected) in [
        (["send", "--to", "splunk-hec", "http://127.0.0.1:1", "none"], "MONOLOGUE_SEND_TOKEN"),
        (["send", "--to", "webhook", "http://u:p@127.0.0.1:1", "Cargo.toml"], "without credentials"),
        (["send", "--to", "syslog", "tcp://127.0.0.1:1", "no-such-file"], "cannot read no-such-file"),
    ] {
        let done = monologue(&arguments, None);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(said(&done).contains(expected), "{}", said(&done));
    }
}

#[test]
fn https_is_spoken_and_a_stranger_is_not_trusted() {
    // Whoever answers in plain text is no TLS server: nothing is sent to it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 3];
        stream.read_exact(&mut bytes).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        bytes
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("findings.json");
    std::fs::write(&file, "{\"a\":1}\n").unwrap();
    let url = format!("https://127.0.0.1:{port}/");
    let done = monologue(&["send", "--retries", "0", "--to", "webhook", &url, file.to_str().unwrap()], Some("s3cret"));
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    // A TLS record of type handshake (22), version 3.x: RFC 8446, section 5.1.
    assert_eq!(thread.join().unwrap()[..2], [22, 3]);
}
