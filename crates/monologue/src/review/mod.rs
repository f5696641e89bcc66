//! `monologue review`: which applications talk to public web services without anybody's approval, and policy for those who enforce it.

mod policy;

use crate::{
    cli::{ReviewArguments, ReviewForm},
    hunting,
    talk::Verdict,
};
use anyhow::Result;
use monologue_hunt::public_services::PublicServices;
use monologue_model::{Finding, Level, Timestamp};
use monologue_report::escape::terminal as escaped;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

/// Version of the lines that `--output json` writes.
const SCHEMA: &str = "monologue.review/1";

/// One application and one public service, over all hosts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Item {
    schema: &'static str,
    /// Its file's name, or its script.
    pub(crate) application: String,
    /// Path of the program. `None` means nobody recorded it.
    pub(crate) path: Option<String>,
    /// The script, label or ancestor an interpreter ran for.
    pub(crate) agent: Option<String>,
    pub(crate) signing_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) signature: &'static str,
    /// Full names that were asked for.
    pub(crate) names: Vec<String>,
    /// Kind of the public service.
    kind: &'static str,
    hosts: Vec<String>,
    requests: u64,
    first_time: Timestamp,
    last_time: Timestamp,
    /// What became of the responses, each word once.
    dispositions: Vec<&'static str>,
    /// The greatest score of any of its channels.
    score: f64,
    /// What to ask whoever answers for it.
    ask: String,
}

/// Runs the command.
///
/// # Errors
/// When telemetry cannot be hunted, or the result cannot be printed.
pub(crate) fn review(arguments: &ReviewArguments) -> Result<Verdict> {
    let report = hunting::run(&arguments.hunt, Level::Info)?;
    let items = items(&report.findings);
    let mut out = std::io::stdout().lock();
    match arguments.form {
        ReviewForm::Text => text(&items, &mut out)?,
        ReviewForm::Json => {
            for item in &items {
                serde_json::to_writer(&mut out, item)?;
                writeln!(out)?;
            }
        }
        ReviewForm::LittleSnitch => policy::little_snitch(&items, &mut out)?,
        ReviewForm::Lulu => policy::lulu(&items, &mut out)?,
        ReviewForm::Santa => policy::santa(&items, &mut out)?,
        ReviewForm::Squid => policy::squid(&items, &mut out)?,
    }
    Ok(if items.is_empty() { Verdict::Nothing } else { Verdict::Findings })
}

/// Applications that talk to public services and that nobody approved, the most suspicious first.
fn items(findings: &[Finding]) -> Vec<Item> {
    let speaks = |finding: &&Finding| {
        finding.approval.is_none()
            && finding
                .signals
                .iter()
                .any(|signal| signal.id == "destination.public-service" && signal.judgement == "supports")
    };
    let mut groups: BTreeMap<(String, String, &'static str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(speaks) {
        let application = &finding.application;
        let who = application.agent.as_deref().or(application.signing_id.as_deref()).or(application.path.as_deref());
        let known = finding.destination.hosts.iter().find_map(|name| PublicServices::shipped().of(name));
        let (service, kind) = known.map_or((&*finding.destination.service, "named by settings"), |(name, service)| {
            (name, service.kind.name())
        });
        let key = (who.unwrap_or("unknown").to_owned(), service.to_owned(), kind);
        groups.entry(key).or_default().push(finding);
    }
    let mut items: Vec<Item> =
        groups.into_iter().filter_map(|((who, service, kind), of)| item(who, &service, kind, &of)).collect();
    items.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.application.cmp(&other.application)));
    items
}

fn item(who: String, service: &str, kind: &'static str, of: &[&Finding]) -> Option<Item> {
    let first = of.first()?;
    let application = &first.application;
    let owned = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    let hosts: BTreeSet<String> = of.iter().map(|finding| finding.host.to_string()).collect();
    let names: BTreeSet<String> =
        of.iter().flat_map(|finding| finding.destination.hosts.iter()).map(|name| name.to_string()).collect();
    let dispositions: BTreeSet<&'static str> = of.iter().map(|finding| finding.disposition.name()).collect();
    let name = application.agent.as_deref().unwrap_or(&application.name).to_owned();
    let on = match hosts.len() {
        1 => format!("on {}", hosts.first().map_or("", String::as_str)),
        count => format!("on {count} hosts"),
    };
    Some(Item {
        schema: SCHEMA,
        ask: format!(
            "what does {name} use {service} for {on}, whose account is it, and may it stay? If so, approve it: \
             `monologue baseline learn`"
        ),
        application: if name == "unknown" { who } else { name },
        path: owned(&application.path),
        agent: owned(&application.agent),
        signing_id: owned(&application.signing_id),
        team_id: owned(&application.team_id),
        signature: application.signature.name(),
        names: names.into_iter().collect(),
        kind,
        hosts: hosts.into_iter().collect(),
        requests: of.iter().map(|finding| finding.exchanges).sum(),
        first_time: of.iter().map(|finding| finding.first_time).min()?,
        last_time: of.iter().map(|finding| finding.last_time).max()?,
        dispositions: dispositions.into_iter().collect(),
        score: of.iter().map(|finding| finding.score).fold(0.0, f64::max),
    })
}

fn text(items: &[Item], out: &mut impl Write) -> Result<()> {
    if items.is_empty() {
        writeln!(out, "No application was seen to talk to a public web service without approval.")?;
        writeln!(
            out,
            "The table of {} counts; what nobody recorded the name of is not in it.",
            PublicServices::shipped().version
        )?;
        return Ok(());
    }
    writeln!(
        out,
        "{} applications talk to public web services that nobody approved, the most suspicious first.",
        items.len()
    )?;
    for (number, item) in (1..).zip(items) {
        writeln!(out)?;
        let line = format!("{number}. {} → {} ({})", item.application, item.names.join(", "), item.kind);
        writeln!(out, "{}", escaped(&line))?;
        let program = item.path.as_deref().unwrap_or("program not recorded");
        let signed = match (&item.signing_id, &item.team_id) {
            (Some(id), Some(team)) => format!("{} {id} ({team})", item.signature),
            (Some(id), None) => format!("{} {id}", item.signature),
            _ => item.signature.to_owned(),
        };
        writeln!(out, "{}", escaped(&format!("   {program}; {signed}")))?;
        let line = format!(
            "   {} requests on {} hosts ({}), {} to {}; responses: {}; score {:.2}",
            item.requests,
            item.hosts.len(),
            item.hosts.iter().take(5).cloned().collect::<Vec<_>>().join(", "),
            item.first_time,
            item.last_time,
            item.dispositions.join(", "),
            item.score
        );
        writeln!(out, "{}", escaped(&line))?;
        writeln!(out, "{}", escaped(&format!("   ask: {}", item.ask)))?;
    }
    Ok(())
}
