//! Triage: what to do next, in terms of this finding's own host, program, destination and times.

use monologue_model::{Disposition, Finding, SignatureState};

/// Steps for the analyst, the most telling first.
pub(crate) fn steps(finding: &Finding) -> Vec<String> {
    let mut steps = Vec::new();
    let host = &finding.host;
    let destination = &finding.destination.host;
    if let Some(path) = &finding.application.path {
        let subject = match &finding.application.agent {
            Some(agent) if agent.contains('/') => agent,
            _ => path,
        };
        steps.push(format!(
            "on {host}, look at {subject}: `codesign -dvvv`, `spctl -a -vv`, `xattr -l`, `shasum -a 256`"
        ));
        if finding.application.signature != SignatureState::Platform {
            steps.push(format!(
                "find what starts it: `grep -rl '{}' ~/Library/LaunchAgents /Library/LaunchAgents /Library/LaunchDaemons` on {host}",
                crate::identity::file_name(subject),
            ));
        }
    } else {
        let window = format!("between {} and {}", finding.first_time, finding.last_time);
        steps.push(match (&finding.application.socket_owner, finding.destination.ips.first()) {
            (Some(owner), _) => format!(
                "find the application that {owner} acted for: on {host}, its lines `Task … is for <bundle>` of the unified log {window}"
            ),
            (None, Some(address)) => format!(
                "find the program behind it: on {host}, `lsof -nP -i @{address}` while it runs, or endpoint records {window}"
            ),
            (None, None) => format!("find the program behind it: endpoint records of {host} {window}"),
        });
    }
    match finding.disposition {
        Disposition::NoReply => steps.push(format!(
            "check whether {destination} ever answered anyone: other hosts' records, passive DNS, and when it stopped"
        )),
        Disposition::ReplyUnhandled => steps.push(format!(
            "fetch {destination} from a clean network with the same request: a reply worth reading makes ignoring it odd"
        )),
        Disposition::PullOnly => steps.push(format!(
            "collect what it fetched from {destination} and the files it wrote after; find where results go instead"
        )),
        Disposition::TwoWay => steps.push(format!("treat it as an ordinary command channel to {destination}, not as one-way")),
        Disposition::Unknown => {
            if let Some(blind) = finding.blind.first() {
                steps.push(format!("settle it: {}", blind.collect));
            }
        }
    }
    if finding.application.path.is_none() && finding.application.signing_id.is_none() {
        return steps;
    }
    steps.push(format!(
        "ask the owner of {host} whether {} should talk to {destination}; if so, approve it by signing identity and service",
        finding.application.name
    ));
    steps
}
