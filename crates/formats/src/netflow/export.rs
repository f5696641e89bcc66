//! Export packets: headers, templates, and the records they describe.

use monologue_model::Timestamp;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

/// Templates kept of all exporters.
const TEMPLATE_CAP: usize = 4096;

/// Fields of one template.
const FIELD_CAP: usize = 256;

/// Records read of one packet: a datagram cannot hold more of a useful size.
const RECORD_CAP: usize = 4096;

/// One direction of a flow for one stretch of time, as a router counted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) protocol: u8,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Bytes of IP packets with their headers.
    pub(super) bytes: u64,
    pub(super) packets: u64,
    /// The same of the other direction, where the exporter pairs them itself (RFC 5103, or firewalls).
    pub(super) reverse: Option<(u64, u64)>,
    /// Flags of all packets together. `None`: not recorded.
    pub(super) flags: Option<u8>,
    /// Only one of several packets was looked at.
    pub(super) sampled: bool,
}

/// What one export packet says.
#[derive(Debug, Default)]
pub(super) struct Exported {
    pub(super) rows: Vec<Row>,
    /// Records that describe no flow of addresses and ports.
    pub(super) skipped: u64,
    /// Sets whose template did not come yet: nobody can tell how many records they hold.
    pub(super) undescribed: u64,
    /// Records or packets that are missing before this packet, by its sequence number.
    pub(super) missing: u64,
    /// When it was exported.
    pub(super) time: Timestamp,
}

/// Number and length of each field; 65535 means the length stands in the record.
type Template = Vec<(u16, u16)>;

/// Exporter, its observation domain, and the template's number.
type TemplateKey = (IpAddr, u16, u32, u16);

/// What is remembered between packets.
#[derive(Debug, Default)]
pub(super) struct Exporters {
    templates: HashMap<TemplateKey, Template>,
    /// The next sequence number expected of each exporter and domain.
    expected: HashMap<(IpAddr, u16, u32), u32>,
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|field| u16::from_be_bytes(*field))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|field| u32::from_be_bytes(*field))
}

/// Whether a datagram is an export packet, by what its header says of its length or its first set.
pub(super) fn is_export(payload: &[u8]) -> bool {
    let count = usize::from(be16(payload, 2).unwrap_or(0));
    match be16(payload, 0) {
        Some(5) => (1..=30).contains(&count) && payload.len() == 24 + 48 * count,
        Some(9) => {
            let (set, length) = (be16(payload, 20), be16(payload, 22).map_or(0, usize::from));
            count > 0
                && set.is_some_and(|set| !(2..=255).contains(&set))
                && (4..=payload.len().saturating_sub(20)).contains(&length)
        }
        Some(10) => count == payload.len() && count >= 20,
        _ => false,
    }
}

/// When a packet was exported, and when the router started: times of records count from then.
struct Clock {
    exported: Timestamp,
    uptime_ms: u32,
}

impl Clock {
    /// The moment at which the router had been up for so many milliseconds. The counter wraps after 49 days: a moment
    /// after the export lies one turn before.
    fn at(&self, uptime_ms: u32) -> Timestamp {
        let before = self.uptime_ms.wrapping_sub(uptime_ms);
        // A flow may end a little after the header was filled in.
        let before = if before > u32::MAX - 60_000 { 0 } else { before };
        self.exported.saturating_add(-i64::from(before) * 1_000_000)
    }
}

