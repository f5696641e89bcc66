//! One request of a URL session, from the name to the close, in every log that sees a part of it.

use crate::{
    Moment,
    answers::{Answer, Sum},
    clock::{MILLISECOND, SECOND},
    disturbance::{PROXY, with_port},
    links::{Source, Trace},
    mac::Process,
    names,
    network::Service,
    programs::Signature,
    stage::Stage,
    unified_log::Voice,
    zeek::{Flow, PlainRequest},
};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// Body in bytes. `None` stands for a GET without one.
    pub(crate) body: Option<u64>,
    pub(crate) answer: Answer,
    /// Path of the URL, for plain HTTP.
    pub(crate) uri: &'a str,
    /// Whether the program has a network stack of its own: CFNetwork and Network.framework log nothing then.
    pub(crate) is_own_stack: bool,
    /// How long the connection of a delivered reply is kept open after it, in nanoseconds.
    pub(crate) lingers: i64,
}

impl<'a> Ask<'a> {
    pub(crate) const fn get(answer: Answer) -> Self {
        Self { body: None, answer, uri: "/", is_own_stack: false, lingers: 0 }
    }

    pub(crate) const fn post(body: u64, answer: Answer) -> Self {
        Self { body: Some(body), answer, uri: "/", is_own_stack: false, lingers: 0 }
    }

    pub(crate) const fn at(self, uri: &'a str) -> Self {
        Self { uri, ..self }
    }
}

/// When a request went how far.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// When the reply was in the hands of the program, or when it gave up.
    pub(crate) finished: Moment,
    /// When the connection was gone.
    pub(crate) closed: Moment,
    /// `Task <UUID>.<N>`, as the log names it.
    pub(crate) task: String,
}

/// One request under way: all that its lines repeat.
struct Flight<'r> {
    service: &'r Service,
    ask: Ask<'r>,
    task: String,
    connection: u32,
    /// `[C3 UUID host:443 tcp, url hash: …` without what follows it.
    label: String,
    connection_uuid: String,
    remote: String,
    port: u16,
    is_tls: bool,
    user_agent: Option<String>,
    lookup: i64,
    round_trip: i64,
    /// SYN, request, reply, on the clock of the Mac.
    opened: Moment,
    asked: Moment,
    replied: Moment,
    request_bytes: u64,
    /// Payload of both directions, handshake included.
    wire: (u64, u64),
    trace: Trace,
}

const RESUMING: &str =
    "Task <%{public,uuid_t}.16P>.<%lu> resuming, timeouts(%.1f, %.1f) qos(0x%x) voucher(%@) activity(%@)";
const MODERN_RESUMING: &str =
    "Task <%{public,uuid_t}.16P>.<%lu> resuming, timeouts(%.1f, %.1f), qos(0x%x), activity(%@)";
const SETTING_UP: &str = "Task <%{public,uuid_t}.16P>.<%lu> setting up Connection %llu";
const SENT: &str = "Task <%{public,uuid_t}.16P>.<%lu> sent request, body %c %llu";
const RECEIVED: &str = "Task <%{public,uuid_t}.16P>.<%lu> received response, status %d content %c";
const ENDED: &str = "Task <%{public,uuid_t}.16P>.<%lu> response ended";
const DONE: &str = "Task <%{public,uuid_t}.16P>.<%lu> done using Connection %llu";
const SUMMARY: &str = "Task <%{public,uuid_t}.16P>.<%lu> summary for %{public}s {transaction_duration_ms=%u, response_status=%ld, connection=%llu, protocol=\"%{public}@\", domain_lookup_duration_ms=%u, connect_duration_ms=%u, secure_connection_duration_ms=%u, private_relay=%{BOOL}d, request_start_ms=%u, request_duration_ms=%u, response_start_ms=%u, response_duration_ms=%u, request_bytes=%lld, request_throughput_kbps=%lld, response_bytes=%lld, response_throughput_kbps=%lld, cache_hit=%{BOOL}d}";
const FINISHED: &str = "Task <%{public,uuid_t}.16P>.<%lu> finished successfully";
const FAILED: &str =
    "Task <%{public,uuid_t}.16P>.<%lu> finished with error [%ld] Error Domain=%{public}@ Code=%ld UserInfo=%@";
