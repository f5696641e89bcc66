//! Zeek logs: conn, http, ssl, dns, capture_loss and their `open_` snapshots, as TSV with a header or as JSON.
//!
//! Columns are found by name, never by position; the field names and their meaning are those of Zeek's own log
//! documentation (`base/protocols/*/main.zeek`).

mod conn;
mod detect;
mod logs;
mod reader;
mod row;

use crate::{Format, Head, Input, Records, Refusal, Vantage};
use monologue_model::{Sight, SightSet};

/// Which log a format reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Conn,
    Http,
    Ssl,
    Dns,
    CaptureLoss,
    Other,
}

impl Log {
    /// The log a `#path` or `_path` names, and whether it is a snapshot of what is still open.
    fn from_path(path: &str) -> (Self, bool) {
        let (bare, open) = path.strip_prefix("open_").map_or((path, false), |bare| (bare, true));
        let log = match bare {
            "conn" => Self::Conn,
            "http" => Self::Http,
            "ssl" => Self::Ssl,
            "dns" => Self::Dns,
            "capture_loss" => Self::CaptureLoss,
            _ => Self::Other,
        };
        (log, open)
    }

    const fn sights(self) -> SightSet {
        match self {
            Self::Conn => SightSet::of(&[Sight::FlowBytes, Sight::FlowReply, Sight::FlowTeardown]),
            Self::Http => SightSet::of(&[Sight::HttpResponse, Sight::HttpRequest]),
            Self::Ssl => SightSet::of(&[Sight::TlsHandshake]),
            Self::Dns => SightSet::of(&[Sight::DnsQuery]),
            // Capture loss hurts whatever was to be seen on the wire.
            Self::CaptureLoss => SightSet::of(&[
                Sight::FlowBytes,
                Sight::FlowReply,
                Sight::FlowTeardown,
                Sight::HttpResponse,
                Sight::HttpRequest,
                Sight::TlsHandshake,
            ]),
            Self::Other => SightSet::EMPTY,
        }
    }
}

/// One of the Zeek formats.
pub(crate) struct Zeek {
    log: Log,
    name: &'static str,
    about: &'static str,
}

/// Connections.
pub(crate) const CONN: Zeek = Zeek {
    log: Log::Conn,
    name: "zeek-conn",
    about: "Zeek conn.log and open_conn.log, TSV or JSON: flows with bytes and history",
};
/// HTTP requests.
pub(crate) const HTTP: Zeek = Zeek {
    log: Log::Http,
    name: "zeek-http",
    about: "Zeek http.log and open_http.log, TSV or JSON: requests and their status",
};
/// TLS handshakes.
pub(crate) const SSL: Zeek = Zeek {
    log: Log::Ssl,
    name: "zeek-ssl",
    about: "Zeek ssl.log and open_ssl.log, TSV or JSON: TLS names and handshakes",
};
/// DNS queries.
pub(crate) const DNS: Zeek =
    Zeek { log: Log::Dns, name: "zeek-dns", about: "Zeek dns.log, TSV or JSON: names and answers" };
/// What the sensor lost.
pub(crate) const CAPTURE_LOSS: Zeek = Zeek {
    log: Log::CaptureLoss,
    name: "zeek-capture-loss",
    about: "Zeek capture_loss.log, TSV or JSON: how much traffic the sensor missed",
};
/// Logs that say nothing about exchanges.
pub(crate) const OTHER: Zeek =
    Zeek { log: Log::Other, name: "zeek-other", about: "any other Zeek log: recognised, counted, not used" };

impl Format for Zeek {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn sights(&self) -> SightSet {
        self.log.sights()
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let found = detect::path_of(head)?;
        let (log, _) = Log::from_path(&found);
        if log == self.log { Ok(()) } else { Err(Refusal(format!("this is Zeek's {found} log"))) }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.log, self.name))
    }
}
