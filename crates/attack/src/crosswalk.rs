//! What an analytic asks for, beside what this product sees and lets one tune: covered, partly, not, each with its reason.
//!
//! Names and channels of log sources are free text and wrong in places, so they are compared as such: the name without
//! regard to case, the channel only shown. What decides is the data component a log source stands for.

use crate::known::Known;
use monologue_model::Sight;
use serde::Serialize;

/// How far something is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cover {
    /// As it is asked for.
    Covered,
    /// In part; the reason says which.
    Partly,
    /// Not at all.
    NotCovered,
    /// Nobody has looked at this yet.
    NotAssessed,
}

impl Cover {
    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Partly => "partly",
            Self::NotCovered => "not covered",
            Self::NotAssessed => "not assessed",
        }
    }
}

/// What an analytic asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Asked {
    /// A log source.
    LogSource {
        /// Name, as it stands.
        name: String,
        /// Channel, as it stands. `None` where none is named.
        channel: Option<String>,
        /// ATT&CK id of the data component. `None` where it is not known.
        component: Option<String>,
    },
    /// A mutable element.
    Element {
        /// Its field.
        field: String,
    },
}

/// One thing asked for, and how far it is covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// ATT&CK id of the analytic.
    pub analytic: String,
    /// What it asks for.
    pub asked: Asked,
    /// How far it is covered.
    pub cover: Cover,
    /// Sights that show it.
    pub sights: Vec<Sight>,
    /// What here answers it: a setting, a signal, a key of findings. Empty where nothing does.
    pub ours: &'static str,
    /// Why it is so.
    pub reason: &'static str,
}

/// What an analytic asks for, however it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// ATT&CK id of the analytic.
    pub analytic: String,
    /// Name, channel and data component of its log sources.
    pub log_sources: Vec<(String, Option<String>, Option<String>)>,
    /// Fields of its mutable elements.
    pub elements: Vec<String>,
}

impl From<&Known> for Demand {
    fn from(known: &Known) -> Self {
        Self {
            analytic: known.attack_id.to_owned(),
            log_sources: known
                .log_sources
                .iter()
                .map(|(name, channel, component)| {
                    ((*name).to_owned(), Some((*channel).to_owned()), Some((*component).to_owned()))
                })
                .collect(),
            elements: known.elements.iter().map(|field| (*field).to_owned()).collect(),
        }
    }
}

impl From<&crate::Card> for Demand {
    fn from(card: &crate::Card) -> Self {
        Self {
            analytic: card.attack_id.clone().unwrap_or_else(|| card.stix_id.clone()),
            log_sources: card
                .log_sources
                .iter()
                .map(|source| {
                    let component = source.component.as_ref().and_then(|component| component.attack_id.clone());
                    (source.name.clone(), source.channel.clone(), component)
                })
                .collect(),
            elements: card.elements.iter().map(|element| element.field.clone()).collect(),
        }
    }
}

/// Everything an analytic asks for, in its order.
#[must_use]
pub fn rows(demand: &Demand) -> Vec<Row> {
    let sources = demand.log_sources.iter().map(|(name, channel, component)| {
        let (cover, sights, ours, reason) = log_source(name, component.as_deref().unwrap_or_default());
        let asked = Asked::LogSource { name: name.clone(), channel: channel.clone(), component: component.clone() };
        Row { analytic: demand.analytic.clone(), asked, cover, sights: sights.to_vec(), ours, reason }
    });
    let elements = demand.elements.iter().map(|field| {
        let (cover, ours, reason) = element(field);
        let asked = Asked::Element { field: field.clone() };
        Row { analytic: demand.analytic.clone(), asked, cover, sights: Vec::new(), ours, reason }
    });
    sources.chain(elements).collect()
}

