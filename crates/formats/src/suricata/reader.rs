//! Reading: lines to items, requests joined with the file their response was, and the sensor's own counts of loss.

use super::{
    flow::Facts,
    members::{Dns, FileInfo, Kind, Rdata, Record, Stats},
};
use crate::{
    Input, Item, Line, Lines, Malformed,
    dns_message::{response_code_name, type_name},
    target::Target,
};
use monologue_model::{
    ByteCount, ByteLayer, CoverageRecord, CoverageState, Detail, DnsQuery, Event, Flow, HttpTransaction, Loss,
    Provenance, RecordPhase, Sha256, Sight, SightSet, Timestamp, TlsHandshake, Transport, redact,
};
use std::{
    collections::{BTreeMap, VecDeque},
    io::BufRead,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Requests that wait for the record of their response's file.
const WAITING_CAP: usize = 1024;

/// What a loss of the sensor hurts.
const ALL: SightSet = SightSet::of(&[
    Sight::FlowBytes,
    Sight::FlowReply,
    Sight::HttpResponse,
    Sight::HttpRequest,
    Sight::TlsHandshake,
    Sight::DnsQuery,
]);

/// Reads one log.
pub(super) struct Reader<'a> {
    lines: Option<Lines<Box<dyn BufRead + 'a>>>,
    state: State,
    queue: VecDeque<Result<Item, Malformed>>,
}

struct State {
    source: Arc<str>,
    format: Arc<str>,
    waiting: VecDeque<Waiting>,
    /// First and last moment for each sight that any record showed.
    shown: BTreeMap<Sight, (Timestamp, Timestamp)>,
    malformed: u64,
    truncated: bool,
    /// Time and loss of the statistics before.
    counted: Option<(Timestamp, u64)>,
}

/// A request that waits.
struct Waiting {
    flow: Option<u64>,
    transaction: Option<u64>,
    responder: IpAddr,
    event: Box<Event>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input<'a>, name: &'static str) -> Self {
        let state = State {
            source: input.source.clone(),
            format: name.into(),
            waiting: VecDeque::new(),
            shown: BTreeMap::new(),
            malformed: 0,
            truncated: false,
            counted: None,
        };
        Self { lines: Some(Lines::new(input.reader)), state, queue: VecDeque::new() }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            let lines = self.lines.as_mut()?;
            let offset = lines.offset();
            match lines.next_line() {
                Ok(Some(line)) => self.state.line(&line, &mut self.queue),
                Ok(None) => {
                    self.lines = None;
                    self.state.end(&mut self.queue);
                }
                Err(error) => {
                    self.lines = None;
                    self.state.truncated = true;
                    let expected = format!("more to read: {error}");
                    self.queue.push_back(Err(Malformed { offset, length: 0, expected }));
                    self.state.end(&mut self.queue);
                }
            }
        }
    }
}

impl State {
    fn line(&mut self, line: &Line<'_>, queue: &mut VecDeque<Result<Item, Malformed>>) {
        if line.bytes.trim_ascii().is_empty() {
            return;
        }
        let read = if line.cut {
            Err(format!("a line of at most {} bytes", crate::LINE_CAP))
        } else {
            std::str::from_utf8(line.bytes)
                .map_err(|error| format!("expected UTF-8, {error}"))
                .and_then(|text| self.record(text, line))
        };
        match read {
            Ok(Some(item)) => queue.push_back(Ok(item)),
            Ok(None) => {}
            Err(expected) => {
                // A last line that is cut is no hole in the log: it bounds it.
                if line.terminated {
                    self.malformed += 1
                } else {
                    self.truncated = true
                }
                queue.push_back(Err(Malformed { offset: line.offset, length: line.length, expected }));
            }
        }
        while self.waiting.len() > WAITING_CAP {
            queue.extend(self.waiting.pop_front().map(|waiting| Ok(Item::Event(waiting.event))));
        }
    }

