//! CFNetwork's lines about one request: `Task <UUID>.<N> …`.
//!
//! The wordings are those of macOS 10.13 to 27; later versions add keys and words, so nothing is read by position.

use super::message::{leading_number, number_after, split_task};
use monologue_model::{RequestBody, ResponseContent, TaskFact, TaskId, TaskSummary};

/// Longest protocol name that is kept, such as `http/1.1`.
const PROTOCOL_CAP: usize = 32;

/// Reads one line. `None` means that it states no fact of a request's life.
///
/// `from_network` says that Network.framework wrote the line: then the modern loader runs the request.
pub(super) fn parse(message: &str, from_network: bool) -> Option<(TaskId, TaskFact)> {
    let (task, text) = split_task(message)?;
    Some((task, fact(text, from_network)?))
}

fn fact(text: &str, from_network: bool) -> Option<TaskFact> {
    let text = text.trim_end();
    match text {
        "response ended" => return Some(TaskFact::ResponseEnded),
        "finished successfully" => return Some(TaskFact::Finished),
        _ => {}
    }
    if text.starts_with("auth completion ") {
        return Some(TaskFact::Authenticated);
    }
    if let Some(rest) = text.strip_prefix("resuming") {
        return resumed(rest, from_network);
    }
    if let Some(rest) = text.strip_prefix("setting up Connection ").or(text.strip_prefix("now using Connection ")) {
        // While TCP and QUIC still race, the line names connection 0: none has a number yet.
        let (connection, _) = leading_number(rest).filter(|(connection, _)| *connection > 0)?;
        return Some(TaskFact::ConnectionAssigned { connection });
    }
    if let Some(rest) = text.strip_prefix("done using Connection ") {
        return leading_number(rest).map(|(connection, _)| TaskFact::ConnectionReleased { connection });
    }
    if let Some(rest) = text.strip_prefix("sent request, body ") {
        return request_body(rest).map(|body| TaskFact::RequestSent { body });
    }
    if let Some(rest) = text.strip_prefix("received response, status ") {
        return response(rest);
    }
    if let Some(rest) = text.strip_prefix("summary for ") {
        return summary(rest).map(TaskFact::Summary);
    }
    if let Some(rest) = text.strip_prefix("finished with error ").or(text.strip_prefix("load failed with error ")) {
        return error_code(rest).map(|code| TaskFact::Failed { code });
    }
    text.strip_prefix("HTTP load failed, ").and_then(load_failed)
}

/// `, timeouts(60.0, 604800.0) QOS(0x15) …` (CFNetwork) or `, timeouts(60.0, 604800.0), qos(0x15), …` (the modern
/// loader, told by the comma after the timeouts).
fn resumed(rest: &str, from_network: bool) -> Option<TaskFact> {
    if !(rest.is_empty() || rest.starts_with(',')) {
        return None;
    }
    let seconds = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let (mut request_timeout_s, mut resource_timeout_s, mut comma) = (None, None, false);
    if let Some((inside, after)) = rest.split_once("timeouts(").and_then(|(_, inside)| inside.split_once(')')) {
        if let Some((request, resource)) = inside.split_once(',') {
            (request_timeout_s, resource_timeout_s) = (seconds(request), seconds(resource));
        }
        comma = after.starts_with(',');
    }
    Some(TaskFact::Resumed { request_timeout_s, resource_timeout_s, modern_loader: from_network || comma })
}

/// `N 0`, `S 640`, or the letter alone (before macOS 10.14).
fn request_body(rest: &str) -> Option<RequestBody> {
    let mut words = rest.split_ascii_whitespace();
    let kind = words.next()?;
    let count = words.next().and_then(|word| word.parse().ok());
    match (kind, count) {
        ("N", _) => Some(RequestBody::None),
        (kind, _) if kind.len() != 1 => None,
        (_, Some(bytes)) => Some(RequestBody::Bytes(bytes)),
        (_, None) => Some(RequestBody::Unsized),
    }
}

/// `200 content K`.
fn response(rest: &str) -> Option<TaskFact> {
    let (status, rest) = leading_number(rest)?;
    let content = match rest.trim_start().strip_prefix("content ").map(str::trim) {
        Some("K") => Some(ResponseContent::Known),
        Some("C") => Some(ResponseContent::Chunked),
        Some("U") => Some(ResponseContent::Unknown),
        _ => None,
    };
    Some(TaskFact::ResponseReceived { status, content })
}

/// `[-999] Error Domain=…`, `- code: -999`, or `Error Domain=… [-999]` of old.
fn error_code(rest: &str) -> Option<i64> {
    if let Some(inside) = rest.strip_prefix('[') {
        return leading_number(inside).map(|(code, _)| code);
    }
    if let Some(code) = rest.strip_prefix("- code: ") {
        return leading_number(code).map(|(code, _)| code);
    }
    let trailing =
        rest.strip_suffix(']').and_then(|text| text.rsplit_once('[')).and_then(|(_, code)| code.parse().ok());
    trailing.or_else(|| number_after(rest, "Code="))
}

/// `5150/0 bytes (error code: -1005 [1:54])`: bytes sent, bytes received, code.
fn load_failed(rest: &str) -> Option<TaskFact> {
    let (bytes_sent, rest) = leading_number(rest)?;
    let (bytes_received, rest) = leading_number(rest.strip_prefix('/')?)?;
    let code = number_after(rest.strip_prefix(" bytes")?, "error code: ")?;
    Some(TaskFact::LoadFailed { bytes_sent, bytes_received, code })
}

/// `task success {key=value, …}`.
fn summary(rest: &str) -> Option<TaskSummary> {
    let (outcome, fields) = rest.split_once('{')?;
    let mut summary = TaskSummary { success: outcome.trim() == "task success", ..TaskSummary::default() };
    for (key, value) in pairs(fields) {
        let number = || value.parse::<u64>().ok();
        match key {
            // -1 is no `u16`: where no HTTP response existed, there is no status.
            "response_status" => summary.status = value.parse().ok(),
            "connection" => summary.connection = number(),
            "reused" => summary.reused = flag(value) == Some(true),
            "reused_after_ms" => summary.reused_after_ms = number(),
            "reused_after_sleep" => summary.reused_after_sleep = flag(value),
            "protocol" => summary.protocol = protocol(value),
            "transaction_duration_ms" => summary.duration_ms = number(),
            "request_bytes" => summary.request_bytes = number(),
            "response_bytes" => summary.response_bytes = number(),
            "cache_hit" => summary.cache_hit = flag(value),
            _ => {}
        }
    }
    Some(summary)
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "1" | "true" | "YES" => Some(true),
        "0" | "false" | "NO" => Some(false),
        _ => None,
    }
}

fn protocol(value: &str) -> Option<std::sync::Arc<str>> {
    let name = value.trim_matches('"');
    let known = !name.is_empty() && name.len() <= PROTOCOL_CAP && name.bytes().all(|byte| byte.is_ascii_graphic());
    (known && name != "(null)").then(|| name.into())
}

/// The `key=value` pairs up to the closing brace. A comma or brace in quotes belongs to the value. A pair that is
/// neither followed by a comma nor by the brace was cut with the message, so its value cannot be trusted.
fn pairs(fields: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(fields);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let mut quoted = false;
        let end = text.bytes().position(|byte| {
            quoted ^= byte == b'"';
            !quoted && matches!(byte, b',' | b'}')
        })?;
        let (pair, after) = text.split_at_checked(end)?;
        rest = after.strip_prefix(',');
        Some(pair.split_once('=').map_or(("", ""), |(key, value)| (key.trim(), value.trim())))
    })
}

#[cfg(test)]
mod tests;
