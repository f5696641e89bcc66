//! Rows about one connection, by the sensor that wrote them: one sensor's rows are added up, those of two are compared.

use monologue_model::{ByteCount, ByteLayer, Flow, FlowReply, Provenance, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// One row about a flow, and the sensor that wrote it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FlowRow {
    pub(super) time: Timestamp,
    pub(super) flow: Flow,
    pub(super) provenance: Provenance,
    pub(super) sensor: Arc<str>,
}

impl FlowRow {
    /// How much it tells, to be compared: complete counts of both sides, then the course of the connection.
    pub(super) fn detail(&self) -> (bool, bool, bool) {
        let counted = self.flow.sent.measured_value().is_some() && self.flow.received.measured_value().is_some();
        (counted, self.flow.reply != FlowReply::Unknown, self.flow.history.is_some())
    }
}

/// The rows of each sensor, that which tells most first.
pub(super) fn views(rows: &[FlowRow]) -> Vec<Vec<&FlowRow>> {
    let Some(first) = rows.first() else { return Vec::new() };
    if rows.iter().all(|row| row.sensor == first.sensor) {
        return vec![rows.iter().collect()];
    }
    let mut by_sensor: BTreeMap<&Arc<str>, Vec<&FlowRow>> = BTreeMap::new();
    for row in rows {
        by_sensor.entry(&row.sensor).or_default().push(row);
    }
    let mut views: Vec<Vec<&FlowRow>> = by_sensor.into_values().collect();
    // Stable: of equals, the first by name.
    views.sort_by_key(|rows| std::cmp::Reverse(rows.iter().map(|row| row.detail()).max()));
    views
}

/// The count of a whole connection from those of its rows.
pub(super) fn total(counts: &[ByteCount]) -> ByteCount {
    if let [one] = counts {
        return *one;
    }
    let total: u64 = counts.iter().filter_map(|count| count.value).sum();
    if counts.iter().all(|count| count.measured_value().is_some()) {
        ByteCount::measured(total, ByteLayer::Payload)
    } else {
        ByteCount::partial(total, ByteLayer::Payload)
    }
}

/// Whether two rows are the same row of the same flow.
pub(super) fn same_row(known: &FlowRow, other: &FlowRow) -> bool {
    known.flow.uid.is_some() && known.flow.uid == other.flow.uid && known.time == other.time
}