    /// Reads one record. `None`: it is a request that waits.
    fn record(&mut self, text: &str, line: &Line<'_>) -> Result<Option<Item>, String> {
        let json = |error: serde_json::Error| format!("expected an EVE record: {error}");
        let kind: Kind<'_> = serde_json::from_str(text).map_err(json)?;
        let kind = kind.event_type.ok_or("expected the member event_type")?;
        match &*kind {
            "flow" | "http" | "http2" | "tls" | "quic" | "dns" | "fileinfo" | "stats" => {}
            "netflow" => return Ok(Some(Item::Skipped("one direction of a flow: the flow's own record tells both"))),
            _ => return Ok(Some(Item::Skipped("a Suricata record that says nothing about exchanges"))),
        }
        let record: Record<'_> = serde_json::from_str(text).map_err(json)?;
        let stamped = record.time(record.timestamp.as_deref(), "timestamp")?;
        let (time, detail) = match &*kind {
            "flow" => {
                let (time, end, flow) = flow(&record)?;
                self.show(&[Sight::FlowBytes, Sight::FlowReply], time, end);
                (time, Detail::Flow(Box::new(flow)))
            }
            "http" | "http2" => {
                let http = http(&record)?;
                self.show(&[Sight::HttpResponse, Sight::HttpRequest], stamped, stamped);
                let (flow, transaction) = (record.flow_id, record.tx_id);
                let responder = http.responder.ip();
                let event = self.event(stamped, Detail::Http(Box::new(http)), line);
                self.waiting.push_back(Waiting { flow, transaction, responder, event });
                return Ok(None);
            }
            "tls" | "quic" => {
                self.show(&[Sight::TlsHandshake], stamped, stamped);
                (stamped, Detail::Tls(Box::new(handshake(&record)?)))
            }
            "dns" => {
                self.show(&[Sight::DnsQuery], stamped, stamped);
                (stamped, Detail::Dns(Box::new(query(&record)?)))
            }
            "fileinfo" => {
                self.file(&record);
                return Ok(Some(Item::Skipped("a file: told with the request whose response it was")));
            }
            _ => match record.stats.as_ref().and_then(|stats| self.statistics(stats, stamped)) {
                Some(coverage) => (stamped, Detail::Coverage(coverage)),
                None => return Ok(Some(Item::Skipped("statistics of no loss, or the first of the log"))),
            },
        };
        Ok(Some(Item::Event(self.event(time, detail, line))))
    }

    fn event(&self, time: Timestamp, detail: Detail, line: &Line<'_>) -> Box<Event> {
        let provenance = Provenance {
            source: self.source.clone(),
            offset: line.offset,
            length: line.length,
            sha256: Sha256::of(line.bytes),
        };
        Box::new(Event { time, host: None, format: self.format.clone(), provenance, detail })
    }

    fn show(&mut self, sights: &[Sight], from: Timestamp, until: Timestamp) {
        for sight in sights {
            let span = self.shown.entry(*sight).or_insert((from, until));
            *span = (span.0.min(from), span.1.max(until));
        }
    }

    /// Adds to a waiting request what the record of its response's body says: its whole size, and its hash.
    fn file(&mut self, record: &Record<'_>) {
        let Some(file) = &record.fileinfo else { return };
        let whole = file.state.as_deref() == Some("CLOSED") && file.gaps != Some(true);
        let transaction = file.tx_id.or(record.tx_id);
        let of = |waiting: &&mut Waiting| {
            let downwards = match record.direction.as_deref() {
                Some(direction) => direction == "to_client",
                None => record.src_ip == Some(waiting.responder),
            };
            downwards && waiting.flow.is_some() && waiting.flow == record.flow_id && waiting.transaction == transaction
        };
        if let Some(waiting) = self.waiting.iter_mut().rev().find(of).filter(|_| whole)
            && let Detail::Http(http) = &mut waiting.event.detail
        {
            add_file(http, file);
        }
    }

    /// What the sensor lost since its statistics before. Counters start anew with the sensor.
    fn statistics(&mut self, stats: &Stats, time: Timestamp) -> Option<CoverageRecord> {
        let lost = stats.lost()?;
        let started = stats.uptime.and_then(|seconds| i64::try_from(seconds).ok());
        let started = time.saturating_add(-started.unwrap_or(0).saturating_mul(1_000_000_000));
        let (from, before) = match self.counted.replace((time, lost)) {
            Some((at, count)) if at >= started && count <= lost && at <= time => (at, count),
            // A sensor that began anew. Where it lost nothing, only the time since this log's statistics before is known to be
            // in this log.
            Some(_) if lost > 0 => (started, 0),
            Some((at, _)) => (started.max(at.min(time)), 0),
            None if lost > 0 => (started, 0),
            None => return None,
        };
        let records = lost - before;
        let state = match records {
            0 => CoverageState::Complete,
            records => CoverageState::Lost { reason: Loss::SensorLoss, records: Some(records) },
        };
        // Without loss it speaks of flows only: what else is logged, the configuration decides.
        let sights = if records == 0 { SightSet::of(&[Sight::FlowBytes, Sight::FlowReply]) } else { ALL };
        Some(CoverageRecord { format: self.format.clone(), sights, from, until: time, state })
    }

