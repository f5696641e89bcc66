//! URLs and `host:port` texts, as proxies and sensors write them.

/// What a URL asks for. Borrowed, nothing decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    /// Scheme, such as `https`. `None`: the text names none.
    pub(crate) scheme: Option<&'a str>,
    /// Host without port, user and brackets. `None`: the text names none.
    pub(crate) host: Option<&'a str>,
    /// The port named, else that of the scheme.
    pub(crate) port: Option<u16>,
    /// Path and query; empty where the text has none.
    pub(crate) path: &'a str,
}

impl<'a> Url<'a> {
    /// Splits a URL, a `host:port` (as CONNECT has it), or a bare path.
    pub(crate) fn split(text: &'a str) -> Self {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ if text.starts_with('/') => return Self { path: text, ..Self::default() },
            _ => (None, text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host_and_port(authority);
        let implied = match scheme.map(str::to_ascii_lowercase).as_deref() {
            Some("http" | "ws") => Some(80),
            Some("https" | "wss") => Some(443),
            Some("ftp") => Some(21),
            _ => None,
        };
        Self { scheme, host: (!host.is_empty()).then_some(host), port: port.or(implied), path }
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
}

/// Splits `host:port`; a bare IPv6 address has no port.
pub(crate) fn host_and_port(text: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port_and_addresses_keep_their_colons() {
        assert_eq!(host_and_port("a.example:8443"), ("a.example", Some(8443)));
        assert_eq!(host_and_port("a.example"), ("a.example", None));
        assert_eq!(host_and_port("[2001:db8::1]:443"), ("2001:db8::1", Some(443)));
        assert_eq!(host_and_port("2001:db8::1"), ("2001:db8::1", None));
    }

    #[test]
    fn urls_are_split_where_their_parts_end() {
        let url = Url::split("https://anna:secret@a.example/feed?to=http://b.example/");
        assert_eq!((url.host, url.port, url.path), (Some("a.example"), Some(443), "/feed?to=http://b.example/"));
        let tunnel = Url::split("[2001:db8::1]:443");
        assert_eq!((tunnel.scheme, tunnel.host, tunnel.port), (None, Some("2001:db8::1"), Some(443)));
        assert_eq!(Url::split("a.example:8443/x").port, Some(8443));
        assert_eq!(Url::split("tunnel://a.example:443/").port, Some(443));
        let path = Url::split("/only/a/path?u=http://x.example/");
        assert_eq!((path.host, path.path), (None, "/only/a/path?u=http://x.example/"));
        assert_eq!(Url::split("http://a.example?q=1").path, "?q=1");
    }
}
