//! Logs of Zeek in its tab-separated form, sorted by when the sensor wrote each row.

use crate::{
    Moment,
    chance::Chance,
    clock::{MILLISECOND, SECOND, epoch_text, zeek_header_text},
    disturbance::{Conditions, PROXY},
    links::{Places, Source, Trace, network_path},
    mac::Mac,
    names,
    network::{Network, RESOLVER, Service},
};
use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

const CONNECTION_FIELDS: &str = "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum \
    service:string duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool local_resp:bool \
    missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count \
    tunnel_parents:set[string] ip_proto:count";
const HTTP_FIELDS: &str = "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port trans_depth:count \
    method:string host:string uri:string referrer:string version:string user_agent:string origin:string \
    request_body_len:count response_body_len:count status_code:count status_msg:string info_code:count info_msg:string \
    tags:set[enum] username:string password:string proxied:set[string] orig_fuids:vector[string] \
    orig_filenames:vector[string] orig_mime_types:vector[string] resp_fuids:vector[string] resp_filenames:vector[string] \
    resp_mime_types:vector[string]";
const TLS_FIELDS: &str = "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port version:string \
    cipher:string curve:string server_name:string resumed:bool last_alert:string next_protocol:string established:bool \
    ssl_history:string cert_chain_fps:vector[string] client_cert_chain_fps:vector[string] sni_matches_cert:bool";
const NAME_FIELDS: &str = "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum \
    trans_id:count rtt:interval query:string qclass:count qclass_name:string qtype:count qtype_name:string rcode:count \
    rcode_name:string AA:bool TC:bool RD:bool RA:bool Z:count answers:vector[string] TTLs:vector[interval] rejected:bool";
const LOSS_FIELDS: &str = "ts:time ts_delta:interval peer:string gaps:count acks:count percent_lost:double";

/// How long a host remembers an answer, in nanoseconds.
const NAME_LIFETIME: i64 = 3600 * SECOND;

/// Rows with the time at which the sensor writes them, and their number in the log.
type Rows = Vec<(Moment, String, u64)>;

/// Adds a row, and gives its number.
fn add(rows: &mut Rows, written: Moment, row: String) -> u64 {
    let number = rows.len() as u64 + 1;
    rows.push((written, row, number));
    number
}

/// The logs of one sensor.
#[derive(Default)]
pub(crate) struct Logs {
    connections: Rows,
    http: Rows,
    tls: Rows,
    names: Rows,
    loss: Rows,
}

/// How a connection went, on the clock of the Mac.
pub(crate) struct Flow<'a> {
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) local_port: u16,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    /// `tcp` or `udp`.
    pub(crate) protocol: &'a str,
    /// What Zeek took it for; `-` for nothing.
    pub(crate) service: &'a str,
    /// Payload from the Mac, in bytes.
    pub(crate) sent: u64,
    /// Payload to the Mac, in bytes. `None` where no packet came back over UDP.
    pub(crate) received: Option<u64>,
    pub(crate) state: &'a str,
    pub(crate) history: &'a str,
    /// Bytes the sensor did not see.
    pub(crate) missed: u64,
}

/// A request over plain HTTP.
pub(crate) struct PlainRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) sent_body: u64,
    /// Status and body in bytes. `None` where no reply was seen.
    pub(crate) reply: Option<(u16, u64)>,
}

impl Flow<'_> {
    fn uid(&self, mac: &Mac) -> String {
        names::connection_uid(&[
            &mac.name,
            &self.start.to_string(),
            &self.local_port.to_string(),
            &self.address.to_string(),
        ])
    }
}

/// Of the connections in a stretch in which the sensor loses packets, one in so many leaves no row.
const LOST_OF: u64 = 3;

fn packets(bytes: u64, least: u64) -> u64 {
    least + bytes / 1_380
}

impl Network {
    /// Whether the sensor lost this connection altogether.
    fn is_lost(&self, mac: &Mac, flow: &Flow<'_>) -> bool {
        !mac.sensors.network
            || (self.lossy.iter().any(|(from, until)| *from <= flow.start && flow.start < *until)
                && names::hash(&["lost", &flow.uid(mac)]).is_multiple_of(LOST_OF))
    }

    /// The far end of a connection, as hosts and sensor see it.
    pub(crate) fn remote(&self, flow: &Flow<'_>) -> (IpAddr, u16) {
        if flow.protocol == "tcp" && self.conditions.is_proxied(flow.port) {
            return (PROXY.0.into(), PROXY.1);
        }
        (self.conditions.remote(flow.address, self.is_bare(flow.address)), flow.port)
    }

    fn ends(&self, mac: &Mac, flow: &Flow<'_>) -> String {
        let (remote, port) = self.remote(flow);
        let (near, near_port) = self.conditions.seen_end(mac, flow.start, flow.local_port, remote);
        format!("{near}\t{near_port}\t{remote}\t{port}")
    }

