//! Little Snitch `log-traffic`: minutes of traffic for each program and far end, as comma-separated values.
//!
//! A row sums up a minute of all connections of one program with one far end. Its bytes are of that minute, so a reply
//! that came in the next one is not in it: a part, never a proof of silence. There is no pid; the program is its path. Some versions print a zone with the time,
//! others none.

use crate::{
    endpoint::{
        Contact, Fields, Place, Said, contact,
        rows::{self, RowFormat, RowSensor},
    },
    texts::Texts,
    times::TimeForm,
    zone::Zone,
};
use monologue_model::{ByteCount, ByteLayer, ProcessImage, Sight, SightSet};
use serde_json::{Map, Value};

/// Little Snitch `log-traffic`.
pub(crate) const LITTLE_SNITCH: RowFormat = RowFormat {
    name: "little-snitch",
    about: "Little Snitch log-traffic (CSV): bytes of each program by the minute, without a pid: presence only",
    sights: SightSet::of(&[Sight::FlowBytes, Sight::FlowReply]),
    lacks,
    sensor: |input| Box::new(LittleSnitch { columns: Vec::new(), zone: input.zone.clone() }),
};

fn lacks(line: &str) -> Option<String> {
    let columns = rows::comma_separated(line).unwrap_or_default();
    let wanted = ["date", "direction", "ipAddress", "byteCountIn", "connectingExecutable"];
    let missing = wanted.into_iter().find(|name| !columns.iter().any(|column| column == name))?;
    Some(format!("the first line has no column {missing}"))
}

struct LittleSnitch {
    columns: Vec<String>,
    zone: Zone,
}

impl RowSensor for LittleSnitch {
    fn line(&mut self, line: &str, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let fields = rows::comma_separated(line).ok_or("expected comma-separated values with closed quotes")?;
        if self.columns.is_empty() {
            self.columns = fields;
            return Ok(Said::Skipped("header line"));
        }
        if fields.len() != self.columns.len() {
            return Err(format!("expected {} columns, found {}", self.columns.len(), fields.len()));
        }
        let row: Map<String, Value> = self.columns.iter().cloned().zip(fields.into_iter().map(Value::String)).collect();
        let row = Value::Object(row);
        let row = Fields(&row);
        if row.text("direction").is_some_and(|word| contact::is_inbound(&word)) {
            return Ok(Said::Skipped("connection begun by the other side"));
        }
        let connects = row.number::<u64>("connectCount");
        let denied = row.number::<u64>("denyCount").unwrap_or(0);
        let bytes = |name: &str| row.number::<u64>(name);
        if denied > 0 && connects.unwrap_or(0) == 0 && bytes("byteCountOut").unwrap_or(0) == 0 {
            return Ok(Said::Skipped("connection that was denied"));
        }
        let count = |name: &str| {
            bytes(name).map_or_else(
                || ByteCount::absent(ByteLayer::Payload),
                |bytes| ByteCount::partial(bytes, ByteLayer::Payload),
            )
        };
        let path = row.text("connectingExecutable").ok_or("expected `connectingExecutable`")?;
        let address = row.text("ipAddress").unwrap_or_default();
        let name = row.text("remoteHostname").unwrap_or_default();
        let port = row.number("port");
        let process =
            ProcessImage { path: texts.some(Some(&path)), user_id: row.number("uid"), ..ProcessImage::default() };
        let date = row.text("date").ok_or("expected a time in `date`")?;
        let time = TimeForm::Iso.read(&date, &self.zone).map_err(|error| format!("in `date`, {error}"))?;
        let found = Contact {
            far: contact::endpoint(&name, &address, port),
            local: None,
            transport: contact::transport_of_number(row.number("protocol")),
            // A minute is no moment: its rows follow each other like a clock, whatever the program does.
            opened: false,
            received: count("byteCountIn"),
            sent: count("byteCountOut"),
        };
        // Minutes are told apart, programs and far ends too: each row is one contact.
        let number = contact::number_of(&[&path, &address, &name, &port.unwrap_or(0).to_string(), &time.to_string()]);
        let detail = found.detail(process, number).ok_or("expected `ipAddress` or `remoteHostname`")?;
        Ok(Said::one(time, None, detail))
    }
}