const STARTED: &str = "[C%u %{public,uuid_t}.16P %{public}s %{public}s] start";
const CLOSED: &str = "[C%u %{public,uuid_t}.16P %{public}s %{public}@] cancelled\n\t[C%{public}s %{public,uuid_t}.16P %{public}s<->%{public}s]\n\tConnected Path: %{public}@\n\tDuration: %u.%03us, DNS @%u.%03us took %u.%03us, %{public}s\n\tbytes in/out: %llu/%llu, packets in/out: %llu/%llu, rtt: %u.%03us, retransmitted bytes: %llu, out-of-order bytes: %llu";

/// Seconds with three digits, as Network.framework writes them.
fn three_digits(nanoseconds: i64) -> String {
    format!("{}.{:03}s", nanoseconds / SECOND, nanoseconds % SECOND / MILLISECOND)
}

impl Stage<'_> {
    /// Makes one request of `process` at `time`, and gives what became of it.
    pub(crate) fn request(&mut self, process: &mut Process, service: &Service, ask: Ask<'_>, time: Moment) -> Course {
        let mut flight = self.prepare(process, service, ask, time);
        let is_logged = self.mac.sensors.unified_log;
        self.mac.sensors.unified_log &= !ask.is_own_stack;
        self.log_opening(process, &mut flight, time);
        let mut between = |from: f64, until: f64| (self.chance.between(from, until) * 1e6) as i64;
        let (finished, closed) = match ask.answer {
            Answer::Delivered(..) => {
                let finished = flight.replied + between(1.5, 6.0);
                (finished, finished + between(5.0, 40.0) + ask.lingers)
            }
            Answer::CancelledAtHeaders(..) => {
                let finished = flight.replied + between(0.6, 2.6);
                (finished, finished + between(1.0, 4.0))
            }
            other => other.times(time, flight.opened, flight.asked, flight.replied),
        };
        let course = Course { finished, closed, task: flight.task.clone() };
        self.log_answer(process, &mut flight, &course, time);
        if ask.answer.connects() && !ask.answer.dies() {
            self.log_close(process, &mut flight, &course, time);
        }
        self.mac.sensors.unified_log = is_logged;
        if ask.answer.connects() {
            if !service.is_bare_address {
                self.mac.log_name_request(time + 3 * MILLISECOND / 2, process, service);
            }
            self.write_flow(&mut flight, &course);
            self.network.traces.push(flight.trace);
        }
        course
    }

    fn prepare<'r>(&mut self, process: &mut Process, service: &'r Service, ask: Ask<'r>, time: Moment) -> Flight<'r> {
        process.connections += 1;
        process.tasks += 1;
        let number = process.connections;
        let identity =
            [process.program.path.as_str(), &process.token.pid.to_string(), &time.to_string(), &self.mac.name]
                .join("\n");
        let task = format!("Task <{}>.<{}>", names::uuid(&["task", &identity]), process.tasks);
        let connection_uuid = names::uuid(&["connection", &identity]);
        let is_tls = service.port == 443;
        let (lookup, port) = if ask.answer.connects() {
            let lookup = self.network.resolve(&mut self.mac, time + MILLISECOND, service, &mut self.chance);
            (lookup, self.mac.port(&mut self.chance))
        } else {
            (0, 0)
        };
        let (host, remote) = self.shown_remote(process, service);
        let security = if is_tls { ", tls" } else { "" };
        let round_trip = service.constant(9_000, 60_000, "round trip") as i64 * 1000;
        let opened = time + 2 * MILLISECOND + lookup;
        let asked = opened + round_trip * if is_tls { 2 } else { 1 } + 2 * MILLISECOND;
        let replied = asked + round_trip + (self.chance.between(4.0, 70.0) * 1e6) as i64;
        let (request_bytes, wire) = sizes(service, ask, self.network.resumes);
        let label = format!(
            "[C{number} {connection_uuid} {host}:{} tcp, url hash: {}{security}",
            service.port,
            masked(process, service, ask.uri)
        );
        Flight {
            service,
            ask,
            task,
            connection: number,
            label,
            connection_uuid,
            remote,
            port,
            is_tls,
            user_agent: process.program.user_agent.clone(),
            lookup,
            round_trip,
            opened,
            asked,
            replied,
            request_bytes,
            wire,
            trace: Trace::new(&self.mac.name, process, service),
        }
    }

    fn log_opening(&mut self, process: &Process, flight: &mut Flight<'_>, time: Moment) {
        let answer = flight.ask.answer;
        let timeout = if answer == Answer::Unreachable { "15.0" } else { "60.0" };
        if matches!(answer, Answer::ModernLoader(..)) {
            let message = format!(
                "{} resuming, timeouts({timeout}, 604800.0), qos(0x15), activity(00000000-0000-0000-0000-000000000000)",
                flight.task
            );
            self.log_task(time, process, flight, MODERN_RESUMING, message);
        } else {
            let message = format!(
                "{} resuming, timeouts({timeout}, 604800.0) qos(0x15) voucher((null)) activity(00000000-0000-0000-0000-000000000000)",
                flight.task
            );
            self.log_task(time, process, flight, RESUMING, message);
            if !answer.connects() {
                return;
            }
            let message = format!("{} setting up Connection {}", flight.task, flight.connection);
            self.log_task(time + MILLISECOND / 2, process, flight, SETTING_UP, message);
        }
        let session = names::uuid(&["session", &process.program.path, &process.token.pid.to_string()]);
        let privacy = if process.program.signature == Signature::Platform { "{1}" } else { "{2} (private)" };
        let message = format!(
            "{}, context: com.apple.CFNetwork.NSURLSession.{{{session}}}{{(null)}}{{Y}}{privacy}, proc: {}] start",
            flight.label,
            process.program.build_uuid(),
        );
        let line = self.mac.log(time + MILLISECOND, process, Voice::Connection, STARTED, message);
        flight.trace.note(Source::UnifiedLogConnection, line);
    }

    /// Writes a line about the task, in the voice of the loader that runs it.
    fn log_task(
        &mut self,
        time: Moment,
        process: &Process,
        flight: &mut Flight<'_>,
        format: &'static str,
        message: String,
    ) {
        let is_modern = matches!(flight.ask.answer, Answer::ModernLoader(..));
        let voice = if is_modern { Voice::Loader } else { Voice::Task };
        let line = self.mac.log(time, process, voice, format, message);
        flight.trace.note(Source::UnifiedLogTask, line);
    }

    fn log_answer(&mut self, process: &Process, flight: &mut Flight<'_>, course: &Course, time: Moment) {
        let task = flight.task.clone();
        let answer = flight.ask.answer;
        if matches!(answer, Answer::ModernLoader(..)) {
            let message = format!("{task} finished successfully");
            return self.log_task(course.finished, process, flight, FINISHED, message);
        }
        if answer.is_sent() {
            let body = flight.ask.body.map_or_else(|| "N 0".to_owned(), |bytes| format!("S {bytes}"));
            self.log_task(flight.asked, process, flight, SENT, format!("{task} sent request, body {body}"));
        }
        let (status, code) = (answer.told(), answer.code());
        if let Some(status) = status {
            let message = format!("{task} received response, status {status} content K");
            self.log_task(flight.replied, process, flight, RECEIVED, message);
        }
        if answer.ends() {
            let ended = flight.replied + (course.finished - flight.replied) / 2;
            self.log_task(ended, process, flight, ENDED, format!("{task} response ended"));
        }
        if answer.dies() {
            return;
        }
        if answer.connects() {
            let message = format!("{task} done using Connection {}", flight.connection);
            self.log_task(course.finished - MILLISECOND / 3, process, flight, DONE, message);
        }
        let summary = match answer.sum() {
            Sum::Missing => None,
            Sum::Short => Some(short_summary(flight, course, time)),
            sum => Some(summary(flight, course, time, status, sum == Sum::Success)),
        };
        if let Some(summary) = summary {
            let line = self.mac.log(course.finished - MILLISECOND / 5, process, Voice::Summary, SUMMARY, summary);
            flight.trace.note(Source::UnifiedLogTask, line);
        }
        self.log_end(process, flight, course.finished, code);
    }

    fn log_end(&mut self, process: &Process, flight: &mut Flight<'_>, time: Moment, code: Option<i64>) {
        let task = &flight.task;
        let line = match code {
            None => self.mac.log(time, process, Voice::Task, FINISHED, format!("{task} finished successfully")),
            Some(code) => {
                let message = format!(
                    "{task} finished with error [{code}] Error Domain=NSURLErrorDomain Code={code} UserInfo={{NSErrorFailingURLStringKey=<private>, \
                     NSErrorFailingURLKey=<private>, NSLocalizedDescription=<private>}}"
                );
                if code == -999 {
                    self.mac.log(time, process, Voice::Task, FAILED, message)
                } else {
                    self.mac.log_error(time, process, FAILED, message)
                }
            }
        };
        flight.trace.note(Source::UnifiedLogTask, line);
    }

    fn log_close(&mut self, process: &Process, flight: &mut Flight<'_>, course: &Course, time: Moment) {
        let (sent, received) = flight.wire;
        let flow = flight.flow(course);
        let (remote, _) = self.network.remote(&flow);
        let (own, port) = self.network.conditions.own_end(&self.mac, flow.start, flight.port, remote);
        let family = if own.is_ipv6() { "ipv6" } else { "ipv4" };
        let path = format!("satisfied (Path is satisfied), viable, interface: en0, {family}, dns, uses wifi");
        let connect = if matches!(flight.ask.answer, Answer::Unreachable) {
            three_digits(course.closed - flight.opened)
        } else {
            three_digits(flight.round_trip)
        };
        let security = if flight.is_tls && flight.ask.answer.is_sent() {
            format!(", TLS 1.3 took {}", three_digits(flight.round_trip))
        } else {
            String::new()
        };
        let lookup = if flight.service.is_bare_address {
            String::new()
        } else {
            format!(" DNS @0.001s took {},", three_digits(flight.lookup))
        };
        let message = format!(
            "{}] cancelled\n\t[C{}.1 {} {}<->{}]\n\tConnected Path: {path}\n\tDuration: {},{lookup} TCP @{} took {connect}{security}\n\t\
             bytes in/out: {received}/{sent}, packets in/out: {}/{}, rtt: {}, retransmitted bytes: 0, out-of-order bytes: 0",
            flight.label,
            flight.connection,
            flight.connection_uuid,
            with_port(own, port),
            flight.remote,
            three_digits(course.closed - time),
            three_digits(flight.opened - time),
            if received > 0 || sent > 0 { 3 + received / 1380 } else { 0 },
            5 + sent / 1380,
            three_digits(if sent > 0 { flight.round_trip } else { 0 }),
        );
        let line = self.mac.log(course.closed, process, Voice::Connection, CLOSED, message);
        flight.trace.note(Source::UnifiedLogConnection, line);
    }

    fn write_flow(&mut self, flight: &mut Flight<'_>, course: &Course) {
        let service = flight.service;
        let is_damaged = self.damaged.as_deref() == Some(service.name.as_str());
        let mut flow = flight.flow(course);
        let history = if is_damaged { flow.history.replace("Ff", "gFf") } else { flow.history.to_owned() };
        flow.history = &history;
        flow.missed = if is_damaged { 1_448 } else { 0 };
        self.network.trace(&self.mac, &flow, service, &mut flight.trace);
        let flow = self.network.through_proxy(&self.mac, flow, &service.name, &mut flight.trace);
        flight.trace.note(Source::ZeekConn, self.network.connection(&self.mac, &flow));
        if !flight.ask.answer.is_open() {
            return;
        }
        if flight.is_tls {
            let alert = (flight.ask.answer == Answer::HandshakeFailed).then_some("unknown_ca");
            let row = self.network.tls(&self.mac, &flow, &service.name, 3 * flight.round_trip / 2, alert);
            flight.trace.note(Source::ZeekSsl, row);
            return;
        }
        let reply = flight.ask.answer.reply();
        let whole = self.network.conditions.is_proxied(service.port);
        let uri = if whole { format!("http://{}{}", service.name, flight.ask.uri) } else { flight.ask.uri.to_owned() };
        let request = PlainRequest {
            method: if flight.ask.body.is_some() { "POST" } else { "GET" },
            uri: &uri,
            user_agent: flight.user_agent.as_deref().unwrap_or("CFNetwork/3860.100.1 Darwin/25.0.0"),
            sent_body: flight.ask.body.unwrap_or(0),
            reply,
        };
        let row = self.network.plain_http(&self.mac, &flow, &service.name, &request, flight.asked);
        flight.trace.note(Source::ZeekHttp, row);
    }

    /// Host, and address with port, as the log shows them: in clear for programs of Apple only.
    fn shown_remote(&self, process: &Process, service: &Service) -> (String, String) {
        let Service { name, port, is_bare_address, .. } = service;
        let conditions = &self.network.conditions;
        let is_proxied = conditions.is_proxied(*port);
        let (address, far_port) = if is_proxied {
            (PROXY.0.into(), PROXY.1)
        } else {
            (conditions.remote(service.address, *is_bare_address), *port)
        };
        if process.program.signature == Signature::Platform {
            return (name.clone(), with_port(address, far_port));
        }
        let (family, mark) = if address.is_ipv6() { ("IPv6", '.') } else { ("IPv4", ':') };
        let far = if is_proxied { "proxy" } else { "address" };
        let host = if *is_bare_address {
            masked_address(process, service)
        } else {
            format!("Hostname#{}", masked(process, service, "host"))
        };
        (host, format!("{family}#{}{mark}{far_port}", masked(process, service, far)))
    }
}

