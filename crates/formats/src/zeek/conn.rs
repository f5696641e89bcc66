//! `conn.log`: one flow, and what its row alone states about the other side.

use super::row::{Fields, Row};
use crate::{history::Facts, texts::Texts};
use monologue_model::{Flow, RecordPhase, Timestamp, Transport};
use std::sync::Arc;

/// Reads one record.
///
/// # Errors
/// What was expected in which field.
pub(super) fn flow<R: Row>(row: &R, open: bool, texts: &mut Texts) -> Result<(Timestamp, Flow), String> {
    let fields = Fields(row);
    let time = fields.time("ts")?;
    let transport = match row.text("proto").as_deref() {
        Some("tcp") => Transport::Tcp,
        Some("udp") => Transport::Udp,
        Some("icmp" | "icmp6") => Transport::Icmp,
        _ => Transport::Other,
    };
    let state = row.text("conn_state");
    let history = row.text("history");
    let facts = Facts {
        transport,
        open,
        state: state.as_deref().unwrap_or_default(),
        history: history.as_deref(),
        missed: fields.count("missed_bytes")?.unwrap_or(0),
        received: fields.count("resp_bytes")?,
    };
    let sent = facts.byte_count(fields.count("orig_bytes")?);
    let flow = Flow {
        uid: row.text("uid").map(|uid| uid.as_ref().into()),
        originator: fields.originator()?,
        responder: fields.responder()?,
        transport,
        services: row.list("service").iter().map(|service| lower(service, texts)).collect(),
        duration_ns: fields.seconds("duration")?,
        sent,
        received: facts.byte_count(facts.received),
        sent_packets: fields.count("orig_pkts")?,
        received_packets: fields.count("resp_pkts")?,
        reply: facts.reply(),
        continuation: facts.is_continuation(),
        unanswered_attempt: facts.is_attempt(),
        local_originator: fields.flag("local_orig"),
        local_responder: fields.flag("local_resp"),
        state: state.as_deref().map(|state| texts.text(state)),
        history: history.as_deref().map(|history| texts.text(history)),
        phase: if open { RecordPhase::Snapshot } else { RecordPhase::End },
    };
    Ok((time, flow))
}

/// A service. Most versions of Zeek write it in lower case already.
fn lower(text: &str, texts: &mut Texts) -> Arc<str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        texts.text(&text.to_ascii_lowercase())
    } else {
        texts.text(text)
    }
}