    /// The host asks for the address of a service, unless it still remembers it or asks a proxy in its place. The answer
    /// is here after the time given back, in nanoseconds.
    pub(crate) fn resolve(&mut self, mac: &mut Mac, time: Moment, service: &Service, chance: &mut Chance) -> i64 {
        if service.is_bare_address {
            return 0;
        }
        let key = (mac.name.clone(), format!("{} {}", service.name, service.address));
        if self.resolved.get(&key).is_some_and(|(asked, _)| time - asked < NAME_LIFETIME && time >= *asked) {
            return MILLISECOND;
        }
        let took = (chance.between(4.0, 25.0) * 1e6) as i64;
        let length = service.name.len() as u64 + 18;
        let flow = Flow {
            start: time + MILLISECOND / 2,
            end: time + MILLISECOND / 2 + took,
            local_port: mac.port(chance),
            address: RESOLVER,
            port: 53,
            protocol: "udp",
            service: "dns",
            sent: length,
            received: Some(length + 16),
            state: "SF",
            history: "Dd",
            missed: 0,
        };
        let transaction = if mac.sensors.network { chance.whole(1, 65_535) } else { 0 };
        let mut number = 0;
        if !self.conditions.is_proxied(service.port) {
            self.connection(mac, &flow);
            number = self.name_row(mac, &flow, service, transaction);
        }
        self.resolved.insert(key, (time, number));
        took + MILLISECOND
    }

    /// Writes a question and its answer.
    fn name_row(&mut self, mac: &Mac, flow: &Flow<'_>, service: &Service, transaction: u64) -> u64 {
        if self.is_lost(mac, flow) {
            return 0;
        }
        let address = self.conditions.remote(service.address, service.is_bare_address);
        let (kind, kind_name) = if address.is_ipv6() { (28, "AAAA") } else { (1, "A") };
        let row = format!(
            "{}\t{}\t{}\tudp\t{transaction}\t0.{:06}\t{}\t1\tC_INTERNET\t{kind}\t{kind_name}\t0\tNOERROR\tF\tF\tT\tT\t0\t{address}\t3600.000000\tF",
            epoch_text(self.conditions.sensor_time(flow.start)),
            flow.uid(mac),
            self.ends(mac, flow),
            (flow.end - flow.start) / 1000,
            service.name,
        );
        add(&mut self.logs.names, self.conditions.sensor_time(flow.end), row)
    }

    /// Writes a connection, and gives the number of its row or 0.
    pub(crate) fn connection(&mut self, mac: &Mac, flow: &Flow<'_>) -> u64 {
        if self.is_lost(mac, flow) {
            return 0;
        }
        // Zeek waits for stragglers before it writes: five seconds after a close, longer where nothing closed.
        let wait = match flow.state {
            "S0" if flow.protocol == "udp" => 60,
            "SF" if flow.protocol == "udp" => 10,
            _ => 5,
        };
        let took = flow.end - flow.start;
        let is_lone_packet = flow.protocol == "udp" && flow.received.is_none();
        let duration =
            if is_lone_packet { "-".to_owned() } else { format!("{}.{:06}", took / SECOND, took % SECOND / 1000) };
        let (sent, received) = if is_lone_packet {
            // Of a single packet Zeek knows no payload until it ends; it leaves duration and bytes unset.
            ("-".to_owned(), "-".to_owned())
        } else {
            (flow.sent.to_string(), flow.received.unwrap_or(0).to_string())
        };
        let (least_out, least_in, overhead) = match (flow.protocol, flow.state) {
            ("udp", "S0") => (1, 0, 28),
            ("udp", _) => (1, 1, 28),
            (_, "S0") => (5, 0, 64),
            _ => (6, 5, 52),
        };
        let packets_out = packets(flow.sent, least_out);
        let packets_in = packets(flow.received.unwrap_or(0), least_in);
        let is_inside = matches!(self.remote(flow).0, IpAddr::V4(remote) if remote.octets().starts_with(&[10, 20]));
        let row = format!(
            "{}\t{}\t{}\t{}\t{}\t{duration}\t{sent}\t{received}\t{}\tT\t{}\t{}\t{}\t{packets_out}\t{}\t{packets_in}\t{}\t-\t{}",
            epoch_text(self.conditions.sensor_time(flow.start)),
            flow.uid(mac),
            self.ends(mac, flow),
            flow.protocol,
            flow.service,
            flow.state,
            if is_inside { "T" } else { "F" },
            flow.missed,
            flow.history,
            flow.sent + packets_out * overhead,
            flow.received.unwrap_or(0) + packets_in * overhead,
            if flow.protocol == "udp" { 17 } else { 6 },
        );
        add(&mut self.logs.connections, self.conditions.sensor_time(flow.end) + wait * SECOND, row)
    }

