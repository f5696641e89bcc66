//! What else the same application does on the same platform or domain: one-way by one URL may be two-way by the host, and
//! the finding must say both.

use crate::settings;
use monologue_model::{
    ApplicationKey, ByteLayer, Channel, Disposition, Finding, RelatedChannel, Row, Service, Timestamp,
};
use std::collections::BTreeMap;

/// Related channels listed in one finding.
const RELATED_CAP: usize = 16;

/// Names in each finding the other channels of the same application and family. `findings` are those of `channels`, in the
/// same order.
pub(crate) fn relate(channels: &[Channel], findings: &mut [Finding]) {
    let mut families: BTreeMap<(&ApplicationKey, Service), Vec<usize>> = BTreeMap::new();
    for (at, channel) in channels.iter().enumerate() {
        let key = &channel.key;
        if !key.application.is_unknown() && key.service.is_named() {
            families.entry((&key.application, key.service.family())).or_default().push(at);
        }
    }
    name_results(channels, findings);
    for members in families.values().filter(|members| members.len() > 1) {
        let all: Vec<(usize, RelatedChannel)> = members
            .iter()
            .filter_map(|at| {
                let (channel, finding) = (channels.get(*at)?, findings.get(*at)?);
                let service = channel.key.service.to_string().into();
                Some((*at, RelatedChannel { id: finding.id, service, disposition: finding.disposition, results: 0 }))
            })
            .collect();
        for at in members {
            let Some(finding) = findings.get_mut(*at) else { continue };
            let others = all.iter().filter(|(other, _)| other != at).map(|(_, related)| related.clone());
            let known: Vec<_> = finding.related.iter().map(|related| related.id).collect();
            finding.related.extend(others.filter(|other| !known.contains(&other.id)));
            finding.related.truncate(RELATED_CAP);
            let definite = |related: &&RelatedChannel| related.disposition.is_definite();
            let two_way = |related: &&RelatedChannel| related.disposition == Disposition::TwoWay;
            let told = finding.related.iter().find(two_way).or_else(|| finding.related.iter().find(definite));
            if let Some(other) = told.filter(|other| other.disposition != finding.disposition) {
                let sentence =
                    format!(" The same application also has a {} channel to {}.", other.disposition, other.service);
                finding.sentence.push_str(&sentence);
            }
        }
    }
}

/// How soon after a deed its result may be sent: 60 s.
const RESULT_NS: i64 = 60_000_000_000;

/// Names the other channels of the same application to which results may go: within a minute of a deed that followed a reply,
/// a request carried clearly more than any to this channel's own service.
fn name_results(channels: &[Channel], findings: &mut [Finding]) {
    let mut by_application: BTreeMap<&ApplicationKey, Vec<usize>> = BTreeMap::new();
    for (at, channel) in channels.iter().enumerate().filter(|(_, channel)| !channel.key.application.is_unknown()) {
        by_application.entry(&channel.key.application).or_default().push(at);
    }
    for members in by_application.values().filter(|members| members.len() > 1) {
        for at in members {
            let Some(channel) = channels.get(*at).filter(|channel| channel.counters.effects_witnessed > 0) else {
                continue;
            };
            let acted: Vec<Timestamp> = channel.rows().filter(|row| row.effects > 0).map(|row| row.time).collect();
            let mut results: Vec<RelatedChannel> = Vec::new();
            for other in members.iter().filter(|other| *other != at) {
                let (Some(there), Some(finding)) = (channels.get(*other), findings.get(*other)) else { continue };
                let count = there.rows().filter(|row| may_carry_result(row, channel, &acted)).count() as u64;
                if count > 0 {
                    let service = there.key.service.to_string().into();
                    let disposition = finding.disposition;
                    results.push(RelatedChannel { id: finding.id, service, disposition, results: count });
                }
            }
            results.sort_by(|one, other| other.results.cmp(&one.results).then(one.id.cmp(&other.id)));
            results.truncate(RELATED_CAP);
            let Some(finding) = findings.get_mut(*at) else { continue };
            if let Some(first) = results.first() {
                finding.sentence.push_str(&format!(
                    " Within a minute of what it did, it sent more to {} than it ever asks here with: results may go there.",
                    first.service
                ));
            }
            finding.related.extend(results);
        }
    }
}

fn may_carry_result(row: &Row, channel: &Channel, acted: &[Timestamp]) -> bool {
    let before = acted.partition_point(|time| *time <= row.time);
    let soon = before > 0 && acted.get(before - 1).is_some_and(|time| row.time.since(*time) <= RESULT_NS);
    let Some(layer) = row.request_layer.filter(|layer| *layer != ByteLayer::Body) else { return false };
    let own = channel.rows().filter(|own| own.request_layer == Some(layer)).map(|own| own.request_bytes).max();
    soon && own.is_some_and(|own| row.request_bytes > own.saturating_add(settings::REQUEST_SLACK_BYTES))
}
