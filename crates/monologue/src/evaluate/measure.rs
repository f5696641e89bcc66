//! What the findings of a hunt are worth, measured against the truth.

use super::{
    intervals::{Rate, Share, rate, share},
    likelihoods::{Likelihood, likelihoods},
    matching::Matches,
    read::Found,
};
use monologue_model::Level;
use monologue_simulate::{DEFINITE, Truth};
use serde::Serialize;
use std::collections::BTreeMap;

/// Edges of the buckets of scores. The last bucket includes 1.
const BUCKETS: [f64; 9] = [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0];

/// Everything that is measured. Every share has its interval of 95 %.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Evaluation {
    pub(super) schema: &'static str,
    /// Level from which a channel counts as found.
    pub(super) minimum_level: &'static str,
    /// Findings of every level: the channels that were examined, if all were written.
    pub(super) channels_examined: u64,
    /// Channels of the truth.
    pub(super) channels_of_truth: u64,
    /// Days times hosts. `None` means nobody recorded it.
    pub(super) host_days: Option<f64>,
    /// One-way malicious channels found.
    pub(super) recall: Share,
    /// Those whose sensors show enough to tell what happened.
    pub(super) recall_sighted: Share,
    /// Those with too few sensors.
    pub(super) recall_blind: Share,
    /// By what of them any sensor shows: the program, the connection alone, or nothing.
    pub(super) recall_shown: BTreeMap<String, Share>,
    /// Those of which only connections were recorded, at `low` or above: network records alone seldom reach more.
    pub(super) recall_listed: Share,
    /// Honest channels at `low` or above. `None` where nobody recorded the days.
    pub(super) honest_listed: Option<Rate>,
    /// Findings that are malicious, whatever happened to the responses.
    pub(super) precision: Share,
    /// Benign findings. `None` where nobody recorded the days.
    pub(super) false_positives: Option<Rate>,
    /// Definite dispositions that the truth contradicts, of all definite dispositions the truth speaks of.
    pub(super) false_claims: Share,
    /// Definite dispositions where the sensors do not suffice for one, of the channels of which that is so.
    pub(super) unfounded_claims: Share,
    /// By what could be said of the channel.
    pub(super) dispositions: BTreeMap<String, OfDisposition>,
    /// By behaviour: malicious first.
    pub(super) scenarios: Vec<OfScenario>,
    /// By score.
    pub(super) calibration: Vec<Bucket>,
    /// Mean squared difference between score and truth, 0 to 1; less is better. `None`: no finding.
    pub(super) brier: Option<f64>,
    /// How much likelier each case of each signal is among attacks.
    pub(super) likelihoods: Vec<Likelihood>,
    /// Each false claim.
    pub(super) contradicted: Vec<Contradicted>,
    /// Each benign finding.
    pub(super) benign_findings: Vec<Benign>,
}

/// What was said of channels of which one disposition can be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct OfDisposition {
    /// Channels of which it can be told.
    pub(super) channels: u64,
    /// Of those, it was told.
    pub(super) recall: Option<Share>,
    /// Of the findings that claim it and of whose channel the truth says what happened, those that are right.
    pub(super) precision: Option<Share>,
    /// What was said instead, and how often; `nothing` where there is no finding at all.
    pub(super) instead: BTreeMap<String, u64>,
}

/// One behaviour of the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct OfScenario {
    pub(super) scenario: String,
    pub(super) malicious: bool,
    /// What really happened.
    pub(super) happened: String,
    pub(super) channels: u64,
    /// Found at the level or above: recall of malicious ones, false positives of others.
    pub(super) found: Share,
    /// Channels of which that was said which can be said.
    pub(super) right: Share,
    /// Channels of which something false was claimed.
    pub(super) false_claims: u64,
}

/// Findings whose score lies in one stretch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Bucket {
    pub(super) from: f64,
    pub(super) until: f64,
    /// Mean score of its findings. `None`: it has none.
    pub(super) mean_score: Option<f64>,
    /// Of its findings, the malicious one-way ones.
    pub(super) one_way: Share,
}

