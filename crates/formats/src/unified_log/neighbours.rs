//! What two daemons say on behalf of others: nsurlsessiond of background requests, mDNSResponder of names asked for.

use super::{
    connection::host_name,
    message::{number_after, split_task},
};
use monologue_model::{BackgroundFact, TaskId};
use std::sync::Arc;

/// Longest bundle identifier that is kept.
const BUNDLE_CAP: usize = 255;

/// Characters of 16 bytes in base64, the two equals signs at the end included.
const NAME_HASH_LENGTH: usize = 24;

/// Reads one line of nsurlsessiond. `None` means that it states no fact of a background request.
pub(super) fn background(message: &str) -> Option<(Option<TaskId>, BackgroundFact)> {
    if let Some((task, text)) = split_task(message) {
        let fact = match text.trim_end() {
            "client acknowledged completion" => BackgroundFact::Acknowledged { download: false },
            "client acknowledged file download" => BackgroundFact::Acknowledged { download: true },
            other => {
                let (owner, _) = other.strip_prefix("is for <")?.split_once('>')?;
                BackgroundFact::BelongsTo { bundle: bundle(owner)? }
            }
        };
        return Some((Some(task), fact));
    }
    let session = message.strip_prefix("NDSession <")?;
    if session.contains(" Lost connection to app") {
        return Some((None, BackgroundFact::ClientDisconnected { bundle: None }));
    }
    let (_, rest) = session.split_once("> client ")?;
    let (client, after) = rest.split_once(' ')?;
    let gone = after.strip_prefix("disconnected")?;
    let ended = gone.is_empty() || gone.starts_with([',', ' ']);
    ended.then(|| (None, BackgroundFact::ClientDisconnected { bundle: bundle(client) }))
}

/// A bundle identifier in clear. `None` where it is masked.
fn bundle(text: &str) -> Option<Arc<str>> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (plain && !text.is_empty() && text.len() <= BUNDLE_CAP).then(|| text.into())
}

/// A question that a process put to mDNSResponder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The name in clear. `None` where it is masked.
    pub(super) name: Option<Arc<str>>,
    /// The masked name: 16 bytes in base64. `None` where it is in clear, or hidden altogether.
    pub(super) name_hash: Option<Arc<str>>,
    /// The process that asked. `None` where the line does not say.
    pub(super) client_pid: Option<u32>,
}

/// Reads `[R41] getaddrinfo start -- …, hostname: …, options: …, client pid: 501 (name)`. `None` for other lines.
pub(super) fn question(message: &str) -> Option<Question> {
    let (_, rest) = message.strip_prefix("[R")?.split_once("] getaddrinfo start -- ")?;
    let (_, rest) = rest.split_once("hostname: ")?;
    let (host, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    let name_hash = name_hash(host);
    let name = if name_hash.is_some() { None } else { host_name(host) };
    Some(Question { name, name_hash, client_pid: number_after(rest, "client pid: ") })
}

/// `<mask.hash: 'Q29vbCBoYXNoIGhlcmUhIQ=='>` of Apple's tools and the same base64 alone of decoders, both as the latter.
fn name_hash(text: &str) -> Option<Arc<str>> {
    let inside = text.strip_prefix("<mask.hash: '").and_then(|text| text.strip_suffix("'>")).unwrap_or(text);
    let digits = inside.strip_suffix("==")?;
    let base64 = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (base64 && inside.len() == NAME_HASH_LENGTH).then(|| inside.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TASK: &str = "Task <7A6B5C4D-3E2F-4101-8293-A4B5C6D7E8F9>.<21>";

    #[test]
    fn background_requests_are_owned_and_acknowledged() {
        let task = Some(TaskId { uuid: "7A6B5C4D3E2F41018293A4B5C6D7E8F9".into(), number: 21 });
        for (text, fact) in [
            ("client acknowledged completion", BackgroundFact::Acknowledged { download: false }),
            ("client acknowledged file download", BackgroundFact::Acknowledged { download: true }),
            (
                "is for <com.example.notes>.<com.example.notes.upload>.<1>",
                BackgroundFact::BelongsTo { bundle: "com.example.notes".into() },
            ),
        ] {
            assert_eq!(background(&format!("{TASK} {text}")), Some((task.clone(), fact)), "{text}");
        }
        for other in ["is for <<private>>.<x>.<1>", "didReceiveResponse: <private>, status code: 200", ""] {
            assert_eq!(background(&format!("{TASK} {other}")), None, "{other}");
        }
    }

    #[test]
    fn clients_go_away_with_or_without_their_name() {
        let session = "NDSession <7A6B5C4D-3E2F-4101-8293-A4B5C6D7E8F9>";
        let gone =
            |bundle: Option<&str>| Some((None, BackgroundFact::ClientDisconnected { bundle: bundle.map(Arc::from) }));
        let line = format!("{session} client com.example.notes disconnected, XPC(N) proxy(N) for x");
        assert_eq!(background(&line), gone(Some("com.example.notes")));
        assert_eq!(background(&format!("{session} client <private> disconnected")), gone(None));
        let lost = format!("{session} Lost connection to app -- connection invalidated");
        assert_eq!(background(&lost), gone(None));
        assert_eq!(background(&format!("{session} has 2 outstanding tasks")), None);
    }

    #[test]
    fn masked_names_read_the_same_from_every_tool() {
        let hash = "Q29vbCBoYXNoIGhlcmUhIQ==";
        for written in [format!("<mask.hash: '{hash}'>"), hash.to_owned()] {
            let line = format!(
                "[R41] getaddrinfo start -- flags: 0xC000D000, ifindex: 0, protocols: 0, hostname: {written}, \
                 options: 0x8 {{use-failover}}, client pid: 5012 (Notes, beta)"
            );
            let expected = Question { name: None, name_hash: Some(hash.into()), client_pid: Some(5012) };
            assert_eq!(question(&line), Some(expected), "{written}");
        }
    }

    #[test]
    fn clear_and_hidden_names() {
        let of =
            |host: &str| question(&format!("[R1] getaddrinfo start -- hostname: {host}, client pid: 7 (x)")).unwrap();
        assert_eq!(of("Tiles.Example.com.").name.as_deref(), Some("tiles.example.com"));
        let hidden = Question { name: None, name_hash: None, client_pid: Some(7) };
        assert_eq!(of("<private>"), hidden);
        assert_eq!(of("<mask.hash: (null)>"), hidden);
    }

    #[test]
    fn answers_and_ends_are_no_questions() {
        for other in [
            "[R41] getaddrinfo stop -- hostname: x.example, client pid: 501 (a)",
            "[R41->Q7] Question for x.example (HTTPS) assigned DNS service 1",
            "[R41->Q2] getaddrinfo result -- event: add, ifindex: 0, name: x.example, type: A, rdata: y (mortal)",
        ] {
            assert_eq!(question(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_any_text(text in any::<String>()) {
            prop_assert!(background(&text).is_none() || text.contains("client") || text.contains("is for"));
            let _ = background(&format!("{TASK} {text}"));
            let _ = background(&format!("NDSession <{text}> client {text} disconnected"));
            let _ = question(&text);
            let _ = question(&format!("[R1] getaddrinfo start -- hostname: {text}, client pid: {text}"));
        }
    }
}
