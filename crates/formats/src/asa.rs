//! Cisco ASA by syslog (and FTD, which writes the same messages): connections built (302013, 302015) and torn down
//! (302014, 302016).
//!
//! Who began a connection stands in the first message alone, so both are joined by the connection's number on its device.
//! The last message has the sum of bytes of both directions: none of them proves a reply, and only a sum of 0 is a count
//! of each. The far end of the two interfaces stands first, whichever side began it. The device prints its own time
//! without a zone, and a relay's header has not even a year. Rules that let a packet pass (106100) tell the same
//! connection again.
//! Layout: "Cisco Secure Firewall ASA Series Syslog Messages", messages 302013 to 302016, 302303, 302304 and 106100.

use crate::{
    Format, Head, Input, Records, Refusal, Vantage,
    endpoint::stamps,
    rows::{Row, RowReader, Rows},
    zone::Zone,
};
use jiff::civil::{Date, DateTime, Time};
use monologue_model::{
    ByteCount, ByteLayer, Detail, Flow, FlowReply, RecordPhase, Sight, SightSet, Timestamp, Transport,
};
use std::{collections::HashMap, net::IpAddr, net::SocketAddr, sync::Arc};

/// Lines of the head that are looked at.
const LINES_LOOKED_AT: usize = 20;

/// Connections remembered until they end; when there are more, all are let go, and who began them is then guessed by
/// their ports.
const OPEN_CAP: usize = 500_000;

/// Seconds by which the two messages of one connection may disagree on its beginning: each is cut to whole seconds.
const START_SLACK_NS: i64 = 5_000_000_000;

/// How messages name the program that wrote them.
const MARKS: [&str; 3] = ["%ASA-", "%FTD-", "%PIX-"];

/// Who ended a connection is told of each; what came back is not.
const SIGHTS: SightSet = SightSet::of(&[Sight::FlowTeardown]);

/// Cisco ASA.
pub(crate) static CISCO_ASA: Asa = Asa;

/// Cisco ASA.
pub(crate) struct Asa;

impl Format for Asa {
    fn name(&self) -> &'static str {
        "cisco-asa"
    }

    fn about(&self) -> &'static str {
        "Cisco ASA and FTD connection messages (302013 to 302016) by syslog: who began and ended it, one sum of bytes"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let lines = head.lines().filter(|line| !line.trim_ascii().is_empty()).take(LINES_LOOKED_AT);
        for line in lines {
            if Message::find(&String::from_utf8_lossy(line)).is_some() {
                return Ok(());
            }
        }
        Err(Refusal("expected a message such as %ASA-6-302014: in the first lines".to_owned()))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        let reader = Reader { open: HashMap::new(), clock: Clock::new(&input) };
        Box::new(Rows::new(input, self.name(), SIGHTS, reader))
    }
}

/// One message: what stands before it, its number and its text.
struct Message<'a> {
    header: &'a str,
    number: &'a str,
    text: &'a str,
}

impl<'a> Message<'a> {
    /// `%ASA-6-302014: text`. `None`: the line holds no such message.
    fn find(line: &'a str) -> Option<Self> {
        let at = MARKS.iter().find_map(|mark| line.find(mark))?;
        let (header, rest) = line.split_at_checked(at)?;
        // Behind the mark: severity, number. Some classes stand before the severity (`%ASA-session-6-302013`).
        let (name, text) = rest.split_once(": ")?;
        let number = name.rsplit('-').next()?;
        let is_number = number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self { header, number, text })
    }
}

/// A connection that was begun.
struct Begun {
    time: Timestamp,
    ends: [SocketAddr; 2],
    /// The first of both ends began it.
    by_first: bool,
}

struct Reader {
    /// By device and number.
    open: HashMap<(Arc<str>, u64), Begun>,
    clock: Clock,
}