impl Flight<'_> {
    /// The connection, as a sensor that misses nothing sees it.
    fn flow(&self, course: &Course) -> Flow<'static> {
        let (protocol_name, state, history) = self.ask.answer.zeek(self.is_tls);
        let lingers = if self.ask.answer.is_open() { self.round_trip } else { 0 };
        Flow {
            start: self.opened,
            end: course.closed + lingers,
            local_port: self.port,
            address: self.service.address,
            port: self.service.port,
            protocol: "tcp",
            service: protocol_name,
            sent: self.wire.0,
            received: Some(self.wire.1),
            state,
            history,
            missed: 0,
        }
    }
}

/// What stands in the log for an address that was asked without a name.
pub(crate) fn masked_address(process: &Process, service: &Service) -> String {
    format!("IPv4#{}", masked(process, service, "address"))
}

/// The hash that stands for a host, address or URL. It holds only within one process.
fn masked(process: &Process, service: &Service, what: &str) -> String {
    let owner = format!("{}.{}", process.token.pid, process.token.version);
    format!("{:08x}", names::hash(&[what, &owner, &service.name]) & 0xffff_ffff)
}

/// Bytes of the request, and the payload of both directions with the handshake of TLS.
fn sizes(service: &Service, ask: Ask<'_>, resumes: bool) -> (u64, (u64, u64)) {
    let request = service.constant(140, 260, "request headers") + ask.body.unwrap_or(0);
    let (client, server, frame) = if service.port == 443 {
        let (client, server) = service.handshake(resumes);
        (client, server, 31)
    } else {
        (0, 0, 0)
    };
    let sent = client + request + frame;
    match ask.answer {
        Answer::Delivered(_, body) | Answer::Broken(_, body) | Answer::ModernLoader(_, body) => {
            (request, (sent, server + response_bytes(service, body) + frame))
        }
        // The rest of the body is on its way while the program hangs up.
        Answer::CancelledAtHeaders(_, body) | Answer::DiedAtHeaders(_, body) => {
            (request, (sent, server + response_bytes(service, body.min(1_200)) + frame))
        }
        Answer::Upgraded(out, back) => (request, (sent + out, server + response_bytes(service, 0) + back + frame)),
        Answer::Silence | Answer::CancelledOnSend | Answer::CancelledBeforeSend | Answer::DiedWaiting => {
            (request, (sent, server))
        }
        Answer::HandshakeFailed => (0, (client, server)),
        Answer::Unreachable | Answer::Refused | Answer::Cached(_) | Answer::NeverSent(_) => (0, (0, 0)),
    }
}

