//! A sensor more that saw a response never strengthens "no reply".

use super::*;

/// Weight of everything that speaks for "nothing came back", from absence.
fn no_reply_weight(linked: &[LinkedExchange], at: usize) -> (Disposition, f64) {
    let channels = summarise::summarise(linked.iter());
    let possible = absence::possible(&channels);
    let key = summarise::key_of(&linked[at].exchange);
    let place = channels.iter().position(|channel| channel.key == key).unwrap();
    let subject = Subject { channel: &channels[place], possible: &possible[place], missing: 0 };
    let weight = judge::judge(&subject, &Context::default())
        .iter()
        .filter(|answer| matches!(answer.signal.id().0, "wire.no-reply" | "api.no-response" | "wire.client-hangs-up"))
        .map(|answer| crate::weigh::weight(&answer.judgement))
        .sum();
    (disposition::decide(&subject), weight)
}

/// The exchange as a sensor more shows it, that saw a response with a body.
fn with_witness(linked: &LinkedExchange) -> LinkedExchange {
    let mut exchange = linked.exchange.clone();
    exchange.reply = exchange.reply.max(Reply::Payload);
    exchange.reply_pending = false;
    exchange.seen.insert(Sight::FlowReply);
    exchange.seen.insert(Sight::HttpResponse);
    LinkedExchange::for_laws(exchange)
}

#[test]
fn a_sensor_more_that_saw_a_response_never_strengthens_no_reply() {
    let mut weakened = 0;
    for first in TRUTHS {
        for second in TRUTHS {
            for fifth in TRUTHS {
                let truths = [first, second, Truth::Silent, Truth::Silent, fifth];
                let linked: Vec<LinkedExchange> =
                    truths.iter().enumerate().map(|(at, truth)| exchange(*truth, at, "~/a.sh")).collect();
                let (said, weight) = no_reply_weight(&linked, 0);
                for at in 0..linked.len() {
                    let mut more: Vec<LinkedExchange> =
                        truths.iter().enumerate().map(|(at, truth)| exchange(*truth, at, "~/a.sh")).collect();
                    more[at] = with_witness(&linked[at]);
                    let (now_said, now_weight) = no_reply_weight(&more, 0);
                    assert_ne!(now_said, Disposition::NoReply, "{truths:?}, a response seen at {at}");
                    assert!(now_weight <= weight, "{truths:?}, a response seen at {at}: {weight} became {now_weight}");
                    weakened += usize::from(now_weight < weight || said == Disposition::NoReply);
                }
            }
        }
    }
    assert!(weakened > 0, "some of these were called unanswered before");
}
