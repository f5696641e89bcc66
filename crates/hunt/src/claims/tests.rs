//! Small hosts whose claims can be told by hand.

use super::*;
use monologue_model::SightCoverage;
use std::collections::BTreeSet;

const HOUR: i64 = 3600;

/// A host whose window is four hours, with each sight covered in some of them.
fn host(sights: &[(Sight, &[(i64, f32)])]) -> HostCoverage {
    let sights = sights.iter().map(|(sight, hours)| SightCoverage {
        sight: *sight,
        covered_nanoseconds: hours.iter().map(|(_, share)| (f64::from(*share) * HOUR_NS as f64) as i64).sum(),
        losses: 0,
        hours: (*hours).into(),
        lost_hours: [].into(),
    });
    HostCoverage {
        host: "mac".into(),
        from: Timestamp::default(),
        until: Timestamp::from_seconds(4 * HOUR).unwrap(),
        sights: sights.collect(),
        ..HostCoverage::default()
    }
}

const ALWAYS: &[(i64, f32)] = &[(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)];

fn claim<'a>(claims: &'a Claims, id: &str) -> &'a HostClaim {
    claims.hosts[0].iter().find(|claim| claim.claim == id).unwrap()
}

fn hours(holds: u64, partly: u64, blind: u64) -> ClaimHours {
    ClaimHours { holds, partly, blind }
}

#[test]
fn a_claim_holds_in_the_hours_in_which_one_sight_of_each_group_was_complete() {
    let claims = of(&[host(&[
        (Sight::FlowReply, ALWAYS),
        (Sight::ProcessExec, &[(0, 1.0), (1, 0.5), (2, 0.991)]),
        (Sight::FileEffect, ALWAYS),
    ])]);
    let unhandled = claim(&claims, "reply-unhandled");
    assert_eq!(unhandled.hours, hours(2, 1, 1));
    assert_eq!(unhandled.missing, [Sight::ProcessExec]);
    let states: Vec<(u64, ClaimState)> =
        unhandled.stretches.iter().map(|stretch| (stretch.hours, stretch.state)).collect();
    assert_eq!(
        states,
        [(1, ClaimState::Holds), (1, ClaimState::Partly), (1, ClaimState::Holds), (1, ClaimState::Blind)]
    );
    assert_eq!(claim(&claims, "no-reply").hours, hours(4, 0, 0));
    assert_eq!(claim(&claims, "given-up").hours, hours(0, 0, 4));
}

#[test]
fn the_end_of_a_window_is_judged_by_the_part_of_the_hour_that_lies_in_it() {
    let mut short = host(&[(Sight::FlowReply, &[(0, 1.0), (1, 0.25)])]);
    short.until = Timestamp::from_seconds(HOUR + HOUR / 4).unwrap();
    let claims = of(&[short]);
    assert_eq!(claim(&claims, "no-reply").hours, hours(2, 0, 0));
}

#[test]
fn a_loss_however_short_takes_the_hour_and_lost_exchanges_take_all_that_speaks_from_absence() {
    let mut lossy = host(&[(Sight::FlowReply, ALWAYS), (Sight::ProcessArguments, ALWAYS)]);
    lossy.sights[0].lost_hours = [2].into();
    let claims = of(&[lossy.clone()]);
    assert_eq!(claim(&claims, "no-reply").hours, hours(3, 1, 0));
    lossy.missing_exchanges = 1;
    let claims = of(&[lossy]);
    assert_eq!(claim(&claims, "no-reply").hours, hours(0, 0, 4), "any lost record may have been an answer");
    assert_eq!(claim(&claims, "output-thrown-away").hours, hours(4, 0, 0), "presence needs one witness");
    let step = claims.steps.iter().find(|step| &*step.step == WITHOUT_LOSS).unwrap();
    assert_eq!(step.unlocks.iter().find(|(id, _)| *id == "no-reply"), Some(&("no-reply", 4)));
    assert_eq!(step.sights, [Sight::FlowReply]);
}

#[test]
fn steps_are_ranked_by_the_host_hours_they_unlock() {
    let claims = of(&[host(&[(Sight::FlowReply, ALWAYS), (Sight::FlowBytes, ALWAYS)])]);
    let unlocked: Vec<(&str, u64)> = claims.steps.iter().map(|step| (step.sights[0].name(), step.host_hours)).collect();
    // Process starts: acted-on-reply, who-signed, output-thrown-away. The API log: given-up, who-asked. File events:
    // acted-on-reply. Launch items: the same. `rare` needs ten hosts, which no step gives.
    assert_eq!(unlocked, [("process.exec", 12), ("task.lifecycle", 8), ("file.effect", 4)]);
}

#[test]
fn rarity_needs_ten_hosts() {
    let one = host(&[(Sight::ProcessExec, ALWAYS)]);
    assert_eq!(claim(&of(&vec![one.clone(); 9]), "rare").hours, hours(0, 0, 4));
    let claims = of(&vec![one; 10]);
    assert_eq!(claim(&claims, "rare").hours, hours(4, 0, 0));
    let rare = claims.summary.iter().find(|sum| sum.claim.id == "rare").unwrap();
    assert_eq!((rare.host_hours, rare.hosts_holding), (hours(40, 0, 0), 10));
}

#[test]
fn every_claim_has_its_own_name_and_needs_something() {
    let names: BTreeSet<&str> = CLAIMS.iter().map(|claim| claim.id).collect();
    assert_eq!(names.len(), CLAIMS.len());
    assert!(CLAIMS.iter().all(|claim| !claim.needs.is_empty() && claim.needs.iter().all(|group| !group.is_empty())));
}
