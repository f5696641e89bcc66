//! Coverage as one JSON object. Its contract is documented in `docs/reference/coverage.md`.

use super::blind_spots;
use crate::escape;
use monologue_model::{COVERAGE_SCHEMA, ClaimHours, HostCoverage, HuntSummary, Sight, SourceSummary, Timestamp};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Writes the object and a line end. Hosts are written one after another: a fleet is never held twice.
pub(super) fn write(summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    let head = json!({
        "schema": COVERAGE_SCHEMA,
        "version": summary.version,
        "from": summary.first_time,
        "until": summary.last_time,
        "sources": sources(&summary.sources),
        "claims": summary.claims.summary.iter().map(claim).collect::<Vec<_>>(),
        "steps": summary.claims.steps.iter().map(step).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string(&head)?;
    let open = text.strip_suffix('}').unwrap_or(&text);
    write!(to, "{},\"hosts\":[", escape::json(open))?;
    for (at, coverage) in summary.coverage.iter().enumerate() {
        let claims = summary.claims.hosts.get(at).map_or(&[][..], Vec::as_slice);
        let separator = if at == 0 { "\n" } else { ",\n" };
        write!(to, "{separator}{}", escape::json(&serde_json::to_string(&host(coverage, claims))?))?;
    }
    writeln!(to, "]}}")
}

fn sources(sources: &[SourceSummary]) -> Vec<Value> {
    let mut by_format: BTreeMap<Option<&str>, [u64; 4]> = BTreeMap::new();
    for source in sources {
        let sum = by_format.entry(source.format.as_deref()).or_default();
        let more = [1, source.events, source.skipped, source.malformed];
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
    let row = |(format, [inputs, events, skipped, malformed]): (Option<&str>, [u64; 4])| json!({"format": format, "inputs": inputs, "events": events, "skipped": skipped, "malformed": malformed});
    by_format.into_iter().map(row).collect()
}

fn hours(hours: ClaimHours) -> Value {
    json!({"holds": hours.holds, "partly": hours.partly, "blind": hours.blind, "of": hours.of()})
}

fn claim(summary: &monologue_model::ClaimSummary) -> Value {
    json!({
        "claim": summary.claim.id,
        "sentence": summary.claim.sentence,
        "speaks_from": summary.claim.speaks_from,
        "needs": summary.claim.needs,
        "hosts_needed": summary.claim.hosts,
        "host_hours": hours(summary.host_hours),
        "hosts_holding": summary.hosts_holding,
    })
}

fn step(step: &monologue_model::CollectionStep) -> Value {
    let unlocks: serde_json::Map<String, Value> =
        step.unlocks.iter().map(|(claim, hours)| ((*claim).to_owned(), json!(hours))).collect();
    json!({"step": step.step, "sights": step.sights, "hosts": step.hosts, "host_hours": step.host_hours, "unlocks": unlocks})
}

fn host(host: &HostCoverage, claims: &[monologue_model::HostClaim]) -> Value {
    let moment = |hour: i64| Timestamp::from_seconds(hour.saturating_mul(3600));
    let sights: Vec<Value> = Sight::ALL
        .iter()
        .filter_map(|sight| host.sight(*sight))
        .map(|entry| {
            let shares: Vec<Value> = entry
                .hours
                .iter()
                .map(|(hour, share)| json!({"hour": moment(*hour), "share": rounded(*share)}))
                .collect();
            json!({
                "sight": entry.sight,
                "percent": (host.percent(entry.sight) * 10.0).round() / 10.0,
                "covered_seconds": entry.covered_nanoseconds / 1_000_000_000,
                "losses": entry.losses,
                "hours": shares,
                "lost_hours": entry.lost_hours.iter().map(|hour| moment(*hour)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let claims: Vec<Value> = claims
        .iter()
        .map(|claim| {
            json!({
                "claim": claim.claim,
                "hours": hours(claim.hours),
                "missing": claim.missing,
                "stretches": claim.stretches,
            })
        })
        .collect();
    json!({
        "host": host.host,
        "from": host.from,
        "until": host.until,
        "os_version": host.os_version,
        "formats": host.formats,
        "losses": host.losses,
        "missing_exchanges": host.missing_exchanges,
        "exchanges": host.exchanges,
        "blind_spots": blind_spots(host),
        "sights": sights,
        "claims": claims,
    })
}

/// A share to four places: more is noise.
fn rounded(share: f32) -> f64 {
    (f64::from(share) * 10_000.0).round() / 10_000.0
}
