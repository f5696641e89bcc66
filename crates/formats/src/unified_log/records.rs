//! The two JSON spellings of a log record, reduced to what matters here without copying the rest.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use std::borrow::Cow;

/// Who spelled the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Apple's `log` tool.
    Apple,
    /// Decoders built on the `macos-unifiedlogs` library.
    Decoded,
    /// The log's own files, decoded here.
    Archive,
    /// Apple's `log` tool, as text.
    Text,
}

impl Shape {
    /// Name of the format.
    pub(super) const fn format(self) -> &'static str {
        match self {
            Self::Apple => "unified-log",
            Self::Decoded => "unified-log-decoded",
            Self::Archive => "unified-log-archive",
            Self::Text => "unified-log-text",
        }
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text that a program logged.
    Message,
    /// The log lost records here. `None` means nobody counted them.
    Loss(Option<u64>),
    /// Activities, signposts, states and the like.
    Other,
}

/// Whose code wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// CFNetwork: URLSession and what stands on it.
    CfNetwork,
    /// Network.framework (`libnetwork.dylib` up to macOS 15).
    Network,
    /// The TLS library.
    BoringSsl,
    /// The daemon of background sessions.
    BackgroundDaemon,
    /// The resolver.
    Resolver,
    /// Anyone else.
    Other,
}

impl Sender {
    /// By the path of the image that holds the logging code.
    pub(super) fn of_image(path: &str) -> Self {
        Self::of_name(path.rsplit_once('/').map_or("", |(_, name)| name))
    }

    /// By the name of that image, without folders.
    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "CFNetwork" => Self::CfNetwork,
            "libnetwork.dylib" | "Network" => Self::Network,
            "libboringssl.dylib" => Self::BoringSsl,
            "nsurlsessiond" => Self::BackgroundDaemon,
            "mDNSResponder" => Self::Resolver,
            _ => Self::Other,
        }
    }

    /// Whether its lines state facts of requests.
    pub(super) const fn speaks(self) -> bool {
        !matches!(self, Self::Other | Self::BoringSsl)
    }

    /// By the image that holds the logging code, and only where that is not recorded by the subsystem: any program may
    /// name any subsystem, and macOS 11 leaves it empty on most CFNetwork lines.
    pub(super) fn new(image: &str, subsystem: &str) -> Self {
        if image.is_empty() {
            return match subsystem {
                "com.apple.CFNetwork" => Self::CfNetwork,
                "com.apple.network" => Self::Network,
                "com.apple.nsurlsessiond" => Self::BackgroundDaemon,
                "com.apple.mDNSResponder" => Self::Resolver,
                _ => Self::Other,
            };
        }
        Self::of_image(image)
    }
}

/// One log record. Empty text means that the record does not say.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// As written; the time it means is given beside the record.
    pub(super) timestamp: Text<'a>,
    pub(super) kind: Kind,
    pub(super) sender: Sender,
    pub(super) sender_known: bool,
    pub(super) message: Text<'a>,
    pub(super) process_path: Text<'a>,
    pub(super) process_uuid: Text<'a>,
    pub(super) boot_uuid: Text<'a>,
    pub(super) pid: Option<i64>,
    pub(super) user_id: Option<i64>,
}

/// One element of an export.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// A log record.
    Record(Record<'a>),
    /// The last line of a complete `log show --style ndjson`.
    Trailer,
}

/// Text that stays in the input where it has no escapes.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppleRecord<'a> {
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    event_message: Option<Text<'a>>,
    #[serde(borrow)]
    subsystem: Option<Text<'a>>,
    #[serde(borrow)]
    sender_image_path: Option<Text<'a>>,
    #[serde(borrow)]
    process_image_path: Option<Text<'a>>,
    #[serde(borrow, rename = "processImageUUID")]
    process_image_uuid: Option<Text<'a>>,
    #[serde(borrow, rename = "bootUUID")]
    boot_uuid: Option<Text<'a>>,
    #[serde(rename = "processID")]
    process_id: Option<i64>,
    #[serde(rename = "userID")]
    user_id: Option<i64>,
    loss_count: Option<Value>,
    finished: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct DecodedRecord<'a> {
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    log_type: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    subsystem: Option<Text<'a>>,
    #[serde(borrow)]
    library: Option<Text<'a>>,
    #[serde(borrow)]
    process: Option<Text<'a>>,
    #[serde(borrow)]
    process_uuid: Option<Text<'a>>,
    #[serde(borrow)]
    boot_uuid: Option<Text<'a>>,
    pid: Option<i64>,
    euid: Option<i64>,
    loss_count: Option<Value>,
}

/// Reads one element.
///
/// # Errors
/// What was expected, when it is no log record.
pub(super) fn parse(bytes: &[u8], shape: Shape) -> Result<Parsed<'_>, String> {
    let expected = |error: serde_json::Error| format!("expected a unified log record as a JSON object, found {error}");
    // The JSON reader would take an array for an object whose keys come in order.
    if !bytes.starts_with(b"{") {
        return Err("expected a unified log record as a JSON object, found something else".to_owned());
    }
    match shape {
        Shape::Apple => apple(serde_json::from_slice(bytes).map_err(expected)?),
        // Neither of the others is JSON; their readers never ask.
        Shape::Decoded | Shape::Archive | Shape::Text => decoded(serde_json::from_slice(bytes).map_err(expected)?),
    }
}

