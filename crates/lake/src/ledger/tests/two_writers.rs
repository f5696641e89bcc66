//! Two writers on a store without locks: whenever the second comes in between, each publication is whole or absent.

use super::*;

/// What the second writer does in the middle of the first's run.
fn second_run(store: &MemoryStore, compact: bool) {
    let mut lake = Lake::open_for_writing(Arc::new(store.clone())).unwrap();
    let mut publication = lake.begin().unwrap();
    write_rows(&mut publication, "events", DAY, 1, &[900]).unwrap();
    publication.publish(time(9)).unwrap();
    if compact {
        let limits = CompactLimits { least_files: 2, ..CompactLimits::default() };
        lake.compact(&limits, time(10)).unwrap();
    }
    assert_eq!(glob(store), held(&lake));
}

fn first_run(store: Arc<dyn Store>) -> Result<u64, LedgerError> {
    let mut lake = Lake::open_for_writing(store)?;
    let mut publication = lake.begin()?;
    write_rows(&mut publication, "events", DAY, 1, &[100])?;
    write_rows(&mut publication, "events", DAY, 1, &[101])?;
    publication.publish(time(1))
}

#[test]
fn a_second_writer_between_any_two_operations_of_the_first() {
    let mut outcomes = [0, 0];
    for compact in [false, true] {
        for operations in 0.. {
            let (store, mut lake) = memory();
            let mut publication = lake.begin().unwrap();
            write_rows(&mut publication, "events", DAY, 1, &[1, 2, 3]).unwrap();
            publication.publish(time(0)).unwrap();

            let inner = store.clone();
            let interruption: Interruption = Box::new(move || second_run(&inner, compact));
            let scripted = Arc::new(Scripted::interrupted(Arc::new(store.clone()), operations, interruption));
            let outcome = first_run(scripted.clone());
            if scripted.interruption.lock().unwrap().is_some() {
                assert!(outcome.is_ok());
                break;
            }
            let mut expected = vec![1, 2, 3, 900];
            match outcome {
                Ok(_) => {
                    expected.extend([100, 101]);
                    outcomes[0] += 1;
                }
                Err(LedgerError::Outrun { .. }) => outcomes[1] += 1,
                Err(error) => panic!("operation {operations}: {error}"),
            }
            expected.sort_unstable();
            // Even before another opening, readers of the folders see each row once.
            let lake = Lake::open(Arc::new(store.clone())).unwrap();
            assert_eq!(rows_of(&lake), expected, "operation {operations}");
            assert_eq!(glob(&store), held(&lake), "operation {operations}");
        }
    }
    assert!(outcomes[0] > 10 && outcomes[1] > 5, "{outcomes:?}");
}

#[test]
fn the_loser_is_told_and_may_run_again() {
    let (store, mut first) = memory();
    let mut second = Lake::open_for_writing(Arc::new(store.clone())).unwrap();
    first.begin().unwrap().publish(time(1)).unwrap();
    let mut publication = second.begin().unwrap();
    write_rows(&mut publication, "events", DAY, 0, &[5]).unwrap();
    let error = publication.publish(time(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected to publish as number 1, but another publication came first; hint: run it again"
    );
    assert!(store.list("_staging").unwrap().is_empty() && glob(&store).is_empty());
}

#[test]
fn a_writer_at_work_keeps_its_staging_when_another_opens() {
    let (store, mut first) = memory();
    let mut publication = first.begin().unwrap();
    write_rows(&mut publication, "events", DAY, 0, &[5]).unwrap();
    drop(Lake::open_for_writing(Arc::new(store.clone())).unwrap());
    publication.publish(time(1)).unwrap();
    assert_eq!(rows_of(&Lake::open(Arc::new(store)).unwrap()), [5]);
}
