//! The law of the table `summaries`: the exact channel comes back.
#![cfg(test)]

use monologue_lake::tables::{
    SUMMARIES, SummaryRow, decode_summaries, encode_summaries, read_summaries, summaries_schema, write_summaries,
};
use monologue_model::{
    ApplicationKey, Channel, ChannelKey, Handling, Provenance, Reply, Row, Service, Sha256, Sight, SightSet,
    SignatureState, Teardown, Timestamp, Transport, Witness, WitnessKind,
};
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
    sample::select,
};
use std::{net::IpAddr, sync::Arc};

fn text() -> BoxedStrategy<Arc<str>> {
    prop_oneof![Just(String::new()), "\\PC{0,12}", "[a-z.\"\\\\]{1,12}"].prop_map(Arc::from).boxed()
}

fn key() -> BoxedStrategy<ChannelKey> {
    let signed = (option::of(text()), text(), option::of(text()))
        .prop_map(|(team, signing_id, agent)| ApplicationKey::Signed { team, signing_id, agent });
    let path = (text(), option::of(text())).prop_map(|(path, agent)| ApplicationKey::Path { path, agent });
    let application = prop_oneof![Just(ApplicationKey::Unknown), signed, path];
    let service = prop_oneof![
        Just(Service::Unknown),
        text().prop_map(Service::Masked),
        any::<IpAddr>().prop_map(Service::Address),
        text().prop_map(Service::Name),
    ];
    (text(), application, service)
        .prop_map(|(host, application, service)| ChannelKey { host, application, service })
        .boxed()
}

fn time() -> BoxedStrategy<Timestamp> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>(), 0..1_800_000_000_000_000_000_i64]
        .prop_map(Timestamp::from_nanoseconds)
        .boxed()
}

fn row() -> BoxedStrategy<Row> {
    let reply = select(vec![Reply::Unknown, Reply::Silent, Reply::HandshakeOnly, Reply::Bytes, Reply::Payload]);
    let handling = select(Handling::ALL.to_vec());
    let teardown = select(Teardown::ALL.to_vec());
    let seen = vec(select(Sight::ALL.to_vec()), 0..5);
    let small = any::<(u32, u32, u32, u16, u16, bool)>();
    (time(), small, seen, reply, (handling, teardown, any::<u32>(), any::<Option<bool>>()))
        .prop_map(|(time, small, seen, reply, (handling, teardown, request_kind, resumed))| {
            let (request_bytes, response_bytes, content_hash, status, effects, fresh_connection) = small;
            let seen: SightSet = seen.into_iter().collect();
            Row {
                request_layer: Some(monologue_model::ByteLayer::Message),
                time,
                request_bytes,
                response_bytes,
                content_hash,
                seen,
                status,
                effects,
                reply,
                handling,
                fresh_connection,
                timed: status % 2 == 0,
                teardown,
                request_kind,
                resumed,
            }
        })
        .boxed()
}

fn witness() -> BoxedStrategy<(WitnessKind, Witness)> {
    let kind = select(vec![WitnessKind::Request, WitnessKind::Silence, WitnessKind::SelfRemoval]);
    (kind, time(), text(), any::<(u64, u64, [u8; 32])>(), text())
        .prop_map(|(kind, time, source, (offset, length, hash), note)| {
            let provenance = Provenance { source, offset, length, sha256: Sha256::from_bytes(hash) };
            (kind, Witness { time, provenance, note })
        })
        .boxed()
}

fn fill(channel: &mut Channel, rows: &[Row], texts: &[Arc<str>], address: IpAddr, number: u64) {
    rows.iter().for_each(|row| channel.push_row(*row));
    channel.prune();
    for row in rows {
        channel.counters.exchanges += 1;
        channel.counters.reply.count(row.reply);
        channel.counters.handling.count(row.handling);
        channel.counters.effects.count(Some(row.effects > 0));
        channel.counters.answer.count(Some(number));
    }
    for text in texts {
        channel.attributes.names.insert(text.clone());
        channel.attributes.cdhashes.insert(text.clone());
    }
    channel.attributes.addresses.insert(address);
    channel.attributes.ports.insert(rows.len() as u16);
    channel.attributes.pids.insert(u32::MAX);
    channel.attributes.user_ids.insert(0);
    channel.attributes.signatures.insert(SignatureState::AdHoc);
    channel.attributes.transports.insert(Transport::Udp);
}

fn summary() -> BoxedStrategy<SummaryRow> {
    let shape = (key(), time(), vec(row(), 0..12), vec(witness(), 0..6), 1..8_usize);
    (shape, vec(text(), 0..3), any::<IpAddr>(), any::<(u64, i64, i64)>())
        .prop_map(|((key, first, rows, witnesses, cap), texts, address, (number, hour, decided_hour))| {
            let mut channel = Channel::new(key, first, cap);
            fill(&mut channel, &rows, &texts, address, number);
            witnesses.into_iter().for_each(|(kind, witness)| channel.witnesses.insert(kind, witness));
            SummaryRow { hour, decided_hour, channel }
        })
        .boxed()
}

fn file(rows: &[SummaryRow]) -> bytes::Bytes {
    let mut file = Vec::new();
    let written = write_summaries([encode_summaries(rows).unwrap()].into_iter(), &mut file).unwrap();
    assert_eq!(written.rows, rows.len() as u64);
    assert_eq!(written.first_ns, rows.iter().map(|row| row.channel.first_time.nanoseconds()).min());
    assert_eq!(written.last_ns, rows.iter().map(|row| row.channel.last_time.nanoseconds()).max());
    file.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 4000 }))]

    #[test]
    fn every_summary_survives(rows in vec(summary(), 0..8)) {
        let batch = encode_summaries(&rows).unwrap();
        assert_eq!(batch.schema(), summaries_schema());
        assert_eq!(decode_summaries(&batch).unwrap(), rows);
    }

    #[test]
    fn a_selection_is_the_summaries_of_its_hours(rows in vec(summary(), 1..8), bounds in any::<(i64, i64)>()) {
        let hours = bounds.0.min(bounds.1)..bounds.0.max(bounds.1);
        let read: Vec<_> = read_summaries(file(&rows), &hours).unwrap().collect::<Result<_, _>>().unwrap();
        let wanted: Vec<SummaryRow> = rows.into_iter().filter(|row| hours.contains(&row.hour)).collect();
        assert_eq!(read.concat(), wanted);
    }
}

#[test]
fn a_summary_that_cannot_be_is_an_error() {
    let key = ChannelKey { host: "anna-mac".into(), application: ApplicationKey::Unknown, service: Service::Unknown };
    let mut channel = Channel::new(key, Timestamp::from_nanoseconds(0), 8);
    channel.counters.reply_pending = 1;
    let batch = encode_summaries(&[SummaryRow { hour: 0, decided_hour: 0, channel }]).unwrap();
    let error = decode_summaries(&batch).unwrap_err().to_string();
    assert!(error.contains(SUMMARIES) && error.contains("no more pending exchanges"), "{error}");
}