/// A finding that claims what the truth contradicts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Contradicted {
    pub(super) id: String,
    pub(super) host: String,
    pub(super) scenario: String,
    pub(super) claimed: String,
    pub(super) happened: String,
    pub(super) sentence: String,
}

/// A finding of a benign channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Benign {
    pub(super) id: String,
    pub(super) host: String,
    /// `not in the truth` where the truth does not name it.
    pub(super) scenario: String,
    pub(super) level: String,
    pub(super) score: f64,
    pub(super) sentence: String,
}

/// Where a finding's level stands; words nobody knows count as the lowest.
fn rank(level: &str) -> usize {
    Level::ALL.iter().position(|known| known.name() == level).unwrap_or(0)
}

/// Whether a finding stands at `low` or above.
fn is_low_at_least(finding: &Found) -> bool {
    rank(&finding.level) >= rank("low")
}

/// Whether it is an attack that talks one way.
pub(super) fn is_one_way(truth: &Truth) -> bool {
    truth.malicious && matches!(truth.happened.as_str(), "no-reply" | "reply-unhandled" | "pull-only")
}

#[cfg(test)]
pub(super) fn contradicted(happened: &str) -> Vec<String> {
    DEFINITE.iter().filter(|claim| **claim != happened).map(|claim| (*claim).to_owned()).collect()
}

/// A hunt beside the truth.
pub(super) struct Beside<'a> {
    pub(super) truths: &'a [Truth],
    pub(super) findings: &'a [Found],
    pub(super) matches: &'a Matches,
    pub(super) minimum: Level,
    pub(super) host_days: Option<f64>,
}