    /// The end: requests that still wait, and what the log says of its own completeness.
    fn end(&mut self, queue: &mut VecDeque<Result<Item, Malformed>>) {
        queue.extend(self.waiting.drain(..).map(|waiting| Ok(Item::Event(waiting.event))));
        let mut statements = Vec::new();
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for (sight, (from, until)) in &self.shown {
            statements.push((SightSet::of(&[*sight]), *from, *until, CoverageState::Complete));
            span = Some(span.map_or((*from, *until), |known| (known.0.min(*from), known.1.max(*until))));
        }
        if let Some((from, until)) = span {
            if self.malformed > 0 {
                let state = CoverageState::Lost { reason: Loss::Malformed, records: Some(self.malformed) };
                statements.push((ALL, from, until, state));
            }
            if self.truncated {
                let state = CoverageState::Lost { reason: Loss::Truncated, records: None };
                statements.push((ALL, until, until, state));
            }
        }
        for (sights, from, until, state) in statements {
            let record = CoverageRecord { format: self.format.clone(), sights, from, until, state };
            let line = Line { offset: 0, length: 0, bytes: &[], cut: false, terminated: true };
            queue.push_back(Ok(Item::Derived(self.event(from, Detail::Coverage(record), &line))));
        }
    }
}

impl Record<'_> {
    fn time(&self, text: Option<&str>, member: &str) -> Result<Timestamp, String> {
        let text = text.ok_or_else(|| format!("expected the member {member}"))?;
        Timestamp::parse(text).map_err(|error| format!("in member {member}: {error}"))
    }

    fn uid(&self) -> Option<Arc<str>> {
        self.flow_id.map(|id| format!("S{id}").into())
    }

    /// Source and destination. A protocol without ports has none.
    fn ends(&self) -> Result<(SocketAddr, SocketAddr), String> {
        let end = |ip: Option<IpAddr>, port: Option<u16>, member: &str| {
            let ip = ip.ok_or_else(|| format!("expected an address in the member {member}"))?;
            Ok::<_, String>(SocketAddr::new(ip, port.unwrap_or(0)))
        };
        Ok((end(self.src_ip, self.src_port, "src_ip")?, end(self.dest_ip, self.dest_port, "dest_ip")?))
    }

    fn transport(&self) -> Transport {
        match self.proto.as_deref().map(str::to_ascii_uppercase).as_deref() {
            Some("TCP") => Transport::Tcp,
            Some("UDP") => Transport::Udp,
            Some("ICMP" | "IPV6-ICMP") => Transport::Icmp,
            _ => Transport::Other,
        }
    }
}

/// Start, end and flow. The source of a flow record is who began it.
fn flow(record: &Record<'_>) -> Result<(Timestamp, Timestamp, Flow), String> {
    let counters = record.flow.as_ref().ok_or("expected the member flow")?;
    let (originator, responder) = record.ends()?;
    let start = record.time(counters.start.as_deref(), "flow.start")?;
    let end = record.time(counters.end.as_deref().or(counters.start.as_deref()), "flow.end")?.max(start);
    let transport = record.transport();
    let facts = Facts::of(transport, originator.is_ipv6(), counters, record.tcp.as_ref());
    let (sent, received) = facts.bytes();
    let services = match record.app_proto.as_deref() {
        None | Some("failed" | "unknown") => Vec::new(),
        Some("tls") => vec!["ssl".into()],
        Some(service) => vec![service.to_ascii_lowercase().into()],
    };
    let flow = Flow {
        uid: record.uid(),
        originator,
        responder,
        transport,
        services,
        duration_ns: Some(end.since(start)),
        sent,
        received,
        sent_packets: counters.pkts_toserver,
        received_packets: counters.pkts_toclient,
        reply: facts.reply(),
        continuation: facts.is_continuation(),
        unanswered_attempt: facts.is_attempt(),
        local_originator: None,
        local_responder: None,
        state: None,
        history: None,
        phase: facts.phase(),
    };
    Ok((start, end, flow))
}

