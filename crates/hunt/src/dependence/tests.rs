//! The test against series of which it is known whether replies matter.

use super::*;
use crate::awake::AwakeClock;
use monologue_model::{
    ApplicationKey, ByteLayer, Channel, ChannelKey, Handling, Reply, Service, Sight, SightSet, Teardown, Timestamp,
};

/// A series: for each request the reply's size, seconds until the next, and bytes of the request.
fn channel(seed: u64, requests: &[(u32, f64, u32)]) -> Channel {
    let key = ChannelKey {
        host: format!("mac-{seed}").into(),
        application: ApplicationKey::Unknown,
        service: Service::Name("a.example".into()),
    };
    let mut time = Timestamp::from_seconds(1_000_000).unwrap();
    let mut channel = Channel::new(key, time, 100_000);
    for (size, wait, sent) in requests {
        channel.push_row(Row {
            time,
            request_bytes: *sent,
            response_bytes: *size,
            content_hash: 0,
            seen: SightSet::of(&[Sight::FlowReply, Sight::FlowBytes, Sight::FileEffect]),
            request_layer: Some(ByteLayer::Message),
            status: 200,
            effects: 0,
            reply: Reply::Payload,
            handling: Handling::Unknown,
            fresh_connection: true,
            timed: true,
            teardown: Teardown::Unknown,
            request_kind: 1,
            resumed: None,
        });
        time = time.saturating_add((wait * 1e9) as i64);
    }
    channel
}

fn found(seed: u64, requests: &[(u32, f64, u32)]) -> Option<Dependence> {
    test(&channel(seed, requests), &AwakeClock::default(), Some(&[]))
}

/// Replies of three sizes by chance, waits of 60 s give or take a fifth, neither looking at the other.
fn careless(seed: u64, count: usize) -> Vec<(u32, f64, u32)> {
    let mut chance = SplitMix(seed);
    (0..count)
        .map(|_| {
            let size = [200, 400, 900][(chance.next() % 3) as usize];
            (size, 48.0 + (chance.next() % 24_000) as f64 / 1000.0, 300)
        })
        .collect()
}

#[test]
fn a_client_that_waits_longer_after_a_larger_reply_is_found_out() {
    for seed in 0..20 {
        let mut series = careless(seed, 100);
        for (size, wait, _) in &mut series {
            *wait += if *size == 900 { 30.0 } else { 0.0 };
        }
        let found = found(seed, &series).unwrap();
        assert!(found.is_dependent(), "{seed}: {found:?}");
        assert_eq!(found.strongest, Deed::Interval);
    }
}

#[test]
fn a_client_that_sends_the_answer_to_an_order_is_found_out() {
    for seed in 0..20 {
        let mut series = careless(seed, 80);
        for at in 1..series.len() {
            series[at].2 = if series[at - 1].0 == 900 { 5_000 } else { 300 };
        }
        let found = found(seed, &series).unwrap();
        assert!(found.is_dependent() && found.strongest == Deed::NextRequest, "{seed}: {found:?}");
    }
}

/// Under the null the p-value must be super-uniform: P(p ≤ a) ≤ a, give or take the error of so many trials.
#[test]
fn careless_clients_are_seldom_called_dependent_and_long_series_are_called_independent() {
    let trials = 1_000;
    let mut small = 0;
    for seed in 0..trials {
        let found = found(seed, &careless(seed, 60)).unwrap();
        small += usize::from(found.p_value <= 0.05);
        assert!(!found.is_independent(), "60 replies are too few to say so");
    }
    // Binomial(1000, 0.05) exceeds 76 with probability below 1e-4.
    assert!(small <= 76, "{small} of {trials}");
    let independent = (0..50).filter(|seed| found(*seed, &careless(*seed, 800)).unwrap().is_independent()).count();
    assert!(independent >= 45, "{independent} of 50");
}

