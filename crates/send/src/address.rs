//! The address of a receiver, checked before anything is sent.

use crate::{Credentials, Options, SendError, Target};
use std::net::IpAddr;
use ureq::http::Uri;

/// A checked address.
pub(crate) struct Address {
    uri: Uri,
    /// Host, without brackets.
    pub(crate) host: String,
    /// Port. `None`: that of the scheme.
    pub(crate) port: Option<u16>,
}

impl Address {
    /// Looks at the address.
    ///
    /// # Errors
    /// When it is none, holds credentials, or would carry them in clear.
    pub(crate) fn parse(options: &Options) -> Result<Self, SendError> {
        let wrong = |what: &str| Err(SendError::Address(what.to_owned()));
        let schemes: &[&str] = match options.target {
            Target::Syslog => &["tcp"],
            _ => &["https", "http"],
        };
        let example = match options.target {
            Target::SplunkHec => "https://splunk.example:8088",
            Target::Elastic => "https://elastic.example:9200",
            Target::Syslog => "tcp://syslog.example:601",
            Target::Webhook => "https://hooks.example/path",
        };
        let Ok(uri) = options.url.parse::<Uri>() else {
            return wrong(&format!("expected the address of a receiver; hint: such as {example}"));
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        if !schemes.contains(&scheme) || uri.host().is_none_or(str::is_empty) {
            return wrong(&format!(
                "expected an address that begins with {}://; hint: such as {example}",
                schemes.join(":// or ")
            ));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return wrong("expected an address without credentials; hint: put them into the environment");
        }
        if scheme == "https" && cfg!(not(feature = "tls")) {
            return wrong("expected http, since this build has no TLS; hint: build with the feature send");
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16();
        if options.target == Target::Syslog && port.is_none() {
            return wrong(&format!("expected a port after the host; hint: such as {example}"));
        }
        if options.target == Target::Syslog && options.credentials.is_some() {
            return wrong("expected no credentials for syslog, which has none; hint: unset them");
        }
        if matches!((options.target, &options.credentials), (Target::SplunkHec, Some(Credentials::Password(..)))) {
            return wrong("expected a token for Splunk's collector, found user and password");
        }
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if scheme == "http" && options.credentials.is_some() && !here && !options.allow_plain_text {
            return wrong(
                "expected https: credentials would go over the network in clear; hint: --allow-plain-text if they may",
            );
        }
        Ok(Self { uri, host, port })
    }

    /// The address with this path where it has none of its own.
    pub(crate) fn with_path(&self, path: &str) -> String {
        let text = self.uri.to_string();
        match self.uri.path() {
            "" | "/" => format!("{}{path}", text.trim_end_matches('/')),
            _ => text,
        }
    }

    /// The address as it was given.
    pub(crate) fn whole(&self) -> String {
        self.uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn parse(target: Target, url: &str, token: bool) -> Result<Address, String> {
        let mut options = Options::new(target, url, "dead".into());
        options.credentials = token.then(|| Credentials::Token(Secret::new("t".to_owned())));
        Address::parse(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        for (target, url, token, expected) in [
            (Target::Webhook, "nonsense", false, "begins with https:// or http://"),
            (Target::Webhook, "ftp://a.example/", false, "begins with"),
            (Target::Webhook, "http://u:secret@a.example/", false, "without credentials"),
            (Target::SplunkHec, "http://a.example:8088", true, "in clear"),
            (Target::Syslog, "tcp://a.example", false, "a port"),
            (Target::Syslog, "tcp://a.example:601", true, "no credentials"),
        ] {
            let error = parse(target, url, token).err().unwrap_or_else(|| panic!("{url} was taken"));
            assert!(error.contains(expected), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for url in ["http://127.0.0.1:8088", "http://[::1]:8088/x", "http://localhost"] {
            assert!(parse(Target::SplunkHec, url, true).is_ok(), "{url}");
        }
        let address = parse(Target::Elastic, "http://127.0.0.1:9200/", false).unwrap();
        assert_eq!(address.with_path("/_bulk"), "http://127.0.0.1:9200/_bulk");
        let address = parse(Target::Elastic, "http://127.0.0.1:9200/prefix/_bulk?pipeline=a", false).unwrap();
        assert_eq!(address.with_path("/_bulk"), "http://127.0.0.1:9200/prefix/_bulk?pipeline=a");
    }
}
