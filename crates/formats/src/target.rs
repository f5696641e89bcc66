//! Whom an HTTP request asks for: the request line first, then the `Host` header.

use crate::url::host_and_port;
use std::sync::Arc;

/// The server that a request names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host in lower case, without port. `None` means the request names none.
    pub(crate) host: Option<Arc<str>>,
    /// Port, where the request names one.
    pub(crate) port: Option<u16>,
    /// The request can only be meant for a proxy.
    pub(crate) proxied: bool,
}

impl Target {
    /// From method, target and `Host`. A client that knows of its proxy sends the whole URL, or asks it to connect (RFC 9112
    /// section 3.2).
    pub(crate) fn of(method: Option<&str>, uri: Option<&str>, host: Option<&str>) -> Self {
        let connect = method == Some("CONNECT");
        let absolute = uri.and_then(|uri| uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")));
        let asked = if connect { uri } else { absolute.and_then(|rest| rest.split(['/', '?', '#']).next()) };
        let (host, port) = asked.or(host).map_or((None, None), |text| {
            let (host, port) = host_and_port(text);
            (Some(host), port)
        });
        Self {
            host: host.filter(|host| !host.is_empty()).map(|host| host.to_ascii_lowercase().into()),
            port,
            proxied: connect || absolute.is_some(),
        }
    }
}
