//! The rules of the ledger, one by one.

use super::*;
use crate::store::LocalStore;

fn local() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::new(folder.path().join("lake")));
    (folder, store)
}

#[test]
fn a_publication_is_seen_only_when_it_is_published() {
    let (_folder, store) = local();
    let mut lake = Lake::create(store.clone(), Options { buckets: 8 }).unwrap();
    let mut publication = lake.begin().unwrap();
    let file = write_rows(&mut publication, "events", DAY, 7, &[3, 1, 2]).unwrap();
    publication.source(source("conn.log", b"content"));
    publication.fact(&serde_json::json!({"address": "10.0.0.1", "host": "mac"})).unwrap();
    assert!(glob(&*store).is_empty());
    assert_eq!(Lake::open(store.clone()).unwrap().snapshot().files().count(), 0);
    assert_eq!(publication.publish(time(60)).unwrap(), 1);
    assert_eq!(&*file.path(), "events/date=2026-03-02/bucket=007/00000000000000000001-000001.parquet");
    assert_eq!(glob(&*store), [file.path()]);

    let reader = Lake::open(store.clone()).unwrap();
    assert_eq!(reader.snapshot(), lake.snapshot());
    assert_eq!((reader.buckets(), reader.snapshot().number(), reader.snapshot().time()), (8, 1, Some(time(60))));
    assert_eq!(reader.snapshot().files_at("events", DAY, 7).collect::<Vec<_>>(), [&file]);
    assert_eq!(reader.snapshot().files_at("events", DAY, 6).count() + reader.snapshot().files_of("event").count(), 0);
    assert_eq!((file.rows, file.first_time_ns, file.last_time_ns, file.publication), (3, 1, 3, 1));
    assert_eq!(rows_of(&reader), [1, 2, 3]);
    let fact = reader.snapshot().facts().next().unwrap();
    assert_eq!((fact.publication, fact.read::<serde_json::Value>().unwrap()["host"].as_str()), (1, Some("mac")));
    assert!(fact.read::<u64>().unwrap_err().to_string().contains("00000000000000000001.json"));
    assert!(store.list("_staging").unwrap().is_empty());
    let record = reader.record(1).unwrap();
    assert_eq!(record.program, concat!("monologue ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn sources_are_known_by_content_and_by_name() {
    let (_, mut lake) = memory();
    for content in [&b"one"[..], b"one two"] {
        let mut publication = lake.begin().unwrap();
        publication.source(source("conn.log", content));
        publication.publish(time(1)).unwrap();
    }
    let snapshot = lake.snapshot();
    assert_eq!(snapshot.taken(&Sha256::of(b"one")).unwrap().content_bytes, 3);
    assert_eq!(snapshot.taken(&Sha256::of(b"two")), None);
    assert_eq!(snapshot.grown("other.log"), None);
    // The file has grown again: its beginning is what was taken last.
    let known = snapshot.grown("conn.log").unwrap();
    let hashes = prefix_hashes(&b"one two three"[..], &[known.content_bytes]).unwrap();
    assert_eq!(hashes.prefixes, [Some(known.content_sha256)]);
    assert_eq!(snapshot.sources().map(|(publication, _)| publication).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn one_writer_at_a_time_and_readers_need_no_lock() {
    let (_folder, store) = local();
    let mut lake = Lake::open_or_create(store.clone(), Options { buckets: 8 }).unwrap();
    for error in [
        Lake::open_for_writing(store.clone()).unwrap_err(),
        Lake::open_or_create(store.clone(), Options::default()).unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("expected to be the only writer of "), "{error}");
        assert!(error.to_string().contains("; hint: wait for the other run to end"), "{error}");
    }
    let mut reader = Lake::open(store.clone()).unwrap();
    let error = reader.begin().unwrap_err();
    assert!(error.to_string().contains("opened for reading"), "{error}");
    assert!(matches!(reader.compact(&CompactLimits::default(), time(1)), Err(LedgerError::NotWritable { .. })));
    lake.begin().unwrap().publish(time(1)).unwrap();
    drop(lake);
    let lake = Lake::open_or_create(store, Options { buckets: 99 }).unwrap();
    assert_eq!((lake.buckets(), lake.snapshot().number()), (8, 1));
}

#[test]
fn a_lake_is_made_once_and_never_by_opening() {
    let (folder, store) = local();
    for error in [Lake::open(store.clone()).unwrap_err(), Lake::open_for_writing(store.clone()).unwrap_err()] {
        assert!(error.to_string().contains("found no lake.json; hint: "), "{error}");
    }
    assert!(!folder.path().join("lake").exists());
    assert!(matches!(Lake::create(store.clone(), Options { buckets: 0 }), Err(LedgerError::Invalid { .. })));
    drop(Lake::create(store.clone(), Options::default()).unwrap());
    assert!(matches!(Lake::create(store, Options::default()), Err(LedgerError::LakeExists { .. })));
}

#[test]
fn what_a_killed_writer_left_aside_is_deleted_by_the_next() {
    let (_folder, store) = local();
    let mut lake = Lake::create(store.clone(), Options::default()).unwrap();
    let mut publication = lake.begin().unwrap();
    write_rows(&mut publication, "events", DAY, 0, &[1]).unwrap();
    std::mem::forget(publication);
    drop(lake);
    assert_eq!(store.list("_staging").unwrap().len(), 2);
    // A reader leaves it alone: nothing of it is committed.
    drop(Lake::open(store.clone()).unwrap());
    assert_eq!(store.list("_staging").unwrap().len(), 2);
    drop(Lake::open_for_writing(store.clone()).unwrap());
    assert!(store.list("_staging").unwrap().is_empty() && glob(&*store).is_empty());
}

#[test]
fn a_file_neither_finished_nor_abandoned_forbids_to_publish() {
    let (store, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    drop(publication.file("events", DAY, 0).unwrap());
    assert!(publication.publish(time(1)).unwrap_err().to_string().contains("finished or abandoned"));
    assert!(store.list("_staging").unwrap().is_empty());

    let mut publication = lake.begin().unwrap();
    publication.file("events", DAY, 0).unwrap().abandon();
    let mut staged = publication.file("events", DAY, 0).unwrap();
    staged.write_all(b"x").unwrap();
    assert!(staged.finish(1, 2, 1).unwrap_err().to_string().contains("first time before the last"));
    assert!(publication.publish(time(1)).is_err());
    assert_eq!((lake.snapshot().number(), glob(&store)), (0, Vec::new()));
}

#[test]
fn files_are_written_by_several_threads() {
    let (_, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    let files: Vec<StagedFile> = (0..8).map(|bucket| publication.file("events", DAY, bucket).unwrap()).collect();
    std::thread::scope(|scope| {
        for (number, mut file) in files.into_iter().enumerate() {
            scope.spawn(move || {
                file.write_all(&[number as u8; 1000]).unwrap();
                file.finish(1, 0, 0).unwrap();
            });
        }
    });
    publication.publish(time(1)).unwrap();
    assert_eq!(lake.snapshot().files().map(|file| file.bucket).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    lake.snapshot().files().for_each(|file| lake.verify(file).unwrap());
}

#[test]
fn places_and_paths_that_do_not_fit_are_refused() {
    let (_, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    for (table, date, bucket) in [
        ("../events", DAY, 0),
        ("ledger", DAY, 0),
        ("_staging", DAY, 0),
        ("Events", DAY, 0),
        ("", DAY, 0),
        ("events", "2026-3-2", 0),
        ("events", "..", 0),
        ("events", DAY, 8),
    ] {
        assert!(publication.file(table, date, bucket).is_err(), "{table} {date} {bucket}");
    }
    assert!(publication.remove("events/none.parquet").is_err());
    assert_eq!(publication.publish(time(1)).unwrap(), 1);
}

#[test]
fn retention_removes_dates_and_keeps_sources() {
    let (store, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    write_rows(&mut publication, "events", DAY, 0, &[1]).unwrap();
    write_rows(&mut publication, "events", LATER, 0, &[2]).unwrap();
    publication.source(source("conn.log", b"content"));
    publication.publish(time(1)).unwrap();
    assert_eq!(lake.retain_since(DAY, time(2)).unwrap(), None);
    assert_eq!(lake.retain_since(LATER, time(2)).unwrap(), Some(2));
    assert_eq!((rows_of(&lake), glob(&store)), (vec![2], held(&lake)));
    assert!(lake.snapshot().taken(&Sha256::of(b"content")).is_some());
    assert!(lake.retain_since("yesterday", time(3)).is_err());
}

#[test]
fn a_reader_with_an_older_state_is_told_that_a_file_is_gone() {
    let (store, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    let file = write_rows(&mut publication, "events", DAY, 0, &[1]).unwrap();
    publication.publish(time(1)).unwrap();
    let reader = Lake::open(Arc::new(store)).unwrap();
    lake.retain_since(LATER, time(2)).unwrap();
    let error = reader.read(&file).unwrap_err();
    assert!(error.to_string().ends_with("hint: a later publication removed it; open the lake again"), "{error}");
}

#[test]
fn a_checkpoint_says_the_same_as_the_numbered_files() {
    let (store, mut lake) = memory();
    for number in 1..=51 {
        let mut publication = lake.begin().unwrap();
        write_rows(&mut publication, "events", DAY, 0, &[number]).unwrap();
        publication.source(source("conn.log", &number.to_be_bytes()));
        publication.fact(&number).unwrap();
        publication.publish(time(number)).unwrap();
    }
    let checkpoint = "ledger/checkpoint-00000000000000000050.json";
    assert!(store.size(checkpoint).unwrap().is_some());
    let folded = Lake::open(Arc::new(store.clone())).unwrap();
    assert_eq!(folded.snapshot(), lake.snapshot());
    store.delete(checkpoint).unwrap();
    let replayed = Lake::open(Arc::new(store.clone())).unwrap();
    assert_eq!(replayed.snapshot(), lake.snapshot());
    assert_eq!(rows_of(&replayed), (1..=51).collect::<Vec<_>>());
}

#[test]
fn a_commit_in_doubt_is_settled_by_opening_again() {
    for (death, committed) in [(Death::Before, 0), (Death::After, 1)] {
        let (store, lake) = memory();
        drop(lake);
        let store: Arc<dyn Store> = Arc::new(store);
        let in_doubt = (0..).find_map(|operations| {
            let mut lake = Lake::open_for_writing(Arc::new(Scripted::dying(store.clone(), operations, death))).ok()?;
            match lake.begin().and_then(|publication| publication.publish(time(1))) {
                Err(error @ LedgerError::InDoubt { .. }) => {
                    Some((error.to_string(), lake.begin().unwrap_err().to_string()))
                }
                _ => None,
            }
        });
        let (error, refusal) = in_doubt.unwrap();
        assert!(
            error.starts_with("publication 1 failed at its commit: ") && error.contains("open the lake again"),
            "{error}"
        );
        assert!(refusal.contains("in doubt"), "{refusal}");
        assert_eq!(Lake::open(store).unwrap().snapshot().number(), committed);
    }
}
