//! `wire.imbalance`: far more goes out than comes back.
//!
//! # What it says
//! The bytes of every request were counted both ways, at least ten times as much was sent as came back (settings:
//! `DataFlowImbalanceRatio`), and at least a kilobyte for each. That little came back speaks from absence, so nothing may be missing:
//! not one size, not a row, and no request that may belong to the channel as well.
//!
//! # Why it matters
//! One-way channels that carry something out look like this on the wire.
//!
//! # When it is wrong
//! Backups, telemetry, mail and calls send more than they receive. A TLS handshake brings some kilobytes of certificates back and
//! hides small uploads.
//!
//! # References
//! MITRE ATT&CK AN1227, mutable element `DataFlowImbalanceRatio`.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// Bytes that a request must carry on average: less is a question, not an upload.
const LEAST_BYTES: u64 = 1024;

/// See the module comment, which is the manual page.
pub(super) struct Imbalance;

impl Signal for Imbalance {
    fn id(&self) -> SignalId {
        SignalId("wire.imbalance")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowBytes])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_imbalance.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let all = channel.counters.exchanges;
        let whole = subject.possible.exchanges == all && subject.missing == 0 && channel.row_count() as u64 == all;
        let (mut rows, mut sent, mut received) = (0_u64, 0_u64, 0_u64);
        for row in channel.rows() {
            if row.request_layer.is_none() || row.request_bytes == u32::MAX || row.response_bytes == u32::MAX {
                return Opinion::Silent;
            }
            rows += 1;
            sent += u64::from(row.request_bytes);
            received += u64::from(row.response_bytes);
        }
        let enough = whole && rows > 0 && sent >= rows.saturating_mul(LEAST_BYTES);
        if !enough || (sent as f64) < context.settings.imbalance_ratio * received.max(1) as f64 {
            return Opinion::Silent;
        }
        supports("sends", format!("{sent} bytes went out and {received} came back over {}", counted(rows, "request")))
    }
}
