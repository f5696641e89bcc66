//! Compaction keeps rows, metadata and bounds.

use super::*;
use arrow_array::StringArray;
use parquet::{
    basic::Compression,
    file::{metadata::KeyValue, properties::WriterProperties},
};

const LIMITS: CompactLimits = CompactLimits {
    small_bytes: 1 << 20,
    target_bytes: 1 << 30,
    least_files: 2,
    row_group_rows: 100,
    row_group_bytes: 1 << 20,
    batch_rows: 7,
};

/// A file of 50 rows with text and key-value metadata.
fn write_texts(publication: &mut Publication<'_>, start: i64, version: &str, column: &str) -> DataFile {
    let metadata = std::collections::HashMap::from([("table".to_owned(), "1".to_owned())]);
    let schema =
        Schema::new(vec![Field::new("identity", DataType::Int64, false), Field::new(column, DataType::Utf8, true)]);
    let schema = Arc::new(schema.with_metadata(metadata));
    let rows: Vec<i64> = (start..start + 50).collect();
    let texts: StringArray = rows.iter().map(|row| (row % 3 > 0).then(|| format!("text {row}"))).collect();
    let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(rows)), Arc::new(texts)]).unwrap();
    let pairs = vec![KeyValue::new("monologue.table".to_owned(), version.to_owned())];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let staged = publication.file("events", DAY, 0).unwrap();
    let mut writer = ArrowWriter::try_new(staged, schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().finish(50, start, start + 49).unwrap()
}

fn texts_of(lake: &Lake) -> Vec<(i64, Option<String>)> {
    let mut rows = Vec::new();
    for file in lake.snapshot().files() {
        for batch in ParquetRecordBatchReaderBuilder::try_new(lake.read(file).unwrap()).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let identities = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().clone();
            let texts = batch.column(1).as_any().downcast_ref::<StringArray>().unwrap().clone();
            rows.extend(identities.values().iter().copied().zip(texts.iter().map(|text| text.map(str::to_owned))));
        }
    }
    rows
}

#[test]
fn small_files_become_one_with_the_same_rows_and_metadata() {
    let (store, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    (0..5).for_each(|number| drop(write_texts(&mut publication, number * 50, "1", "text")));
    publication.publish(time(1)).unwrap();
    let before = texts_of(&lake);
    assert_eq!(before.len(), 250);

    let compaction = lake.compact(&LIMITS, time(2)).unwrap();
    let expected = Compaction { publication: Some(2), files_before: 5, files_after: 1, rows: 250, leftovers: 0 };
    assert_eq!(compaction, expected);
    assert_eq!(texts_of(&lake), before);
    assert_eq!(glob(&store), held(&lake));
    let file = lake.snapshot().files().next().unwrap();
    assert_eq!((file.rows, file.first_time_ns, file.last_time_ns), (250, 0, 249));
    let reader = ParquetRecordBatchReaderBuilder::try_new(lake.read(file).unwrap()).unwrap();
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let versions: Vec<_> = pairs.iter().filter(|pair| pair.key == "monologue.table").collect();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].value.as_deref(), Some("1"));
    assert_eq!(reader.schema().metadata().get("table").map(String::as_str), Some("1"));
    let row_groups: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(row_groups, [100, 100, 50]);
    assert!(matches!(metadata.row_group(0).column(1).compression(), Compression::ZSTD(_)));

    // Nothing is left to put together, and a second compaction of the result changes no metadata.
    assert_eq!(lake.compact(&LIMITS, time(3)).unwrap(), Compaction::default());
    let mut publication = lake.begin().unwrap();
    write_texts(&mut publication, 250, "1", "text");
    publication.publish(time(4)).unwrap();
    assert_eq!(lake.compact(&LIMITS, time(5)).unwrap().rows, 300);
}

#[test]
fn files_of_another_schema_or_version_stay_apart() {
    let (_, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    for (number, version, column) in [(0, "1", "text"), (1, "2", "text"), (2, "1", "words"), (3, "1", "text")] {
        write_texts(&mut publication, number * 50, version, column);
    }
    publication.publish(time(1)).unwrap();
    let compaction = lake.compact(&LIMITS, time(2)).unwrap();
    assert_eq!((compaction.files_before, compaction.files_after, compaction.rows), (2, 1, 100));
    assert_eq!(lake.snapshot().files().count(), 3);
    assert_eq!(rows_of(&lake), (0..200).collect::<Vec<_>>());
}

#[test]
fn limits_decide_which_files_and_how_large() {
    let (_, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    let bytes = (0..6).map(|number| write_texts(&mut publication, number * 50, "1", "text").bytes).max().unwrap();
    publication.publish(time(1)).unwrap();
    let none = CompactLimits { least_files: 7, ..LIMITS };
    assert_eq!(lake.compact(&none, time(2)).unwrap().publication, None);
    let none = CompactLimits { small_bytes: 100, ..LIMITS };
    assert_eq!(lake.compact(&none, time(2)).unwrap().publication, None);
    let pairs = CompactLimits { target_bytes: bytes * 2, ..LIMITS };
    assert_eq!(lake.compact(&pairs, time(2)).unwrap().files_after, 3);
    assert_eq!(rows_of(&lake), (0..300).collect::<Vec<_>>());
}

#[test]
fn leftovers_are_deleted_and_strange_files_are_not() {
    let (store, mut lake) = memory();
    let mut publication = lake.begin().unwrap();
    write_texts(&mut publication, 0, "1", "text");
    publication.publish(time(1)).unwrap();
    let leftover = "events/date=2026-03-02/bucket=000/00000000000000000001-000009.parquet";
    let of_another_writer = "events/date=2026-03-02/bucket=000/00000000000000000002-000001.parquet";
    let strange = "events/date=2026-03-02/bucket=000/notes.parquet";
    for path in [leftover, of_another_writer, strange] {
        store.put_new(path, b"x").unwrap();
    }
    assert_eq!(lake.compact(&LIMITS, time(2)).unwrap().leftovers, 1);
    assert_eq!(store.size(leftover).unwrap(), None);
    assert_eq!((store.size(of_another_writer).unwrap(), store.size(strange).unwrap()), (Some(1), Some(1)));
}