impl<'a> Beside<'a> {
    pub(super) fn truths_of(&self, finding: usize) -> impl Iterator<Item = &'a Truth> + Clone {
        self.matches.of_finding.get(finding).into_iter().flatten().filter_map(|at| self.truths.get(*at))
    }

    fn findings_of(&self, truth: usize) -> impl Iterator<Item = &'a Found> + Clone {
        self.matches.of_truth.get(truth).into_iter().flatten().filter_map(|at| self.findings.get(*at))
    }

    fn is_raised(&self, finding: &Found) -> bool {
        rank(&finding.level) >= rank(self.minimum.name())
    }

    fn is_found(&self, truth: usize) -> bool {
        self.findings_of(truth).any(|finding| self.is_raised(finding))
    }

    fn is_listed(&self, truth: usize) -> bool {
        self.findings_of(truth).any(is_low_at_least)
    }

    /// What is said of a channel: by the finding that names its program, else by the one with most exchanges.
    fn said(&self, truth: usize) -> Option<&'a Found> {
        self.findings_of(truth).max_by_key(|finding| (finding.application.path.is_some(), finding.exchanges))
    }

    /// Whether a finding claims what is false. That nothing came, or that nothing used it, is a claim about every channel the
    /// finding may speak of; that something was used is one about any of them.
    fn is_false(&self, at: usize, finding: &Found) -> bool {
        let mut truths = self.truths_of(at).peekable();
        if truths.peek().is_none() || !DEFINITE.contains(&finding.disposition.as_str()) {
            return false;
        }
        let mut contradicts = truths.map(|truth| truth.false_claims.contains(&finding.disposition));
        match finding.disposition.as_str() {
            "no-reply" | "reply-unhandled" => contradicts.any(|is_false| is_false),
            _ => contradicts.all(|is_false| is_false),
        }
    }

    /// Measures everything.
    pub(super) fn evaluate(&self) -> Evaluation {
        let count = |is_counted: &dyn Fn(&Truth) -> bool, is_found: &dyn Fn(usize) -> bool| {
            let (mut found, mut all) = (0, 0);
            for (at, _) in self.truths.iter().enumerate().filter(|(_, truth)| is_one_way(truth) && is_counted(truth)) {
                all += 1;
                found += u64::from(is_found(at));
            }
            share(found, all)
        };
        let one_way = |is_counted: &dyn Fn(&Truth) -> bool| count(is_counted, &|at| self.is_found(at));
        let listed = (0..self.findings.len()).filter(|at| self.findings.get(*at).is_some_and(is_low_at_least));
        let honest = listed.filter(|at| self.benign(*at).is_some()).count() as u64;
        let raised: Vec<usize> = (0..self.findings.len())
            .filter(|at| self.findings.get(*at).is_some_and(|one| self.is_raised(one)))
            .collect();
        let benign_findings: Vec<Benign> = raised.iter().filter_map(|at| self.benign(*at)).collect();
        let malicious = (raised.len() - benign_findings.len()) as u64;
        let contradicted = self.contradicted();
        let definite = (0..self.findings.len())
            .filter(|at| self.findings.get(*at).is_some_and(|one| DEFINITE.contains(&one.disposition.as_str())))
            .filter(|at| self.truths_of(*at).any(|truth| !truth.false_claims.is_empty()))
            .count();
        let blind: Vec<usize> = (0..self.truths.len())
            .filter(|at| self.truths.get(*at).is_some_and(|truth| truth.disposition == "unknown"))
            .collect();
        let unfounded = blind
            .iter()
            .filter(|at| self.findings_of(**at).any(|one| DEFINITE.contains(&one.disposition.as_str())))
            .count();
        let (calibration, brier) = self.calibration();
        Evaluation {
            schema: "monologue.evaluation/1",
            minimum_level: self.minimum.name(),
            channels_examined: self.findings.len() as u64,
            channels_of_truth: self.truths.len() as u64,
            host_days: self.host_days,
            recall: one_way(&|_| true),
            recall_sighted: one_way(&|truth| truth.disposition != "unknown"),
            recall_blind: one_way(&|truth| truth.disposition == "unknown"),
            recall_shown: ["program", "connection", "nothing"]
                .map(|shown| (shown.to_owned(), one_way(&|truth| truth.shown == shown)))
                .into(),
            recall_listed: count(&|truth| truth.shown == "connection", &|at| self.is_listed(at)),
            honest_listed: self.host_days.map(|days| rate(honest, days)),
            precision: share(malicious, raised.len() as u64),
            false_positives: self.host_days.map(|days| rate(benign_findings.len() as u64, days)),
            false_claims: share(contradicted.len() as u64, definite as u64),
            unfounded_claims: share(unfounded as u64, blind.len() as u64),
            dispositions: self.dispositions(),
            scenarios: self.scenarios(),
            calibration,
            brier,
            likelihoods: likelihoods(self),
            contradicted,
            benign_findings,
        }
    }

    fn benign(&self, at: usize) -> Option<Benign> {
        let finding = self.findings.get(at)?;
        if self.truths_of(at).any(|truth| truth.malicious) {
            return None;
        }
        let scenario = self.truths_of(at).next().map_or("not in the truth", |truth| truth.scenario.as_str());
        Some(Benign {
            id: finding.id.clone(),
            host: finding.host.clone(),
            scenario: scenario.to_owned(),
            level: finding.level.clone(),
            score: finding.score,
            sentence: finding.sentence.clone(),
        })
    }

    fn contradicted(&self) -> Vec<Contradicted> {
        let falsely = self.findings.iter().enumerate().filter(|(at, finding)| self.is_false(*at, finding));
        falsely
            .filter_map(|(at, finding)| {
                let truth = self.truths_of(at).find(|truth| truth.false_claims.contains(&finding.disposition))?;
                Some(Contradicted {
                    id: finding.id.clone(),
                    host: finding.host.clone(),
                    scenario: truth.scenario.clone(),
                    claimed: finding.disposition.clone(),
                    happened: truth.happened.clone(),
                    sentence: finding.sentence.clone(),
                })
            })
            .collect()
    }

    fn dispositions(&self) -> BTreeMap<String, OfDisposition> {
        let mut all: BTreeMap<String, OfDisposition> = BTreeMap::new();
        let mut told: BTreeMap<&str, u64> = BTreeMap::new();
        for (at, truth) in self.truths.iter().enumerate().filter(|(_, truth)| truth.disposition != "any") {
            let entry = all.entry(truth.disposition.clone()).or_default();
            entry.channels += 1;
            match self.said(at) {
                Some(finding) if finding.disposition == truth.disposition => {
                    *told.entry(truth.disposition.as_str()).or_default() += 1;
                }
                other => {
                    let said = other.map_or("nothing", |finding| finding.disposition.as_str());
                    *entry.instead.entry(said.to_owned()).or_default() += 1;
                }
            }
        }
        for (name, entry) in &mut all {
            entry.recall = Some(share(told.get(name.as_str()).copied().unwrap_or(0), entry.channels));
            if DEFINITE.contains(&name.as_str()) {
                entry.precision = Some(self.precision_of(name));
            }
        }
        all
    }

    fn precision_of(&self, disposition: &str) -> Share {
        let (mut right, mut all) = (0, 0);
        for (at, _) in self.findings.iter().enumerate().filter(|(_, finding)| finding.disposition == disposition) {
            let mut known = self.truths_of(at).filter(|truth| truth.happened != "any").peekable();
            if known.peek().is_some() {
                all += 1;
                right += u64::from(known.any(|truth| truth.happened == disposition));
            }
        }
        share(right, all)
    }

    fn scenarios(&self) -> Vec<OfScenario> {
        #[derive(Default)]
        struct Sum {
            channels: u64,
            found: u64,
            right: u64,
            asserted: u64,
            false_claims: u64,
        }
        let mut sums: BTreeMap<(bool, &str, &str), Sum> = BTreeMap::new();
        for (at, truth) in self.truths.iter().enumerate() {
            let sum = sums.entry((!truth.malicious, &truth.scenario, &truth.happened)).or_default();
            sum.channels += 1;
            sum.found += u64::from(self.is_found(at));
            if truth.disposition != "any" {
                sum.asserted += 1;
                sum.right += u64::from(self.said(at).is_some_and(|one| one.disposition == truth.disposition));
            }
            let is_false = |finding: &usize| {
                self.findings
                    .get(*finding)
                    .is_some_and(|one| self.is_false(*finding, one) && truth.false_claims.contains(&one.disposition))
            };
            sum.false_claims += u64::from(self.matches.of_truth.get(at).is_some_and(|list| list.iter().any(is_false)));
        }
        sums.into_iter()
            .map(|((is_benign, scenario, happened), sum)| OfScenario {
                scenario: scenario.to_owned(),
                malicious: !is_benign,
                happened: happened.to_owned(),
                channels: sum.channels,
                found: share(sum.found, sum.channels),
                right: share(sum.right, sum.asserted),
                false_claims: sum.false_claims,
            })
            .collect()
    }

    fn calibration(&self) -> (Vec<Bucket>, Option<f64>) {
        let mut sums = vec![(0_u64, 0_u64, 0.0_f64); BUCKETS.len() - 1];
        let mut squares = 0.0;
        for (at, finding) in self.findings.iter().enumerate() {
            let is_one_way = self.truths_of(at).any(is_one_way);
            squares += (finding.score - f64::from(u8::from(is_one_way))).powi(2);
            let bucket = BUCKETS.iter().skip(1).take_while(|until| finding.score >= **until).count();
            if let Some((all, one_way, scores)) = sums.get_mut(bucket.min(BUCKETS.len() - 2)) {
                *all += 1;
                *one_way += u64::from(is_one_way);
                *scores += finding.score;
            }
        }
        let edges = BUCKETS.iter().zip(BUCKETS.iter().skip(1));
        let buckets = edges.zip(sums).map(|((from, until), (all, one_way, scores))| Bucket {
            from: *from,
            until: *until,
            mean_score: (all > 0).then(|| scores / all as f64),
            one_way: share(one_way, all),
        });
        let brier = (!self.findings.is_empty()).then(|| squares / self.findings.len() as f64);
        (buckets.collect(), brier)
    }
}
