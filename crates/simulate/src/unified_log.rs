//! The unified log, as `log show --style ndjson` prints it.

use crate::{
    Moment,
    clock::log_text,
    eslogger::ticks,
    mac::{Mac, Process},
    names,
    network::Service,
    programs::Program,
};
use serde_json::json;

/// Image that writes the lines of URL sessions.
const CFNETWORK: &str = "/System/Library/Frameworks/CFNetwork.framework/Versions/A/CFNetwork";
/// Image that writes the lines of connections.
const NETWORK: &str = "/usr/lib/libnetwork.dylib";

/// Stands for the number of a name request until all lines are in order of time.
const UNNUMBERED: &str = "[R?]";

/// One line.
pub(crate) struct Line {
    time: Moment,
    pid: u32,
    user: u32,
    image: String,
    image_uuid: String,
    sender: &'static str,
    subsystem: &'static str,
    category: &'static str,
    is_error: bool,
    format: &'static str,
    message: String,
    /// Its number among the records of the host.
    number: u64,
}

/// Who writes a line, and under which name.
#[derive(Clone, Copy)]
pub(crate) enum Voice {
    /// CFNetwork, about a task or connection.
    Task,
    /// CFNetwork, the sum of a task.
    Summary,
    /// Network.framework, about a connection.
    Connection,
    /// `nsurlsessiond`, about the task of a client.
    Background,
    /// The loader of Network.framework, about a task.
    Loader,
    /// The resolver.
    Resolver,
}

impl Voice {
    const fn native(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Task => (CFNETWORK, "com.apple.CFNetwork", "Default"),
            Self::Summary => (CFNETWORK, "com.apple.CFNetwork", "Summary"),
            Self::Connection => (NETWORK, "com.apple.network", "connection"),
            Self::Loader => (NETWORK, "com.apple.network", "loader"),
            Self::Background => ("/usr/libexec/nsurlsessiond", "com.apple.nsurlsessiond", "background"),
            Self::Resolver => ("/usr/sbin/mDNSResponder", "com.apple.mDNSResponder", "Default"),
        }
    }
}

impl Mac {
    /// Writes a line, where the log is exported, and gives its number or 0.
    pub(crate) fn log(
        &mut self,
        time: Moment,
        process: &Process,
        voice: Voice,
        format: &'static str,
        message: String,
    ) -> u64 {
        self.log_at(time, process, voice, format, message, false)
    }

    /// Writes a line of type Error, and gives its number or 0.
    pub(crate) fn log_error(&mut self, time: Moment, process: &Process, format: &'static str, message: String) -> u64 {
        self.log_at(time, process, Voice::Task, format, message, true)
    }

    fn log_at(
        &mut self,
        time: Moment,
        process: &Process,
        voice: Voice,
        format: &'static str,
        message: String,
        is_error: bool,
    ) -> u64 {
        if !self.sensors.unified_log {
            return 0;
        }
        let number = self.number_record();
        let (sender, subsystem, category) = voice.native();
        self.lines.push(Line {
            time,
            pid: process.token.pid,
            user: process.token.user,
            image: process.program.path.clone(),
            image_uuid: process.program.build_uuid(),
            sender,
            subsystem,
            category,
            is_error,
            format,
            message,
            number,
        });
        number
    }

    /// The resolver is asked for the name of a service by a process.
    pub(crate) fn log_name_request(&mut self, time: Moment, client: &Process, service: &Service) {
        if self.conditions.is_proxied(service.port) {
            return;
        }
        let name = service.name.as_str();
        let resolver =
            self.already_running(Program::platform("/usr/sbin/mDNSResponder", "com.apple.mDNSResponder"), 65);
        let mask = names::mask_hash(&["name", &self.name, name]);
        let client_name: String = client.program.name().chars().take(32).collect();
        let message = format!(
            "{UNNUMBERED} getaddrinfo start -- flags: 0xC000D000, ifindex: 0, protocols: 0, hostname: <mask.hash: '{mask}'>, \
             options: 0x8 {{use-failover}}, client pid: {} ({client_name})",
            client.token.pid,
        );
        self.log(
            time,
            &resolver,
            Voice::Resolver,
            "[R%u] getaddrinfo start -- flags: 0x%X, ifindex: %d, protocols: %u, hostname: %{sensitive, mask.hash}s, options: %{mdns:gaiopts}X, client pid: %d (%{public}s)",
            message,
        );
    }
}

/// The lines in order of time, without the last, which counts them.
pub(crate) fn render(mac: &mut Mac) -> Vec<(Moment, String, u64)> {
    let mut lines = std::mem::take(&mut mac.lines);
    lines.sort_by_key(|line| line.time);
    let boot = mac.boot_uuid();
    let mut records = Vec::with_capacity(lines.len());
    let mut name_requests = 0_u32;
    for line in &mut lines {
        if let Some(rest) = line.message.strip_prefix(UNNUMBERED) {
            name_requests += 1;
            line.message = format!("[R{name_requests}]{rest}");
        }
        let thread = names::number(1_000, 4_000_000, &[&mac.name, &line.pid.to_string()]);
        let record = json!({
            "timezoneName": "",
            "messageType": if line.is_error { "Error" } else { "Default" },
            "eventType": "logEvent",
            "source": null,
            "formatString": line.format,
            "userID": line.user,
            "activityIdentifier": 0,
            "parentActivityIdentifier": 0,
            "subsystem": line.subsystem,
            "category": line.category,
            "threadID": thread,
            "senderImageUUID": names::uuid(&["image", line.sender]),
            "senderImagePath": line.sender,
            "backtrace": { "frames": [] },
            "bootUUID": boot,
            "processImagePath": line.image,
            "processImageUUID": line.image_uuid,
            "processID": line.pid,
            "senderProgramCounter": names::number(4_096, 2_000_000, &[line.format]),
            "timestamp": log_text(line.time),
            "machTimestamp": ticks(mac, line.time),
            "traceID": names::hash(&["trace", line.format]),
            "eventMessage": line.message,
        });
        records.push((line.time, record.to_string(), line.number));
    }
    records
}

/// The last line of an export of so many lines: it says that the export is complete.
pub(crate) fn count_line(lines: usize) -> String {
    format!("{{\"count\":{lines},\"finished\":1}}")
}
