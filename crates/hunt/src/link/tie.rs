//! What binds the rows of one connection together.

use monologue_model::{HttpTransaction, Provenance, Sha256, Transport};
use std::{net::SocketAddr, sync::Arc};

/// What binds rows together: the sensor's identifier, else the 5-tuple. A gateway's record stands alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    Uid(Arc<str>),
    Tuple(SocketAddr, SocketAddr, Transport),
    Record(Sha256),
}

impl Tie {
    pub(super) fn new(
        uid: &Option<Arc<str>>,
        originator: SocketAddr,
        responder: SocketAddr,
        transport: Transport,
    ) -> Self {
        uid.clone().map_or(Self::Tuple(originator, responder, transport), Self::Uid)
    }

    pub(super) fn of_http(http: &HttpTransaction, provenance: &Provenance) -> Self {
        match http.gateway {
            Some(_) => Self::Record(provenance.sha256),
            None => Self::new(&http.uid, http.originator, http.responder, Transport::Tcp),
        }
    }
}
