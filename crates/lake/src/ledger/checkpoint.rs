//! Checkpoints: the state after some publications, folded into one file, so that opening a lake need not read them all.
//!
//! A lake of years holds hundreds of thousands of files. A checkpoint is therefore written from the snapshot and read into
//! it entry by entry: neither its text nor a second list of its entries is ever in memory.

use super::{
    DataFile, Fact, LedgerError, Snapshot, SourceRecord,
    names::{self, LAYOUT},
};
use crate::store::{Store, StoreError, StoreWriter};
use monologue_model::Timestamp;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
    ser::SerializeStruct as _,
};
use std::{
    collections::BTreeSet,
    fmt,
    io::{self, BufReader, BufWriter, Write},
};

/// Largest checkpoint, in bytes.
const CHECKPOINT_BYTES: u64 = 1 << 30;

/// Bytes that are read or written at once.
const BUFFER_BYTES: usize = 1 << 16;

/// What a checkpoint says beside files, sources and facts.
#[derive(Debug, Default)]
struct Head {
    layout: Option<u64>,
    number: Option<u64>,
    time: Option<Timestamp>,
}

/// Writes a checkpoint aside, at `staged`, and puts it in its place.
pub(super) fn write(store: &dyn Store, staged: &str, snapshot: &Snapshot) -> Result<(), StoreError> {
    let mut writer =
        BufWriter::with_capacity(BUFFER_BYTES, Capped { inner: store.create(staged)?, left: CHECKPOINT_BYTES });
    let failed = |source: io::Error| StoreError::io("write", staged, source);
    serde_json::to_writer(&mut writer, &Stated(snapshot)).map_err(|error| failed(error.into()))?;
    writer.into_inner().map_err(|error| failed(error.into_error()))?.inner.close()?;
    store.rename(staged, &names::checkpoint_path(snapshot.number()))
}

/// Refuses to write more than may be read again.
struct Capped {
    inner: Box<dyn StoreWriter>,
    left: u64,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("expected a checkpoint of at most 1 GiB"));
        }
        let written = self.inner.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A snapshot as a checkpoint states it.
struct Stated<'a>(&'a Snapshot);

impl Serialize for Stated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stated = serializer.serialize_struct("Checkpoint", 6)?;
        stated.serialize_field("layout", &LAYOUT)?;
        stated.serialize_field("number", &self.0.number())?;
        stated.serialize_field("time", &self.0.time().unwrap_or_default())?;
        stated.serialize_field("files", &Each(|| self.0.files()))?;
        stated.serialize_field("sources", &Each(|| self.0.sources()))?;
        stated.serialize_field("facts", &Each(|| self.0.facts()))?;
        stated.end()
    }
}

/// A list that is never in memory.
struct Each<F>(F);

impl<T: Serialize, I: Iterator<Item = T>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Reads and checks the checkpoint after publication `number`.
pub(super) fn load(store: &dyn Store, number: u64, buckets: u16) -> Result<Snapshot, LedgerError> {
    let path = names::checkpoint_path(number);
    let reader =
        store.open(&path, CHECKPOINT_BYTES)?.reader().map_err(|source| StoreError::io("read", &path, source))?;
    let (mut head, mut snapshot) = (Head::default(), Snapshot::default());
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER_BYTES, reader));
    let into = Into { head: &mut head, snapshot: &mut snapshot, number, buckets };
    let read = into.deserialize(&mut json).and_then(|()| json.end());
    if let Some(found) = head.layout.filter(|found| *found != LAYOUT) {
        return Err(LedgerError::Layout { path, expected: LAYOUT, found });
    }
    let hint = "delete it: it only repeats what the numbered files say";
    read.map_err(|error| LedgerError::Corrupt { path, problem: format!("expected JSON of layout 1: {error}"), hint })?;
    snapshot.begin(number, head.time.unwrap_or_default());
    Ok(snapshot)
}

/// Reads a checkpoint into a snapshot.
struct Into<'a> {
    head: &'a mut Head,
    snapshot: &'a mut Snapshot,
    /// The publication it is the state after.
    number: u64,
    /// Buckets that the lake has.
    buckets: u16,
}

impl Into<'_> {
    /// Nothing of a later publication is in it.
    fn check(&self, publication: u64) -> Result<(), String> {
        if publication > self.number {
            return Err(format!("expected publications up to {}, found {publication}", self.number));
        }
        Ok(())
    }

    fn file(&mut self, file: DataFile) -> Result<(), String> {
        self.check(file.publication)?;
        match file.problem(self.buckets) {
            Some(problem) => Err(problem),
            None => {
                self.snapshot.push_file(file);
                Ok(())
            }
        }
    }

    fn source(&mut self, (publication, source): (u64, SourceRecord)) -> Result<(), String> {
        self.check(publication)?;
        self.snapshot.push_source(publication, source);
        Ok(())
    }

    fn fact(&mut self, fact: Fact) -> Result<(), String> {
        self.check(fact.publication)?;
        self.snapshot.push_fact(fact);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a checkpoint")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(field) = map.next_key::<String>()? {
            // The layout stands first, so that nothing of another one is misread.
            if self.head.layout.is_none() && field != "layout" {
                return Err(A::Error::custom("expected the layout first"));
            }
            match &*field {
                "layout" => {
                    let layout: u64 = map.next_value()?;
                    self.head.layout = Some(layout);
                    if layout != LAYOUT {
                        return Err(A::Error::custom("another layout"));
                    }
                }
                "number" => self.head.number = Some(map.next_value()?),
                "time" => self.head.time = Some(map.next_value()?),
                "files" => map.next_value_seed(Entries(&mut |file| self.file(file)))?,
                "sources" => map.next_value_seed(Entries(&mut |source| self.source(source)))?,
                "facts" => map.next_value_seed(Entries(&mut |fact| self.fact(fact)))?,
                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
            }
            if !seen.insert(field) {
                return Err(A::Error::custom("expected each field once"));
            }
        }
        if self.head.number != Some(self.number) {
            let found = self.head.number.map_or_else(|| "none".to_owned(), |number| number.to_string());
            return Err(A::Error::custom(format_args!("expected the state after {}, found {found}", self.number)));
        }
        if let Some(missing) = ["time", "files", "sources", "facts"].iter().find(|field| !seen.contains(**field)) {
            return Err(A::Error::custom(format_args!("expected the field `{missing}`, found none")));
        }
        Ok(())
    }
}

/// Hands over the entries of a list one by one.
struct Entries<'a, T>(&'a mut dyn FnMut(T) -> Result<(), String>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<T>()? {
            (self.0)(entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
