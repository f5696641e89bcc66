//! The awake clock: known cases, laws, and a count made another way.

use super::*;
use crate::cadence;
use proptest::prelude::*;

fn minute(number: i64) -> Timestamp {
    Timestamp::from_nanoseconds(number * MINUTE_NS)
}

/// Awake in each stretch `[first, last]` of minutes, watched from the first to the last of all.
fn laptop(stretches: &[(i64, i64)]) -> AwakeMinutes {
    let mut minutes = AwakeMinutes::default();
    for (first, last) in stretches {
        (*first..=*last).for_each(|at| minutes.mark_active(minute(at).saturating_add(1)));
    }
    minutes.mark_watched(minute(stretches[0].0), minute(stretches[stretches.len() - 1].1 + 1));
    minutes
}

#[test]
fn a_night_of_watched_silence_is_no_time() {
    // Awake 08:00 to 10:00, asleep until 18:00, awake until 20:00.
    let minutes = laptop(&[(480, 599), (1080, 1199)]);
    let elapsed = |from, until| minutes.elapsed_awake(minute(from), minute(until)) / MINUTE_NS;
    assert_eq!(elapsed(480, 1200), 240);
    assert_eq!(elapsed(590, 1090), 20, "ten minutes before and ten after");
    assert_eq!(elapsed(700, 800), 0);
    assert_eq!(elapsed(700, 1081), 1);
    assert_eq!(elapsed(1090, 590), -20);
    assert_eq!(elapsed(0, 480), 480, "nobody watched before: time counts");
}

#[test]
fn silence_is_no_sleep_where_nobody_watched_or_something_was_lost() {
    let mut unwatched = AwakeMinutes::default();
    (0..60).chain(600..660).for_each(|at| unwatched.mark_active(minute(at)));
    assert!(unwatched.clock().is_wall_clock());
    let mut lossy = laptop(&[(0, 59), (600, 659)]);
    assert!(!lossy.clock().is_wall_clock());
    lossy.mark_lost(minute(60), minute(599));
    assert!(lossy.clock().is_wall_clock());
}

#[test]
fn a_pause_of_nine_minutes_is_idle_and_one_of_ten_is_sleep() {
    assert!(laptop(&[(0, 59), (69, 120)]).clock().is_wall_clock());
    let clock = laptop(&[(0, 59), (70, 120)]).clock();
    assert_eq!(clock.elapsed(minute(0), minute(121)), 111 * MINUTE_NS);
}

#[test]
fn a_source_that_shows_little_of_the_host_shows_no_sleep() {
    // One record every half hour: its silences are its own, and a beacon of 30 minutes must stay one.
    let stretches: Vec<(i64, i64)> = (0..48).map(|beat| (beat * 30, beat * 30)).collect();
    assert!(laptop(&stretches).clock().is_wall_clock());
}

#[test]
fn a_connection_used_again_after_sleep_places_the_sleep_in_the_longest_silence() {
    let mut minutes = AwakeMinutes::default();
    (0..10).chain(15..20).chain(120..130).for_each(|at| minutes.mark_active(minute(at)));
    minutes.mark_slept_within(minute(5), minute(125));
    // Minutes 20 to 119 were silent; 10 to 14 as well, and shorter.
    assert_eq!(minutes.elapsed_awake(minute(0), minute(130)), 30 * MINUTE_NS);
    let mut busy = AwakeMinutes::default();
    (0..130).step_by(5).for_each(|at| busy.mark_active(minute(at)));
    busy.mark_slept_within(minute(5), minute(125));
    assert!(busy.clock().is_wall_clock(), "no silence is long enough");
}

#[test]
fn bitmaps_are_bounded_whatever_is_read() {
    let mut minutes = AwakeMinutes::default();
    minutes.mark_watched(Timestamp::from_nanoseconds(i64::MIN), Timestamp::from_nanoseconds(i64::MAX));
    minutes.mark_lost(Timestamp::from_nanoseconds(i64::MIN), Timestamp::from_nanoseconds(i64::MAX));
    minutes.mark_active(Timestamp::from_nanoseconds(i64::MIN));
    for at in 0..2_000 {
        minutes.mark_slept_within(minute(at), minute(at + 5));
    }
    assert!(minutes.hours.len() <= HOUR_CAP && minutes.slept_within.len() <= WITNESS_CAP);
    let most = minutes.elapsed_awake(Timestamp::from_nanoseconds(i64::MIN), Timestamp::from_nanoseconds(i64::MAX));
    assert!(most > 0);
}

