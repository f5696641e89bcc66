//! What no record of this kind can show on a host, whatever its sensors promise.

use monologue_model::{HostCoverage, Sight};

/// Sentences about one host, each with what it rests on.
pub(crate) fn of(host: &HostCoverage) -> Vec<String> {
    let mut spots = Vec::new();
    let shows = |sight: Sight| host.sight(sight).is_some_and(|found| found.covered_nanoseconds > 0);
    let seen = &host.exchanges;
    if host.missing_exchanges > 0 {
        spots.push(format!(
            "{} records that could show exchanges were lost: nothing is said from absence on this host",
            host.missing_exchanges
        ));
    }
    if !shows(Sight::FlowReply) && (shows(Sight::ProcessExec) || shows(Sight::FileEffect)) {
        spots.push(
            "Endpoint Security has no event for network connections: without network records nothing is known of replies, \
             except where the unified log tells the life of a request"
                .to_owned(),
        );
    }
    if shows(Sight::TaskLifecycle) && !shows(Sight::FlowReply) {
        spots.push(
            "programs on libcurl (such as curl), OpenSSL, Go, Rust, Python or Electron write no request lines, and WebKit \
             views show as com.apple.WebKit.Networking: of their replies only network records speak"
                .to_owned(),
        );
    }
    if seen.modern_loader > 0 {
        spots.push(format!(
            "{} requests were run by a loader that logs no responses (macOS 15.4 and later may choose it): nothing is said of them",
            seen.modern_loader
        ));
    }
    if seen.destination_masked > 0 {
        spots.push(format!(
            "the log masks the destination of {} of {} exchanges: only a join with network records, or a logging profile that shows private data, names it",
            seen.destination_masked, seen.exchanges
        ));
    }
    if seen.exchanges > seen.application_known {
        spots.push(format!(
            "{} of {} exchanges are nobody's: no endpoint record says which application made them",
            seen.exchanges - seen.application_known,
            seen.exchanges
        ));
    }
    if shows(Sight::TaskLifecycle) {
        spots.extend(host.os_version.as_deref().and_then(release).map(str::to_owned));
    }
    spots
}

/// What the unified log of a release of macOS does not show of requests.
fn release(version: &str) -> Option<&'static str> {
    let mut parts = version.trim().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match (major, minor) {
        (10, _) => Some(
            "macOS 10: request lines are at default level, but their form on 10.13 is not confirmed; lines of connections differ",
        ),
        (11, _) => {
            Some("macOS 11: request lines have an empty subsystem; an export that selects by subsystem loses them")
        }
        (12, _) => Some("macOS 12: the form of request lines is taken to be that of 11 or 14, and not confirmed"),
        (13 | 14, _) => Some("macOS 13 and 14: request lines are briefer, and more of them is masked"),
        (15, 4..) => Some("macOS 15.4 and later: a program may choose a loader that logs no responses"),
        (16.., _) => Some(
            "macOS 26 and later: lines of connections may come from Network.framework itself; a loader that logs no responses may be chosen",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ExchangeCoverage, SightCoverage};

    fn host(sights: &[Sight]) -> HostCoverage {
        let sights = sights.iter().map(|sight| SightCoverage {
            sight: *sight,
            covered_nanoseconds: 1,
            losses: 0,
            hours: [].into(),
            lost_hours: [].into(),
        });
        HostCoverage { sights: sights.collect(), ..HostCoverage::default() }
    }

    #[test]
    fn what_cannot_be_seen_depends_on_what_was_collected() {
        assert!(of(&host(&[Sight::FlowReply])).is_empty());
        assert_eq!(of(&host(&[Sight::ProcessExec])).len(), 1);
        let mut log = host(&[Sight::TaskLifecycle]);
        log.exchanges =
            ExchangeCoverage { exchanges: 5, application_known: 3, modern_loader: 2, ..ExchangeCoverage::default() };
        log.os_version = Some("15.4.1".into());
        let spots = of(&log);
        assert_eq!(spots.len(), 4, "{spots:?}");
        assert!(spots.iter().any(|spot| spot.starts_with("2 requests were run by a loader")));
        assert!(spots.iter().any(|spot| spot.starts_with("2 of 5 exchanges are nobody's")));
    }

    #[test]
    fn releases_are_told_apart_by_number_not_by_text() {
        assert!(release("15.3.2").is_none() && release("15.10").is_some());
        assert!(release("11.7").is_some_and(|spot| spot.contains("empty subsystem")));
        assert!(release("").is_none() && release("Sonoma").is_none());
    }
}
