//! A record seen through a mapping: the places of an event with the texts that fill them.

use super::{
    mapping::{Mapping, Rule},
    record::Record,
    spec::Spec,
};
use crate::zone::Zone;
use monologue_model::{ByteCount, ByteLayer, ByteQuality, Timestamp};
use std::{borrow::Cow, net::IpAddr, str::FromStr};

/// A record and what of a mapping applies to it.
pub(super) struct View<'m, 'a> {
    pub(super) mapping: &'m Mapping,
    record: &'a Record<'a>,
    rules: Vec<&'m Rule>,
    zone: &'a Zone,
}

impl<'m, 'a> View<'m, 'a> {
    /// Settles which rules apply.
    pub(super) fn new(mapping: &'m Mapping, record: &'a Record<'a>, zone: &'a Zone) -> Self {
        let mut view = Self { mapping, record, rules: Vec::new(), zone };
        let applies =
            |rule: &&Rule| rule.r#where.iter().all(|(field, texts)| texts.accept(view.field(field).as_deref()));
        let rules = mapping.rules.iter().filter(applies).collect();
        view.rules = rules;
        view
    }

    /// The rules that apply.
    pub(super) fn rules(&self) -> &[&'m Rule] {
        &self.rules
    }

    /// A field's text. `None`: it is not there, empty, or one of the texts that mean as much.
    pub(super) fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = self.record.text(name)?;
        let bare = text.trim();
        let null = bare.is_empty() || self.mapping.nulls.iter().any(|null| null.eq_ignore_ascii_case(bare));
        (!null).then_some(text)
    }

    /// How a place is filled: as the last rule that applies and speaks of it says, else as the mapping does.
    fn spec(&self, path: &str) -> Option<&'m Spec> {
        let by_rule = self.rules.iter().rev().find_map(|rule| rule.fields.get(path));
        by_rule.or_else(|| self.mapping.fields.get(path)).filter(|spec| !spec.none)
    }

    /// The text of a place.
    pub(super) fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        let spec = self.spec(path)?;
        let found = match &spec.join {
            Some(join) => {
                let texts: Option<Vec<_>> = spec.from.iter().map(|name| self.field(name)).collect();
                texts.filter(|texts| !texts.is_empty()).map(|texts| Cow::Owned(texts.join(join)))
            }
            None => spec.from.iter().find_map(|name| self.field(name)),
        };
        let found = found.or_else(|| spec.constant.as_deref().map(Cow::Borrowed))?;
        match spec.map.get(&found.trim().to_ascii_lowercase()) {
            Some(mapped) => Some(Cow::Borrowed(mapped.as_str())).filter(|mapped| !mapped.is_empty()),
            None => Some(found),
        }
    }

    /// The members of a place.
    pub(super) fn list(&self, path: &str) -> Vec<String> {
        let names = self.spec(path).map_or(&[][..], |spec| spec.from.as_slice());
        names.iter().map(|name| self.record.list(name)).find(|list| !list.is_empty()).unwrap_or_default()
    }

    /// A moment.
    ///
    /// # Errors
    /// What was expected in which place.
    pub(super) fn time(&self, path: &str) -> Result<Option<Timestamp>, String> {
        let (Some(spec), Some(text)) = (self.spec(path), self.text(path)) else { return Ok(None) };
        let mut wrong = String::new();
        for form in &spec.forms {
            match form.read(&text, spec.zone.as_ref().unwrap_or(self.zone)) {
                Ok(time) => return Ok(Some(time)),
                Err(error) => wrong = error,
            }
        }
        Err(format!("in `{path}`, {wrong}"))
    }

    /// Nanoseconds; none below zero.
    ///
    /// # Errors
    /// What was expected in which place.
    pub(super) fn duration(&self, path: &str) -> Result<Option<i64>, String> {
        let (Some(spec), Some(text)) = (self.spec(path), self.text(path)) else { return Ok(None) };
        let text = text.trim();
        let wrong = || format!("in `{path}`, expected a duration, found {:?}", shown(text));
        let nanoseconds = match spec.unit_ns {
            Some(unit) => {
                let whole = Timestamp::parse_epoch_seconds(text).map_err(|_| wrong())?.nanoseconds();
                i64::try_from(i128::from(whole) * i128::from(unit) / 1_000_000_000).map_err(|_| wrong())?
            }
            None => clock(text).ok_or_else(wrong)?,
        };
        Ok((nanoseconds >= 0).then_some(nanoseconds))
    }

    /// A whole number.
    ///
    /// # Errors
    /// What was expected in which place.
    pub(super) fn number<T: FromStr>(&self, path: &str) -> Result<Option<T>, String> {
        self.text(path)
            .map(|text| {
                let text = text.trim();
                // Some exports write whole numbers as floats.
                let whole = text.strip_suffix(".0").unwrap_or(text);
                whole.parse().map_err(|_| format!("in `{path}`, expected a whole number, found {:?}", shown(text)))
            })
            .transpose()
    }

    /// An address; brackets, a zone and a port behind it are cut.
    ///
    /// # Errors
    /// What was expected in which place.
    pub(super) fn address(&self, path: &str) -> Result<Option<IpAddr>, String> {
        self.text(path)
            .map(|text| {
                let text = text.trim();
                let bare = crate::url::host_and_port(text).0;
                let bare = bare.split('%').next().unwrap_or(bare);
                bare.parse().map_err(|_| format!("in `{path}`, expected an address, found {:?}", shown(text)))
            })
            .transpose()
    }

    /// A count of bytes, worth what the mapping says. `layer` where the mapping has no such place.
    ///
    /// # Errors
    /// What was expected in which place.
    pub(super) fn bytes(&self, path: &str, layer: ByteLayer) -> Result<ByteCount, String> {
        let Some(spec) = self.spec(path) else { return Ok(ByteCount::not_applicable(layer)) };
        match spec.quality {
            ByteQuality::NotApplicable => return Ok(ByteCount::not_applicable(spec.layer)),
            ByteQuality::Absent => return Ok(ByteCount::absent(spec.layer)),
            ByteQuality::Measured | ByteQuality::Partial => {}
        }
        Ok(match self.number::<u64>(path)? {
            None => ByteCount::absent(spec.layer),
            Some(value) => {
                ByteCount { value: Some(value.saturating_mul(spec.scale)), quality: spec.quality, layer: spec.layer }
            }
        })
    }
}

/// `H:MM:SS` as nanoseconds.
fn clock(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut parts = 0;
    for part in text.split(':') {
        let value = part.parse::<i64>().ok().filter(|value| *value >= 0)?;
        total = total.checked_mul(60)?.checked_add(value)?;
        parts += 1;
    }
    (2..=3).contains(&parts).then_some(total)?.checked_mul(1_000_000_000)
}

pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_and_what_is_none_refused() {
        assert_eq!(clock("1:02:03"), Some(3_723_000_000_000));
        assert_eq!(clock("02:03"), Some(123_000_000_000));
        assert_eq!((clock("3"), clock("a:b"), clock("-1:00:00")), (None, None, None));
    }
}