    /// Writes the handshake of a connection over TLS, `after` nanoseconds into it, and gives the number of its row or 0.
    pub(crate) fn tls(
        &mut self,
        mac: &Mac,
        flow: &Flow<'_>,
        server_name: &str,
        after: i64,
        alert: Option<&str>,
    ) -> u64 {
        if self.is_lost(mac, flow) {
            return 0;
        }
        let time = self.conditions.sensor_time(flow.start);
        let is_established = if alert.is_none() { "T" } else { "F" };
        let alert = alert.unwrap_or("-");
        let row = format!(
            "{}\t{}\t{}\tTLSv13\tTLS_AES_128_GCM_SHA256\tx25519\t{server_name}\tF\t{alert}\t-\t{is_established}\tCsiI\t-\t-\t-",
            epoch_text(time + after),
            flow.uid(mac),
            self.ends(mac, flow),
        );
        add(&mut self.logs.tls, time + 2 * after, row)
    }

    /// Writes a request over plain HTTP made at `time`; the row is written at the end of the connection. Gives its number
    /// or 0.
    pub(crate) fn plain_http(
        &mut self,
        mac: &Mac,
        flow: &Flow<'_>,
        host: &str,
        request: &PlainRequest<'_>,
        time: Moment,
    ) -> u64 {
        if self.is_lost(mac, flow) {
            return 0;
        }
        let (length, status, text) = match request.reply {
            Some((status, length)) => (length, status.to_string(), "OK"),
            None => (0, "-".to_owned(), "-"),
        };
        let mut row = format!(
            "{}\t{}\t{}\t1\t{}\t{host}\t{}\t-\t1.1\t{}\t-\t{}\t{length}\t{status}\t{text}\t-\t-\t(empty)",
            epoch_text(self.conditions.sensor_time(time)),
            flow.uid(mac),
            self.ends(mac, flow),
            request.method,
            request.uri,
            request.user_agent,
            request.sent_body,
        );
        let is_proxied = self.conditions.is_proxied(flow.port);
        row.push_str("\t-\t-\t");
        row.push_str(if is_proxied { "PROXY-CONNECTION -> keep-alive" } else { "-" });
        row.push_str(&"\t-".repeat(6));
        add(&mut self.logs.http, self.conditions.sensor_time(flow.end), row)
    }

    /// Notes the ends of a connection and the row by which its host knows the address.
    pub(crate) fn trace(&self, mac: &Mac, flow: &Flow<'_>, service: &Service, trace: &mut Trace) {
        let (remote, _) = self.remote(flow);
        let text = |(address, port)| SocketAddr::new(address, port).to_string();
        trace.opened = flow.start;
        trace.own_end = text(self.conditions.own_end(mac, flow.start, flow.local_port, remote));
        trace.seen_end = text(self.conditions.seen_end(mac, flow.start, flow.local_port, remote));
        let key = (mac.name.clone(), format!("{} {}", service.name, service.address));
        trace.note(Source::ZeekDns, self.resolved.get(&key).map_or(0, |(_, number)| *number));
    }

    /// Writes what the sensor lost, every quarter of an hour.
    pub(crate) fn tell_losses(&mut self, start: Moment, end: Moment) {
        let quarter = 900 * SECOND;
        let mut time = start + quarter;
        while time <= end {
            let shown = self.conditions.sensor_time(time);
            let seen = 4_000 + time / SECOND % 997;
            let is_lossy = self.lossy.iter().any(|(from, until)| *from < time && time - quarter < *until);
            let (gaps, percent) = if is_lossy { (seen / 3, "33.3") } else { (0, "0.0") };
            let row = format!("{}\t900.000000\tzeek\t{gaps}\t{seen}\t{percent}", epoch_text(shown));
            add(&mut self.logs.loss, shown, row);
            time += quarter;
        }
    }
}

impl Logs {
    /// Every file with its name.
    pub(crate) fn render(
        self,
        conditions: &Conditions,
        end: Moment,
        places: &mut Places,
    ) -> Vec<(&'static str, Vec<u8>)> {
        [
            ("capture_loss", LOSS_FIELDS, self.loss),
            ("conn", CONNECTION_FIELDS, self.connections),
            ("dns", NAME_FIELDS, self.names),
            ("http", HTTP_FIELDS, self.http),
            ("ssl", TLS_FIELDS, self.tls),
        ]
        .into_iter()
        .map(|(name, fields, rows)| (name, render(name, fields, rows, conditions, end, places)))
        .collect()
    }
}

fn render(
    name: &str,
    fields: &str,
    mut rows: Rows,
    conditions: &Conditions,
    end: Moment,
    places: &mut Places,
) -> Vec<u8> {
    rows.sort();
    let (mut field_names, mut types) = (String::new(), String::new());
    for (field, kind) in fields.split_whitespace().filter_map(|field| field.split_once(':')) {
        let _ = write!(field_names, "\t{field}");
        let _ = write!(types, "\t{kind}");
    }
    let header = format!(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{name}\n#open\t{}\n#fields{field_names}\n#types{types}\n",
        zeek_header_text(conditions.sensor_time(conditions.start)),
    );
    let last = rows.last().map_or(end, |(written, _, _)| (*written).max(end));
    let mut bytes = header.into_bytes();
    let file = network_path(name);
    places.write(&file, &mut bytes, conditions.arrange(&file, rows));
    bytes.extend_from_slice(format!("#close\t{}\n", zeek_header_text(last + SECOND)).as_bytes());
    bytes
}