/// Headers and body of a reply, in bytes.
fn response_bytes(service: &Service, body: u64) -> u64 {
    service.constant(150, 420, "response headers") + body
}

/// The line that sums a task up.
fn summary(flight: &Flight<'_>, course: &Course, time: Moment, status: Option<u16>, is_success: bool) -> String {
    let milliseconds = |nanoseconds: i64| nanoseconds / MILLISECOND;
    let word = if is_success { "success" } else { "failure" };
    let received = match flight.ask.answer {
        Answer::CancelledAtHeaders(_, body) => response_bytes(flight.service, body.min(1_200)),
        other => other.reply().map_or(0, |(_, body)| response_bytes(flight.service, body)),
    };
    let is_open = flight.ask.answer.is_open();
    let round_trip = if is_open { milliseconds(flight.round_trip) } else { 0 };
    format!(
        "{} summary for task {word} {{transaction_duration_ms={}, response_status={}, connection={}, protocol=\"{}\", \
         domain_lookup_duration_ms={}, connect_duration_ms={}, secure_connection_duration_ms={}, private_relay=false, \
         request_start_ms={}, request_duration_ms=0, response_start_ms={}, response_duration_ms={}, request_bytes={}, \
         request_throughput_kbps={}, response_bytes={received}, response_throughput_kbps={}, cache_hit=false}}",
        flight.task,
        milliseconds(course.finished - time),
        status.map_or(-1, i32::from),
        flight.connection,
        match (is_open, flight.is_tls) {
            (false, _) => "(null)",
            (true, true) => "h2",
            (true, false) => "http/1.1",
        },
        milliseconds(flight.lookup),
        if flight.is_tls { 2 * round_trip } else { round_trip },
        if flight.is_tls { round_trip } else { 0 },
        if is_open { milliseconds(flight.asked - time) } else { 0 },
        if status.is_some() { milliseconds(flight.replied - time) } else { 0 },
        if is_success { milliseconds(course.finished - flight.replied) } else { 0 },
        flight.request_bytes,
        flight.request_bytes * 8 / 3,
        received * 8 / 5,
    )
}

/// The line that sums a task up for which no connection was used.
fn short_summary(flight: &Flight<'_>, course: &Course, time: Moment) -> String {
    let (word, status, is_cached) = match flight.ask.answer {
        Answer::Cached(status) => ("success", i32::from(status), true),
        _ => ("failure", -1, false),
    };
    let duration = (course.finished - time) / MILLISECOND;
    format!(
        "{} summary for task {word} {{transaction_duration_ms={duration}, response_status={status}, cache_hit={is_cached}}}",
        flight.task
    )
}
