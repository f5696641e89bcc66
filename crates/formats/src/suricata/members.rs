//! The members of EVE records that are read; all others are passed over.

use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

/// A text, borrowed where it has no escapes. `None`: the record has no such member.
type Text<'a> = Option<Cow<'a, str>>;

/// What kind of record a line is.
#[derive(Deserialize)]
pub(super) struct Kind<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) event_type: Text<'a>,
}

/// A record.
#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    pub(super) flow_id: Option<u64>,
    pub(super) src_ip: Option<IpAddr>,
    pub(super) src_port: Option<u16>,
    pub(super) dest_ip: Option<IpAddr>,
    pub(super) dest_port: Option<u16>,
    #[serde(borrow)]
    pub(super) proto: Text<'a>,
    #[serde(borrow)]
    pub(super) app_proto: Text<'a>,
    #[serde(borrow)]
    pub(super) direction: Text<'a>,
    pub(super) tx_id: Option<u64>,
    #[serde(borrow)]
    pub(super) flow: Option<Flow<'a>>,
    #[serde(borrow)]
    pub(super) tcp: Option<Tcp<'a>>,
    #[serde(borrow)]
    pub(super) http: Option<Http<'a>>,
    #[serde(borrow)]
    pub(super) tls: Option<Tls<'a>>,
    #[serde(borrow)]
    pub(super) quic: Option<Tls<'a>>,
    #[serde(borrow)]
    pub(super) dns: Option<Dns<'a>>,
    #[serde(borrow)]
    pub(super) fileinfo: Option<FileInfo<'a>>,
    pub(super) stats: Option<Stats>,
}

/// `flow`: counters of whole packets, link headers included.
#[derive(Deserialize)]
pub(super) struct Flow<'a> {
    pub(super) pkts_toserver: Option<u64>,
    pub(super) pkts_toclient: Option<u64>,
    pub(super) bytes_toserver: Option<u64>,
    pub(super) bytes_toclient: Option<u64>,
    #[serde(borrow)]
    pub(super) start: Text<'a>,
    #[serde(borrow)]
    pub(super) end: Text<'a>,
    /// `timeout`, `forced` or `shutdown`.
    #[serde(borrow)]
    pub(super) reason: Text<'a>,
    /// `new`, `established`, `closed`, `bypassed`.
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    /// The sensor stopped looking at it.
    #[serde(borrow)]
    pub(super) bypass: Text<'a>,
}

/// `tcp`: flags of all packets of a side together, in hexadecimal digits.
#[derive(Deserialize)]
pub(super) struct Tcp<'a> {
    #[serde(borrow)]
    pub(super) tcp_flags_ts: Text<'a>,
    #[serde(borrow)]
    pub(super) tcp_flags_tc: Text<'a>,
    pub(super) ts_gap: Option<bool>,
    pub(super) tc_gap: Option<bool>,
}

/// `http`.
#[derive(Deserialize)]
pub(super) struct Http<'a> {
    #[serde(borrow)]
    pub(super) hostname: Text<'a>,
    pub(super) http_port: Option<u16>,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
    #[serde(borrow)]
    pub(super) http_user_agent: Text<'a>,
    #[serde(borrow)]
    pub(super) http_method: Text<'a>,
    pub(super) status: Option<u16>,
    /// Bytes of the response's body seen so far.
    pub(super) length: Option<u64>,
}

/// `tls`, and the same members of `quic`.
#[derive(Deserialize)]
pub(super) struct Tls<'a> {
    #[serde(borrow)]
    pub(super) sni: Text<'a>,
    pub(super) session_resumed: Option<bool>,
    #[serde(borrow)]
    pub(super) ja4: Text<'a>,
}

/// `dns`, in the shapes of versions 1 (one row an address), 2 and 3.
#[derive(Deserialize)]
pub(super) struct Dns<'a> {
    /// `query` or `request`; `answer` or `response`.
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) rrname: Text<'a>,
    #[serde(borrow)]
    pub(super) rrtype: Text<'a>,
    #[serde(borrow)]
    pub(super) rcode: Text<'a>,
    #[serde(borrow)]
    pub(super) rdata: Text<'a>,
    #[serde(borrow, default)]
    pub(super) queries: Vec<Question<'a>>,
    #[serde(borrow, default)]
    pub(super) answers: Vec<Answer<'a>>,
    /// Answers by their type: addresses under `A` and `AAAA`.
    #[serde(default)]
    pub(super) grouped: BTreeMap<String, serde_json::Value>,
}

/// A member of `queries` (version 3).
#[derive(Deserialize)]
pub(super) struct Question<'a> {
    #[serde(borrow)]
    pub(super) rrname: Text<'a>,
    #[serde(borrow)]
    pub(super) rrtype: Text<'a>,
}

/// A member of `answers`.
#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    pub(super) rdata: Option<Rdata<'a>>,
}

/// An answer's data: a text for addresses and names, an object for some other types.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Rdata<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(serde::de::IgnoredAny),
}

/// `fileinfo`: a file that passed, such as the body of a response.
#[derive(Deserialize)]
pub(super) struct FileInfo<'a> {
    pub(super) gaps: Option<bool>,
    /// `CLOSED` once all of it passed; else `TRUNCATED`, `ERROR` or `UNKNOWN`.
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    pub(super) size: Option<u64>,
    pub(super) tx_id: Option<u64>,
    #[serde(borrow)]
    pub(super) sha256: Text<'a>,
}

/// `stats`: counters since the sensor started.
#[derive(Deserialize)]
pub(super) struct Stats {
    /// Seconds since then.
    pub(super) uptime: Option<u64>,
    pub(super) capture: Option<CaptureStats>,
    pub(super) tcp: Option<TcpStats>,
    pub(super) flow: Option<FlowStats>,
}

/// `stats.capture`.
#[derive(Deserialize)]
pub(super) struct CaptureStats {
    /// Packets the system dropped before the sensor saw them.
    pub(super) kernel_drops: Option<u64>,
    pub(super) kernel_ifdrops: Option<u64>,
}

/// `stats.tcp`.
#[derive(Deserialize)]
pub(super) struct TcpStats {
    /// Gaps in streams.
    pub(super) reassembly_gap: Option<u64>,
    /// Streams and segments not followed for want of memory.
    pub(super) ssn_memcap_drop: Option<u64>,
    pub(super) segment_memcap_drop: Option<u64>,
}

/// `stats.flow`.
#[derive(Deserialize)]
pub(super) struct FlowStats {
    /// Flows not followed for want of memory.
    pub(super) memcap: Option<u64>,
}

impl Stats {
    /// All that was lost since the sensor started. `None`: the record counts no loss at all.
    pub(super) fn lost(&self) -> Option<u64> {
        let capture = self.capture.as_ref().map(|stats| [stats.kernel_drops, stats.kernel_ifdrops, None]);
        let tcp = self.tcp.as_ref();
        let tcp = tcp.map(|stats| [stats.reassembly_gap, stats.ssn_memcap_drop, stats.segment_memcap_drop]);
        let flow = self.flow.as_ref().map(|stats| [stats.memcap, None, None]);
        let counts = [capture, tcp, flow].into_iter().flatten().flatten().flatten();
        counts.fold(None, |sum: Option<u64>, count| Some(sum.unwrap_or(0).saturating_add(count)))
    }
}
