//! How one place of an event is filled: from which fields, in which unit, worth what.

use super::paths::Kind;
use crate::{times::TimeForm, zone::Zone};
use jiff::tz::TimeZone;
use monologue_model::{ByteLayer, ByteQuality};
use std::collections::BTreeMap;
use toml::Value;

/// How one place is filled.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    /// Fields, the first that has a text is taken; with `join`, all are.
    pub(super) from: Vec<String>,
    /// What is put between the texts of several fields.
    pub(super) join: Option<String>,
    /// The same for every record, or where no field has a text.
    pub(super) constant: Option<String>,
    /// Texts in place of those of the source.
    pub(super) map: BTreeMap<String, String>,
    /// The place is empty, whatever the mapping says elsewhere.
    pub(super) none: bool,
    /// How a time is written, the first that fits.
    pub(super) forms: Vec<TimeForm>,
    /// The zone of times that name none, where the source has one of its own.
    pub(super) zone: Option<Zone>,
    /// Nanoseconds of one unit of a duration. `None`: hours, minutes and seconds.
    pub(super) unit_ns: Option<i64>,
    /// Bytes of one unit.
    pub(super) scale: u64,
    /// What was counted.
    pub(super) layer: ByteLayer,
    /// What a count is worth.
    pub(super) quality: ByteQuality,
}

impl Spec {
    /// A field that is not among those of the shape.
    pub(super) fn unknown(&self, known: &[String]) -> Option<&str> {
        let unknown = self.from.iter().find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
        unknown.map(String::as_str)
    }
}

/// Checks what a mapping says of one place.
///
/// # Errors
/// What was expected.
pub(super) fn compile(path: &str, kind: Kind, value: Value) -> Result<Spec, String> {
    let wrong = |expected: String| format!("in `{path}`, {expected}");
    let mut spec = Spec { quality: ByteQuality::Measured, unit_ns: Some(1_000_000_000), scale: 1, ..Spec::default() };
    if kind == Kind::Time {
        spec.forms = vec![TimeForm::Iso];
    }
    let table = match value {
        Value::String(name) => {
            spec.from = vec![name];
            return Ok(spec);
        }
        Value::Array(_) => {
            spec.from = texts(value).map_err(wrong)?;
            return Ok(spec);
        }
        Value::Table(table) => table,
        other => {
            return Err(wrong(format!(
                "expected the name of a field, several, or a table, found {}",
                other.type_str()
            )));
        }
    };
    for (key, value) in table {
        match (key.as_str(), kind) {
            ("from", _) => spec.from = texts(value).map_err(wrong)?,
            ("join", _) => spec.join = Some(text(value).map_err(wrong)?),
            ("constant", _) => spec.constant = Some(text(value).map_err(wrong)?),
            ("none", _) => spec.none = value.as_bool().unwrap_or(false),
            ("map", _) => {
                let Value::Table(map) = value else { return Err(wrong("expected a table in `map`".to_owned())) };
                for (from, to) in map {
                    spec.map.insert(from.to_ascii_lowercase(), text(to).map_err(wrong)?);
                }
            }
            ("form", Kind::Time) => {
                let forms = texts(value).map_err(wrong)?;
                spec.forms = forms.iter().map(|form| TimeForm::named(form)).collect::<Result<_, _>>().map_err(wrong)?;
            }
            ("form", _) => return Err(wrong("expected no `form`: it is for times".to_owned())),
            ("zone", Kind::Time) => {
                let name = text(value).map_err(wrong)?;
                let zone = TimeZone::get(&name).map_err(|_| {
                    wrong(format!("expected a time zone such as `UTC` or `Europe/Paris`, found {name:?}"))
                })?;
                spec.zone = Some(Zone::known(zone));
            }
            ("zone", _) => return Err(wrong("expected no `zone`: it is for times".to_owned())),
            ("unit", Kind::Duration) => spec.unit_ns = unit(&text(value).map_err(wrong)?).map_err(wrong)?,
            ("unit", _) => return Err(wrong("expected no `unit`: it is for durations".to_owned())),
            ("layer", Kind::Bytes) => spec.layer = layer(&text(value).map_err(wrong)?).map_err(wrong)?,
            ("quality", Kind::Bytes) => spec.quality = quality(&text(value).map_err(wrong)?).map_err(wrong)?,
            ("scale", Kind::Bytes) => {
                spec.scale = value
                    .as_integer()
                    .and_then(|scale| u64::try_from(scale).ok())
                    .filter(|scale| *scale > 0)
                    .ok_or_else(|| wrong("expected a whole number above 0 in `scale`".to_owned()))?;
            }
            ("layer" | "quality" | "scale", _) => return Err(wrong(format!("expected no `{key}`: it is for bytes"))),
            _ => {
                return Err(wrong(format!(
                    "expected `from`, `join`, `constant`, `map`, `none`, `form`, `zone`, `unit`, `layer`, `quality` or `scale`, found `{key}`"
                )));
            }
        }
    }
    let empty = spec.from.is_empty() && spec.constant.is_none();
    if empty && !spec.none && kind != Kind::Bytes {
        return Err(wrong("expected `from`, `constant` or `none = true`".to_owned()));
    }
    Ok(spec)
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(format!("expected a text, found {}", other.type_str())),
    }
}

fn texts(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn unit(name: &str) -> Result<Option<i64>, String> {
    Ok(Some(match name {
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        "clock" => return Ok(None),
        other => return Err(format!("expected `s`, `ms`, `us`, `ns` or `clock` as unit, found {other:?}")),
    }))
}

fn layer(name: &str) -> Result<ByteLayer, String> {
    Ok(match name {
        "payload" => ByteLayer::Payload,
        "ip" => ByteLayer::Ip,
        "frame" => ByteLayer::Frame,
        "body" => ByteLayer::Body,
        "message" => ByteLayer::Message,
        other => {
            return Err(format!("expected `payload`, `ip`, `frame`, `body` or `message` as layer, found {other:?}"));
        }
    })
}

fn quality(name: &str) -> Result<ByteQuality, String> {
    Ok(match name {
        "measured" => ByteQuality::Measured,
        "partial" => ByteQuality::Partial,
        "absent" => ByteQuality::Absent,
        "not-applicable" => ByteQuality::NotApplicable,
        other => {
            return Err(format!(
                "expected `measured`, `partial`, `absent` or `not-applicable` as quality, found {other:?}"
            ));
        }
    })
}
