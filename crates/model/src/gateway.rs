//! What a gateway knows of the requests that pass it, and no sensor beside the wire does.

use crate::Teardown;
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

/// Who made the answer that a gateway handed to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// The record does not say.
    #[default]
    Unknown,
    /// The service that was asked.
    Service,
    /// The gateway's cache: it is an answer of the service, of another time.
    Cache,
    /// The gateway itself: refused, asked for a password, or failed. The service said nothing.
    Gateway,
}

/// What a gateway knows of a request that it passed on. Each record stands alone: it shares no connection with others, and
/// an address or port that the gateway does not write is unspecified (all zero).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GatewayFacts {
    /// Nanoseconds from the request to the end of the reply. `None` means nobody recorded it: the time of the event is then
    /// that of the record, which most gateways write at the end.
    pub duration_ns: Option<i64>,
    /// Who made the answer.
    pub answered_by: AnsweredBy,
    /// Who ended it before it was complete, where the gateway says so.
    pub teardown: Teardown,
    /// The gateway's own word for what became of it, such as `TCP_MISS_ABORTED`. `None` means it has none.
    pub outcome: Option<Arc<str>>,
    /// Where the gateway sent the request. `None` means nobody recorded it.
    pub server: Option<IpAddr>,
    /// The user it was asked for. `None` means nobody recorded one.
    pub user: Option<Arc<str>>,
}