impl Exporters {
    /// Reads one export packet.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn read(&mut self, exporter: IpAddr, payload: &[u8]) -> Result<Exported, String> {
        match be16(payload, 0) {
            Some(5) => self.version_5(exporter, payload),
            Some(9) => self.sets(exporter, payload, 9),
            Some(10) => self.sets(exporter, payload, 10),
            _ => Err("a NetFlow packet of version 5, 9 or 10".to_owned()),
        }
    }

    /// How many are missing before a packet with that sequence number, and what follows it.
    fn missing(&mut self, key: (IpAddr, u16, u32), sequence: u32, counted: u32) -> u64 {
        let next = sequence.wrapping_add(counted);
        let gap = self.expected.insert(key, next).map_or(0, |expected| sequence.wrapping_sub(expected));
        // A number far back is a restart of the exporter, or a packet that came late.
        if gap < 1 << 24 { u64::from(gap) } else { 0 }
    }

    fn version_5(&mut self, exporter: IpAddr, payload: &[u8]) -> Result<Exported, String> {
        let short = || "a whole header of version 5".to_owned();
        let count = be16(payload, 2).ok_or_else(short)?;
        let clock = Clock {
            exported: moment(be32(payload, 8), be32(payload, 12)).ok_or_else(short)?,
            uptime_ms: be32(payload, 4).ok_or_else(short)?,
        };
        let sequence = be32(payload, 16).ok_or_else(short)?;
        let engine = u32::from(be16(payload, 20).ok_or_else(short)?);
        let sampled = be16(payload, 22).ok_or_else(short)? & 0x3fff > 1;
        let records = payload.get(24..).unwrap_or_default().chunks_exact(48).take(usize::from(count));
        if records.len() < usize::from(count) {
            return Err(format!("{count} records of 48 bytes"));
        }
        let row = |record: &[u8]| {
            let end = |ip, port| Some(SocketAddr::new(be32(record, ip)?.to_be_bytes().into(), be16(record, port)?));
            Some(Row {
                source: end(0, 32)?,
                destination: end(4, 34)?,
                protocol: *record.get(38)?,
                start: clock.at(be32(record, 24)?),
                end: clock.at(be32(record, 28)?),
                bytes: u64::from(be32(record, 20)?),
                packets: u64::from(be32(record, 16)?),
                reverse: None,
                flags: record.get(37).copied(),
                sampled,
            })
        };
        Ok(Exported {
            rows: records.filter_map(row).collect(),
            missing: self.missing((exporter, 5, engine), sequence, u32::from(count)),
            time: clock.exported,
            ..Exported::default()
        })
    }

    /// Version 9 (header of 20 bytes) and IPFIX (16): sets of templates and of records.
    fn sets(&mut self, exporter: IpAddr, payload: &[u8], version: u16) -> Result<Exported, String> {
        let short = || format!("a whole header of version {version}");
        let (header, seconds, sequence, domain) = if version == 9 { (20, 8, 12, 16) } else { (16, 4, 8, 12) };
        let clock = Clock {
            exported: moment(be32(payload, seconds), Some(0)).ok_or_else(short)?,
            uptime_ms: if version == 9 { be32(payload, 4).ok_or_else(short)? } else { 0 },
        };
        let (sequence, domain) = (be32(payload, sequence).ok_or_else(short)?, be32(payload, domain).ok_or_else(short)?);
        let length = if version == 9 { payload.len() } else { usize::from(be16(payload, 2).ok_or_else(short)?) };
        let mut rest = payload.get(header..length).ok_or_else(|| format!("a message of {length} bytes"))?;
        let mut exported = Exported { time: clock.exported, ..Exported::default() };
        let mut records = 0_u32;
        while let (Some(set), Some(length)) = (be16(rest, 0), be16(rest, 2)) {
            let Some(body) = rest.get(4..usize::from(length)) else {
                return Err(format!("a set of {length} bytes within the packet"));
            };
            rest = rest.get(usize::from(length)..).unwrap_or_default();
            match set {
                0 | 2 => self.templates(exporter, version, domain, body),
                // Options describe the exporter.
                1 | 3 => {}
                256.. => match self.templates.get(&(exporter, version, domain, set)) {
                    Some(template) => records += read_set(template, body, &clock, version, &mut exported),
                    None => exported.undescribed += 1,
                },
                _ => {}
            }
        }
        // Version 9 counts packets, IPFIX records. Of sets nobody described, the records are not known.
        let counted = if version == 9 { 1 } else { records };
        let key = (exporter, version, domain);
        if version == 9 || exported.undescribed == 0 {
            exported.missing = self.missing(key, sequence, counted);
        } else {
            self.expected.remove(&key);
        }
        Ok(exported)
    }

    fn templates(&mut self, exporter: IpAddr, version: u16, domain: u32, mut body: &[u8]) {
        while let (Some(number), Some(count)) = (be16(body, 0), be16(body, 2)) {
            body = body.get(4..).unwrap_or_default();
            let mut template = Template::new();
            for _ in 0..count {
                let (Some(kind), Some(length)) = (be16(body, 0), be16(body, 2)) else { return };
                // A number above 32767 belongs to an enterprise, whose own number follows: none of ours.
                let own = version == 10 && kind & 0x8000 != 0;
                body = body.get(if own { 8 } else { 4 }..).unwrap_or_default();
                if template.len() < FIELD_CAP {
                    template.push((if own { 0 } else { kind }, length));
                }
            }
            let full = self.templates.len() >= TEMPLATE_CAP;
            let key = (exporter, version, domain, number);
            if number > 255
                && count > 0
                && usize::from(count) <= FIELD_CAP
                && (!full || self.templates.contains_key(&key))
            {
                self.templates.insert(key, template);
            }
        }
    }
}

fn moment(seconds: Option<u32>, nanoseconds: Option<u32>) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(i64::from(seconds?))?.saturating_add(i64::from(nanoseconds?)))
}

