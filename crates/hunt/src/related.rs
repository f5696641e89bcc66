//! What else the same application does on the same platform or domain: one-way by one URL may be two-way by the host, and
//! the finding must say both.

use monologue_model::{ApplicationKey, Channel, Disposition, Finding, RelatedChannel, Service};
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
    for members in families.values().filter(|members| members.len() > 1) {
        let all: Vec<(usize, RelatedChannel)> = members
            .iter()
            .filter_map(|at| {
                let (channel, finding) = (channels.get(*at)?, findings.get(*at)?);
                let service = channel.key.service.to_string().into();
                Some((*at, RelatedChannel { id: finding.id, service, disposition: finding.disposition }))
            })
            .collect();
        for at in members {
            let Some(finding) = findings.get_mut(*at) else { continue };
            let others = all.iter().filter(|(other, _)| other != at).map(|(_, related)| related.clone());
            finding.related = others.take(RELATED_CAP).collect();
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
