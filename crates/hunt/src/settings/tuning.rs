//! Settings a team may change: ATT&CK's mutable elements under their own names, levels, weights; read, checked and shown.

use super::weights::{WEIGHT_CAP, Weights};
use monologue_model::SignatureState;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::LazyLock,
};
use toml::Spanned;

/// Names in one list of a settings file.
const LIST_CAP: usize = 10_000;

/// Bytes of a settings file.
pub const FILE_CAP: usize = 1 << 20;

/// In which contexts of a user a program is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserContext {
    /// Root runs a program from a folder that a user can write to.
    RootFromUserPath,
    /// An account of a service (user ids 1 to 500, and those of negative numbers such as `nobody`).
    ServiceAccount,
}

/// A kind of public web service, as in the table of `destination.public-service`.
pub use crate::public_services::Kind as ServiceKind;

/// What is in force, all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// ATT&CK `UserContext`.
    pub user_context: BTreeSet<UserContext>,
    /// ATT&CK `EntropyScore`: bits per character from which a part of a request counts as random.
    pub entropy_score: f64,
    /// ATT&CK `DestinationDomain`: more names that count as public web services anybody can write to.
    pub destination_domain: BTreeSet<String>,
    /// ATT&CK `TargetService`: the kinds of public web services that count.
    pub target_service: BTreeSet<ServiceKind>,
    /// ATT&CK `ProcessName`: file names of programs to be looked at.
    pub process_name: BTreeSet<String>,
    /// ATT&CK `ParentProcess`: file names of ancestors whose programs are to be looked at.
    pub parent_process: BTreeSet<String>,
    /// ATT&CK `SuspiciousParentProcess`: file names of programs that open what others send, and have no business starting
    /// shells that ask the web.
    pub suspicious_parent_process: BTreeSet<String>,
    /// ATT&CK `ProcessSignature`: states in which nobody vouches for a program.
    pub process_signature: BTreeSet<SignatureState>,
    /// ATT&CK `ConnectionInterval`: least and greatest period of a cadence that counts, in seconds.
    pub connection_interval_seconds: (f64, f64),
    /// ATT&CK `BurstConnectionRate`: connections within so many seconds are one check-in.
    pub burst_seconds: f64,
    /// ATT&CK `DataFlowImbalanceRatio`: bytes sent for each byte received, from which a channel only sends.
    pub imbalance_ratio: f64,
    /// Scores from which the levels low, medium, high and critical begin.
    pub levels: [f64; 4],
    /// Rate of false discoveries among cadence claims.
    pub discovery_rate: f64,
    /// Hosts with a known application below which rarity is blind.
    pub rarity_hosts: u64,
    /// Watched hours before a first request, below which nothing is said of what is new.
    pub known_hours: u64,
    /// Approve what macOS's own services are known to ask.
    pub macos_baseline: bool,
    /// The weights.
    pub weights: Weights,
    /// Where each key that a file sets stands: its line.
    set: BTreeMap<String, usize>,
}

/// A settings file is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {expected}")]
pub struct SettingsError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected there, and a hint.
    pub expected: String,
}

/// One setting for the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The key, as in the file.
    pub key: String,
    /// What is in force.
    pub value: String,
    /// The line of the file that sets it. `None`: the product's own.
    pub line: Option<usize>,
    /// What it does, and why the product's value is what it is.
    pub why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    mutable: Mutable,
    #[serde(default)]
    levels: Levels,
    #[serde(default)]
    weighing: Weighing,
    #[serde(default)]
    caps: BTreeMap<Spanned<String>, Spanned<f64>>,
    #[serde(default)]
    weights: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<Change>>>,
}