/// Reads the records of a set; returns how many there were.
fn read_set(template: &Template, mut body: &[u8], clock: &Clock, version: u16, exported: &mut Exported) -> u32 {
    let mut count = 0;
    while (count as usize) < RECORD_CAP {
        let before = body.len();
        let Some(fields) = read_record(template, &mut body) else { break };
        // What is left is padding, or a template of no bytes.
        if body.len() == before {
            break;
        }
        count += 1;
        match fields.row(clock, version) {
            Some(row) => exported.rows.push(row),
            None => exported.skipped += 1,
        }
    }
    count
}

/// The fields of one record that are used.
#[derive(Debug, Default)]
struct Fields {
    addresses: [Option<IpAddr>; 2],
    ports: [Option<u16>; 2],
    protocol: Option<u8>,
    flags: Option<u8>,
    bytes: Option<u64>,
    packets: Option<u64>,
    reverse_bytes: Option<u64>,
    reverse_packets: Option<u64>,
    uptime_ms: [Option<u32>; 2],
    absolute: [Option<Timestamp>; 2],
    sampling: Option<u64>,
}

fn read_record(template: &Template, body: &mut &[u8]) -> Option<Fields> {
    let mut fields = Fields::default();
    let mut rest = *body;
    for (kind, length) in template {
        let length = match (length, rest) {
            (65535, [255, high, low, after @ ..]) => {
                rest = after;
                usize::from(*high) << 8 | usize::from(*low)
            }
            (65535, [short, after @ ..]) => {
                rest = after;
                usize::from(*short)
            }
            (65535, []) => return None,
            (length, _) => usize::from(*length),
        };
        let (value, after) = rest.split_at_checked(length)?;
        rest = after;
        fields.set(*kind, value);
    }
    *body = rest;
    Some(fields)
}

fn number(value: &[u8]) -> Option<u64> {
    (value.len() <= 8).then(|| value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes)),
        16 => value.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes)),
        _ => None,
    }
}

impl Fields {
    /// Takes a field in, by its number in IANA's registry (version 9 uses the same below 128).
    fn set(&mut self, kind: u16, value: &[u8]) {
        let small = || number(value).and_then(|number| u16::try_from(number).ok());
        let uptime = || number(value).and_then(|number| u32::try_from(number).ok());
        let at = |unit: i64| {
            let number = number(value).and_then(|number| i64::try_from(number).ok())?;
            number.checked_mul(unit).map(Timestamp::from_nanoseconds)
        };
        let [source, destination] = &mut self.addresses;
        match kind {
            1 | 85 | 231 => self.bytes = self.bytes.or(number(value)),
            2 | 86 | 298 => self.packets = self.packets.or(number(value)),
            232 => self.reverse_bytes = number(value),
            299 => self.reverse_packets = number(value),
            4 => self.protocol = value.last().copied(),
            6 => self.flags = value.last().copied(),
            7 => self.ports[0] = small(),
            11 => self.ports[1] = small(),
            8 | 27 => *source = address(value),
            12 | 28 => *destination = address(value),
            22 => self.uptime_ms[0] = uptime(),
            21 => self.uptime_ms[1] = uptime(),
            34 => self.sampling = number(value),
            150 => self.absolute[0] = at(1_000_000_000),
            151 => self.absolute[1] = at(1_000_000_000),
            152 => self.absolute[0] = at(1_000_000),
            153 => self.absolute[1] = at(1_000_000),
            _ => {}
        }
    }

    /// `None`: it is no flow between two ends.
    fn row(self, clock: &Clock, version: u16) -> Option<Row> {
        let [source, destination] = self.addresses;
        let [from_port, to_port] = self.ports;
        // Without times of its own, a record is as old as its packet at most.
        let time = |at: usize| {
            let uptime = self.uptime_ms.get(at).copied().flatten().filter(|_| version == 9);
            let absolute = self.absolute.get(at).copied().flatten();
            absolute.or(uptime.map(|uptime| clock.at(uptime)))
        };
        let end = time(1).or(time(0)).unwrap_or(clock.exported);
        Some(Row {
            source: SocketAddr::new(source?, from_port.unwrap_or(0)),
            destination: SocketAddr::new(destination?, to_port.unwrap_or(0)),
            protocol: self.protocol?,
            start: time(0).unwrap_or(end).min(end),
            end,
            bytes: self.bytes?,
            packets: self.packets.unwrap_or(0),
            reverse: self.reverse_bytes.map(|bytes| (bytes, self.reverse_packets.unwrap_or(0))),
            flags: self.flags,
            sampled: self.sampling.is_some_and(|interval| interval > 1),
        })
    }
}