fn http(record: &Record<'_>) -> Result<HttpTransaction, String> {
    let http = record.http.as_ref().ok_or("expected the member http")?;
    let (originator, responder) = record.ends()?;
    let (method, uri) = (http.http_method.as_deref(), http.url.as_deref());
    let target = Target::of(method, uri, http.hostname.as_deref());
    Ok(HttpTransaction {
        uid: record.uid(),
        originator,
        responder,
        depth: record.tx_id.map(|number| number.saturating_add(1)),
        method: method.map(Into::into),
        host: target.host,
        port: target.port.or(http.http_port),
        uri: uri.map(|uri| redact(uri).as_ref().into()),
        user_agent: http.http_user_agent.as_deref().map(Into::into),
        request_body: ByteCount::absent(ByteLayer::Body),
        // What was seen so far: not even a zero says that all of it was.
        response_body: match http.length.filter(|_| http.status.is_some()) {
            Some(length) => ByteCount::partial(length, ByteLayer::Body),
            None => ByteCount::absent(ByteLayer::Body),
        },
        status: http.status.filter(|status| *status > 0),
        proxied: target.proxied,
        content_hash: None,
        gateway: None,
        phase: RecordPhase::End,
    })
}

fn add_file(http: &mut HttpTransaction, file: &FileInfo<'_>) {
    if let Some(size) = file.size {
        http.response_body = ByteCount::measured(size, ByteLayer::Body);
    }
    http.content_hash = file.sha256.as_deref().map(|hash| hash.to_ascii_lowercase().into());
}

fn handshake(record: &Record<'_>) -> Result<TlsHandshake, String> {
    let tls = record.tls.as_ref().or(record.quic.as_ref()).ok_or("expected the member tls or quic")?;
    let (originator, responder) = record.ends()?;
    Ok(TlsHandshake {
        uid: record.uid(),
        originator,
        responder,
        server_name: tls.sni.as_deref().filter(|name| !name.is_empty()).map(|name| name.to_ascii_lowercase().into()),
        // The record is written for any handshake that showed a certificate or was resumed, completed or not.
        established: None,
        resumed: tls.session_resumed.filter(|resumed| *resumed),
        last_alert: None,
        ja4: tls.ja4.as_deref().map(Into::into),
        phase: RecordPhase::End,
    })
}

/// A question or an answer. Version 2 writes an answer with the resolver as its source, version 3 with the asker.
fn query(record: &Record<'_>) -> Result<DnsQuery, String> {
    let dns = record.dns.as_ref().ok_or("expected the member dns")?;
    let (source, destination) = record.ends()?;
    let from_resolver = source.port() == 53 && destination.port() != 53;
    let (originator, resolver) = if from_resolver { (destination, source) } else { (source, destination) };
    let question = dns.queries.first();
    let name = dns.rrname.as_deref().or_else(|| question?.rrname.as_deref());
    let query_type = dns.rrtype.as_deref().or_else(|| question?.rrtype.as_deref());
    let answered = matches!(dns.kind.as_deref(), Some("answer" | "response"));
    Ok(DnsQuery {
        process: None,
        originator: Some(originator),
        resolver: Some(resolver),
        name: name.map(|name| name.trim_end_matches('.').to_ascii_lowercase().into()),
        name_hash: None,
        query_type: query_type.map(|text| text.parse().map_or_else(|_| text.into(), type_name)),
        answers: if answered { addresses(dns) } else { Vec::new() },
        response_code: dns
            .rcode
            .as_deref()
            .filter(|_| answered)
            .map(|text| text.parse().map_or_else(|_| text.into(), response_code_name)),
    })
}

/// The addresses answered, each once.
fn addresses(dns: &Dns<'_>) -> Vec<IpAddr> {
    let own = dns.rdata.as_deref();
    let listed = dns.answers.iter().filter_map(|answer| match &answer.rdata {
        Some(Rdata::Text(text)) => Some(&**text),
        _ => None,
    });
    let grouped = ["A", "AAAA"].iter().filter_map(|kind| dns.grouped.get(*kind)?.as_array());
    let grouped = grouped.flatten().filter_map(serde_json::Value::as_str);
    let mut found = Vec::new();
    for address in own.into_iter().chain(listed).chain(grouped).filter_map(|text| text.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}
