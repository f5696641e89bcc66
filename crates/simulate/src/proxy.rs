//! Connections that go through an explicit proxy, as the sensor between the hosts and the proxy sees them.

use crate::{
    clock::MILLISECOND,
    links::{Source, Trace},
    mac::Mac,
    network::Network,
    zeek::{Flow, PlainRequest},
};

/// Bytes of `CONNECT host:443 HTTP/1.1` with its headers, without the name.
const CONNECT_BYTES: u64 = 96;

/// Bytes of `HTTP/1.1 200 Connection established` with its end.
const ESTABLISHED_BYTES: u64 = 39;

impl Network {
    /// The connection to the proxy that carries this one; the connection itself where none does. A tunnel is asked for
    /// with CONNECT, which the sensor logs as a request.
    pub(crate) fn through_proxy<'f>(
        &mut self,
        mac: &Mac,
        mut flow: Flow<'f>,
        name: &str,
        trace: &mut Trace,
    ) -> Flow<'f> {
        if !self.conditions.is_proxied(flow.port) || flow.port != 443 {
            return flow;
        }
        let is_open = flow.state != "S0";
        flow.sent += CONNECT_BYTES + name.len() as u64;
        if is_open {
            flow.received = flow.received.map(|bytes| bytes + ESTABLISHED_BYTES);
            flow.service = "http,ssl";
        } else {
            // The proxy takes the connection and waits in vain.
            (flow.state, flow.history, flow.service) = ("SF", "ShADaFf", "http");
        }
        let asked = format!("{name}:{}", flow.port);
        let request = PlainRequest {
            method: "CONNECT",
            uri: &asked,
            user_agent: "CFNetwork/3860.100.1 Darwin/25.0.0",
            sent_body: 0,
            reply: is_open.then_some((200, 0)),
        };
        let time = flow.start + MILLISECOND;
        trace.note(Source::ZeekHttp, self.plain_http(mac, &flow, &asked, &request, time));
        flow
    }
}