impl RowReader for Reader {
    fn row(&mut self, line: &[u8]) -> Result<Row, String> {
        let line = String::from_utf8_lossy(line);
        let Some(message) = Message::find(&line) else { return Ok(Row::Skipped("a line of another program")) };
        match message.number {
            "302013" | "302015" | "302303" => self.begun(&message),
            "302014" | "302016" | "302304" => self.ended(&message),
            "302020" | "302021" => Ok(Row::Skipped("ICMP")),
            // One more message of a connection that has its own, or of packets that were let pass or stopped.
            "106100" | "106102" if message.text.contains(" permitted ") || message.text.contains(" est-allowed ") => {
                Ok(Row::Skipped("a rule that let a connection pass: the connection has messages of its own"))
            }
            "106100" | "106102" | "106001" | "106006" | "106007" | "106010" | "106014" | "106015" | "106021"
            | "106023" => Ok(Row::Skipped("a packet that the firewall refused")),
            _ => Ok(Row::Skipped("a message of another kind")),
        }
    }
}

impl Reader {
    fn begun(&mut self, message: &Message<'_>) -> Result<Row, String> {
        let rest = message.text.strip_prefix("Built ").ok_or("expected `Built`")?;
        let (direction, rest) = rest.split_once(' ').ok_or("expected `inbound` or `outbound`")?;
        let by_first = match direction {
            "inbound" => true,
            "outbound" => false,
            _ => return Err("expected `inbound` or `outbound` after `Built`".to_owned()),
        };
        let named = Named::read(rest)?;
        let (time, device) = self.clock.read(message.header)?;
        if self.open.len() >= OPEN_CAP {
            self.open.clear();
        }
        let begun = Begun { time, ends: named.ends.map(|end| end.socket), by_first };
        self.open.insert((device, named.number), begun);
        Ok(Row::Skipped("the start of a connection: its end tells what became of it"))
    }

    fn ended(&mut self, message: &Message<'_>) -> Result<Row, String> {
        let rest = message.text.strip_prefix("Teardown ").ok_or("expected `Teardown`")?;
        let named = Named::read(rest)?;
        let outcome = Outcome::read(named.rest)?;
        let (end, device) = self.clock.read(message.header)?;
        let by_duration = end.saturating_add(-outcome.duration_ns);
        let sockets = named.ends.map(|end| end.socket);
        let begun = self.open.remove(&(Arc::clone(&device), named.number)).filter(|begun| begun.ends == sockets);
        let time = begun.as_ref().map(|begun| begun.time);
        let time = time.filter(|time| time.since(by_duration).abs() <= START_SLACK_NS).unwrap_or(by_duration);
        // Where nobody told, the side with the lower port serves.
        let [first, second] = sockets;
        let by_first = begun.map_or(first.port() > second.port(), |begun| begun.by_first);
        let uid = format!("{device}/{}/{}/{}", named.number, first.port(), second.port());
        let flow = flow(&named, &outcome, by_first, uid);
        Ok(Row::Event { time, written: end, host: None, detail: Detail::Flow(Box::new(flow)) })
    }
}

/// The connection of its last message.
fn flow(named: &Named<'_>, outcome: &Outcome<'_>, by_first: bool, uid: String) -> Flow {
    let [first, second] = &named.ends;
    let (client, server) = if by_first { (first, second) } else { (second, first) };
    let (state, reply) = outcome.judge(named, by_first);
    // A sum of both directions is a count of either only where it is 0.
    let silent = outcome.bytes == 0 && reply != FlowReply::Unknown;
    let count = || match silent {
        true => ByteCount::measured(0, ByteLayer::Payload),
        false => ByteCount::absent(ByteLayer::Payload),
    };
    let is_tls = server.socket.port() == 443;
    Flow {
        uid: Some(uid.into()),
        originator: client.socket,
        responder: server.socket,
        transport: named.transport,
        services: is_tls.then(|| "ssl".into()).into_iter().collect(),
        duration_ns: Some(outcome.duration_ns),
        sent: count(),
        received: count(),
        sent_packets: None,
        received_packets: None,
        reply,
        continuation: false,
        unanswered_attempt: silent && outcome.reason == "SYN Timeout",
        local_originator: None,
        local_responder: None,
        state: state.map(Into::into),
        history: None,
        phase: RecordPhase::End,
    }
}

/// One end of a connection: `outside:192.0.2.1/443`.
#[derive(Clone, Copy)]
struct End<'a> {
    interface: &'a str,
    socket: SocketAddr,
}

