//! Logs of Zeek in its tab-separated form, sorted by when the sensor wrote each row.

use crate::{
    Moment,
    chance::Chance,
    clock::{MILLISECOND, SECOND, SENSOR_AHEAD, epoch_text, zeek_header_text},
    mac::Mac,
    names,
    network::{Network, RESOLVER, Service},
};
use std::{fmt::Write as _, net::Ipv4Addr};

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

/// Rows with the time at which the sensor writes them.
type Rows = Vec<(Moment, String)>;

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

    fn ends(&self, mac: &Mac) -> String {
        format!("{}\t{}\t{}\t{}", mac.address, self.local_port, self.address, self.port)
    }
}

fn packets(bytes: u64, least: u64) -> u64 {
    least + bytes / 1_380
}

impl Network {
    /// The host asks for the address of a service, unless it still remembers it. The answer is here after the time
    /// given back, in nanoseconds.
    pub(crate) fn resolve(&mut self, mac: &mut Mac, time: Moment, service: &Service, chance: &mut Chance) -> i64 {
        if service.is_bare_address {
            return 0;
        }
        let key = (mac.name.clone(), service.name.clone());
        if self.resolved.get(&key).is_some_and(|asked| time - asked < NAME_LIFETIME && time >= *asked) {
            return MILLISECOND;
        }
        self.resolved.insert(key, time);
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
        self.connection(mac, &flow);
        if mac.sensors.network {
            let row = format!(
                "{}\t{}\t{}\tudp\t{}\t0.{:06}\t{}\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t{}\t3600.000000\tF",
                epoch_text(flow.start + SENSOR_AHEAD),
                flow.uid(mac),
                flow.ends(mac),
                chance.whole(1, 65_535),
                took / 1000,
                service.name,
                service.address,
            );
            self.logs.names.push((flow.end + SENSOR_AHEAD, row));
        }
        took + MILLISECOND
    }

    /// Writes a connection.
    pub(crate) fn connection(&mut self, mac: &Mac, flow: &Flow<'_>) {
        if !mac.sensors.network {
            return;
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
        let row = format!(
            "{}\t{}\t{}\t{}\t{}\t{duration}\t{sent}\t{received}\t{}\tT\t{}\t{}\t{}\t{packets_out}\t{}\t{packets_in}\t{}\t-\t{}",
            epoch_text(flow.start + SENSOR_AHEAD),
            flow.uid(mac),
            flow.ends(mac),
            flow.protocol,
            flow.service,
            flow.state,
            if flow.address.octets().starts_with(&[10, 20]) { "T" } else { "F" },
            flow.missed,
            flow.history,
            flow.sent + packets_out * overhead,
            flow.received.unwrap_or(0) + packets_in * overhead,
            if flow.protocol == "udp" { 17 } else { 6 },
        );
        self.logs.connections.push((flow.end + SENSOR_AHEAD + wait * SECOND, row));
    }

    /// Writes the handshake of a connection over TLS, `after` nanoseconds into it.
    pub(crate) fn tls(&mut self, mac: &Mac, flow: &Flow<'_>, server_name: &str, after: i64) {
        if mac.sensors.network {
            let row = format!(
                "{}\t{}\t{}\tTLSv13\tTLS_AES_128_GCM_SHA256\tx25519\t{server_name}\tF\t-\t-\tT\tCsiI\t-\t-\t-",
                epoch_text(flow.start + SENSOR_AHEAD + after),
                flow.uid(mac),
                flow.ends(mac),
            );
            self.logs.tls.push((flow.start + SENSOR_AHEAD + 2 * after, row));
        }
    }

    /// Writes a request over plain HTTP made at `time`; the row is written at the end of the connection.
    pub(crate) fn plain_http(
        &mut self,
        mac: &Mac,
        flow: &Flow<'_>,
        host: &str,
        request: &PlainRequest<'_>,
        time: Moment,
    ) {
        if !mac.sensors.network {
            return;
        }
        let (length, status, text) = match request.reply {
            Some((status, length)) => (length, status.to_string(), "OK"),
            None => (0, "-".to_owned(), "-"),
        };
        let mut row = format!(
            "{}\t{}\t{}\t1\t{}\t{host}\t{}\t-\t1.1\t{}\t-\t{}\t{length}\t{status}\t{text}\t-\t-\t(empty)",
            epoch_text(time + SENSOR_AHEAD),
            flow.uid(mac),
            flow.ends(mac),
            request.method,
            request.uri,
            request.user_agent,
            request.sent_body,
        );
        row.push_str(&"\t-".repeat(9));
        self.logs.http.push((flow.end + SENSOR_AHEAD, row));
    }

    /// Writes what the sensor lost, which is nothing, every quarter of an hour.
    pub(crate) fn lose_nothing(&mut self, start: Moment, end: Moment) {
        let quarter = 900 * SECOND;
        let mut time = start + quarter;
        while time <= end {
            let row = format!(
                "{}\t900.000000\tzeek\t0\t{}\t0.0",
                epoch_text(time + SENSOR_AHEAD),
                4_000 + time / SECOND % 997
            );
            self.logs.loss.push((time + SENSOR_AHEAD, row));
            time += quarter;
        }
    }
}

impl Logs {
    /// Every file with its name.
    pub(crate) fn render(self, start: Moment, end: Moment) -> Vec<(&'static str, Vec<u8>)> {
        [
            ("capture_loss", LOSS_FIELDS, self.loss),
            ("conn", CONNECTION_FIELDS, self.connections),
            ("dns", NAME_FIELDS, self.names),
            ("http", HTTP_FIELDS, self.http),
            ("ssl", TLS_FIELDS, self.tls),
        ]
        .into_iter()
        .map(|(name, fields, rows)| (name, render(name, fields, rows, start, end)))
        .collect()
    }
}

fn render(name: &str, fields: &str, mut rows: Rows, start: Moment, end: Moment) -> Vec<u8> {
    rows.sort();
    let (mut field_names, mut types) = (String::new(), String::new());
    for (field, kind) in fields.split_whitespace().filter_map(|field| field.split_once(':')) {
        let _ = write!(field_names, "\t{field}");
        let _ = write!(types, "\t{kind}");
    }
    let mut text = format!(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{name}\n#open\t{}\n#fields{field_names}\n#types{types}\n",
        zeek_header_text(start + SENSOR_AHEAD),
    );
    for (_, row) in &rows {
        text.push_str(row);
        text.push('\n');
    }
    let last = rows.last().map_or(end, |(written, _)| (*written).max(end));
    let _ = writeln!(text, "#close\t{}", zeek_header_text(last + SECOND));
    text.into_bytes()
}
