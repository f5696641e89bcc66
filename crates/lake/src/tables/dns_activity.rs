//! OCSF 4003 DNS Activity: names asked for, and what was answered.

use super::{
    Interner,
    endpoints::{Socket, address},
    error::Unexpected,
    process::{Actor, Process, Text},
    shape::Shape,
};
use monologue_model::{Detail, DnsQuery};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct DnsActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct DnsRow<'a> {
    /// OCSF: the asking process, where the source knows it.
    actor: Actor<'a>,
    /// OCSF: who asked on the network. Null means nobody recorded it.
    src_endpoint: Option<Socket<'a>>,
    /// OCSF: the resolver. Null means nobody recorded it.
    dst_endpoint: Option<Socket<'a>>,
    /// OCSF: the question.
    query: Query<'a>,
    /// OCSF: what was answered; empty means no address was.
    answers: Vec<Answer<'a>>,
    /// OCSF: response code, such as `NOERROR`. Null means no answer was recorded.
    rcode: Option<&'a str>,
    /// What OCSF has no names for.
    monologue: DnsFacts<'a>,
}

/// OCSF `dns_query`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Query<'a> {
    /// OCSF: the name in clear. Null means hidden or not recorded.
    hostname: Option<&'a str>,
    /// OCSF: record type, such as `A`.
    #[serde(rename = "type")]
    kind: Option<&'a str>,
}

/// OCSF `dns_answer`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Answer<'a> {
    /// OCSF: an address answered.
    rdata: Text<'a>,
}

/// What OCSF has no names for in DNS activity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct DnsFacts<'a> {
    /// The masked name (16 bytes, base64): the same for every process of this host.
    name_hash: Option<&'a str>,
}

/// OCSF activities of the class.
const QUERY: i32 = 1;
const RESPONSE: i32 = 2;

impl Shape for DnsActivity {
    type Row<'a> = DnsRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, DnsRow<'_>)> {
        let Detail::Dns(detail) = detail else { return None };
        let answered = detail.response_code.is_some() || !detail.answers.is_empty();
        let row = DnsRow {
            actor: Actor { process: detail.process.as_ref().map(Process::of) },
            src_endpoint: detail.originator.map(Socket::of),
            dst_endpoint: detail.resolver.map(Socket::of),
            query: Query { hostname: detail.name.as_deref(), kind: detail.query_type.as_deref() },
            answers: detail.answers.iter().map(|address| Answer { rdata: address.to_string().into() }).collect(),
            rcode: detail.response_code.as_deref(),
            monologue: DnsFacts { name_hash: detail.name_hash.as_deref() },
        };
        Some((if answered { RESPONSE } else { QUERY }, row))
    }

    fn detail(row: DnsRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        let originator = row.src_endpoint.map(|endpoint| endpoint.address("src_endpoint"));
        let resolver = row.dst_endpoint.map(|endpoint| endpoint.address("dst_endpoint"));
        let answers = row.answers.iter().map(|answer| address(&answer.rdata.0, "answers.rdata"));
        Ok(Detail::Dns(Box::new(DnsQuery {
            process: row.actor.image(interner)?,
            originator: originator.transpose()?,
            resolver: resolver.transpose()?,
            name: interner.option(row.query.hostname),
            name_hash: interner.option(row.monologue.name_hash),
            query_type: interner.option(row.query.kind),
            answers: answers.collect::<Result<_, _>>()?,
            response_code: interner.option(row.rcode),
        })))
    }
}