/// A changed weight must say why, as the product's do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    decibans: f64,
    reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Mutable {
    user_context: Option<Spanned<BTreeSet<UserContext>>>,
    entropy_score: Option<Spanned<f64>>,
    destination_domain: Option<Spanned<BTreeSet<String>>>,
    target_service: Option<Spanned<BTreeSet<ServiceKind>>>,
    process_name: Option<Spanned<BTreeSet<String>>>,
    parent_process: Option<Spanned<BTreeSet<String>>>,
    suspicious_parent_process: Option<Spanned<BTreeSet<String>>>,
    process_signature: Option<Spanned<BTreeSet<SignatureState>>>,
    connection_interval: Option<Spanned<Interval>>,
    burst_connection_rate: Option<Spanned<f64>>,
    data_flow_imbalance_ratio: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Interval {
    least_seconds: f64,
    greatest_seconds: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Levels {
    low: Option<Spanned<f64>>,
    medium: Option<Spanned<f64>>,
    high: Option<Spanned<f64>>,
    critical: Option<Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighing {
    prior_decibans: Option<Spanned<f64>>,
    discovery_rate: Option<Spanned<f64>>,
    rarity_hosts: Option<Spanned<u64>>,
    known_hours: Option<Spanned<u64>>,
    macos_baseline: Option<Spanned<bool>>,
}

static SHIPPED: LazyLock<Settings> = LazyLock::new(Settings::default);

impl Default for Settings {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            user_context: [UserContext::RootFromUserPath, UserContext::ServiceAccount].into(),
            entropy_score: 4.25,
            destination_domain: BTreeSet::new(),
            target_service: ServiceKind::ALL.into_iter().collect(),
            process_name: BTreeSet::new(),
            parent_process: BTreeSet::new(),
            suspicious_parent_process: names(super::SUSPICIOUS_PARENTS),
            process_signature: [SignatureState::Unsigned, SignatureState::AdHoc].into(),
            connection_interval_seconds: (5.0, 86_400.0),
            burst_seconds: 5.0,
            imbalance_ratio: 10.0,
            levels: super::LEVEL_THRESHOLDS,
            discovery_rate: super::DISCOVERY_RATE,
            rarity_hosts: super::RARITY_MINIMUM_HOSTS,
            known_hours: super::KNOWN_HOURS,
            macos_baseline: true,
            weights: Weights::shipped().unwrap_or_else(|_| Weights::none()),
            set: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Those the product ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The product's, changed by a file.
    ///
    /// # Errors
    /// When the file is no TOML, names a key that does not exist, or gives a value out of bounds: with its line.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        if text.len() > FILE_CAP {
            let expected =
                format!("expected at most {FILE_CAP} bytes of settings; hint: lists of domains belong in a baseline");
            return Err(SettingsError { line: 1, expected });
        }
        let file: File = toml::from_str(text).map_err(|error| SettingsError {
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            expected: format!(
                "{}; hint: `monologue settings show` lists every key",
                error.message().replace('\n', " ")
            ),
        })?;
        let mut settings = Self::default();
        let mut set = BTreeMap::new();
        let mut taking = Taking { text, set: &mut set };
        let File { mutable, levels, weighing, caps, weights } = file;
        mutable.take(&mut taking, &mut settings)?;
        let [low, medium, high, critical] = &mut settings.levels;
        taking.number("low", levels.low, 0.0..=1.0, low)?;
        taking.number("medium", levels.medium, 0.0..=1.0, medium)?;
        taking.number("high", levels.high, 0.0..=1.0, high)?;
        taking.number("critical", levels.critical, 0.0..=1.0, critical)?;
        taking.number("prior_decibans", weighing.prior_decibans, -100.0..=30.0, &mut settings.weights.prior)?;
        taking.number("discovery_rate", weighing.discovery_rate, 0.0..=0.5, &mut settings.discovery_rate)?;
        if let Some(hosts) = weighing.rarity_hosts {
            let line = line_of(text, hosts.span().start);
            taking.set.insert("rarity_hosts".to_owned(), line);
            settings.rarity_hosts = hosts.into_inner().max(2);
        }
        if let Some(hours) = weighing.known_hours {
            taking.set.insert("known_hours".to_owned(), line_of(text, hours.span().start));
            settings.known_hours = hours.into_inner().max(1);
        }
        if let Some(wanted) = weighing.macos_baseline {
            taking.set.insert("macos_baseline".to_owned(), line_of(text, wanted.span().start));
            settings.macos_baseline = wanted.into_inner();
        }
        settings.set = set;
        if !settings.levels.is_sorted() {
            let line = ["low", "medium", "high", "critical"].iter().filter_map(|key| settings.set.get(*key)).min();
            let expected = format!("expected levels that rise from low to critical, found {:?}", settings.levels);
            return Err(SettingsError { line: line.copied().unwrap_or(1), expected });
        }
        settings.take_caps(text, caps)?;
        settings.take_weights(text, weights)?;
        Ok(settings)
    }

    fn take_caps(&mut self, text: &str, caps: BTreeMap<Spanned<String>, Spanned<f64>>) -> Result<(), SettingsError> {
        for (layer, cap) in caps {
            let line = line_of(text, cap.span().start);
            let value = within("a cap", *cap.get_ref(), &(0.0..=100.0), line)?;
            if !self.weights.set_cap(layer.get_ref(), value) {
                let known: Vec<&str> = self.weights.caps().map(|(layer, _)| layer).collect();
                let expected = format!("expected a layer ({}), found {:?}", known.join(", "), layer.get_ref());
                return Err(SettingsError { line, expected });
            }
            self.set.insert(format!("caps.{}", layer.get_ref()), line);
        }
        Ok(())
    }

    fn take_weights(
        &mut self,
        text: &str,
        weights: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<Change>>>,
    ) -> Result<(), SettingsError> {
        for (signal, cases) in weights {
            for (case, change) in cases {
                let line = line_of(text, case.span().start);
                let Change { decibans, reason } = change.into_inner();
                let decibans = within("a weight", decibans, &(0.0..=WEIGHT_CAP), line)?;
                if reason.trim().is_empty() {
                    let expected = "expected a reason; hint: say why this fleet needs another weight".to_owned();
                    return Err(SettingsError { line, expected });
                }
                if !self.weights.set(signal.get_ref(), case.get_ref(), decibans, reason) {
                    let known: Vec<String> = self
                        .weights
                        .iter()
                        .filter(|weight| weight.signal == *signal.get_ref())
                        .map(|weight| weight.case.clone())
                        .collect();
                    let expected = match known.is_empty() {
                        true => format!(
                            "expected the name of a signal, found {:?}; hint: `monologue signals` lists them",
                            signal.get_ref()
                        ),
                        false => format!(
                            "expected a case of {} ({}), found {:?}",
                            signal.get_ref(),
                            known.join(", "),
                            case.get_ref()
                        ),
                    };
                    return Err(SettingsError { line, expected });
                }
                self.set.insert(format!("weights.\"{}\".{}", signal.get_ref(), case.get_ref()), line);
            }
        }
        Ok(())
    }

    /// Every setting for the reader, in the order of the file.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |key: &'static str, value: String, why: &str| Line {
            key: key.to_owned(),
            value,
            line: self.set.get(key).copied(),
            why: why.to_owned(),
        };
        let [low, medium, high, critical] = self.levels;
        let (least, greatest) = self.connection_interval_seconds;
        let mut lines = vec![
            line(
                "UserContext",
                list(self.user_context.iter().map(|one| one.name())),
                "in which contexts of a user identity.user-context speaks",
            ),
            line(
                "EntropyScore",
                self.entropy_score.to_string(),
                "bits per character from which a part of a path counts as random (request.encoded): words stay below 4, hexadecimal digits cannot exceed 4, base64 of some length lies above 4.5",
            ),
            line(
                "DestinationDomain",
                list(&self.destination_domain),
                "more names that count as public web services anybody can write to (destination.public-service)",
            ),
            line(
                "TargetService",
                list(self.target_service.iter().map(|kind| kind.name())),
                "the kinds of public web services that count (destination.public-service)",
            ),
            line(
                "ProcessName",
                list(&self.process_name),
                "file names of programs to be looked at whatever else is known (identity.watched)",
            ),
            line(
                "ParentProcess",
                list(&self.parent_process),
                "file names of ancestors, as ProcessName (identity.watched)",
            ),
            line(
                "SuspiciousParentProcess",
                list(&self.suspicious_parent_process),
                "programs that open what others send, and have no business starting shells that ask the web (identity.lineage)",
            ),
            line(
                "ProcessSignature",
                list(self.process_signature.iter().map(|state| state.name())),
                "states in which nobody vouches for a program (identity.untrusted)",
            ),
            line(
                "ConnectionInterval",
                format!("{{ least_seconds = {least}, greatest_seconds = {greatest} }}"),
                "periods of a cadence that count (time.cadence): below five seconds programs stream, above a day there are too few check-ins",
            ),
            line(
                "BurstConnectionRate",
                self.burst_seconds.to_string(),
                "connections within so many seconds are one check-in: browsers and libraries open several at once",
            ),
            line(
                "DataFlowImbalanceRatio",
                self.imbalance_ratio.to_string(),
                "bytes sent for each byte received, from which a channel only sends (wire.imbalance)",
            ),
            line("low", low.to_string(), "score from which a finding is low"),
            line("medium", medium.to_string(), "score from which a finding is medium: likelier than not"),
            line("high", high.to_string(), "score from which a finding is high: nine in ten"),
            line("critical", critical.to_string(), "score from which a finding is critical: ninety-nine in a hundred"),
            line("prior_decibans", self.weights.prior.to_string(), &self.weights.prior_reason),
            line(
                "discovery_rate",
                self.discovery_rate.to_string(),
                "of the cadence claims that are made, the share that may be chance (Benjamini and Hochberg 1995)",
            ),
            line(
                "rarity_hosts",
                self.rarity_hosts.to_string(),
                "hosts with a known application below which rarity is blind",
            ),
            line(
                "known_hours",
                self.known_hours.to_string(),
                "watched hours before a first request below which nothing is said of what is new (destination.first-seen): two days, so that what runs once a day was seen",
            ),
            line(
                "macos_baseline",
                self.macos_baseline.to_string(),
                "approve what services of macOS are known to ask, by signing identifier (crates/hunt/src/macos-baseline.toml)",
            ),
        ];
        lines.extend(FIXED.iter().map(|(key, value, why)| Line {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            line: None,
            why: (*why).to_owned(),
        }));
        lines.extend(self.weights.caps().map(|(layer, cap)| Line {
            key: format!("caps.{layer}"),
            value: cap.to_string(),
            line: self.set.get(&format!("caps.{layer}")).copied(),
            why: "what the supporting weights of the layer come to at most, so that no fact counts twice".to_owned(),
        }));
        lines.extend(self.weights.iter().map(|weight| {
            let key = format!("weights.\"{}\".{}", weight.signal, weight.case);
            let line = self.set.get(&key).copied();
            Line { key, value: weight.decibans.to_string(), line, why: weight.reason.clone() }
        }));
        lines
    }
}

