//! Files that somebody edited: errors that say what is wrong, never a panic.
#![cfg(test)]

mod arbitrary;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use monologue_lake::tables::{Interner, Select, Table, TableError, decode, encode, read, write};
use monologue_model::Event;
use proptest::{
    collection::vec,
    prelude::any,
    proptest,
    strategy::Strategy,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use std::sync::Arc;

/// Some events of each table, always the same.
fn events(table: Table) -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    let strategy = vec(arbitrary::event(), 300);
    let events = strategy.new_tree(&mut runner).unwrap().current();
    events.into_iter().filter(|event| Table::of(&event.detail) == table).collect()
}

fn batch(table: Table) -> RecordBatch {
    let events = events(table);
    assert!(events.len() > 4, "{table}");
    encode(table, &events.iter().collect::<Vec<_>>()).unwrap()
}

fn file(table: Table) -> Vec<u8> {
    let mut file = Vec::new();
    write(table, [batch(table)].into_iter(), &mut file).unwrap();
    file
}

/// The batch with one column made anew.
fn with_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let fields = schema.fields().iter().map(|field| match field.name() == name {
        true => Arc::new(Field::new(name, column.data_type().clone(), true)),
        false => field.clone(),
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let at = schema.index_of(name).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[at] = column;
    RecordBatch::try_new(schema.into(), columns).unwrap()
}

fn error(table: Table, batch: &RecordBatch) -> String {
    decode(table, batch, &mut Interner::new()).unwrap_err().to_string()
}

#[test]
fn a_missing_column_is_named() {
    for table in Table::ALL {
        let batch = batch(table);
        let needless = ["time", "class_uid", "category_uid", "activity_id", "type_uid", "severity_id"];
        for (at, field) in table.schema().fields().iter().enumerate() {
            let mut less = batch.clone();
            less.remove_column(at);
            let decoded = decode(table, &less, &mut Interner::new());
            if needless.contains(&field.name().as_str()) {
                assert!(decoded.is_ok(), "{table} {}", field.name());
            } else {
                let error = decoded.unwrap_err().to_string();
                assert!(error.contains(&format!("expected the column {} of type", field.name())), "{error}");
            }
        }
    }
}

#[test]
fn a_column_of_another_type_is_named() {
    let batch = batch(Table::DnsActivity);
    let rows = batch.num_rows();
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| row.to_string())));
    let message = error(Table::DnsActivity, &with_column(&batch, "time_ns", text.clone()));
    assert_eq!(message, "expected the type int64 of the column time_ns in the table dns_activity, found string");
    let message = error(Table::DnsActivity, &with_column(&batch, "actor", text));
    assert_eq!(message, "expected the type group of the column actor in the table dns_activity, found string");
    let inner = batch.column_by_name("query").unwrap().data_type().clone();
    let DataType::Struct(fields) = inner else { panic!("{inner}") };
    assert_eq!(fields.len(), 2);
    let number: ArrayRef = Arc::new(Int32Array::from_iter_values(0..rows as i32));
    let half = arrow_array::StructArray::from(
        vec![(fields[0].clone(), number.clone() as ArrayRef), (fields[1].clone(), number)]
            .into_iter()
            .map(|(field, array)| (Arc::new(field.as_ref().clone().with_data_type(DataType::Int32)), array))
            .collect::<Vec<_>>(),
    );
    let message = error(Table::DnsActivity, &with_column(&batch, "query", Arc::new(half)));
    assert_eq!(message, "expected the type string of the column query.hostname in the table dns_activity, found int32");
}

#[test]
fn nulls_where_values_must_be_are_errors() {
    for table in Table::ALL {
        let batch = batch(table);
        for name in ["time_ns", "metadata", "provenance"] {
            let kind = table.schema().field_with_name(name).unwrap().data_type().clone();
            let nulls = arrow_array::new_null_array(&kind, batch.num_rows());
            let message = error(table, &with_column(&batch, name, nulls));
            assert!(message.contains(table.name()) && message.contains(name), "{message}");
        }
    }
}

#[test]
fn a_file_of_another_table_or_none_is_refused() {
    let source = bytes::Bytes::from(file(Table::DnsActivity));
    let mut interner = Interner::new();
    let other = read(Table::HttpActivity, source, &Select::ALL, &mut interner).err().unwrap();
    assert!(matches!(other, TableError::File { key: "monologue.table", .. }), "{other}");
    let none =
        read(Table::HttpActivity, bytes::Bytes::from_static(b"PAR1"), &Select::ALL, &mut interner).err().unwrap();
    assert!(none.to_string().starts_with("expected a Parquet file: "), "{none}");
    let events = events(Table::DnsActivity);
    let foreign = encode(Table::Coverage, &[&events[0]]).unwrap_err().to_string();
    assert!(foreign.starts_with("expected an event of the table coverage, found one of dns_activity"), "{foreign}");
}

proptest! {
    // Bytes that mislead the library into a panic are about one in a thousand.
    #![proptest_config(Config::with_cases(2048))]

    #[test]
    fn damaged_files_never_panic(
        table in proptest::sample::select(Table::ALL.to_vec()),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        static FILES: std::sync::LazyLock<Vec<Vec<u8>>> =
            std::sync::LazyLock::new(|| Table::ALL.into_iter().map(file).collect());
        let mut bytes = FILES[Table::ALL.iter().position(|other| *other == table).unwrap()].clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mut interner = Interner::new();
        // What was damaged decides whether there are events, errors or both; that it ends is what counts.
        let batches = read(table, bytes::Bytes::from(bytes), &Select::ALL, &mut interner).map(Iterator::count);
        assert!(batches.unwrap_or(0) < 10);
    }
}
