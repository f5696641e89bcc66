//! ATT&CK's data components, and how much of each a hunt's telemetry had.

use monologue_model::{HostCoverage, HuntSummary, Sight};

/// A data component of ATT&CK that a hunt can use.
pub(crate) struct Component {
    /// Its ATT&CK id.
    pub(crate) id: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// The sights that it is made of here: any of them will do.
    pub(crate) sights: &'static [Sight],
}

/// Which program was started: named by AN1601.
pub(crate) const PROCESS_CREATION: Component =
    Component { id: "DC0032", name: "Process Creation", sights: &[Sight::ProcessExec] };

/// What was asked and answered: named by AN1601.
pub(crate) const TRAFFIC_CONTENT: Component = Component {
    id: "DC0085",
    name: "Network Traffic Content",
    sights: &[Sight::TaskLifecycle, Sight::HttpResponse, Sight::GatewayRecord],
};

/// Whether anything came back.
pub(crate) const TRAFFIC_FLOW: Component =
    Component { id: "DC0078", name: "Network Traffic Flow", sights: &[Sight::FlowReply, Sight::FlowBytes] };

/// What was done after a reply.
pub(crate) const FILE_CREATION: Component =
    Component { id: "DC0039", name: "File Creation", sights: &[Sight::FileEffect] };

/// All of them, in the order they are reported.
pub(crate) const COMPONENTS: [&Component; 4] = [&PROCESS_CREATION, &TRAFFIC_CONTENT, &TRAFFIC_FLOW, &FILE_CREATION];

impl Component {
    /// The share of one host's time, 0 to 100, in which it was watched: that of its best sight.
    pub(crate) fn percent_of(&self, host: &HostCoverage) -> f64 {
        self.sights.iter().map(|sight| host.percent(*sight)).fold(0.0, f64::max)
    }

    /// The mean of all hosts' shares. `None`: no host was looked at.
    pub(crate) fn percent(&self, summary: &HuntSummary) -> Option<f64> {
        mean(summary.coverage.iter().map(|host| self.percent_of(host)))
    }

    /// Hosts on which it was watched at any time.
    pub(crate) fn hosts(&self, summary: &HuntSummary) -> usize {
        summary.coverage.iter().filter(|host| self.percent_of(host) > 0.0).count()
    }
}

/// How much of what AN1601 needs was there: both of its components on the same host, so the lesser of the two, as the mean of
/// all hosts. `None`: no host was looked at.
pub(crate) fn analytic_percent(summary: &HuntSummary) -> Option<f64> {
    let both = |host: &HostCoverage| PROCESS_CREATION.percent_of(host).min(TRAFFIC_CONTENT.percent_of(host));
    mean(summary.coverage.iter().map(both))
}

fn mean(shares: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = shares.len();
    (count > 0).then(|| shares.sum::<f64>() / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{SightCoverage, Timestamp};

    fn host(shares: &[(Sight, i64)]) -> HostCoverage {
        let sight = |(sight, covered): &(Sight, i64)| SightCoverage {
            sight: *sight,
            covered_nanoseconds: *covered,
            losses: 0,
            hours: [].into(),
            lost_hours: [].into(),
        };
        HostCoverage {
            host: "mac".into(),
            from: Timestamp::from_nanoseconds(0),
            until: Timestamp::from_nanoseconds(100),
            sights: shares.iter().map(sight).collect(),
            ..HostCoverage::default()
        }
    }

    #[test]
    fn an_analytic_needs_both_components_on_the_same_host() {
        let one = host(&[(Sight::ProcessExec, 100), (Sight::TaskLifecycle, 40), (Sight::HttpResponse, 60)]);
        let other = host(&[(Sight::ProcessExec, 80)]);
        let summary = HuntSummary { coverage: vec![one, other], ..HuntSummary::default() };
        assert_eq!(TRAFFIC_CONTENT.percent(&summary), Some(30.0));
        assert_eq!(TRAFFIC_CONTENT.hosts(&summary), 1);
        assert_eq!(analytic_percent(&summary), Some(30.0), "60 of the first, 0 of the second");
        assert_eq!(analytic_percent(&HuntSummary::default()), None, "nothing looked at is no zero");
    }
}