/// A timer of ten minutes that runs only while awake, on a laptop of short, irregular sittings.
#[test]
fn a_beacon_of_a_laptop_that_sleeps_keeps_its_clock_only_on_the_awake_clock() {
    let mut stretches = Vec::new();
    let mut start = 0_i64;
    for sitting in 0..60_i64 {
        let length = 11 + sitting * 7 % 19;
        stretches.push((start, start + length - 1));
        // Breaks between 12 minutes and a night, spread evenly in their logarithm.
        start += length + (12.0 * (1.0 + 0.061 * (sitting * 37 % 60) as f64).powf(2.4)) as i64;
    }
    let mut beats = Vec::new();
    let mut awake = 0_i64;
    for (first, last) in &stretches {
        for at in *first..=*last {
            if awake % 10 == 3 {
                beats.push(minute(at).saturating_add(20_000_000_000));
            }
            awake += 1;
        }
    }
    let wall: Vec<i64> = beats.iter().map(|beat| beat.nanoseconds()).collect();
    let clock = laptop(&stretches).clock();
    let measured: Vec<i64> = beats.iter().map(|beat| clock.reading(*beat)).collect();
    let (on_wall, on_awake) = (cadence::test(&wall).unwrap(), cadence::test(&measured).unwrap());
    assert_eq!(on_awake.period_ns, 10 * MINUTE_NS);
    assert_eq!(on_awake.within, beats.len() - 1, "every interval is ten awake minutes");
    assert!(on_awake.p_value < 1e-30, "{on_awake:?}");
    assert!(on_wall.within < on_awake.within * 3 / 4, "{on_wall:?}");
    assert!(on_wall.p_value > on_awake.p_value * 1e20, "{on_wall:?}");
}

fn part() -> impl Strategy<Value = AwakeMinutes> {
    let stretch = (0_i64..3_000, 0_i64..200);
    (
        prop::collection::vec(0_i64..3_000, 0..80),
        prop::collection::vec(stretch.clone(), 0..5),
        prop::collection::vec(stretch.clone(), 0..2),
        prop::collection::vec(stretch, 0..3),
    )
        .prop_map(|(active, watched, lost, slept)| {
            let mut minutes = AwakeMinutes::default();
            active.iter().for_each(|at| minutes.mark_active(minute(*at)));
            watched.iter().for_each(|(at, length)| minutes.mark_watched(minute(*at), minute(at + 10 * length)));
            lost.iter().for_each(|(at, length)| minutes.mark_lost(minute(*at), minute(at + length)));
            slept.iter().for_each(|(at, length)| minutes.mark_slept_within(minute(*at), minute(at + length)));
            minutes
        })
}

proptest! {
    #[test]
    fn merging_is_associative_commutative_and_idempotent(one in part(), two in part(), three in part()) {
        let merged = |parts: &[&AwakeMinutes]| {
            let mut all = AwakeMinutes::default();
            parts.iter().for_each(|part| all.merge(part));
            all
        };
        let right = merged(&[&two, &three]);
        prop_assert_eq!(merged(&[&one, &right]), merged(&[&merged(&[&one, &two]), &three]));
        prop_assert_eq!(merged(&[&one, &two]), merged(&[&two, &one]));
        prop_assert_eq!(merged(&[&one, &one]), one);
    }

    #[test]
    fn awake_time_adds_up_and_never_exceeds_wall_time(
        minutes in part(),
        times in prop::array::uniform3(-1_000_i64..400_000),
    ) {
        let mut times = times.map(|second| Timestamp::from_nanoseconds(second * 1_000_000_000 + 7));
        times.sort_unstable();
        let [a, b, c] = times;
        let clock = minutes.clock();
        prop_assert_eq!(clock.elapsed(a, b) + clock.elapsed(b, c), clock.elapsed(a, c));
        prop_assert!(clock.elapsed(a, c) >= 0 && clock.elapsed(a, c) <= c.since(a));
        prop_assert_eq!(clock.elapsed(a, c), minutes.elapsed_awake(a, c));
        prop_assert_eq!(clock.elapsed(a, b), -clock.elapsed(b, a));
    }

    /// The silences agree with a count made minute by minute.
    #[test]
    fn the_clock_agrees_with_counting_minutes(
        active in prop::collection::btree_set(0_i64..600, 60..200),
        watched in (0_i64..300, 0_i64..600),
    ) {
        let mut minutes = AwakeMinutes::default();
        active.iter().for_each(|at| minutes.mark_active(minute(*at)));
        let (from, until) = (watched.0, watched.0 + watched.1);
        minutes.mark_watched(minute(from), minute(until));
        let silent: Vec<bool> = (0..1_000).map(|at| at >= from && at < until && !active.contains(&at)).collect();
        let mut asleep = 0;
        let mut silences = 0;
        for run in silent.chunk_by(|one, other| one == other).filter(|run| run[0] && run.len() >= 10) {
            asleep += run.len() as i64;
            silences += 1;
        }
        let counted = if active.len() >= 10 * silences { asleep } else { 0 };
        prop_assert_eq!(minutes.elapsed_awake(minute(0), minute(1_000)), (1_000 - counted) * MINUTE_NS);
    }
}
