//! What every store must do, tried on each that needs no server; and what only some do.

use super::*;
use std::{collections::BTreeMap, sync::Arc};

fn write(store: &dyn Store, path: &str, bytes: &[u8]) {
    let mut writer = store.create(path).unwrap();
    writer.write_all(bytes).unwrap();
    writer.close().unwrap();
}

/// The contract of [`Store`].
fn keeps_the_contract(store: &dyn Store) {
    write(store, "a/b/one", b"first");
    assert!(matches!(store.create("a/b/one"), Err(StoreError::Exists { .. })));
    assert_eq!(store.read("a/b/one", 5).unwrap(), b"first");
    assert!(matches!(store.read("a/b/one", 4), Err(StoreError::TooLarge { limit: 4, found: 5, .. })));
    assert!(matches!(store.open("a/b/one", 4), Err(StoreError::TooLarge { .. })));
    assert!(store.read("a/b/none", 9).unwrap_err().is_not_found());
    assert!(store.open("a/b/none", 9).unwrap_err().is_not_found());
    let contents = store.open("a/b/one", 9).unwrap();
    let chunk = parquet::file::reader::ChunkReader::get_bytes(&contents, 1, 3).unwrap();
    assert_eq!(&chunk[..], b"irs");
    assert_eq!(io::read_to_string(contents.reader().unwrap()).unwrap(), "first");

    store.put_new("a/new", b"x").unwrap();
    assert!(matches!(store.put_new("a/new", b"y"), Err(StoreError::Exists { .. })));
    assert_eq!(store.read("a/new", 9).unwrap(), b"x");
    assert_eq!((store.size("a/new").unwrap(), store.size("a/none").unwrap()), (Some(1), None));

    store.rename("a/b/one", "c/d/two").unwrap();
    assert!(store.rename("a/b/one", "c/d/two").unwrap_err().is_not_found());
    store.rename("c/d/two", "a/new").unwrap();
    assert_eq!(store.read("a/new", 9).unwrap(), b"first");
    write(store, "ab/other", b"");
    let listed: Vec<Listed> = vec![Listed { path: "a/new".to_owned(), bytes: 5 }];
    assert_eq!(store.list("a").unwrap(), listed);
    assert_eq!(store.list("nothing").unwrap(), []);
    store.sync(&["a", "ab", "c/d", ""]).unwrap();
    for path in ["a/new", "a/new", "ab/other"] {
        store.delete(path).unwrap();
    }
    assert_eq!(store.list("").unwrap(), []);
    for path in ["", "/etc/passwd", "../x", "a/../x", "a//b", "a/.", "a\\b", "a\0b", "é"] {
        assert!(matches!(store.read(path, 9), Err(StoreError::Path { .. })), "{path}");
        assert!(matches!(store.put_new(path, b""), Err(StoreError::Path { .. })), "{path}");
        assert!(matches!(store.create(path).map(drop), Err(StoreError::Path { .. })), "{path}");
        assert!(matches!(store.delete(path), Err(StoreError::Path { .. })), "{path}");
    }
}

#[test]
fn stores_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    keeps_the_contract(&LocalStore::new(folder.path().join("lake")));
    assert_eq!(std::fs::read_dir(folder.path().join("lake")).unwrap().count(), 0, "empty folders are deleted");
    keeps_the_contract(&MemoryStore::new());
}

#[test]
fn of_many_who_put_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(LocalStore::new(folder.path())), Arc::new(MemoryStore::new())];
    for store in stores {
        let succeeded: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_u8)
                .map(|number| {
                    scope.spawn({
                        let store = &store;
                        move || store.put_new("ledger/1", &[number; 100]).is_ok()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(succeeded, 1);
        let content = store.read("ledger/1", 100).unwrap();
        assert!(content.len() == 100 && content.iter().all(|byte| *byte == content[0]));
    }
}

#[cfg(unix)]
#[test]
fn links_and_devices_are_not_followed_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::new(folder.path().join("lake"));
    write(&store, "a/file", b"x");
    std::fs::write(folder.path().join("outside"), b"secret").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("lake/a/out")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("lake/a/zero")).unwrap();
    assert_eq!(store.list("").unwrap(), [Listed { path: "a/file".to_owned(), bytes: 1 }]);
    assert!(store.read("a/zero", 9).unwrap_err().to_string().contains("regular file"));
}

#[test]
fn an_address_names_a_folder_or_says_what_would() {
    let environment = BTreeMap::new();
    assert_eq!(open_store("data/lake", &environment).unwrap().address(), "data/lake");
    for address in ["", "https://example.org/lake", "s3://"] {
        let error = open_store(address, &environment).unwrap_err();
        assert!(error.to_string().contains("; hint: "), "{error}");
    }
}
