"""Opens every table with PyArrow: `with_pyarrow.py FOLDER TABLE=ROWS…`."""

import sys

import pyarrow.parquet as parquet

folder, expected = sys.argv[1], dict(pair.split("=") for pair in sys.argv[2:])
for table, rows in expected.items():
    file = parquet.ParquetFile(f"{folder}/{table}.parquet")
    metadata = {key.decode(): value.decode() for key, value in file.metadata.metadata.items()}
    assert metadata["monologue.table"] == table and metadata["monologue.layout"] == "2", metadata
    assert file.read().num_rows == int(rows), table
    for number in range(file.metadata.num_columns):
        kind = str(file.schema.column(number).logical_type)
        assert "isSigned=false" not in kind and "Timestamp" not in kind, (table, kind)

first = parquet.read_table(f"{folder}/process_activity.parquet").slice(0, 1).to_pylist()[0]
assert first["process"]["file"]["path"] == "/usr/bin/curl", first
assert first["monologue"]["arguments"] == ["curl", "-s", "https://example.org/ä"], first
assert first["provenance"]["offset"] == 7 and len(first["provenance"]["sha256"]) == 32, first
print(len(expected), "tables are as they should be")