#[test]
fn a_slow_drift_of_both_is_no_dependence() {
    // Replies grow over the weeks, and waits do as well.
    let mut dependent = 0;
    for seed in 0..100 {
        let mut series = careless(seed, 240);
        for (at, (size, wait, _)) in series.iter_mut().enumerate() {
            let late = at >= 120;
            *size = if late { *size + 5_000 } else { *size };
            *wait += if late { 600.0 } else { 0.0 };
        }
        dependent += usize::from(found(seed, &series).unwrap().is_dependent());
    }
    assert!(dependent <= 8, "{dependent} of 100");
}

#[test]
fn constant_replies_and_short_series_are_not_tested() {
    let constant: Vec<(u32, f64, u32)> =
        careless(1, 200).into_iter().map(|(_, wait, sent)| (166, wait, sent)).collect();
    assert_eq!(found(1, &constant), None);
    assert_eq!(found(1, &careless(1, MINIMUM_REPLIES)), None, "what follows the last is not known");
    assert!(found(1, &careless(1, MINIMUM_REPLIES + 1)).is_some());
}

/// Two fair yes-or-no questions that agree in three of four: I = 1 − H(1/4) = 1 − 0.8113 = 0.1887 bits.
#[test]
fn information_is_that_of_the_textbook() {
    let classes: Vec<u8> = (0..800).map(|at| (at % 2) as u8).collect();
    let deed: Vec<u8> = (0..800).map(|at| if at / 2 % 4 == 0 { 1 - (at % 2) as u8 } else { (at % 2) as u8 }).collect();
    let kinds = vec![0; classes.len()];
    let nats = conditional_information(&classes, &deed, &kinds);
    let bits = nats / std::f64::consts::LN_2;
    assert!((bits - 0.1887).abs() < 1e-4, "{bits}");
    assert!((entropy_bits(&classes) - 1.0).abs() < 1e-12);
    let bound = bound_bits(nats, &classes, &deed, &kinds);
    assert!(bits < bound && bound < bits + 0.08, "{bound}");
}

#[test]
fn a_client_that_takes_turns_between_two_addresses_depends_on_neither() {
    // The first answers nothing and is followed at once by the second, which always says the same.
    let mut turns = careless(5, 400);
    for (at, (size, wait, sent)) in turns.iter_mut().enumerate() {
        (*size, *sent) = if at % 2 == 0 { (0, 120) } else { (217, 140) };
        *wait = if at % 2 == 0 { 0.03 } else { *wait };
    }
    assert_eq!(found(5, &turns), None, "to each request the same answer");
    // Now the second varies, and nothing follows from it.
    let mut chance = SplitMix(9);
    for (size, _, sent) in turns.iter_mut().filter(|(_, _, sent)| *sent == 140) {
        *size = [217, 300][(chance.next() % 2) as usize];
        assert_eq!(*sent, 140);
    }
    let found = found(5, &turns).unwrap();
    assert!(!found.is_dependent(), "{found:?}");
}

/// To forget makes no claim: with any one fact hidden, nothing is called independent.
#[test]
fn one_hidden_fact_forbids_independence() {
    let seed = (0..50).find(|seed| found(*seed, &careless(*seed, 800)).unwrap().is_independent()).unwrap();
    let whole = channel(seed, &careless(seed, 800));
    let hide: [fn(&mut Row); 4] = [
        |row| row.request_layer = None,
        |row| row.status = 0,
        |row| row.request_kind = 0,
        |row| row.seen.remove(Sight::FileEffect),
    ];
    for (at, hide) in hide.iter().enumerate() {
        let mut poorer = Channel::new(whole.key.clone(), whole.first_time, 100_000);
        for (place, row) in whole.rows().enumerate() {
            let mut row = *row;
            if place == 300 {
                hide(&mut row);
            }
            poorer.push_row(row);
        }
        let found = test(&poorer, &AwakeClock::default(), Some(&[])).unwrap();
        assert!(!found.is_independent(), "fact {at}: {found:?}");
    }
    let found = test(&whole, &AwakeClock::default(), None).unwrap();
    assert!(!found.is_independent(), "requests that are nobody's may be its own");
}
