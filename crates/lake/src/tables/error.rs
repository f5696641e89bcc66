//! What can go wrong with a table: errors that name the table, the column and the row.

use super::Table;
use parquet::errors::ParquetError;

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A column is missing.
    #[error("expected the column {column} of type {expected} in the table {table}, found none")]
    Missing {
        /// The table.
        table: &'static str,
        /// Path of the column.
        column: String,
        /// Its type.
        expected: String,
    },
    /// A column has another type.
    #[error("expected the type {expected} of the column {column} in the table {table}, found {found}")]
    Type {
        /// The table.
        table: &'static str,
        /// Path of the column.
        column: String,
        /// The type it should have.
        expected: String,
        /// The type it has.
        found: String,
    },
    /// A value cannot be what it should be.
    #[error("in the table {table}, row {row} of a batch: {problem}")]
    Value {
        /// The table.
        table: &'static str,
        /// Row of the batch, from 0.
        row: usize,
        /// What was expected, and where.
        problem: Unexpected,
    },
    /// Rows could not be made into columns, or columns into rows.
    #[error("in the table {table}: {problem}")]
    Rows {
        /// The table.
        table: &'static str,
        /// What was expected.
        problem: Box<serde_arrow::Error>,
    },
    /// An event belongs to another table.
    #[error("expected an event of the table {table}, found one of {found}; hint: `Table::of` tells where it belongs")]
    Foreign {
        /// The table that was asked for.
        table: Table,
        /// The table it belongs to.
        found: Table,
    },
    /// A file was written for something else.
    #[error("expected {expected:?} for the key {key} in the file's metadata, found {found:?}")]
    File {
        /// Key of the metadata.
        key: &'static str,
        /// The value it should have.
        expected: String,
        /// The value it has. `None` means the key is not there.
        found: Option<String>,
    },
    /// The file is not as Parquet files are, or cannot be read or written.
    #[error("expected a Parquet file: {0}")]
    Parquet(#[from] ParquetError),
    /// Columns do not belong together.
    #[error("expected columns of one batch: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
}

/// A value that cannot be what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} in the column {column}, found {found}")]
pub struct Unexpected {
    /// Path of the column.
    pub column: &'static str,
    /// What should stand there.
    pub expected: &'static str,
    /// What stands there, cut to 64 characters.
    pub found: String,
}

impl Unexpected {
    /// A value that cannot be what it should be.
    pub(super) fn new(column: &'static str, expected: &'static str, found: &str) -> Self {
        Self { column, expected, found: found.chars().take(64).collect() }
    }
}

/// A value that this kind of row must have.
pub(super) fn need<T>(value: Option<T>, column: &'static str) -> Result<T, Unexpected> {
    value.ok_or_else(|| Unexpected::new(column, "a value for this kind of row", "none"))
}

/// A number stored wider than it is.
pub(super) fn narrow<T: TryFrom<i64>>(value: i64, column: &'static str) -> Result<T, Unexpected> {
    T::try_from(value).map_err(|_| Unexpected::new(column, "a number in its range", &value.to_string()))
}

/// As [`narrow`], where there may be none.
pub(super) fn narrow_option<T: TryFrom<i64>>(
    value: Option<i64>,
    column: &'static str,
) -> Result<Option<T>, Unexpected> {
    value.map(|value| narrow(value, column)).transpose()
}
