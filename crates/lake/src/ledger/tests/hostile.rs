//! Ledgers that are damaged, from the future, or made to harm.

use super::*;

fn overwrite(store: &MemoryStore, path: &str, content: &str) {
    store.delete(path).unwrap();
    store.put_new(path, content.as_bytes()).unwrap();
}

fn text(store: &MemoryStore, path: &str) -> String {
    String::from_utf8(store.read(path, 1 << 20).unwrap()).unwrap()
}

/// A lake with two publications.
fn published() -> MemoryStore {
    let (store, mut lake) = memory();
    for number in 1..=2 {
        let mut publication = lake.begin().unwrap();
        write_rows(&mut publication, "events", DAY, 0, &[number]).unwrap();
        publication.source(source("conn.log", b"content"));
        publication.publish(time(number)).unwrap();
    }
    store
}

const FIRST: &str = "ledger/00000000000000000001.json";
const SECOND: &str = "ledger/00000000000000000002.json";

fn refusal(store: &MemoryStore) -> String {
    Lake::open(Arc::new(store.clone())).unwrap_err().to_string()
}

#[test]
fn a_layout_from_the_future_is_named() {
    for path in ["lake.json", FIRST] {
        let store = published();
        let newer = text(&store, path).replace("\"layout\":1", "\"new\":{},\"layout\":2");
        overwrite(&store, path, &newer);
        let expected = format!("expected layout 1 in {path}, found 2, written by a newer version; hint: ");
        assert!(refusal(&store).starts_with(&expected), "{}", refusal(&store));
    }
}

#[test]
fn a_missing_number_is_named() {
    let store = published();
    store.delete(FIRST).unwrap();
    assert!(refusal(&store).starts_with("expected ledger/00000000000000000001.json, "), "{}", refusal(&store));
    let store = published();
    store.put_new("ledger/checkpoint-00000000000000000009.json", b"{}").unwrap();
    assert!(refusal(&store).starts_with("expected ledger/00000000000000000003.json, "), "{}", refusal(&store));
    // What others leave in the folder is no publication.
    let store = published();
    store.put_new("ledger/.DS_Store", b"x").unwrap();
    assert_eq!(Lake::open(Arc::new(store)).unwrap().snapshot().number(), 2);
}

#[test]
fn a_lake_without_its_lake_file_is_not_made_anew() {
    let store = published();
    store.delete("lake.json").unwrap();
    let error = Lake::open_or_create(Arc::new(store), Options::default()).unwrap_err();
    assert!(error.to_string().starts_with("lake.json: expected it beside the ledger, found none"), "{error}");
}

#[test]
fn damage_is_named_with_its_file() {
    let swaps = [
        ("{", "["),
        ("\"number\":2", "\"number\":3"),
        ("\"removed\":[]", "\"removed\":[\"events/none\"]"),
        ("\"removed\":[]", "\"removed\":[\"../../etc/passwd\"]"),
        ("\"rows\":1", "\"rows\":-1"),
        ("\"first_time_ns\":2", "\"first_time_ns\":3"),
        ("\"path\":\"events/", "\"path\":\"/events/"),
        ("\"path\":\"events/", "\"path\":\"../events/"),
        ("\"path\":\"events/", "\"path\":\"channels/"),
        ("\"bucket\":0", "\"bucket\":9"),
        ("\"staging\":\"0000", "\"staging\":\"../0"),
        ("00000000000000000002-000001.parquet", "00000000000000000001-000001.parquet"),
    ];
    for (from, to) in swaps {
        let store = published();
        let content = text(&store, SECOND);
        assert!(content.contains(from), "{from} in {content}");
        overwrite(&store, SECOND, &content.replacen(from, to, 1));
        assert!(refusal(&store).starts_with(&format!("{SECOND}: expected ")), "{to}: {}", refusal(&store));
    }
}

#[test]
fn a_damaged_checkpoint_can_be_deleted() {
    let (store, mut lake) = memory();
    for number in 1..=50 {
        lake.begin().unwrap().publish(time(number)).unwrap();
    }
    let path = "ledger/checkpoint-00000000000000000050.json";
    let content = text(&store, path);
    for damaged in [
        "x".to_owned(),
        content.replace("\"number\":50", "\"number\":49"),
        content.replace("\"sources\":[]", "\"facts\":[]"),
        content.replace("\"facts\":[]", "\"other\":[]"),
        content.replace("\"layout\":1,", ""),
        content.replace("\"facts\":[]", "\"facts\":[{\"publication\":51,\"value\":1}]"),
    ] {
        overwrite(&store, path, &damaged);
        assert!(
            refusal(&store).starts_with(path) && refusal(&store).contains("hint: delete it"),
            "{}",
            refusal(&store)
        );
    }
    store.delete(path).unwrap();
    assert_eq!(Lake::open(Arc::new(store)).unwrap().snapshot().number(), 50);
}

#[test]
fn files_too_large_for_their_kind_are_refused() {
    let store = published();
    overwrite(&store, "lake.json", &" ".repeat((1 << 20) + 1));
    assert_eq!(refusal(&store), "expected at most 1048576 bytes at lake.json, found 1048577");
}

#[test]
fn data_that_is_not_what_the_ledger_says_is_refused() {
    let store = published();
    let lake = Lake::open(Arc::new(store.clone())).unwrap();
    let file = lake.snapshot().files().next().unwrap();
    let mut bytes = store.read(&file.path(), 1 << 20).unwrap();
    bytes[5] ^= 1;
    store.delete(&file.path()).unwrap();
    store.put_new(&file.path(), &bytes).unwrap();
    assert!(lake.verify(file).unwrap_err().to_string().contains("expected content with the hash"));
    // Compaction would make damage look whole.
    let mut writer = Lake::open_for_writing(Arc::new(store.clone())).unwrap();
    let limits = CompactLimits { least_files: 2, ..CompactLimits::default() };
    assert!(writer.compact(&limits, time(3)).is_err());
    assert_eq!(writer.snapshot(), lake.snapshot());
    store.delete(&file.path()).unwrap();
    store.put_new(&file.path(), b"short").unwrap();
    assert!(lake.read(file).unwrap_err().to_string().contains("found 5"));
}