/// Mutable elements that hold for every hunt: what hours of a lake were decided by cannot be changed afterwards.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "TimeWindow",
        "30 s (fixed)",
        "after a reply, how long the process and its descendants are watched for a use of it; hours of a lake are decided by it, so it is the same for all",
    ),
    (
        "ScriptEngineList",
        "sh bash zsh dash ksh csh tcsh fish curl wget nscurl osascript python node ruby perl php deno bun java swift (fixed)",
        "programs that run somebody else's script; part of a channel's identity, which must be the same tomorrow",
    ),
    (
        "CommandLineArgs",
        "-o /dev/null, --output /dev/null, > /dev/null (fixed)",
        "command lines that throw the output away (effect.output-discarded); hours of a lake are decided by them",
    ),
];

impl Mutable {
    fn take(self, taking: &mut Taking<'_>, settings: &mut Settings) -> Result<(), SettingsError> {
        taking.list("UserContext", self.user_context, &mut settings.user_context)?;
        taking.number("EntropyScore", self.entropy_score, 1.0..=8.0, &mut settings.entropy_score)?;
        taking.list("DestinationDomain", self.destination_domain, &mut settings.destination_domain)?;
        taking.list("TargetService", self.target_service, &mut settings.target_service)?;
        taking.list("ProcessName", self.process_name, &mut settings.process_name)?;
        taking.list("ParentProcess", self.parent_process, &mut settings.parent_process)?;
        taking.list(
            "SuspiciousParentProcess",
            self.suspicious_parent_process,
            &mut settings.suspicious_parent_process,
        )?;
        taking.list("ProcessSignature", self.process_signature, &mut settings.process_signature)?;
        taking.number("BurstConnectionRate", self.burst_connection_rate, 0.0..=3600.0, &mut settings.burst_seconds)?;
        taking.number(
            "DataFlowImbalanceRatio",
            self.data_flow_imbalance_ratio,
            1.0..=1e6,
            &mut settings.imbalance_ratio,
        )?;
        if let Some(interval) = self.connection_interval {
            let line = line_of(taking.text, interval.span().start);
            let Interval { least_seconds, greatest_seconds } = interval.into_inner();
            let least = within("least_seconds", least_seconds, &(0.0..=1e7), line)?;
            let greatest = within("greatest_seconds", greatest_seconds, &(least..=1e7), line)?;
            taking.set.insert("ConnectionInterval".to_owned(), line);
            settings.connection_interval_seconds = (least, greatest);
        }
        Ok(())
    }
}

