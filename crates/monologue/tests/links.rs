//! The links, and what is said on their strength, against the simulator's truth under every single disturbance. The
//! example `links` measures more seeds and combinations, and writes docs/reference/links.md.
#![cfg(test)]

#[path = "links/measure.rs"]
mod measure;
#[path = "links/page.rs"]
mod page;
#[path = "links/verdicts.rs"]
mod verdicts;

use measure::{Count, DISTURBANCES, Measured, Pair, SEEDS, fleet, wilson};
use verdicts::{Verdicts, verdicts};

/// How far a corrected time may be off, in seconds.
const CLOCK_ERROR_S: f64 = 0.2;

/// The least share of the joins that are possible. Where a temporary address was never named by a log, nobody knows whose
/// the flow is, and so not which answers its host got.
fn recall_floor(disturbance: &str, pair: Pair) -> f64 {
    match (disturbance, pair) {
        ("ipv6-temporary", Pair::FlowName) => 0.85,
        // Known from the second hour on: what came before is joined only as far as it was still held.
        ("scarce-ports+sensor-ahead-1h", Pair::ProcessFlow) => 0.2,
        ("scarce-ports+sensor-ahead-1h", _) => 0.75,
        _ => 0.99,
    }
}

/// How far a corrected time may be off. A clock that drifts is not yet known in the hours before a host's first matched
/// connections; what is off then is borne by the slack of two seconds, as without any correction.
fn clock_error_s(disturbance: &str) -> f64 {
    if disturbance.contains("drift") { 2.0 } else { CLOCK_ERROR_S }
}

/// Links one fleet under a disturbance, checks every pair, and gives the counts.
fn check(disturbance: &str) -> Measured {
    let measured = measure::measure(&fleet(SEEDS[0], disturbance), disturbance);
    for (pair, Count { made, right, possible, found }) in &measured.counts {
        let (precision, recall) = (*right as f64 / *made as f64, *found as f64 / *possible as f64);
        let name = pair.name();
        assert!(*made == 0 || precision >= 0.99, "{disturbance}: {name}: {precision}: {:?}", measured.wrong.first());
        let floor = recall_floor(disturbance, *pair);
        assert!(*possible == 0 || recall >= floor, "{disturbance}: {name}: {found} of {possible}");
    }
    if let Some(error) = measured.clock_error_s {
        assert!(error <= clock_error_s(disturbance), "{disturbance}: a corrected time is {error} s off");
    }
    measured
}

/// Hunts one fleet under a disturbance, checks that nothing false is said, and gives what is.
fn check_verdicts(disturbance: &str) -> Verdicts {
    let said = verdicts(SEEDS[0], disturbance);
    assert!(said.false_claims.is_empty(), "{disturbance}: {:#?}", said.false_claims);
    assert!(said.alarms.is_empty(), "{disturbance}: {:#?}", said.alarms);
    said
}

#[test]
fn clocks_that_differ_and_drift_hide_no_link_and_make_none() {
    for disturbance in ["sensor-ahead-2s", "sensor-behind-2s", "drift-50ppm", "scarce-ports+sensor-ahead-1h"] {
        let measured = check(disturbance);
        assert!(measured.counts[&Pair::ConnectionFlow].made > 1_000, "{disturbance}");
        assert!(measured.clock_error_s.is_some(), "{disturbance}");
    }
}

#[test]
fn addresses_that_change_or_hide_make_no_wrong_link() {
    let counts = check("nat").counts;
    assert_eq!(counts[&Pair::ConnectionFlow].made, 0, "the sensor shows no local end that a Mac knows");
    let tunnelled = check("vpn").counts[&Pair::ConnectionFlow];
    let undisturbed = check("shared-addresses").counts[&Pair::ConnectionFlow];
    assert!(tunnelled.made < undisturbed.made, "in the tunnel the ends differ: {tunnelled:?} {undisturbed:?}");
    check("proxy");
    check("ipv6-temporary");
}

#[test]
fn copies_and_disorder_change_no_link() {
    let plain = check("none").counts;
    let disturbed = check("duplicates+reordered").counts;
    for pair in Pair::ALL {
        let [(one, two), (three, four)] = [&plain, &disturbed].map(|counts| (counts[&pair].made, counts[&pair].right));
        assert_eq!((one, two), (three, four), "{}", pair.name());
    }
}

#[test]
fn nothing_false_is_said_where_clocks_and_records_are_disturbed() {
    // A sensor that is an hour ahead is known from the second hour on: until then its rows are nobody's, and keep some
    // channels from a claim.
    for (disturbance, whole, noted) in
        [("sensor-ahead-1h", false, true), ("drift-50ppm", true, true), ("duplicates+reordered", true, true)]
    {
        let said = check_verdicts(disturbance);
        assert!(said.named == said.attacks || (!whole && said.named > 0), "{disturbance}: {} named", said.named);
        assert_eq!(!said.clock_notes.is_empty(), noted, "{disturbance}: {:?}", said.clock_notes);
    }
}

#[test]
fn nothing_false_is_said_where_addresses_are_disturbed() {
    for disturbance in ["nat", "proxy", "vpn", "ipv6-temporary"] {
        let said = check_verdicts(disturbance);
        assert!(said.named > 0, "{disturbance}: some attacks show on the host alone");
    }
}

#[test]
fn the_interval_of_a_share_is_that_of_the_book() {
    // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
    let near = |(low, high): (f64, f64), (expected_low, expected_high): (f64, f64)| {
        (low - expected_low).abs() < 5e-5 && (high - expected_high).abs() < 5e-5
    };
    assert!(near(wilson(81, 263), (0.2553, 0.3662)), "{:?}", wilson(81, 263));
    assert!(near(wilson(0, 20), (0.0, 0.1611)), "{:?}", wilson(0, 20));
}

#[test]
fn the_page_adds_up_what_the_fleets_gave() {
    assert!(DISTURBANCES.iter().all(|name| monologue_simulate::Disturbance::named(name).is_some()));
    let (mut sum, mut said) = (Measured::default(), Verdicts::default());
    for (right, error) in [(3, 0.1), (4, 0.05)] {
        let count = Count { made: 4, right, possible: 10, found: right };
        let counts = [(Pair::TaskFlow, count)].into();
        sum.add(Measured { counts, clock_error_s: Some(error), wrong: Vec::new() });
        said.add(Verdicts { attacks: 8, named: 7, ..Verdicts::default() });
    }
    let page = page::page(&[("none", sum, said)]);
    assert!(page.contains("| none | task ↔ flow | 8 | 87.5 % (52.91–97.76) | 20 | 35 % (18.12–56.71) |"), "{page}");
    assert!(page.ends_with("| none | 0.100 | 14 of 16 | 0 | 0 |\n"), "{page}");
}
