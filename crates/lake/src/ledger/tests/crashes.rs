//! A process that dies at any operation leaves the state before or after, and a later run makes up for it exactly.

use super::*;
use crate::store::LocalStore;
use proptest::prelude::*;

/// One thing that a run does.
#[derive(Clone, Debug)]
enum Step {
    /// New rows at places; the number is that of rows. With `replace`, the oldest file is removed in the same publication.
    Publish {
        places: Vec<(bool, bool, u16, u8)>,
        replace: bool,
        checkpointed_facts: u8,
    },
    /// A publication that is begun and given up.
    GiveUp,
    Retain,
    Compact,
}

fn run(lake: &mut Lake, number: usize, step: &Step) -> Result<(), LedgerError> {
    let moment = time(number as i64);
    match step {
        Step::Publish { places, replace, checkpointed_facts } => {
            let oldest = lake.snapshot().files().min_by_key(|file| file.publication).map(|file| file.path());
            let mut publication = lake.begin()?;
            for (place, (first_table, later, bucket, rows)) in places.iter().enumerate() {
                let start = (number * 10_000 + place * 100) as i64;
                let rows: Vec<i64> = (start..=start + i64::from(*rows)).collect();
                let table = if *first_table { "channels" } else { "events" };
                write_rows(&mut publication, table, if *later { LATER } else { DAY }, *bucket, &rows)?;
            }
            if let Some(path) = oldest.filter(|_| *replace) {
                publication.remove(&path)?;
            }
            publication.source(source("conn.log", &number.to_be_bytes()));
            (0..*checkpointed_facts).try_for_each(|fact| publication.fact(&(number, fact)))?;
            publication.publish(moment).map(drop)
        }
        Step::GiveUp => {
            let mut publication = lake.begin()?;
            write_rows(&mut publication, "events", DAY, 0, &[-1]).map(drop)
        }
        Step::Retain => lake.retain_since(LATER, moment).map(drop),
        Step::Compact => lake.compact(&CompactLimits { least_files: 2, ..CompactLimits::default() }, moment).map(drop),
    }
}

/// Asserts that a lake just opened is exactly one of the states, and that readers of the folders see the same.
fn check_state(lake: &Lake, store: &dyn Store, allowed: &[&Snapshot], context: &str) {
    assert!(allowed.contains(&lake.snapshot()), "{context}: a state in between: {:?}", lake.snapshot());
    assert_eq!(glob(store), held(lake), "{context}");
    lake.snapshot().files().for_each(|file| lake.verify(file).unwrap());
}

/// Kills a run at every one of its operations, and runs it to its end afterwards. Gives the number of deaths.
fn die_everywhere(steps: &[Step], new_store: &dyn Fn() -> Arc<dyn Store>, stride: i64) -> usize {
    let options = Options { buckets: 4 };
    let mut states = Vec::new();
    let store = new_store();
    let mut lake = Lake::create(store, options).unwrap();
    for (number, step) in steps.iter().enumerate() {
        states.push(lake.snapshot().clone());
        run(&mut lake, number, step).unwrap();
    }
    states.push(lake.snapshot().clone());
    let rows = rows_of(&lake);
    drop(lake);

    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for operations in (0..).step_by(stride as usize) {
            let store = new_store();
            let context = format!("{death:?} operation {operations} of {steps:?}");
            drop(Lake::create(store.clone(), options).unwrap());
            let scripted: Arc<dyn Store> = Arc::new(Scripted::dying(store.clone(), operations, death));
            let mut done = 0;
            let died = Lake::open_for_writing(scripted).and_then(|mut lake| {
                steps.iter().enumerate().try_for_each(|(number, step)| {
                    run(&mut lake, number, step)?;
                    done = number + 1;
                    Ok(())
                })
            });
            // A step whose last operations failed may be done, although it said nothing.
            let allowed: Vec<&Snapshot> = states[done..].iter().take(2).collect();
            // A reader may come before any writer: what is not in place yet it finds through the ledger.
            let reader = Lake::open(store.clone()).unwrap();
            assert!(allowed.contains(&reader.snapshot()), "{context}");
            reader.snapshot().files().for_each(|file| reader.verify(file).unwrap());
            let mut lake = Lake::open_for_writing(store.clone()).unwrap();
            check_state(&lake, &*store, &allowed, &context);
            if died.is_ok() {
                break;
            }
            deaths += 1;
            // What is committed is not done again, as the ledger says.
            let next = if lake.snapshot() == &states[done] { done } else { done + 1 };
            for (number, step) in steps.iter().enumerate().skip(next) {
                run(&mut lake, number, step).unwrap();
            }
            assert_eq!(lake.snapshot(), states.last().unwrap(), "{context}");
            assert_eq!(rows_of(&lake), rows, "{context}");
            assert_eq!(glob(&*store), held(&lake), "{context}");
        }
    }
    deaths
}

fn any_step() -> impl Strategy<Value = Step> {
    let places = prop::collection::vec((any::<bool>(), any::<bool>(), 0_u16..2, 0_u8..3), 0..4);
    prop_oneof![
        4 => (places, any::<bool>(), 0_u8..3).prop_map(|(places, replace, checkpointed_facts)| {
            Step::Publish { places, replace, checkpointed_facts }
        }),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Retain),
        2 => Just(Step::Compact),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_operation_a_run_dies_at_nothing_is_lost_or_doubled(steps in prop::collection::vec(any_step(), 1..6)) {
        let deaths = die_everywhere(&steps, &|| Arc::new(MemoryStore::new()), 1);
        prop_assert!(deaths > 0);
    }
}

fn fixed_steps() -> Vec<Step> {
    let publish = |places: &[(bool, bool, u16, u8)], replace| Step::Publish {
        places: places.to_vec(),
        replace,
        checkpointed_facts: 1,
    };
    vec![
        publish(&[(true, false, 0, 2), (true, false, 0, 1), (false, true, 1, 0)], false),
        publish(&[(true, false, 0, 2), (false, true, 1, 0)], true),
        Step::Compact,
        Step::GiveUp,
        Step::Retain,
    ]
}

#[test]
fn a_run_on_a_local_folder_that_dies_anywhere_is_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    let new_store = || -> Arc<dyn Store> {
        count.set(count.get() + 1);
        Arc::new(LocalStore::new(folder.path().join(count.get().to_string())))
    };
    let deaths = die_everywhere(&fixed_steps(), &new_store, 5);
    assert!(deaths > 30, "{deaths}");
}
