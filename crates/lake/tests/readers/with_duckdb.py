"""Opens every table with DuckDB: `with_duckdb.py FOLDER TABLE=ROWS…`."""

import hashlib
import json
import sys

import duckdb

folder, expected = sys.argv[1], dict(pair.split("=") for pair in sys.argv[2:])
connection = duckdb.connect()
for table, rows in expected.items():
    connection.execute(f"create view {table} as select * from read_parquet('{folder}/{table}.parquet')")
    (found,) = connection.execute(f"select count(*) from {table}").fetchone()
    assert found == int(rows), (table, found, rows)
    # Every column is decoded.
    assert len(connection.execute(f"select * from {table}").fetchall()) == int(rows)
    types = connection.execute(f"select column_type from (describe {table})").fetchall()
    assert not any(word in kind for (kind,) in types for word in ("UBIGINT", "UINTEGER", "TIMESTAMP")), types

row = connection.execute(
    """select class_uid, type_uid, time, time_ns, device.hostname, metadata.log_name, metadata.version,
              process.name, process.cmd_line, process.file.signature.developer_uid, process."user".uid,
              process.parent_process.pid, process.monologue.pidversion, process.monologue.signature,
              actor.process.file.path, monologue.arguments[3], provenance.sha256
       from process_activity where provenance.source = 'es.ndjson'"""
).fetchone()
assert row[:16] == (
    1007, 100701, 1795507200123, 1795507200123456789, "anna-mac", "eslogger", "1.8.0",
    "curl", "curl -s https://example.org/ä", "ABCDE12345", "501",
    1, 11, "team",
    "/bin/zsh", "https://example.org/ä",
), row
assert bytes(row[16]) == hashlib.sha256(b"abc").digest(), row

row = connection.execute(
    """select class_uid, activity_id, src_endpoint.ip, dst_endpoint.ip, dst_endpoint.port, connection_info.protocol_name,
              traffic.bytes_out, traffic.bytes_in, monologue.received.quality, monologue.flow.services, duration,
              monologue.flow.duration_ns, actor is null
       from network_activity where provenance.source = 'es.ndjson'"""
).fetchone()
# 2^64 - 1 in two's complement is -1.
assert row == (
    4001, 6, "192.0.2.7", "2001:db8::1", 443, "tcp", -1, 0, "measured", ["ssl", "http"], 1, 1500000, True,
), row

row = connection.execute(
    "select hour, decided_hour, host, application.kind, application.path, service, exchanges, summary from summaries"
).fetchone()
assert row[:7] == (3, 4, "anna-mac", "path", "~/agent", "example.org", 12), row
assert json.loads(row[7])["counters"]["exchanges"] == 12, row
print(len(expected), "tables are as they should be")