impl<'a> End<'a> {
    /// The end with which a text begins, and what follows it: mapped address and user in parentheses are passed over.
    fn read(text: &'a str) -> Result<(Self, &'a str), String> {
        let wrong = || format!("expected interface:address/port, found {:?}", shown(text));
        let (interface, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (address, rest) = rest.split_once('/').ok_or_else(wrong)?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (port, mut rest) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let ip: IpAddr = address.parse().map_err(|_| {
            let name = shown(address);
            format!("expected an address, found {name:?}; hint: the device prints names with `names`, turn that off")
        })?;
        let socket = SocketAddr::new(ip, port.parse().map_err(|_| wrong())?);
        while let Some(inside) = rest.trim_start().strip_prefix('(') {
            rest = inside.split_once(')').ok_or_else(wrong)?.1;
        }
        Ok((Self { interface, socket }, rest.trim_start()))
    }
}

/// What both messages of a connection begin with: `TCP connection 9 for outside:… to inside:…`.
struct Named<'a> {
    transport: Transport,
    /// A connection of which the device does not look at all packets.
    bypassed: bool,
    number: u64,
    ends: [End<'a>; 2],
    rest: &'a str,
}

impl<'a> Named<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let (protocol, rest) = text.split_once(" connection ").ok_or("expected `connection` with its number")?;
        let (transport, bypassed) = match protocol {
            "TCP" => (Transport::Tcp, false),
            "TCP state-bypass" => (Transport::Tcp, true),
            "UDP" => (Transport::Udp, false),
            other => return Err(format!("expected TCP or UDP, found {:?}", shown(other))),
        };
        let (number, rest) = rest.split_once(" for ").ok_or("expected `for` and two ends")?;
        let number = number.trim().parse().map_err(|_| "expected the number of the connection".to_owned())?;
        let (first, rest) = End::read(rest)?;
        let (second, rest) = End::read(rest.strip_prefix("to ").ok_or("expected `to` between two ends")?)?;
        Ok(Self { transport, bypassed, number, ends: [first, second], rest })
    }
}

/// What a last message says besides: `duration 0:00:30 bytes 0 SYN Timeout from inside`.
struct Outcome<'a> {
    duration_ns: i64,
    bytes: u64,
    reason: &'a str,
    /// The interface on whose side it was ended, where the device tells.
    ended_by: Option<&'a str>,
}

impl<'a> Outcome<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let rest = text.strip_prefix("duration ").ok_or("expected `duration`")?;
        let (duration, rest) = rest.split_once(" bytes ").ok_or("expected `bytes`")?;
        let (bytes, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        // A user in parentheses may end the line.
        let reason = rest.split('(').next().unwrap_or_default().trim();
        let (reason, ended_by) = match reason.split_once(" from ") {
            Some((reason, interface)) => (reason, Some(interface.trim())),
            None => (reason, None),
        };
        let duration_ns = clock(duration).ok_or("expected a duration such as 0:00:30")?;
        let bytes = bytes.trim().parse().map_err(|_| "expected a number of bytes".to_owned())?;
        Ok(Self { duration_ns, bytes, reason, ended_by })
    }

    /// How it ended, in the words that Zeek has for it, and what that states about the other side. A reset is that of the
    /// inner (`-I`) or outer (`-O`) side; the inner one begins outbound connections.
    fn judge(&self, named: &Named<'_>, by_first: bool) -> (Option<&'static str>, FlowReply) {
        if named.transport != Transport::Tcp || named.bypassed {
            return (None, FlowReply::Unknown);
        }
        let [first, second] = &named.ends;
        let client = if by_first { first } else { second };
        let by_client = self.ended_by.filter(|_| first.interface != second.interface);
        let by_client = by_client.map(|interface| interface == client.interface);
        let nothing = if self.bytes == 0 { FlowReply::NothingIfTwoSided } else { FlowReply::Unknown };
        match self.reason {
            // The device had an answer to the opening, or it would know of no orderly end.
            "TCP FINs" => {
                let reply = if self.bytes == 0 { FlowReply::NoPayload } else { FlowReply::Unknown };
                (Some("SF"), reply)
            }
            "SYN Timeout" if self.bytes == 0 => (Some("S0"), nothing),
            "TCP Reset-I" | "TCP Reset-O" => {
                let inner_is_client = !by_first;
                let by_client = by_client.unwrap_or(self.reason.ends_with("-I") == inner_is_client);
                (Some(if by_client { "RSTO" } else { "RSTR" }), nothing)
            }
            _ => (None, FlowReply::Unknown),
        }
    }
}

