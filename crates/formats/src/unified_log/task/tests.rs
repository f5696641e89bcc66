//! One expectation for every wording of a request's life, read from the documented format strings.

use super::*;
use proptest::prelude::*;

const DASHED: &str = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
const PLAIN: &str = "3F2504E04F8941D39A0C0305E82C3301";

/// The fact of `Task <…>.<12> text`, written by CFNetwork.
fn read(text: &str) -> Option<TaskFact> {
    let (task, fact) = parse(&format!("Task <{DASHED}>.<12> {text}"), false)?;
    assert_eq!((&*task.uuid, task.number), (PLAIN, 12));
    Some(fact)
}

fn summary_of(text: &str) -> TaskSummary {
    match read(text) {
        Some(TaskFact::Summary(summary)) => summary,
        other => panic!("{other:?}"),
    }
}

fn resumed_with(request: f64, resource: f64, modern_loader: bool) -> Option<TaskFact> {
    Some(TaskFact::Resumed { request_timeout_s: Some(request), resource_timeout_s: Some(resource), modern_loader })
}

#[test]
fn resuming_in_all_versions() {
    for classic in [
        "resuming, timeouts(30.0, 7200.0) QOS(0x15) Voucher <private>",
        "resuming, timeouts(30.0, 7200.0) QOS(0x19) Voucher (null)",
        "resuming, timeouts(30.0, 7200.0) qos(0x11) voucher((null)) activity(00000000-0000-0000-0000-000000000000)",
    ] {
        assert_eq!(read(classic), resumed_with(30.0, 7200.0, false), "{classic}");
    }
    let modern = "resuming, timeouts(30.0, 7200.0), qos(0x11), activity(00000000-0000-0000-0000-000000000000)";
    assert_eq!(read(modern), resumed_with(30.0, 7200.0, true));
    let without = TaskFact::Resumed { request_timeout_s: None, resource_timeout_s: None, modern_loader: false };
    assert_eq!(read("resuming, QOS(0x15)"), Some(without));
    assert_eq!(read("resuming, timeouts(nan, inf) QOS(0x15)"), read("resuming"));
    assert_eq!(read("resumingly"), None);
}

#[test]
fn whatever_network_framework_resumes_uses_the_modern_loader() {
    let line = format!("Task <{DASHED}>.<1> resuming, timeouts(5.0, 10.0) qos(0x11)");
    assert_eq!(parse(&line, true).map(|(_, fact)| fact), resumed_with(5.0, 10.0, true));
    let line = format!("Task <{DASHED}>.<1> finished with error [-1001]");
    assert_eq!(parse(&line, true).map(|(_, fact)| fact), Some(TaskFact::Failed { code: -1001 }));
}

#[test]
fn connections_are_taken_and_released() {
    let assigned = |connection| Some(TaskFact::ConnectionAssigned { connection });
    assert_eq!(read("setting up Connection 31"), assigned(31));
    assert_eq!(read("now using Connection 32"), assigned(32));
    assert_eq!(read("done using Connection 33"), Some(TaskFact::ConnectionReleased { connection: 33 }));
    assert_eq!(read("setting up Connection 0 creating secure tcp or quic connection"), None);
}

#[test]
fn requests_with_and_without_body_and_count() {
    let sent = |body| Some(TaskFact::RequestSent { body });
    assert_eq!(read("sent request, body N 0"), sent(RequestBody::None));
    assert_eq!(read("sent request, body N"), sent(RequestBody::None));
    assert_eq!(read("sent request, body S 640"), sent(RequestBody::Bytes(640)));
    assert_eq!(read("sent request, body S"), sent(RequestBody::Unsized));
    assert_eq!(read("sent request, body "), None);
    let stream = format!("0x600001c2a0 ID=108 Task <{PLAIN}>.<12> sent request, body S 9");
    let (task, fact) = parse(&stream, false).unwrap();
    assert_eq!((&*task.uuid, task.number, Some(fact)), (PLAIN, 12, sent(RequestBody::Bytes(9))));
}

#[test]
fn responses_announce_their_length_in_three_ways() {
    let received = |status, content| Some(TaskFact::ResponseReceived { status, content });
    assert_eq!(read("received response, status 200 content K"), received(200, Some(ResponseContent::Known)));
    assert_eq!(read("received response, status 206 content C"), received(206, Some(ResponseContent::Chunked)));
    assert_eq!(read("received response, status 404 content U"), received(404, Some(ResponseContent::Unknown)));
    assert_eq!(read("received response, status 204"), received(204, None));
    assert_eq!(read("received response, status unknown"), None);
    assert_eq!(read("response ended"), Some(TaskFact::ResponseEnded));
}