type Source = (Cover, &'static [Sight], &'static str, &'static str);

const PROCESS: &[Sight] = &[Sight::ProcessExec, Sight::ProcessExit, Sight::ProcessArguments, Sight::ProcessSignature];
const CONTENT: &[Sight] =
    &[Sight::TaskLifecycle, Sight::HttpRequest, Sight::HttpResponse, Sight::TlsHandshake, Sight::GatewayRecord];
const CONNECTION: &[Sight] = &[Sight::FlowReply, Sight::FlowTeardown, Sight::TlsHandshake, Sight::DnsQuery];
const FLOW: &[Sight] = &[Sight::FlowBytes, Sight::FlowReply, Sight::FlowTeardown];

/// How a data component is covered, then how much of that the named source itself gives.
fn log_source(name: &str, component: &str) -> Source {
    let name = name.to_ascii_lowercase();
    let (cover, sights, ours, reason) = by_component(component);
    let mac = ["macos:", "nsm:", "fs:", "pf:"].iter().any(|prefix| name.starts_with(prefix));
    if !mac {
        return of_another_platform(component, sights);
    }
    let elsewhere = match (name.as_str(), component) {
        ("macos:unifiedlog", "DC0032") => {
            Some("the unified log does not record that processes start; Endpoint Security does, and is read for it")
        }
        ("macos:unifiedlog", "DC0039" | "DC0061") => {
            Some("the unified log does not record writes to files; Endpoint Security does, and is read for it")
        }
        ("macos:unifiedlog", "DC0085" | "DC0082" | "DC0078") => Some(
            "the unified log shows requests of programs on URLSession only, masks the names other vendors' programs ask for, \
             and never shows content; network sensors and proxies fill in",
        ),
        ("macos:osquery", _) => Some(
            "the same facts are taken from Endpoint Security and network sensors; `monologue formats` says whether osquery's own results are read",
        ),
        ("fs:fsusage", _) => Some("the same facts are taken from Endpoint Security; fs_usage itself is not read"),
        ("macos:cron", _) => Some("launch items are seen as they are registered; cron tables are not read"),
        ("pf:logs", _) => Some("flows are taken from network sensors; logs of the packet filter are not read"),
        _ => None,
    };
    match (elsewhere, cover) {
        (Some(why), Cover::Covered | Cover::Partly) => (Cover::Partly, sights, ours, why),
        _ => (cover, sights, ours, reason),
    }
}

fn of_another_platform(component: &str, sights: &'static [Sight]) -> Source {
    match component {
        "DC0078" | "DC0082" | "DC0085" => (
            Cover::Partly,
            sights,
            "disposition no-reply",
            "a log of another platform: not read. Network records of any host are, and they alone can show that nothing came back",
        ),
        _ => (
            Cover::NotCovered,
            &[],
            "",
            "a log of another platform: this product reads the telemetry of Macs and networks",
        ),
    }
}

fn by_component(component: &str) -> Source {
    match component {
        "DC0032" => (
            Cover::Covered,
            PROCESS,
            "application, lineage, identity.untrusted, effect.acted-on-reply",
            "starts, ends, command lines and signatures are read from Endpoint Security",
        ),
        "DC0085" => (
            Cover::Partly,
            CONTENT,
            "the api and wire layers of a finding",
            "names, sizes, status and outcome of requests are read; the content of bodies never is",
        ),
        "DC0082" => (
            Cover::Covered,
            CONNECTION,
            "wire.no-reply, wire.persistence, time.cadence",
            "connections are read from network sensors and the unified log, and tied to the program where a sensor shows it",
        ),
        "DC0078" => (
            Cover::Covered,
            FLOW,
            "wire.no-reply, wire.no-response-payload, wire.constant-response",
            "bytes in both directions, each with its quality: only a measured zero is a zero",
        ),
        "DC0064" => (
            Cover::Partly,
            &[Sight::ProcessArguments, Sight::ProcessExec],
            "effect.output-discarded, application.agent",
            "command lines of processes are read; what is typed into a shell without starting a process is not",
        ),
        "DC0039" | "DC0061" => (
            Cover::Covered,
            &[Sight::FileEffect],
            "effect.nothing-after, effect.acted-on-reply",
            "files made, written, renamed and removed after a reply are read from Endpoint Security",
        ),
        "DC0001" | "DC0060" => (
            Cover::Partly,
            &[Sight::LaunchItem],
            "effect.acted-on-reply",
            "launch items are seen as they are registered or removed; what is loaded in other ways is not",
        ),
        "DC0055" => (Cover::NotCovered, &[], "", "no source here is read for files that are only opened"),
        _ => (Cover::NotAssessed, &[], "", "this data component was not compared with what is read here"),
    }
}

/// How a mutable element can be set here, by its ATT&CK field name.
fn element(field: &str) -> (Cover, &'static str, &'static str) {
    match field {
        "DestinationDomain" | "TargetService" => (
            Cover::Covered,
            "settings: DestinationDomain, TargetService; baseline: service",
            "which services count as public ones can be set, and approvals name the service",
        ),
        "ProcessName" | "ProcessPath" => (
            Cover::Covered,
            "settings: ProcessName; baseline: path, signing_id",
            "programs to be looked at can be set, and approvals name the program, by signature where it has one",
        ),
        "ProcessSignature" | "UnsignedBinary" | "UnsignedBinaryAlert" => (
            Cover::Covered,
            "settings: ProcessSignature; baseline: team_id",
            "in which states nobody vouches for a program can be set, and is weighed in every finding",
        ),
        "AllowedDeveloperIDs" => (Cover::Covered, "baseline: team_id, signing_id", "approvals name teams"),
        "HostWhitelist" => (Cover::Covered, "baseline: hosts, service", "approvals can be kept to hosts and services"),
        "WatchedApplications" | "WatchedApps" | "MonitoredApplications" => {
            (Cover::Covered, "every application", "no list is needed: every application that asks the web is judged")
        }
        "ConnectionInterval" | "LaunchInterval" => (
            Cover::Covered,
            "settings: ConnectionInterval; baseline: cadence_seconds",
            "the interval is measured on the time a Mac was awake, and tested; which periods count can be set",
        ),
        "BurstConnectionRate" => (
            Cover::Partly,
            "settings: BurstConnectionRate",
            "within how many seconds connections are one check-in can be set; a burst by itself is no sign",
        ),
        "TimeWindow" => (
            Cover::Partly,
            "--since, --until",
            "the time looked at can be set; how long after a reply effects are looked for is built in",
        ),
        "UserContext" => (
            Cover::Covered,
            "settings: UserContext",
            "in which contexts of a user a finding weighs more can be set; where nobody recorded the user, it is blind",
        ),
        "UserContextScope" => {
            (Cover::Partly, "finding: user", "a finding names the user where a sensor shows it; a scope cannot be set")
        }
        "ParentProcess" | "SuspiciousParentProcess" => (
            Cover::Covered,
            "settings: ParentProcess, SuspiciousParentProcess",
            "ancestors to be looked at can be set; the lineage is shown in every finding",
        ),
        "ParentProcessCheck" | "SocketParentProcessMatch" => (
            Cover::Partly,
            "settings: ParentProcess",
            "the lineage is shown in every finding and ancestors can be named; a rule over both cannot be set",
        ),
        "CommandLineArgs" => (
            Cover::Partly,
            "effect.output-discarded",
            "command lines that throw the reply away are known; others cannot be set",
        ),
        "ScriptEngineList" => (
            Cover::Partly,
            "finding: application.agent",
            "interpreters are known, and the script they run is named; the list is built in",
        ),
        "SocialMediaDomainPatterns" | "WebhookEndpoints" => (
            Cover::Partly,
            "settings: DestinationDomain; baseline: service",
            "names can be added to the public services that count; patterns cannot be set",
        ),
        "DataFlowImbalanceRatio" => (
            Cover::Covered,
            "settings: DataFlowImbalanceRatio",
            "from which ratio a channel only sends can be set; sizes count where both directions were measured",
        ),
        "DestinationIP" => (
            Cover::Partly,
            "baseline: service",
            "an address is the service where no name is known; networks cannot be set",
        ),
        "DestinationPort" => {
            (Cover::Partly, "finding: destination.ports", "ports are shown; approvals do not name them")
        }
        "DirectoryTargeted" | "ExecutablePathPattern" | "PlistDirectoryList" => (
            Cover::Partly,
            "effect.acted-on-reply",
            "where files are written after a reply is shown in the finding; folders cannot be set",
        ),
        "EntropyScore" | "EntropyThreshold" | "URIEntropyThreshold" => (
            Cover::Partly,
            "settings: EntropyScore",
            "parts of a path are scored where a source shows the path; bodies are never seen",
        ),
        "HostHeaderMatch" | "SOCKSPortAnomaly" | "PlistKeyMonitor" | "ScheduledTaskName" => {
            (Cover::NotCovered, "", "no source that is read here shows it, or nothing looks at it")
        }
        _ => (Cover::NotAssessed, "", "this element was not compared with the settings here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::{AN1601, KNOWN};

    #[test]
    fn all_that_the_known_analytics_ask_for_was_assessed() {
        for known in KNOWN.iter().filter(|known| known.kind() == "x-mitre-analytic") {
            let rows = rows(&Demand::from(known));
            assert_eq!(rows.len(), known.log_sources.len() + known.elements.len());
            for row in rows {
                assert_ne!(row.cover, Cover::NotAssessed, "{row:?}");
                assert!(!row.reason.is_empty());
                assert_eq!(row.cover == Cover::NotCovered, row.ours.is_empty(), "{row:?}");
            }
        }
    }

    #[test]
    fn the_analytic_itself_is_told_honestly() {
        let covers: Vec<Cover> = rows(&Demand::from(&AN1601)).iter().map(|row| row.cover).collect();
        // Unified log for content, Endpoint Security for starts, then UserContext and EntropyScore.
        assert_eq!(covers, [Cover::Partly, Cover::Covered, Cover::Covered, Cover::Partly]);
    }

    #[test]
    fn names_are_compared_without_case_and_unknown_things_are_said_to_be() {
        let demand = Demand {
            analytic: "AN9".into(),
            log_sources: vec![
                ("macos:EndpointSecurity".into(), None, Some("DC0032".into())),
                ("macos:new".into(), None, Some("DC9999".into())),
                ("auditd:SYSCALL".into(), None, Some("DC0032".into())),
            ],
            elements: vec!["NeverHeardOf".into()],
        };
        let covers: Vec<Cover> = rows(&demand).iter().map(|row| row.cover).collect();
        assert_eq!(covers, [Cover::Covered, Cover::NotAssessed, Cover::NotCovered, Cover::NotAssessed]);
    }
}
