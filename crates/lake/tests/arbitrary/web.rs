//! Events of the web: transactions, API requests, background requests.

use super::{
    image, maybe, maybe_any,
    network::{bytes, phase, socket},
    number, one_of, signed, text,
};
use monologue_model::{
    AnsweredBy, BackgroundFact, BackgroundTask, Detail, GatewayFacts, HttpTransaction, RequestBody, ResponseContent,
    TaskEvent, TaskFact, TaskId, TaskSummary, Teardown,
};
use proptest::{
    num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO},
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
};

fn gateway() -> BoxedStrategy<GatewayFacts> {
    let answered_by = one_of(&[AnsweredBy::Unknown, AnsweredBy::Service, AnsweredBy::Cache, AnsweredBy::Gateway]);
    let server = option::of(socket().prop_map(|socket| socket.ip()));
    (option::of(signed()), answered_by, one_of(&Teardown::ALL), maybe(), server, maybe())
        .prop_map(|(duration_ns, answered_by, teardown, outcome, server, user)| GatewayFacts {
            duration_ns,
            answered_by,
            teardown,
            outcome,
            server,
            user,
        })
        .boxed()
}

fn transaction() -> BoxedStrategy<Detail> {
    let ends = (maybe(), socket(), socket(), option::of(number()));
    let request = (maybe(), maybe(), maybe_any(), maybe(), maybe());
    let sizes = (bytes(), bytes(), maybe_any());
    (ends, request, sizes, (any::<bool>(), maybe(), phase(), option::of(gateway())))
        .prop_map(|(ends, request, sizes, (proxied, content_hash, phase, gateway))| {
            let (uid, originator, responder, depth) = ends;
            let (method, host, port, uri, user_agent) = request;
            let (request_body, response_body, status) = sizes;
            Detail::Http(Box::new(HttpTransaction {
                uid,
                originator,
                responder,
                depth,
                method,
                host,
                port,
                uri,
                user_agent,
                request_body,
                response_body,
                status,
                proxied,
                content_hash,
                phase,
                gateway: gateway.map(Box::new),
            }))
        })
        .boxed()
}

fn task_id() -> BoxedStrategy<TaskId> {
    (text(), number()).prop_map(|(uuid, number)| TaskId { uuid, number }).boxed()
}

fn summary() -> BoxedStrategy<TaskFact> {
    let connection = (option::of(number()), any::<bool>(), option::of(number()), maybe_any(), maybe());
    let numbers = (option::of(number()), option::of(number()), option::of(number()), maybe_any());
    (any::<bool>(), maybe_any(), connection, numbers)
        .prop_map(|(success, status, connection, numbers)| {
            let (connection, reused, reused_after_ms, reused_after_sleep, protocol) = connection;
            let (duration_ms, request_bytes, response_bytes, cache_hit) = numbers;
            TaskFact::Summary(TaskSummary {
                success,
                status,
                connection,
                reused,
                reused_after_ms,
                reused_after_sleep,
                protocol,
                duration_ms,
                request_bytes,
                response_bytes,
                cache_hit,
            })
        })
        .boxed()
}

fn fact() -> BoxedStrategy<TaskFact> {
    let seconds = || option::of(POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE);
    let resumed =
        (seconds(), seconds(), any::<bool>()).prop_map(|(request_timeout_s, resource_timeout_s, modern_loader)| {
            TaskFact::Resumed { request_timeout_s, resource_timeout_s, modern_loader }
        });
    let body = prop_oneof![Just(RequestBody::None), Just(RequestBody::Unsized), number().prop_map(RequestBody::Bytes)];
    let content = option::of(one_of(&[ResponseContent::Known, ResponseContent::Chunked, ResponseContent::Unknown]));
    let load_failed = (number(), number(), signed())
        .prop_map(|(bytes_sent, bytes_received, code)| TaskFact::LoadFailed { bytes_sent, bytes_received, code });
    prop_oneof![
        resumed,
        number().prop_map(|connection| TaskFact::ConnectionAssigned { connection }),
        Just(TaskFact::Authenticated),
        body.prop_map(|body| TaskFact::RequestSent { body }),
        (any::<i32>(), content).prop_map(|(status, content)| TaskFact::ResponseReceived { status, content }),
        Just(TaskFact::ResponseEnded),
        number().prop_map(|connection| TaskFact::ConnectionReleased { connection }),
        summary(),
        Just(TaskFact::Finished),
        signed().prop_map(|code| TaskFact::Failed { code }),
        load_failed,
    ]
    .boxed()
}

fn background() -> BoxedStrategy<Detail> {
    let fact = prop_oneof![
        text().prop_map(|bundle| BackgroundFact::BelongsTo { bundle }),
        any::<bool>().prop_map(|download| BackgroundFact::Acknowledged { download }),
        maybe().prop_map(|bundle| BackgroundFact::ClientDisconnected { bundle }),
    ];
    (image(), option::of(task_id()), fact)
        .prop_map(|(process, task, fact)| Detail::Background(Box::new(BackgroundTask { process, task, fact })))
        .boxed()
}

/// Any of them.
pub(crate) fn details() -> BoxedStrategy<Detail> {
    let task = (image(), task_id(), fact())
        .prop_map(|(process, task, fact)| Detail::Task(Box::new(TaskEvent { process, task, fact })));
    prop_oneof![2 => transaction(), 3 => task, 1 => background()].boxed()
}