#[test]
fn summary_of_a_first_use_in_both_spellings_of_true() {
    let old = summary_of(
        "summary for task success {transaction_duration_ms=311, response_status=200, connection=7, \
         protocol=\"http/1.1\", domain_lookup_duration_ms=4, connect_duration_ms=99, \
         secure_connection_duration_ms=31, request_start_ms=120, request_duration_ms=0, response_start_ms=300, \
         response_duration_ms=11, request_bytes=410, response_bytes=1650, cache_hit=0}",
    );
    let expected = TaskSummary {
        success: true,
        status: Some(200),
        connection: Some(7),
        protocol: Some("http/1.1".into()),
        duration_ms: Some(311),
        request_bytes: Some(410),
        response_bytes: Some(1650),
        cache_hit: Some(false),
        ..TaskSummary::default()
    };
    assert_eq!(old, expected);
    let new = summary_of(
        "summary for task success {transaction_duration_ms=311, response_status=200, connection=7, \
         protocol=\"http/1.1\", domain_lookup_duration_ms=4, connect_duration_ms=99, \
         secure_connection_duration_ms=31, private_relay=false, request_start_ms=120, request_duration_ms=0, \
         response_start_ms=300, response_duration_ms=11, request_bytes=410, request_throughput_kbps=88, \
         response_bytes=1650, response_throughput_kbps=42, cache_hit=false}",
    );
    assert_eq!(new, expected);
}

#[test]
fn summary_of_a_reused_connection_with_and_without_sleep() {
    let reused = summary_of(
        "summary for task failure {transaction_duration_ms=620, response_status=-1, connection=3, reused=1, \
         reused_after_ms=60012, request_start_ms=77, request_duration_ms=0, response_start_ms=0, \
         response_duration_ms=0, request_bytes=31, response_bytes=0, cache_hit=false}",
    );
    let expected = TaskSummary {
        success: false,
        status: None,
        connection: Some(3),
        reused: true,
        reused_after_ms: Some(60_012),
        duration_ms: Some(620),
        request_bytes: Some(31),
        response_bytes: Some(0),
        cache_hit: Some(false),
        ..TaskSummary::default()
    };
    assert_eq!(reused, expected);
    let slept = summary_of("summary for task success {connection=3, reused=1, reused_after_sleep=true, cache_hit=1}");
    assert_eq!((slept.reused_after_sleep, slept.cache_hit, slept.success), (Some(true), Some(true), true));
}

#[test]
fn summary_without_connection() {
    let cached =
        summary_of("summary for task success {transaction_duration_ms=9, response_status=203, cache_hit=true}");
    let expected = TaskSummary {
        success: true,
        status: Some(203),
        duration_ms: Some(9),
        cache_hit: Some(true),
        ..TaskSummary::default()
    };
    assert_eq!(cached, expected);
}

#[test]
fn summary_keys_may_come_in_any_order_and_a_cut_value_is_dropped() {
    let mixed = summary_of("summary for task success {protocol=\"a, b}\", new_key={}, response_bytes=5, connection=2}");
    assert_eq!((mixed.response_bytes, mixed.connection, mixed.protocol), (None, None, None), "braces end a summary");
    let quoted = summary_of("summary for task success {note=\"a, connection=9}\", response_bytes=5}");
    assert_eq!((quoted.response_bytes, quoted.connection), (Some(5), None));
    let cut = summary_of("summary for task success {response_status=200, response_bytes=18");
    assert_eq!((cut.status, cut.response_bytes), (Some(200), None));
}

#[test]
fn ends_of_a_task_in_old_and_new_words() {
    assert_eq!(read("finished successfully"), Some(TaskFact::Finished));
    let failed = |code| Some(TaskFact::Failed { code });
    let user_information = "UserInfo={NSErrorFailingURLStringKey=<private>, NSLocalizedDescription=<private>}";
    let domain = "Error Domain=NSURLErrorDomain Code=-999";
    assert_eq!(read(&format!("finished with error [-999] {domain} {user_information}")), failed(-999));
    assert_eq!(read("finished with error - code: -1009"), failed(-1009));
    assert_eq!(read(&format!("load failed with error {domain} \"cancelled\" {user_information} [-999]")), failed(-999));
    assert_eq!(read(&format!("load failed with error {domain} {user_information}")), failed(-999));
    assert_eq!(read("finished with error unknown"), None);
}

#[test]
fn failed_loads_name_bytes_sent_then_received() {
    let expected = TaskFact::LoadFailed { bytes_sent: 5_150, bytes_received: 0, code: -1005 };
    assert_eq!(read("HTTP load failed, 5150/0 bytes (error code: -1005 [1:54])"), Some(expected));
    assert_eq!(read("HTTP load failed (error code: -1009 [1:51])"), None);
}

#[test]
fn other_lines_state_no_fact() {
    for other in [
        "{strength 0, tls 4, ct 0, sub 0, sig 1, ciphers 0, bundle 0, builtin 0}",
        "Alt-Svc entry found",
        "was not selected for reporting",
        "",
    ] {
        assert_eq!(read(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in any::<String>(), network in any::<bool>()) {
        prop_assert!(parse(&text, network).is_none() || text.contains("Task <"), "a line that names no task");
        let _ = fact(&text, network);
        let _ = summary(&text);
    }

    #[test]
    fn never_panics_on_damaged_lines(at in 0_usize..400, replacement in any::<char>(), cut in 0_usize..400) {
        let line = format!(
            "0x1 ID=1 Task <{DASHED}>.<12> summary for task success {{response_status=-1, protocol=\"h2\", reused=1}}"
        );
        let damaged: String = line
            .chars()
            .enumerate()
            .take(cut)
            .map(|(place, c)| if place == at { replacement } else { c })
            .collect();
        prop_assert!(parse(&damaged, false).is_none() || damaged.contains("Task <"), "a line that names no task");
    }
}
