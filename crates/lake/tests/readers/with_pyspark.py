"""Opens every table with Apache Spark: `with_pyspark.py FOLDER TABLE=ROWS…`. Wants Java 17 or later."""

import sys

from pyspark.sql import SparkSession

folder, expected = sys.argv[1], dict(pair.split("=") for pair in sys.argv[2:])
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
for table, rows in expected.items():
    frame = spark.read.parquet(f"{folder}/{table}.parquet")
    assert frame.count() == int(rows), table
    # Every column is decoded, not only counted.
    assert len(frame.collect()) == int(rows), table

first = spark.read.parquet(f"{folder}/process_activity.parquet").first()
assert first.process.file.path == "/usr/bin/curl", first
assert first.monologue.arguments == ["curl", "-s", "https://example.org/ä"], first
assert first.provenance.offset == 7 and len(first.provenance.sha256) == 32, first
print(len(expected), "tables are as they should be")
