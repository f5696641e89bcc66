//! What would change the answer: of the disposition, of the score, of the level.

use super::contract::Explained;
use monologue_model::{Disposition, Level};

/// The probability that a sum of decibans means.
pub(super) fn probability(decibans: f64) -> f64 {
    1.0 / (1.0 + 10_f64.powf(-decibans / 10.0))
}

/// The sum that a probability means.
fn decibans(probability: f64) -> f64 {
    10.0 * (probability / (1.0 - probability)).log10()
}

/// The level of a score, before what holds it down.
pub(super) fn level_of(score: f64, thresholds: &[f64; 4]) -> Level {
    let reached = thresholds.iter().filter(|threshold| score >= **threshold).count();
    Level::ALL.get(reached).copied().unwrap_or_default()
}

/// What would change what is said of the responses.
pub(super) fn of_disposition(finding: &Explained) -> Vec<String> {
    let count = finding.exchanges;
    let destination = &finding.destination.host;
    let mut sentences = match finding.disposition {
        Disposition::NoReply => vec![format!(
            "One answer from {destination} in this window would end `no-reply`: it needs all {count} requests seen and silent. So would a \
             stretch in which records were lost."
        )],
        Disposition::ReplyUnhandled => vec![format!(
            "One reply from {destination} that was taken, or one deed after a reply beyond what the program does anyway, would end \
             `reply-unhandled`. So would a reply whose time after was not watched."
        )],
        Disposition::PullOnly => vec![format!(
            "Requests to {destination} that grow by more than a counter after a deed would make it `two-way`; if the deed turned out \
             to be the program's habit, it would be `unknown`."
        )],
        Disposition::TwoWay => {
            vec![format!(
                "If the requests to {destination} that grew carried something else than results, it would be `pull-only`."
            )]
        }
        Disposition::Unknown => Vec::new(),
    };
    sentences.extend(finding.blind.iter().map(|blind| {
        let had = format!("Had {} been seen for all {} (it was for {})", blind.sight, blind.of, blind.seen);
        let then = match blind.sight.as_str() {
            "flow.reply" if count >= 4 => "all silent would make it `no-reply`, and one answer would rule that out",
            "flow.reply" => "fewer than four requests make no `no-reply` by the wire alone",
            "file.effect" => {
                "nothing after any reply would allow `reply-unhandled` (with output thrown away, the process gone at once, or eight \
                 identical replies), and a deed after one `pull-only` or `two-way`"
            }
            "task.lifecycle" => {
                "every request given up would make it `reply-unhandled`, each without a response `no-reply`, and one collected would show \
                 that replies are used"
            }
            "process.exec" => "the application would be known, and with it who signed it; the level would no longer be held down for that",
            "code.profile" => "its code would weigh +4 or −3 decibans; it decides nothing by itself",
            _ => return format!("{had}, it would say {}.", blind.consequence),
        };
        format!("{had}, {then}.")
    }));
    sentences
}

/// Of a supporting weight that is taken away, what its layer's cap had taken off it already: that much is no loss.
fn given_back(finding: &Explained, id: &str, weight: f64) -> f64 {
    let layer = id.split('.').next().unwrap_or_default();
    let cap = finding.signals.iter().find(|signal| signal.id.strip_prefix("cap.") == Some(layer));
    cap.map_or(0.0, |cap| weight.max(0.0).min(-cap.weight))
}

/// What would change the score and the level.
pub(super) fn of_score(finding: &Explained, thresholds: &[f64; 4]) -> Vec<String> {
    let sum: f64 = finding.signals.iter().map(|signal| signal.weight).sum();
    let now = level_of(probability(sum), thresholds);
    let mut sentences = Vec::new();
    let turning: Vec<String> = finding
        .signals
        .iter()
        .filter(|signal| signal.weight != 0.0 && signal.id != "prior" && !signal.id.starts_with("cap."))
        .filter_map(|signal| {
            let score = probability(sum - signal.weight + given_back(finding, &signal.id, signal.weight));
            let level = level_of(score, thresholds);
            (level != now).then(|| format!("without {} it would be {level} ({score:.3})", signal.id))
        })
        .collect();
    if turning.is_empty() {
        sentences.push(format!("No single reason carries the level: without any one of them the score stays {now}."));
    } else {
        sentences.push(format!("The score means {now}; {}.", turning.join("; ")));
    }
    let next = thresholds.iter().map(|threshold| decibans(*threshold)).find(|needed| *needed > sum);
    if let Some(needed) = next {
        let level = level_of(probability(needed + 1e-9), thresholds);
        sentences.push(format!("{:+.1} decibans more would make the score {level}.", needed - sum));
    }
    if let Some(reason) = &finding.level_reason {
        sentences.push(format!("The level is held at {} whatever the score, because {reason}.", finding.level));
    }
    if let Some(approval) = &finding.approval {
        sentences
            .push(format!("It is approved by {} until {}: {}.", approval.owner, approval.expires, approval.reason));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_probabilities_are_each_others_inverse() {
        for sum in [-20.0, -3.0, 0.0, 9.0, 20.0] {
            assert!((decibans(probability(sum)) - sum).abs() < 1e-9);
        }
        assert!((decibans(0.9) - 9.5424).abs() < 1e-3, "odds of nine to one");
    }

    #[test]
    fn levels_begin_at_their_thresholds() {
        let thresholds = [0.1, 0.5, 0.9, 0.99];
        assert_eq!(level_of(0.0999, &thresholds), Level::Info);
        assert_eq!(level_of(0.5, &thresholds), Level::Medium);
        assert_eq!(level_of(0.995, &thresholds), Level::Critical);
    }
}
