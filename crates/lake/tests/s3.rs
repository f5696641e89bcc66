//! A lake in an S3 server on loopback: moto, where it is installed (`pip install 'moto[server]'`).
#![cfg(feature = "s3")]
#![cfg(test)]

use arrow_array::{Int64Array, RecordBatch};
use monologue_lake::{
    ledger::{CompactLimits, Lake, LedgerError, Options, Publication},
    store::{Store, StoreError, open_store},
};
use monologue_model::Timestamp;
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const SECRET: &str = "a-secret-that-is-not-printed";

/// A server, ended when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` means moto is not installed.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { child: command.spawn().ok()?, port };
        for _ in 0..300 {
            if let Ok(Some(_)) = server.child.try_wait() {
                return None;
            }
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
                let request =
                    "PUT /lakes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                stream.write_all(request.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("expected moto_server to answer within 30 seconds");
    }

    fn store(&self, prefix: &str) -> Arc<dyn Store> {
        let environment = [
            ("AWS_ACCESS_KEY_ID", "key-of-a-test"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true"),
        ];
        let environment: BTreeMap<String, String> =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        open_store(&format!("s3://lakes{prefix}"), &environment).unwrap()
    }
}

fn write_rows(publication: &mut Publication<'_>, rows: &[i64]) {
    let batch = RecordBatch::try_from_iter([("identity", Arc::new(Int64Array::from(rows.to_vec())) as _)]).unwrap();
    let staged = publication.file("events", "2026-03-02", 3).unwrap();
    let mut writer = ArrowWriter::try_new(staged, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().finish(rows.len() as u64, 0, 9).unwrap();
}

fn rows_of(lake: &Lake) -> Vec<i64> {
    let mut rows = Vec::new();
    for file in lake.snapshot().files() {
        lake.verify(file).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(lake.read(file).unwrap()).unwrap().build().unwrap() {
            rows.extend(batch.unwrap().column(0).as_any().downcast_ref::<Int64Array>().unwrap().values());
        }
    }
    rows.sort_unstable();
    rows
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

fn keeps_the_contract(store: &dyn Store) {
    store.put_new("a/new", b"first").unwrap();
    assert!(matches!(store.put_new("a/new", b"second"), Err(StoreError::Exists { .. })));
    assert_eq!(store.read("a/new", 5).unwrap(), b"first");
    assert!(matches!(store.read("a/new", 4), Err(StoreError::TooLarge { .. })));
    assert!(matches!(store.create("a/new").map(drop), Err(StoreError::Exists { .. })));
    assert!(store.open("a/none", 9).unwrap_err().is_not_found());
    assert!(store.rename("a/none", "a/other").unwrap_err().is_not_found());
    assert!(matches!(store.read("../other", 9), Err(StoreError::Path { .. })));
    assert_eq!((store.size("a/new").unwrap(), store.size("a/none").unwrap()), (Some(5), None));
    // Larger than one part.
    let content: Vec<u8> = (0..40 << 20).map(|at: u32| (at % 251) as u8).collect();
    let mut writer = store.create("b/date=2026-03-02/large").unwrap();
    writer.write_all(&content).unwrap();
    assert_eq!(store.size("b/date=2026-03-02/large").unwrap(), None);
    writer.close().unwrap();
    store.rename("b/date=2026-03-02/large", "c/large").unwrap();
    assert!(store.read("c/large", 1 << 30).unwrap() == content);
    let mut abandoned = store.create("c/abandoned").unwrap();
    abandoned.write_all(&content).unwrap();
    drop(abandoned);
    let paths = |folder: &str| store.list(folder).unwrap().into_iter().map(|file| file.path).collect::<Vec<_>>();
    assert_eq!((paths(""), paths("a")), (vec!["a/new".to_owned(), "c/large".to_owned()], vec!["a/new".to_owned()]));
    for path in ["a/new", "a/new", "c/large"] {
        store.delete(path).unwrap();
    }
    assert_eq!(paths(""), Vec::<String>::new());
}

fn publishes_and_compacts(store: &Arc<dyn Store>) {
    let mut first = Lake::open_or_create(store.clone(), Options { buckets: 8 }).unwrap();
    let mut second = Lake::open_for_writing(store.clone()).unwrap();
    let mut loser = second.begin().unwrap();
    write_rows(&mut loser, &[666]);
    for start in [0, 10] {
        let mut publication = first.begin().unwrap();
        write_rows(&mut publication, &[start, start + 1]);
        write_rows(&mut publication, &[start + 2]);
        publication.publish(time(start)).unwrap();
    }
    let error = loser.publish(time(3)).unwrap_err();
    assert!(matches!(error, LedgerError::Outrun { number: 1 }), "{error}");
    assert!(error.to_string().ends_with("another publication came first; hint: run it again"));
    let reader = Lake::open(store.clone()).unwrap();
    assert_eq!(reader.snapshot(), first.snapshot());
    assert_eq!(rows_of(&reader), [0, 1, 2, 10, 11, 12]);
    let compaction = first.compact(&CompactLimits::default(), time(30)).unwrap();
    assert_eq!((compaction.files_before, compaction.files_after, compaction.rows), (4, 1, 6));
    let reader = Lake::open(store.clone()).unwrap();
    assert_eq!(rows_of(&reader), [0, 1, 2, 10, 11, 12]);
    let data: Vec<String> = store.list("events").unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(data, reader.snapshot().files().map(|file| file.path.clone()).collect::<Vec<_>>());
    assert!(store.list("_staging").unwrap().is_empty());
}

#[test]
fn a_lake_in_an_s3_server() {
    let Some(server) = Server::start() else {
        println!("skipped: moto_server is not installed");
        // Even so: a store is made without asking anyone.
        assert!(open_store("s3://", &BTreeMap::new()).is_err());
        return;
    };
    keeps_the_contract(&*server.store("/contract/below"));
    keeps_the_contract(&*server.store(""));
    let store = server.store("/lake");
    publishes_and_compacts(&store);
    assert!(!format!("{store:?}").contains(SECRET) && format!("{store:?}").contains("[redacted]"));
    assert_eq!(store.address(), "s3://lakes/lake");
    let missing = Lake::open(server.store("/nothing")).unwrap_err();
    assert!(matches!(missing, LedgerError::NoLake { .. }), "{missing}");
}

#[test]
fn settings_are_asked_for_and_secrets_are_not_shown() {
    let error = open_store("s3://bucket/lake", &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().ends_with("hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{error}");
    let environment: BTreeMap<String, String> =
        [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", "token-of-a-test")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let settings = monologue_lake::store::S3Settings::from_environment(&environment);
    let shown = format!("{settings:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("token-of-a-test"), "{shown}");
    assert!(open_store("s3://bucket/../lake", &environment).is_err());
}