/// Takes values of a file, checks them, and notes where they stand.
struct Taking<'a> {
    text: &'a str,
    set: &'a mut BTreeMap<String, usize>,
}

impl Taking<'_> {
    fn number(
        &mut self,
        key: &'static str,
        value: Option<Spanned<f64>>,
        bounds: std::ops::RangeInclusive<f64>,
        slot: &mut f64,
    ) -> Result<(), SettingsError> {
        let Some(value) = value else { return Ok(()) };
        let line = line_of(self.text, value.span().start);
        *slot = within(key, *value.get_ref(), &bounds, line)?;
        self.set.insert(key.to_owned(), line);
        Ok(())
    }

    fn list<T: Ord>(
        &mut self,
        key: &'static str,
        value: Option<Spanned<BTreeSet<T>>>,
        slot: &mut BTreeSet<T>,
    ) -> Result<(), SettingsError> {
        let Some(value) = value else { return Ok(()) };
        let line = line_of(self.text, value.span().start);
        if value.get_ref().len() > LIST_CAP {
            return Err(SettingsError { line, expected: format!("expected at most {LIST_CAP} entries for {key}") });
        }
        *slot = value.into_inner();
        self.set.insert(key.to_owned(), line);
        Ok(())
    }
}

fn within(key: &str, value: f64, bounds: &std::ops::RangeInclusive<f64>, line: usize) -> Result<f64, SettingsError> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let expected = format!("expected {key} from {} to {}, found {value}", bounds.start(), bounds.end());
    Err(SettingsError { line, expected })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| format!("{:?}", value.to_string())).collect();
    format!("[{}]", values.join(", "))
}

impl UserContext {
    /// The word used in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RootFromUserPath => "root-from-user-path",
            Self::ServiceAccount => "service-account",
        }
    }
}

#[cfg(test)]
mod tests;