fn apple(record: AppleRecord<'_>) -> Result<Parsed<'_>, String> {
    let Some(timestamp) = record.timestamp else {
        return match record.finished {
            Some(_) => Ok(Parsed::Trailer),
            None => Err("expected the key timestamp, found none".to_owned()),
        };
    };
    let kind = match record.event_type.as_deref().unwrap_or("logEvent") {
        "logEvent" | "" => Kind::Message,
        "lossEvent" => Kind::Loss(record.loss_count.as_ref().and_then(count)),
        _ => Kind::Other,
    };
    let image = record.sender_image_path.unwrap_or_default();
    Ok(Parsed::Record(Record {
        timestamp,
        kind,
        sender: Sender::new(&image, record.subsystem.as_deref().unwrap_or("")),
        sender_known: !image.is_empty(),
        message: record.event_message.unwrap_or_default(),
        process_path: record.process_image_path.unwrap_or_default(),
        process_uuid: record.process_image_uuid.unwrap_or_default(),
        boot_uuid: record.boot_uuid.unwrap_or_default(),
        pid: record.process_id,
        user_id: record.user_id,
    }))
}

fn decoded(record: DecodedRecord<'_>) -> Result<Parsed<'_>, String> {
    let timestamp = record.timestamp.ok_or("expected the key timestamp, found none")?;
    let kind = match (record.event_type.as_deref().unwrap_or("Log"), record.log_type.as_deref()) {
        ("Loss", _) | (_, Some("Loss")) => Kind::Loss(record.loss_count.as_ref().and_then(count)),
        ("Log" | "", _) => Kind::Message,
        _ => Kind::Other,
    };
    let image = record.library.unwrap_or_default();
    Ok(Parsed::Record(Record {
        timestamp,
        kind,
        sender: Sender::new(&image, record.subsystem.as_deref().unwrap_or("")),
        sender_known: !image.is_empty(),
        message: record.message.unwrap_or_default(),
        process_path: record.process.unwrap_or_default(),
        process_uuid: record.process_uuid.unwrap_or_default(),
        boot_uuid: record.boot_uuid.unwrap_or_default(),
        pid: record.pid,
        user_id: record.euid,
    }))
}

/// A count of lost records: a number, or an object with one.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.get("count").and_then(Value::as_u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_outweighs_the_subsystem_a_program_claims() {
        let framework = "/System/Library/Frameworks/CFNetwork.framework/Versions/A/CFNetwork";
        assert_eq!(Sender::new(framework, ""), Sender::CfNetwork);
        assert_eq!(Sender::new("/Users/anna/evil", "com.apple.CFNetwork"), Sender::Other);
        assert_eq!(Sender::new("/Users/anna/notCFNetwork", ""), Sender::Other);
        assert_eq!(Sender::new("", "com.apple.CFNetwork"), Sender::CfNetwork);
        assert_eq!(Sender::new("", ""), Sender::Other);
        let network = "/System/Library/Frameworks/Network.framework/Versions/A/Network";
        assert_eq!(Sender::new(network, ""), Sender::Network);
    }

    #[test]
    fn unknown_keys_of_any_shape_are_passed_over() {
        let text = br#"{"traceID":18446744073709551615,"backtrace":{"frames":[{"imageOffset":1}]},"source":null,
            "timestamp":"2026-01-02 03:04:05.000006+0100","eventMessage":"tab\there","eventType":"logEvent"}"#;
        let Ok(Parsed::Record(record)) = parse(text, Shape::Apple) else { panic!("no record") };
        assert_eq!((&*record.message, record.kind), ("tab\there", Kind::Message));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let text = br#"{"timestamp":"2026-01-02 03:04:05.000006+0100","eventMessage":"plain"}"#;
        let Ok(Parsed::Record(record)) = parse(text, Shape::Apple) else { panic!("no record") };
        assert!(matches!(record.message.0, Cow::Borrowed("plain")));
    }

    #[test]
    fn losses_with_and_without_counts() {
        for (text, shape, expected) in [
            (r#"{"timestamp":"t","eventType":"lossEvent"}"#, Shape::Apple, None),
            (r#"{"timestamp":"t","eventType":"lossEvent","lossCount":7}"#, Shape::Apple, Some(7)),
            (r#"{"timestamp":"t","eventType":"lossEvent","lossCount":{"count":7}}"#, Shape::Apple, Some(7)),
            (r#"{"timestamp":"t","event_type":"Loss","message":""}"#, Shape::Decoded, None),
        ] {
            let Ok(Parsed::Record(record)) = parse(text.as_bytes(), shape) else { panic!("no record") };
            assert_eq!(record.kind, Kind::Loss(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_record_says_what_was_expected() {
        for (text, expected) in [
            ("{}", "expected the key timestamp, found none"),
            ("[]", "expected a unified log record as a JSON object"),
            ("{\"timestamp\":1}", "expected a unified log record as a JSON object"),
            ("nonsense", "expected a unified log record as a JSON object"),
        ] {
            let error = parse(text.as_bytes(), Shape::Apple).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        assert!(matches!(parse(b"{\"count\":5,\"finished\":1}", Shape::Apple), Ok(Parsed::Trailer)));
        assert!(parse(b"{\"count\":5,\"finished\":1}", Shape::Decoded).is_err());
    }
}
