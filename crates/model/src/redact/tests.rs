//! Tables of what must be replaced and what must stay, and the laws.

use super::{redact, redact_arguments};
use proptest::prelude::*;

/// Single arguments and what must become of them.
const CHANGED: &[(&str, &str)] = &[
    ("--token=abc123", "--token=***"),
    ("--password=a,b&c d", "--password=***"),
    ("--api-key=zzz", "--api-key=***"),
    ("--header=Authorization: Bearer abc.def", "--header=Authorization: Bearer ***"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ("authorization: basic dXNlcjpwYXNz", "authorization: basic ***"),
    ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: Basic ***"),
    ("-HAuthorization: Bearer abc", "-HAuthorization: Bearer ***"),
    ("X-Api-Key: one two", "X-Api-Key: ***"),
    ("X-Auth-Token:abc", "X-Auth-Token:***"),
    ("Cookie: a=b; c=d", "Cookie: ***"),
    ("https://anna:geheim@example.com/path?x=1", "https://anna:***@example.com/path?x=1"),
    ("https://anna:p@ss@example.com/", "https://anna:***@example.com/"),
    ("https://0123456789abcdef0123456789@example.com/a", "https://***@example.com/a"),
    ("https://example.com/a/b?token=abc&x=1", "https://example.com/a/b?token=***&x=1"),
    ("https://example.com/a?x=1&key=k", "https://example.com/a?x=1&key=***"),
    ("https://example.com/cb?code=4/P7q&state=9", "https://example.com/cb?code=***&state=9"),
    (
        "https://example.com/?secret=a&auth=b&session=c&sig=d&signature=e",
        "https://example.com/?secret=***&auth=***&session=***&sig=***&signature=***",
    ),
    (
        "https://example.com/?access_token=a&api_key=b&client_secret=c&password=d",
        "https://example.com/?access_token=***&api_key=***&client_secret=***&password=***",
    ),
    ("AKIAIOSFODNN7EXAMPLE", "AKIA***"),
    ("key AKIAIOSFODNN7EXAMPLE, next", "key AKIA***, next"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_***"),
    ("github_pat_11AAAAAAA0123456789_abcdefghij", "github_pat_***"),
    ("https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com/a/b", "https://***@github.com/a/b"),
    ("xoxb-123456789012-abcdefghijkl", "xoxb-***"),
    (
        "https://api.telegram.org/bot123456789:AAF-abcdefghijklmnopqrstuvwxyz01234/sendMessage",
        "https://api.telegram.org/bot123456789:***/sendMessage",
    ),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJ***"),
    ("x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.; y", "x=eyJ***; y"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\n",
    ),
    ("-----BEGIN PRIVATE KEY-----\nMIIB", "-----BEGIN PRIVATE KEY-----***"),
    ("{\"user\":\"anna\",\"password\":\"ge\\\"heim\"}", "{\"user\":\"anna\",\"password\":\"***\"}"),
    ("{\"pin\":1,\"accessToken\": 12345, \"x\":2}", "{\"pin\":1,\"accessToken\": ***, \"x\":2}"),
    ("{\\\"password\\\":\\\"geheim\\\",\\\"x\\\":1}", "{\\\"password\\\":\\\"***\\\",\\\"x\\\":1}"),
    ("user=anna&password=geheim", "user=anna&password=***"),
    ("AWS_SECRET_ACCESS_KEY=abc/def+ghi", "AWS_SECRET_ACCESS_KEY=***"),
    ("DB_PASSWORD='a b' ./run", "DB_PASSWORD='***' ./run"),
    ("curl --password geheim https://example.com/a", "curl --password *** https://example.com/a"),
    ("curl -u anna:geheim https://example.com/a", "curl -u anna:*** https://example.com/a"),
    ("cd /tmp; mysql -pgeheim -h db", "cd /tmp; mysql -p*** -h db"),
    (
        "curl -H \"Authorization: Bearer abc\" https://example.com/",
        "curl -H \"Authorization: Bearer ***\" https://example.com/",
    ),
    ("--session=0123456789abcdef0123", "--session=***"),
    ("pässwörd=ü&token=ü", "pässwörd=ü&token=***"),
];

/// Single arguments that must stay as they are.
const UNCHANGED: &[&str] = &[
    "",
    "-o",
    "/dev/null",
    "-o /dev/null",
    ">/dev/null 2>&1",
    "--output",
    "--output=/tmp/x",
    "/Users/anna/Library/Application Support/Token/token.db",
    "https://example.com/a/b/c?x=1&page=2#top",
    "https://example.com:8443/login",
    "ssh://git@github.com/a/b.git",
    "git@github.com:a/b.git",
    "6F1A2B3C-0000-4000-8000-0123456789AB",
    "33f0a3d85bea260fed5cad0529ab0e84ec9a0df1",
    "--cdhash=33f0a3d85bea260fed5cad0529ab0e84ec9a0df1",
    "--password-file=/run/secret",
    "--max-tokens=512",
    "--tokenizer=bpe",
    "--key=/etc/ssl/private.pem",
    "PWD=/Users/anna/work",
    "SSH_AUTH_SOCK=/var/run/com.apple.launchd.x/Listeners",
    "date -u +%H:%M",
    "exit code: 12",
    "TOKEN=$(cat /etc/token)",
    "--token=$TOKEN",
    "mkdir -p a/b",
    "ssh -p 2222 host",
    "do shell script \"open -a Calculator\"",
    "AKIAfriend",
    "eyJhbGciOiJIUzI1NiJ9",
    "keyboard=us",
    "monkey=1",
    "2026-11-24T08:00:00Z",
    "[::1]:8080",
    "com.apple.token.provider",
];

/// Command lines and what must become of them.
const LINES: &[(&[&str], &[&str])] = &[
    (&["tool", "--password", "geheim", "x"], &["tool", "--password", "***", "x"]),
    (&["tool", "-password", "geheim"], &["tool", "-password", "***"]),
    (&["tool", "--password", "--verbose"], &["tool", "--password", "--verbose"]),
    (&["tool", "--no-password", "file"], &["tool", "--no-password", "file"]),
    (&["tool", "-p", "geheim"], &["tool", "-p", "***"]),
    (&["tool", "-p", "8080:80"], &["tool", "-p", "8080:80"]),
    (&["/bin/mkdir", "-p", "build"], &["/bin/mkdir", "-p", "build"]),
    (&["sudo", "mysql", "-pgeheim", "-u", "root"], &["sudo", "mysql", "-p***", "-u", "root"]),
    (
        &["/usr/bin/curl", "-u", "anna:geheim", "-o", "/dev/null", "https://example.com/a"],
        &["/usr/bin/curl", "-u", "anna:***", "-o", "/dev/null", "https://example.com/a"],
    ),
    (&["curl", "-uanna:geheim"], &["curl", "-uanna:***"]),
    (&["curl", "--user=anna:geheim"], &["curl", "--user=anna:***"]),
    (&["curl", "-b", "sid=1; x=2"], &["curl", "-b", "***"]),
    (&["curl", "-b", "cookies.txt"], &["curl", "-b", "cookies.txt"]),
    (&["curl", "-H", "Authorization: Bearer abc"], &["curl", "-H", "Authorization: Bearer ***"]),
    (&["docker", "run", "-u", "anna:staff", "image"], &["docker", "run", "-u", "anna:staff", "image"]),
    (&["tool", "-u", "501:20"], &["tool", "-u", "501:20"]),
    (&["openssl", "enc", "-pass", "pass:geheim"], &["openssl", "enc", "-pass", "pass:***"]),
    (&["openssl", "enc", "-pass", "env:NAME"], &["openssl", "enc", "-pass", "env:NAME"]),
    (&["security", "unlock-keychain", "-p", "geheim"], &["security", "unlock-keychain", "-p", "***"]),
    (&["dscl", ".", "-passwd", "/Users/anna", "old", "new"], &["dscl", ".", "-passwd", "/Users/anna", "***", "***"]),
    (
        &["sh", "-c", "curl -s https://example.com/x >/dev/null 2>&1"],
        &["sh", "-c", "curl -s https://example.com/x >/dev/null 2>&1"],
    ),
    (&[], &[]),
];

#[test]
fn secrets_in_one_argument_are_replaced_and_the_shape_stays() {
    for (text, expected) in CHANGED {
        assert_eq!(redact(text), *expected, "of {text}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in UNCHANGED {
        assert_eq!(redact(text), *text);
    }
}

#[test]
fn pairs_are_seen_across_arguments() {
    for (line, expected) in LINES {
        assert_eq!(redact_arguments(line), *expected, "of {line:?}");
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let units = [
        "eyJ",
        "eyJa.",
        "://",
        "a:",
        "token=",
        "key=",
        "key:",
        "\"",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_",
        " -u a:b",
        "1:",
        "cookie:$(",
        "dscl -passwd ",
        "key=\\\"",
        " -p '",
        "a://b:c@",
    ];
    for unit in units {
        let text = unit.repeat(200_000 / unit.len());
        let once = redact(&text).into_owned();
        assert_eq!(redact(&once), once, "of {unit} repeated");
    }
}

/// Texts of the pieces that the rules look at, so that a random one meets many rules.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "token",
            "password",
            "key",
            "code",
            "=",
            ":",
            "&",
            "?",
            "\"",
            "'",
            "\\",
            " ",
            " -",
            "--",
            "-p",
            "-u",
            "://",
            "@",
            "/",
            ";",
            "eyJ",
            ".",
            "ghp_",
            "AKIA",
            "/bot",
            "1234567",
            "abcdefghij0123456789",
            "***",
            "*",
            "Authorization",
            "Bearer ",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "]",
            "$(",
            "é",
            "\n",
            "curl ",
            "mysql ",
            "|",
            "pass:",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(text in text()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once).into_owned(), once);
    }

    #[test]
    fn redacting_a_line_twice_is_redacting_it_once(line in prop::collection::vec(text(), 0..6)) {
        let once = redact_arguments(&line);
        prop_assert_eq!(once.len(), line.len());
        prop_assert_eq!(redact_arguments(&once), once);
    }

    #[test]
    fn a_secret_after_its_name_never_survives(secret in "[a-zA-Z0-9]{12,40}") {
        for text in [
            format!("--password={secret}"),
            format!("https://example.com/a?token={secret}&x=1"),
            format!("https://anna:{secret}@example.com/a"),
            format!("{{\"client_secret\":\"{secret}\"}}"),
            format!("Authorization: Bearer {secret}"),
        ] {
            let redacted = redact(&text);
            prop_assert!(!redacted.contains(&secret), "{}", redacted);
            prop_assert!(!text.contains("example.com/a") || redacted.contains("example.com/a"), "{}", redacted);
        }
    }
}
