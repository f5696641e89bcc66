//! `nettop -L`: looks at the sockets of every program, as comma-separated values, one frame after the other.
//!
//! Each frame begins with its header. A program's row (`Name.pid`) is followed by those of its connections
//! (`tcp4 near:port<->far:port`). Names are cut, and may hold dots: the pid stands after the last. Bytes count from the
//! socket's beginning, or with `-d` from the frame before, which the output does not tell: a part. Rows have a time of day
//! and neither date nor zone: the date comes from the file's name, and the zone is the user's.

use crate::{
    Input,
    endpoint::{
        Contact, Place, Said, contact,
        rows::{self, RowFormat, RowSensor},
        stamps,
    },
    texts::Texts,
    zone::Zone,
};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use monologue_model::{ByteCount, ByteLayer, ProcessImage, ProcessKey, Sight, SightSet, Timestamp};
use std::net::SocketAddr;

/// `nettop -L`.
pub(crate) const NETTOP: RowFormat = RowFormat {
    name: "nettop",
    about: "nettop -L (CSV): looks at the sockets of every program, with bytes; date from the file's name: presence only",
    sights: SightSet::of(&[Sight::FlowBytes, Sight::FlowReply]),
    lacks,
    sensor: |input| Box::new(Nettop::new(input)),
};

fn lacks(line: &str) -> Option<String> {
    (!is_header(line))
        .then(|| "the first line is not the header of nettop (time,,interface,state,bytes_in,…)".to_owned())
}

fn is_header(line: &str) -> bool {
    line.starts_with("time,,") && line.contains(",bytes_in,") && line.contains(",bytes_out,")
}

struct Nettop {
    zone: Zone,
    /// The day of the rows.
    date: Option<Date>,
    columns: Vec<String>,
    process: Option<ProcessImage>,
    last: Option<DateTime>,
}

impl Nettop {
    fn new(input: &Input<'_>) -> Self {
        let date = stamps::date_in_name(&input.source).and_then(|date| date.parse().ok());
        Self { zone: input.zone.clone(), date, columns: Vec::new(), process: None, last: None }
    }

    /// The moment of a row. A clock that goes back by half a day has passed midnight.
    fn moment(&mut self, clock: &str) -> Result<Timestamp, String> {
        let date = self.date.ok_or(
            "expected a date in the name of the file; hint: name it like nettop-2026-11-24.csv, nettop prints none",
        )?;
        let clock: Time =
            clock.parse().map_err(|_| format!("expected a time of day such as 08:00:00, found {clock:?}"))?;
        let mut local = date.to_datetime(clock);
        if self.last.is_some_and(|last| last.duration_since(local).as_hours() >= 12) {
            let next = date.saturating_add(1.day());
            self.date = Some(next);
            local = next.to_datetime(clock);
        }
        self.last = Some(local);
        self.zone.moment(local).ok_or_else(|| "expected a moment that can be represented".to_owned())
    }
}

impl RowSensor for Nettop {
    fn line(&mut self, line: &str, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let fields = rows::comma_separated(line).ok_or("expected comma-separated values with closed quotes")?;
        if is_header(line) {
            self.columns = fields;
            return Ok(Said::Skipped("header line"));
        }
        let value = |name: &str| {
            let at = self.columns.iter().position(|column| column == name)?;
            fields.get(at).map(String::as_str).filter(|value| !value.is_empty())
        };
        let (clock, what) = match (fields.first(), fields.get(1)) {
            (Some(clock), Some(what)) if !what.is_empty() => (clock.clone(), what.clone()),
            _ => return Err("expected a time and the name of a program or connection".to_owned()),
        };
        let counts =
            [value("bytes_in"), value("bytes_out")].map(|bytes| bytes.and_then(|bytes| bytes.parse::<u64>().ok()));
        let state = value("state").map(str::to_owned);
        let Some((transport, near, far)) = ends(&what) else {
            let (name, pid) = what.rsplit_once('.').ok_or("expected a program as name.pid")?;
            let pid = pid.parse().map_err(|_| "expected a process number after the last dot".to_owned())?;
            // The name is cut to some fifteen letters: it is no path, and no other name is like it.
            let _ = name;
            self.process = Some(ProcessImage { key: ProcessKey::from_pid(pid, None), ..ProcessImage::default() });
            return Ok(Said::Skipped("sum over a program's connections"));
        };
        if state.is_some_and(|state| state.eq_ignore_ascii_case("listen")) {
            return Ok(Said::Skipped("socket that waits for others"));
        }
        let time = self.moment(&clock)?;
        let process = self.process.clone().ok_or("expected a program's row before that of its connection")?;
        let Some(far) = far else { return Ok(Said::Skipped("socket without a far end")) };
        let count = |bytes: Option<u64>| {
            bytes.map_or_else(
                || ByteCount::absent(ByteLayer::Payload),
                |bytes| ByteCount::partial(bytes, ByteLayer::Payload),
            )
        };
        let pid = process.key.pid.unwrap_or(0).to_string();
        let number = contact::number_of(&[&pid, &what]);
        let [received, sent] = counts;
        let found = Contact {
            far: contact::endpoint("", &far.ip().to_string(), Some(far.port())),
            local: near,
            transport: contact::transport(Some(&transport)),
            opened: false,
            received: count(received),
            sent: count(sent),
        };
        let _ = texts;
        let detail = found.detail(process, number).ok_or("expected the address of a far end")?;
        Ok(Said::one(time, None, detail))
    }
}

/// Transport, near and far end of a connection's name. `None` if it is no connection.
fn ends(what: &str) -> Option<(String, Option<SocketAddr>, Option<SocketAddr>)> {
    let (transport, pair) = what.split_once(' ')?;
    let is_transport = ["tcp4", "tcp6", "udp4", "udp6", "quic4", "quic6"].contains(&transport);
    let (near, far) = pair.split_once("<->").filter(|_| is_transport)?;
    Some((transport.to_owned(), end(near), end(far)))
}

/// `192.0.2.1:443`, or for IPv6 `2001:db8::1.443`. `None` for `*:*`.
fn end(text: &str) -> Option<SocketAddr> {
    let separator = if text.matches(':').count() > 1 { '.' } else { ':' };
    let (address, port) = text.rsplit_once(separator)?;
    contact::socket(address, port.parse().ok())
}
