//! `NetworkActivity`: the flows of each process in one window, with bytes that count from the flow's beginning.

use super::message::Context;
use crate::endpoint::{Contact, Fields, Said, Time, Told, contact};
use monologue_model::{ByteCount, ByteLayer, ProcessImage, Timestamp};
use std::sync::Arc;

/// What one window says. Each flow gives one event: its end with final counts where it was closed in this window, else a
/// look at it, whose counts may grow.
pub(super) fn take(
    record: Fields<'_>,
    event: Fields<'_>,
    begun: Timestamp,
    host: Option<&Arc<str>>,
    context: &mut Context<'_>,
) -> Result<Said, String> {
    let ended =
        if record.value("processed_time").is_some() { record.time("processed_time", Time::Utc)? } else { begun };
    let mut events = Vec::new();
    for entry in event.list("processes") {
        let entry = Fields(entry);
        let process = context.process(entry, "process")?;
        for flow in entry.list("flows") {
            let flow = Fields(flow);
            let is_inbound = flow.text("direction").is_some_and(|direction| direction == "DIRECTION_INBOUND");
            // A blocked flow sent nothing, and its zeros are the filter's own.
            let is_blocked = flow.text("decision").is_some_and(|decision| decision == "DECISION_BLOCK");
            if is_inbound || is_blocked {
                continue;
            }
            if let Some((time, detail)) = one(flow, &process, begun, ended)? {
                events.push(Told { time, host: host.cloned(), detail });
            }
        }
    }
    Ok(Said::Events(events))
}

fn one(
    flow: Fields<'_>,
    process: &ProcessImage,
    begun: Timestamp,
    ended: Timestamp,
) -> Result<Option<(Timestamp, monologue_model::Detail)>, String> {
    let moment = |name: &str| flow.value(name).map(|_| flow.time(name, Time::Utc)).transpose();
    let (start, close) = (moment("start_time")?, moment("close_time")?);
    let text = |name: &str| flow.text(name).unwrap_or_default();
    // Flow numbers are reused; number and hash together are one flow.
    let key = &process.key;
    let words = [
        key.boot.as_deref().unwrap_or_default(),
        &key.pid.unwrap_or(0).to_string(),
        &key.pidversion.unwrap_or(0).to_string(),
        &text("id"),
        &text("hash"),
    ];
    let number = contact::number_of(&words);
    let count = |name: &str| {
        // Protobuf leaves out what is 0.
        let bytes = flow.number(name).unwrap_or(0);
        if close.is_some() {
            ByteCount::measured(bytes, ByteLayer::Payload)
        } else {
            ByteCount::partial(bytes, ByteLayer::Payload)
        }
    };
    let found = Contact {
        far: contact::endpoint(&text("remote_hostname"), &text("remote_address"), flow.number("remote_port")),
        local: contact::socket(&text("local_address"), flow.number("local_port")),
        transport: contact::transport_of_number(flow.number("protocol")),
        opened: start.is_some(),
        received: count("bytes_inbound"),
        sent: count("bytes_outbound"),
    };
    let process = process.clone();
    let told = match close {
        Some(close) => {
            let duration_ms = start.and_then(|start| contact::milliseconds(start, close));
            found.closed(process, number, duration_ms).map(|detail| (close, detail))
        }
        // What is counted at the end of the window was there by then; a flow that began in it is told at its beginning.
        None => found.detail(process, number).map(|detail| (start.unwrap_or(begun.min(ended)), detail)),
    };
    Ok(told)
}