/// `H:MM:SS` as nanoseconds.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
    parts.next().is_none().then_some(seconds)?.checked_mul(1_000_000_000)
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads the header of messages: when, and of which device.
struct Clock {
    zone: Zone,
    /// The day in the file's name, from which times without a year take theirs.
    named: Option<Date>,
}

/// One time of a header.
enum Stamp {
    /// It names its zone.
    Zoned(Timestamp),
    /// It has a year.
    Dated(DateTime),
    /// It has a day and no year.
    Yearless(DateTime),
}

impl Clock {
    fn new(input: &Input<'_>) -> Self {
        let named = stamps::date_in_name(&input.source).and_then(|date| date.parse().ok());
        Self { zone: input.zone.clone(), named }
    }

    /// The time of a message and the name of its device, empty where the header has none. A relay puts its own time before
    /// that of the device; of both, the one that needs the least guessing counts.
    fn read(&self, header: &str) -> Result<(Timestamp, Arc<str>), String> {
        let header = match header.strip_prefix('<').and_then(|inside| inside.split_once('>')) {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
            _ => header,
        };
        let words: Vec<&str> = header.split_whitespace().map(|word| word.trim_matches(':')).collect();
        let mut stamps: Vec<Stamp> = Vec::new();
        let mut device = "";
        let mut at = 0;
        while let Some(word) = words.get(at) {
            match stamp(words.get(at..).unwrap_or_default()) {
                Some((stamp, taken)) => {
                    stamps.push(stamp);
                    at += taken;
                }
                None => {
                    if device.is_empty() && !stamps.is_empty() && !matches!(*word, "" | "-") {
                        device = word;
                    }
                    at += 1;
                }
            }
        }
        let zoned = stamps.iter().rev().find_map(|stamp| match stamp {
            Stamp::Zoned(time) => Some(*time),
            _ => None,
        });
        let dated = || {
            stamps.iter().rev().find_map(|stamp| match stamp {
                Stamp::Dated(local) => self.zone.moment(*local),
                _ => None,
            })
        };
        let yearless = || {
            stamps.iter().rev().find_map(|stamp| match stamp {
                Stamp::Yearless(local) => self.zone.moment(nearest(*local, self.named?)?),
                _ => None,
            })
        };
        let time = zoned.or_else(dated).or_else(yearless).ok_or(
            "expected a time with a year before the message; hint: `logging timestamp` on the device, or a file named like asa-2026-11-25.log",
        )?;
        Ok((time, device.into()))
    }
}

/// The time with which words begin, and how many they are.
fn stamp(words: &[&str]) -> Option<(Stamp, usize)> {
    let first = words.first()?;
    if first.len() > 18 && first.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        let zoned = Timestamp::parse(first).ok().map(Stamp::Zoned);
        let stamp = zoned.or_else(|| first.parse::<DateTime>().ok().map(Stamp::Dated))?;
        return Some((stamp, 1));
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|month| month == first)? as i8 + 1;
    let day: i8 = words.get(1)?.parse().ok()?;
    let year = words.get(2).filter(|word| word.len() == 4).and_then(|word| word.parse::<i16>().ok());
    let used = if year.is_some() { 4 } else { 3 };
    let time: Time = words.get(used - 1)?.parse().ok()?;
    // A leap year, so that no day is missing.
    let local = Date::new(year.unwrap_or(2024), month, day).ok()?.to_datetime(time);
    if year.is_none() {
        return Some((Stamp::Yearless(local), used));
    }
    // Of names of zones, only this one means the same everywhere.
    if words.get(used).is_some_and(|word| matches!(*word, "UTC" | "GMT")) {
        return Some((Stamp::Zoned(Zone::known(jiff::tz::TimeZone::UTC).moment(local)?), used + 1));
    }
    Some((Stamp::Dated(local), used))
}

/// The time in the year that brings it nearest to a day: a file of New Year's Day may begin in the old year.
fn nearest(local: DateTime, day: Date) -> Option<DateTime> {
    let noon = day.at(12, 0, 0, 0);
    let years = [day.year() - 1, day.year(), day.year().checked_add(1)?];
    let times = years.into_iter().filter_map(|year| local.with().year(year).build().ok());
    times.min_by_key(|time| time.duration_since(noon).abs())
}

#[cfg(test)]
mod tests;
