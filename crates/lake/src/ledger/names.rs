//! The names of everything in a lake, written and read in this one place.

/// The layout that this version writes and reads.
pub const LAYOUT: u64 = 1;

/// What a lake is, written once.
pub(super) const LAKE_FILE: &str = "lake.json";

/// Folder of the publications.
pub(super) const LEDGER: &str = "ledger";

/// Folder of what is written aside.
pub(super) const STAGING: &str = "_staging";

/// In a staging folder, the file that says it is in use: made first, deleted last.
pub(super) const MARKER: &str = "begun";

/// In a staging folder, a checkpoint on its way to its place.
pub(super) const STAGED_CHECKPOINT: &str = "checkpoint";

/// A folded state is kept every so many publications.
pub(super) const CHECKPOINT_EVERY: u64 = 50;

/// Most buckets: their numbers have three digits.
pub(super) const MOST_BUCKETS: u16 = 1000;

/// Digits of a publication number in names, so that names sort as numbers do.
const NUMBER_DIGITS: usize = 20;

/// Digits of the count of a data file within its publication.
const COUNT_DIGITS: usize = 6;

/// Longest name of a table, in bytes.
const TABLE_BYTES: usize = 64;

/// `ledger/00000000000000000001.json`
pub(super) fn ledger_path(number: u64) -> String {
    format!("{LEDGER}/{number:020}.json")
}

/// `ledger/checkpoint-00000000000000000050.json`
pub(super) fn checkpoint_path(number: u64) -> String {
    format!("{LEDGER}/checkpoint-{number:020}.json")
}

/// What a file in the ledger's folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LedgerFile {
    Publication(u64),
    Checkpoint(u64),
}

/// What a path in the ledger's folder names; `None` for what the lake did not write.
pub(super) fn parse_ledger_path(path: &str) -> Option<LedgerFile> {
    let name = path.strip_prefix(LEDGER)?.strip_prefix('/')?.strip_suffix(".json")?;
    match name.strip_prefix("checkpoint-") {
        Some(digits) => number(digits, NUMBER_DIGITS).map(LedgerFile::Checkpoint),
        None => number(name, NUMBER_DIGITS).map(LedgerFile::Publication),
    }
}

/// The staging folder of a publication that aims at `number`: `00000000000000000007-<unique>`.
pub(super) fn staging_folder(number: u64, unique: &str) -> String {
    format!("{number:020}-{unique}")
}

/// The number that a staging folder aims at.
pub(super) fn parse_staging_folder(folder: &str) -> Option<u64> {
    let (digits, unique) = folder.split_once('-')?;
    let fine = !unique.is_empty() && unique.len() <= 64 && unique.bytes().all(|byte| byte.is_ascii_alphanumeric());
    number(digits, NUMBER_DIGITS).filter(|_| fine)
}

/// The path of a file in a staging folder.
pub(super) fn staged_path(folder: &str, name: &str) -> String {
    format!("{STAGING}/{folder}/{name}")
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `<table>/date=2026-03-02/bucket=007/`
pub(super) fn data_folder(table: &str, date: &str, bucket: u16) -> String {
    format!("{table}/date={date}/bucket={bucket:03}/")
}

/// `<table>/date=2026-03-02/bucket=007/<publication>-<count>.parquet`
pub(super) fn data_path(table: &str, date: &str, bucket: u16, publication: u64, count: u32) -> String {
    format!("{}{publication:020}-{count:06}.parquet", data_folder(table, date, bucket))
}

/// What the path of a data file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DataPath<'a> {
    pub(super) table: &'a str,
    pub(super) date: &'a str,
    pub(super) bucket: u16,
    /// The publication that it belongs to.
    pub(super) publication: u64,
    /// Its place in that.
    pub(super) count: u32,
}

/// What a path says, if it is one that the lake writes for a data file.
pub(super) fn parse_data_path(path: &str) -> Option<DataPath<'_>> {
    let mut parts = path.split('/');
    let (table, date, bucket, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let date = date.strip_prefix("date=")?;
    let bucket = u16::try_from(number(bucket.strip_prefix("bucket=")?, 3)?).ok()?;
    let (publication, count) = name.strip_suffix(".parquet")?.split_once('-')?;
    let publication = number(publication, NUMBER_DIGITS)?;
    let count = u32::try_from(number(count, COUNT_DIGITS)?).ok()?;
    let fine = parts.next().is_none() && is_table(table) && is_date(date);
    fine.then_some(DataPath { table, date, bucket, publication, count })
}

/// Whether a text may name a table: lower-case letters, digits, `-` and `_`, beginning with a letter, and not the ledger's.
pub(super) fn is_table(table: &str) -> bool {
    table.len() <= TABLE_BYTES
        && table != LEDGER
        && table.starts_with(|first: char| first.is_ascii_lowercase())
        && table.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

/// Whether a text is a date as folders have it, such as `2026-03-02`. Texts of that form sort as dates do.
pub(super) fn is_date(date: &str) -> bool {
    let mut parts = date.split('-');
    let mut next = |digits| parts.next().and_then(|part| number(part, digits));
    let fine = matches!((next(4), next(2), next(2)), (Some(_), Some(1..=12), Some(1..=31)));
    fine && parts.next().is_none()
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u64> {
    let fine = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_they_were_written() {
        let path = data_path("process_activity", "2026-03-02", 7, 12, 3);
        assert_eq!(path, "process_activity/date=2026-03-02/bucket=007/00000000000000000012-000003.parquet");
        let parts = DataPath { table: "process_activity", date: "2026-03-02", bucket: 7, publication: 12, count: 3 };
        assert_eq!(parse_data_path(&path), Some(parts));
        assert_eq!(parse_ledger_path(&ledger_path(50)), Some(LedgerFile::Publication(50)));
        assert_eq!(parse_ledger_path(&checkpoint_path(50)), Some(LedgerFile::Checkpoint(50)));
        assert_eq!(parse_staging_folder(&staging_folder(9, "ab12")), Some(9));
    }

    #[test]
    fn names_that_the_lake_does_not_write_are_refused() {
        for path in [
            "../date=2026-03-02/bucket=007/00000000000000000012-000003.parquet",
            "ledger/date=2026-03-02/bucket=007/00000000000000000012-000003.parquet",
            "_staging/date=2026-03-02/bucket=007/00000000000000000012-000003.parquet",
            "/t/date=2026-03-02/bucket=007/00000000000000000012-000003.parquet",
            "t/date=2026-13-02/bucket=007/00000000000000000012-000003.parquet",
            "t/date=2026-03-02/bucket=7/00000000000000000012-000003.parquet",
            "t/date=2026-03-02/bucket=007/12-3.parquet",
            "t/date=2026-03-02/bucket=007/00000000000000000012-000003.parquet/..",
            "t/date=2026-03-02/bucket=007/../00000000000000000012-000003.parquet",
        ] {
            assert_eq!(parse_data_path(path), None, "{path}");
        }
        assert!(!is_date("2026-3-02") && !is_date("2026-03-02-01") && !is_date("2026-03-32") && is_date("2026-12-31"));
        assert_eq!(parse_ledger_path("ledger/.DS_Store"), None);
        assert_eq!(parse_ledger_path("ledger/1.json"), None);
        assert_eq!(parse_staging_folder("put-ab"), None);
    }
}
