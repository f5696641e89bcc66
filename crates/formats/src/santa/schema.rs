//! Which fields of Santa's messages are used, and how the JSON of protobuf writes them (numbers from `santa.proto`).

use super::{base64, protobuf};
use monologue_model::Timestamp;
use serde_json::{Map, Value};

/// Messages within messages that are followed.
const DEPTH_CAP: usize = 12;

/// What a field is.
enum Kind {
    Text,
    Bytes,
    Number,
    Signed,
    Flag,
    /// `google.protobuf.Timestamp`.
    Time,
    /// Names by number.
    Names(&'static [&'static str]),
    Message(&'static [Field]),
    /// A message that is not looked into: only that it is there.
    Mark,
}

/// A field: its number, its name in JSON, what it is, and whether there may be many.
struct Field(u32, &'static str, Kind, bool);

const fn one(number: u32, name: &'static str, kind: Kind) -> Field {
    Field(number, name, kind, false)
}

const fn many(number: u32, name: &'static str, kind: Kind) -> Field {
    Field(number, name, kind, true)
}

const ID: &[Field] = &[one(1, "pid", Kind::Signed), one(2, "pidversion", Kind::Signed)];
const USER: &[Field] = &[one(1, "uid", Kind::Signed)];
const FILE: &[Field] = &[one(1, "path", Kind::Text)];
const SIGNATURE: &[Field] =
    &[one(1, "cdhash", Kind::Bytes), one(2, "signing_id", Kind::Text), one(3, "team_id", Kind::Text)];

const PROCESS: &[Field] = &[
    one(1, "id", Kind::Message(ID)),
    one(2, "parent_id", Kind::Message(ID)),
    one(3, "responsible_id", Kind::Message(ID)),
    one(7, "effective_user", Kind::Message(USER)),
    one(11, "is_platform_binary", Kind::Flag),
    one(13, "code_signature", Kind::Message(SIGNATURE)),
    one(14, "cs_flags", Kind::Number),
    one(15, "executable", Kind::Message(FILE)),
];

const LIGHT: &[Field] = &[
    one(1, "id", Kind::Message(ID)),
    one(2, "parent_id", Kind::Message(ID)),
    one(6, "effective_user", Kind::Message(USER)),
    one(10, "executable", Kind::Message(FILE)),
];

const EXECUTION: &[Field] = &[
    one(1, "instigator", Kind::Message(LIGHT)),
    one(2, "target", Kind::Message(PROCESS)),
    one(3, "script", Kind::Message(FILE)),
    one(4, "working_directory", Kind::Message(FILE)),
    many(5, "args", Kind::Bytes),
    many(6, "envs", Kind::Bytes),
    one(
        9,
        "decision",
        Kind::Names(&["DECISION_UNKNOWN", "DECISION_ALLOW", "DECISION_DENY", "DECISION_ALLOW_COMPILER"]),
    ),
];

const FORK: &[Field] = &[one(1, "instigator", Kind::Message(LIGHT)), one(2, "child", Kind::Message(LIGHT))];
const STATUS: &[Field] = &[one(1, "exit_status", Kind::Signed)];
const SIGNAL: &[Field] = &[one(1, "signal", Kind::Signed)];
const EXIT: &[Field] = &[
    one(1, "instigator", Kind::Message(LIGHT)),
    one(2, "exited", Kind::Message(STATUS)),
    one(3, "signaled", Kind::Message(SIGNAL)),
    one(4, "stopped", Kind::Message(SIGNAL)),
];
const CLOSE: &[Field] = &[
    one(1, "instigator", Kind::Message(LIGHT)),
    one(2, "target", Kind::Message(FILE)),
    one(3, "modified", Kind::Flag),
];
const UNLINK: &[Field] = &[one(1, "instigator", Kind::Message(LIGHT)), one(2, "target", Kind::Message(FILE))];
const COPY: &[Field] =
    &[one(1, "instigator", Kind::Message(LIGHT)), one(2, "source", Kind::Message(FILE)), one(3, "target", Kind::Text)];
const LAUNCH_ITEM: &[Field] = &[
    one(1, "instigator", Kind::Message(LIGHT)),
    one(2, "action", Kind::Names(&["ACTION_UNKNOWN", "ACTION_ADD", "ACTION_REMOVE"])),
    one(3, "trigger_process", Kind::Message(LIGHT)),
    one(11, "item_path", Kind::Text),
    one(12, "app_path", Kind::Text),
    one(13, "executable_path", Kind::Text),
];

const FLOW: &[Field] = &[
    one(1, "id", Kind::Text),
    one(2, "hash", Kind::Text),
    one(3, "remote_address", Kind::Text),
    one(4, "remote_port", Kind::Number),
    one(5, "local_address", Kind::Text),
    one(6, "local_port", Kind::Number),
    one(7, "protocol", Kind::Signed),
    one(9, "direction", Kind::Names(&["DIRECTION_UNKNOWN", "DIRECTION_INBOUND", "DIRECTION_OUTBOUND"])),
    one(10, "bytes_inbound", Kind::Number),
    one(11, "bytes_outbound", Kind::Number),
    one(12, "start_time", Kind::Time),
    one(13, "close_time", Kind::Time),
    one(14, "remote_hostname", Kind::Text),
    one(15, "decision", Kind::Names(&["DECISION_UNKNOWN", "DECISION_ALLOW", "DECISION_BLOCK", "DECISION_AUDIT"])),
];
const FLOWS: &[Field] = &[one(1, "process", Kind::Message(PROCESS)), many(2, "flows", Kind::Message(FLOW))];
const ACTIVITY: &[Field] = &[many(1, "processes", Kind::Message(FLOWS))];

/// `SantaMessage`: what is common, then one event.
const SANTA_MESSAGE: &[Field] = &[
    one(1, "machine_id", Kind::Text),
    one(2, "event_time", Kind::Time),
    one(3, "processed_time", Kind::Time),
    one(4, "boot_session_uuid", Kind::Text),
    one(10, "execution", Kind::Message(EXECUTION)),
    one(11, "fork", Kind::Message(FORK)),
    one(12, "exit", Kind::Message(EXIT)),
    one(13, "close", Kind::Message(CLOSE)),
    one(14, "rename", Kind::Message(COPY)),
    one(15, "unlink", Kind::Message(UNLINK)),
    one(16, "link", Kind::Message(COPY)),
    one(17, "exchangedata", Kind::Mark),
    one(18, "disk", Kind::Mark),
    one(19, "bundle", Kind::Mark),
    one(20, "allowlist", Kind::Mark),
    one(21, "file_access", Kind::Mark),
    one(22, "codesigning_invalidated", Kind::Mark),
    one(23, "login_window_session", Kind::Mark),
    one(24, "login_logout", Kind::Mark),
    one(25, "screen_sharing", Kind::Mark),
    one(26, "open_ssh", Kind::Mark),
    one(27, "authentication", Kind::Mark),
    one(28, "clone", Kind::Message(COPY)),
    one(29, "copyfile", Kind::Message(COPY)),
    one(30, "gatekeeper_override", Kind::Mark),
    one(31, "launch_item", Kind::Message(LAUNCH_ITEM)),
    one(32, "tcc_modification", Kind::Mark),
    one(33, "xprotect", Kind::Mark),
    one(34, "network_activity", Kind::Message(ACTIVITY)),
    one(35, "proc_suspend_resume", Kind::Mark),
];

/// A `SantaMessage` as the JSON of protobuf has it.
///
/// # Errors
/// What was expected in it.
pub(super) fn santa_message(bytes: &[u8]) -> Result<Value, String> {
    message(bytes, SANTA_MESSAGE, DEPTH_CAP)
}

fn message(bytes: &[u8], schema: &[Field], depth: usize) -> Result<Value, String> {
    let mut object = Map::new();
    let mut fields = protobuf::Fields::of(bytes);
    for (number, wire) in fields.by_ref() {
        let Some(Field(_, name, kind, repeated)) = schema.iter().find(|field| field.0 == number) else { continue };
        let value = value(wire, kind, depth).map_err(|error| format!("in `{name}`: {error}"))?;
        match object.get_mut(*name) {
            Some(Value::Array(known)) if *repeated => known.push(value),
            _ if *repeated => drop(object.insert((*name).to_owned(), Value::Array(vec![value]))),
            _ => drop(object.insert((*name).to_owned(), value)),
        }
    }
    if fields.broken { Err("expected a message of protobuf".to_owned()) } else { Ok(Value::Object(object)) }
}

fn value(wire: protobuf::Wire<'_>, kind: &Kind, depth: usize) -> Result<Value, String> {
    use protobuf::Wire;
    match (wire, kind) {
        (Wire::Bytes(bytes), Kind::Text) => Ok(Value::String(String::from_utf8_lossy(bytes).into_owned())),
        (Wire::Bytes(bytes), Kind::Bytes) => Ok(Value::String(base64::encode(bytes))),
        (Wire::Number(number), Kind::Number) => Ok(Value::from(number)),
        // Negative numbers stand in ten bytes, as two's complement of 64 bits.
        (Wire::Number(number), Kind::Signed) => Ok(Value::from(number.cast_signed())),
        (Wire::Number(number), Kind::Flag) => Ok(Value::Bool(number != 0)),
        (Wire::Number(number), Kind::Names(names)) => {
            let name = usize::try_from(number).ok().and_then(|number| names.get(number));
            Ok(name.map_or_else(|| Value::from(number), |name| Value::from(*name)))
        }
        (Wire::Bytes(bytes), Kind::Time) => time(bytes),
        (Wire::Bytes(_), Kind::Mark) => Ok(Value::Object(Map::new())),
        (Wire::Bytes(bytes), Kind::Message(schema)) if depth > 0 => message(bytes, schema, depth - 1),
        _ => Err("expected another type of field".to_owned()),
    }
}

/// Seconds and nanoseconds, as RFC 3339.
fn time(bytes: &[u8]) -> Result<Value, String> {
    let (mut seconds, mut nanoseconds) = (0_i64, 0_i64);
    for (number, wire) in protobuf::Fields::of(bytes) {
        match (number, wire) {
            (1, protobuf::Wire::Number(value)) => seconds = value.cast_signed(),
            (2, protobuf::Wire::Number(value)) => nanoseconds = value.cast_signed(),
            _ => {}
        }
    }
    let within = (0..1_000_000_000).contains(&nanoseconds);
    let moment = Timestamp::from_seconds(seconds).filter(|_| within).ok_or("expected a time within range")?;
    Ok(Value::String(moment.saturating_add(nanoseconds).to_string()))
}
