//! Unified log exports, read through the public interface: our samples, and real records where they are at hand.

#[cfg(test)]
mod tests {
    use monologue_formats::{Format, Head, Input, Item, Malformed, by_name, detect};
    use monologue_model::{
        BackgroundFact, ConnectionFact, CoverageState, Detail, Event, Loss, RequestBody, ResponseContent, Sha256,
        Sight, TaskFact, Timestamp, Transport,
    };
    use std::path::{Path, PathBuf};

    type Items = Vec<Result<Item, Malformed>>;

    fn sample(path: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)).unwrap()
    }

    /// Reads `bytes` with the format that claims them, which must be `name`.
    fn read(name: &str, bytes: &[u8]) -> Items {
        let head =
            Head { name: "export", bytes: &bytes[..bytes.len().min(64 * 1024)], complete: bytes.len() < 64 * 1024 };
        let format = detect(&head).unwrap_or_else(|refusals| panic!("{refusals:?}"));
        assert_eq!(format.name(), name);
        format.read(Input::from_bytes("export", bytes)).collect()
    }

    fn events(items: &Items) -> Vec<&Event> {
        items.iter().filter_map(|item| if let Ok(Item::Event(event)) = item { Some(&**event) } else { None }).collect()
    }

    fn derived(items: &Items) -> Vec<&Event> {
        items
            .iter()
            .filter_map(|item| if let Ok(Item::Derived(event)) = item { Some(&**event) } else { None })
            .collect()
    }

    /// Events, skipped, malformed.
    fn counts(items: &Items) -> [usize; 3] {
        let skipped = items.iter().filter(|item| matches!(item, Ok(Item::Skipped(_)))).count();
        [events(items).len(), skipped, items.iter().filter(|item| item.is_err()).count()]
    }

    /// Facts of the task whose UUID begins with `uuid`, in order.
    fn facts<'a>(events: &[&'a Event], uuid: &str) -> Vec<&'a TaskFact> {
        let of = |event: &&'a Event| match &event.detail {
            Detail::Task(task) if task.task.uuid.starts_with(uuid) => Some(&task.fact),
            _ => None,
        };
        events.iter().filter_map(of).collect()
    }

    #[test]
    fn the_export_of_a_store_tells_three_requests() {
        let items = read("unified-log", &sample("unified-log/store.ndjson"));
        // 24 records and the closing line. Skipped: the ATS line, the TLS line, the line with a borrowed subsystem, the
        // activity and the closing line.
        assert_eq!(counts(&items), [20, 5, 0]);
        let events = events(&items);
        let answered = facts(&events, "A1B2C3D400014A5B8C6D000000000001");
        assert_eq!(answered.len(), 8);
        assert_eq!(answered[2], &TaskFact::RequestSent { body: RequestBody::Bytes(640) });
        let content = Some(ResponseContent::Known);
        assert_eq!(answered[3], &TaskFact::ResponseReceived { status: 200, content });
        let cancelled = facts(&events, "A1B2C3D400024A5B8C6D000000000002");
        assert_eq!(cancelled, [&TaskFact::Failed { code: -999 }, &TaskFact::RequestSent { body: RequestBody::None }]);
        let failed = facts(&events, "A1B2C3D400034A5B8C6D000000000003");
        assert_eq!(failed[0], &TaskFact::LoadFailed { bytes_sent: 118, bytes_received: 0, code: -1005 });
        let TaskFact::Summary(summary) = failed[1] else { panic!("{failed:?}") };
        assert_eq!((summary.success, summary.status, summary.reused_after_ms), (false, None, Some(60_004)));
        assert_eq!((summary.request_bytes, summary.response_bytes), (Some(118), Some(0)));
        // 09:00:00.1 two hours east.
        assert_eq!(events[0].time, Timestamp::parse("2026-05-06T07:00:00.1Z").unwrap());
        let closing = derived(&items);
        let [complete] = closing[..] else { panic!("{closing:?}") };
        let sights: Vec<_> = complete.coverage_sights().iter().collect();
        assert_eq!(sights, [Sight::TaskLifecycle, Sight::FlowBytes, Sight::DnsQuery]);
    }

    #[test]
    fn the_close_line_joins_a_hidden_host_to_a_clear_local_port() {
        let items = read("unified-log", &sample("unified-log/store.ndjson"));
        let events = events(&items);
        let closed = events.iter().find_map(|event| match &event.detail {
            Detail::Connection(connection) if matches!(connection.fact, ConnectionFact::Closed { .. }) => {
                Some(connection)
            }
            _ => None,
        });
        let closed = closed.unwrap();
        let ConnectionFact::Closed { endpoint, local, duration_ms, received, sent } = &closed.fact else { panic!() };
        assert_eq!((closed.connection, endpoint.name_hash.as_deref()), (5, Some("Hostname#5eaf00d1")));
        assert_eq!((endpoint.address, endpoint.port), (None, Some(443)));
        assert_eq!((local.unwrap().to_string().as_str(), *duration_ms), ("10.9.8.7:51999", Some(30_098)));
        assert_eq!((received.measured_value(), sent.measured_value()), (Some(6120), Some(1530)));
    }

    #[test]
    fn a_live_export_keeps_reading_after_a_cut_record() {
        let items = read("unified-log", &sample("unified-log/stream.ndjson"));
        assert_eq!(counts(&items), [3, 1, 1]);
        let states: Vec<_> = derived(&items).iter().map(|event| event.detail.clone()).collect();
        let [Detail::Coverage(lost), Detail::Coverage(complete)] = &states[..] else { panic!("{states:?}") };
        assert_eq!(lost.state, CoverageState::Lost { reason: Loss::Malformed, records: Some(1) });
        // Between the records at 09:01:00.5 and 09:01:02.
        assert_eq!((lost.until.since(lost.from), complete.state), (1_500_000_000, CoverageState::Complete));
    }

    #[test]
    fn an_array_is_read_record_by_record() {
        let bytes = sample("unified-log/array.json");
        let items = read("unified-log", &bytes);
        assert_eq!(counts(&items), [5, 0, 0]);
        let events = events(&items);
        for event in &events {
            let place = &event.provenance;
            let raw = &bytes[place.offset as usize..(place.offset + place.length) as usize];
            assert!(raw.starts_with(b"{") && raw.ends_with(b"}"));
            assert_eq!(Sha256::of(raw), place.sha256);
        }
        let Detail::Task(task) = &events[3].detail else { panic!("{events:?}") };
        assert!(matches!(task.fact, TaskFact::Resumed { modern_loader: true, .. }));
        assert_eq!(derived(&items).len(), 1, "complete, and not truncated");
    }

    #[test]
    fn decoded_records_join_uuids_with_and_without_dashes() {
        let items = read("unified-log-decoded", &sample("unified-log-decoded/decoded.jsonl"));
        // Skipped: the unrelated line and the one whose text is missing. The loss is an event.
        assert_eq!(counts(&items), [7, 2, 0]);
        let events = events(&items);
        assert_eq!(facts(&events, "A1B2C3D400014A5B8C6D000000000001").len(), 3);
        let questions: Vec<_> = events
            .iter()
            .filter_map(|event| if let Detail::Dns(query) = &event.detail { query.name_hash.as_deref() } else { None })
            .collect();
        assert_eq!(questions, ["SGVsbG8sIHNhbXBsZSAhIQ=="]);
    }

    /// The folder of real data, if it is here.
    fn real(path: &str) -> Option<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
        if path.exists() {
            return Some(path);
        }
        println!("skipped: ../shared/data is not there");
        None
    }

    #[test]
    fn real_records_of_macos_11_are_all_accounted_for() {
        let Some(path) = real("unified-log/artemis/unifiedlogs.jsonl") else { return };
        let (format, input) =
            Input::open(&path).unwrap().with_head(|head| detect(head).map(Format::name).map_err(|_| ())).unwrap();
        assert_eq!(format, Ok("unified-log-decoded"));
        let items: Items = by_name("unified-log-decoded").unwrap().read(input).collect();
        assert_eq!(counts(&items), [EVENTS, RECORDS - EVENTS, 0]);
        let events = events(&items);
        check_task(&events);
        check_connections(&events);
        check_background(&events);
        let statements = derived(&items);
        let [complete] = statements[..] else { panic!("{statements:?}") };
        let Detail::Coverage(record) = &complete.detail else { panic!("{complete:?}") };
        assert_eq!(record.state, CoverageState::Complete);
        assert_eq!(record.from, Timestamp::parse("2022-01-16T03:12:46.170232064Z").unwrap());
        assert_eq!(record.until, Timestamp::parse("2022-01-16T03:12:49.190351360Z").unwrap());
    }

    /// Every file below `folder`.
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn real_files_of_other_formats_are_refused() {
        let Some(folder) = real("formats") else { return };
        let mut found = Vec::new();
        files(&folder, &mut found);
        for path in found {
            let Ok(input) = Input::open(&path) else { continue };
            for name in ["unified-log", "unified-log-decoded"] {
                let input = Input { source: input.source.clone(), ..Input::open(&path).unwrap() };
                let (refused, _) = input.with_head(|head| by_name(name).unwrap().detect(head).is_err()).unwrap();
                assert!(refused, "{name} claims {}", path.display());
            }
        }
    }

    /// Records of the real file.
    const RECORDS: usize = 168;

    /// Records of the real file that state a fact, counted by sender and wording with another tool: 29 of a request, 4 of a
    /// connection, 2 of a background request, 2 questions to the resolver.
    const EVENTS: usize = 37;

    /// The request whose five lines spell its UUID in both ways, on a macOS that leaves the subsystem empty.
    fn check_task(events: &[&Event]) {
        let facts = facts(events, "69684AA9BAB14D0BA5DF247EB0ED148C");
        let [received, ended, released, summary, finished] = facts[..] else { panic!("{facts:?}") };
        let content = Some(ResponseContent::Known);
        assert_eq!(received, &TaskFact::ResponseReceived { status: 200, content });
        assert_eq!((ended, finished), (&TaskFact::ResponseEnded, &TaskFact::Finished));
        assert_eq!(released, &TaskFact::ConnectionReleased { connection: 60 });
        let TaskFact::Summary(summary) = summary else { panic!("{summary:?}") };
        assert_eq!((summary.connection, summary.protocol.as_deref()), (Some(60), Some("http/1.1")));
        assert_eq!((summary.request_bytes, summary.response_bytes), (Some(532), Some(18_010)));
        assert_eq!((summary.duration_ms, summary.cache_hit, summary.reused), (Some(323), Some(false), false));
    }

    fn check_connections(events: &[&Event]) {
        let of = |number: u64| {
            events.iter().find_map(move |event| match &event.detail {
                Detail::Connection(connection) if connection.connection == number => Some(connection),
                _ => None,
            })
        };
        let ConnectionFact::Closed { endpoint, local, duration_ms, received, sent } = &of(60).unwrap().fact else {
            panic!()
        };
        assert_eq!((endpoint.name.as_deref(), endpoint.port), (Some("gspe21-ssl.ls.apple.com"), Some(443)));
        assert_eq!(endpoint.address, "23.64.70.122".parse().ok());
        assert_eq!((*local, *duration_ms), ("192.168.101.144:49442".parse().ok(), Some(211)));
        assert_eq!((received.measured_value(), sent.measured_value()), (Some(24_006), Some(1151)));
        let started = of(65).unwrap();
        assert_eq!(started.process.code_uuid.as_deref(), Some("21B380F4D50C34639CAF46BB2178258B"));
        assert_eq!((started.process.key.pid, started.process.user_id), (Some(961), Some(501)));
        assert_eq!(started.process.key.boot.as_deref(), Some("80D194AF56A34C54867449D2130D41BB"));
        assert!(matches!(started.fact, ConnectionFact::Started { transport: Transport::Tcp, tls: true, .. }));
    }

    fn check_background(events: &[&Event]) {
        let facts: Vec<_> = events
            .iter()
            .filter_map(
                |event| if let Detail::Background(background) = &event.detail { Some(background) } else { None },
            )
            .collect();
        let [download, completion] = facts[..] else { panic!("{facts:?}") };
        assert_eq!(download.fact, BackgroundFact::Acknowledged { download: true });
        assert_eq!(completion.fact, BackgroundFact::Acknowledged { download: false });
        assert_eq!(completion.task.as_ref().map(|task| task.number), Some(21));
        assert!(completion.process.path.as_deref().is_some_and(|path| path.ends_with("/nsurlsessiond")));
    }
}
