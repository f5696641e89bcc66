//! HTTP: one POST, and what its answer means when it is not a success.

use crate::{Credentials, Options, Secret, SendError, delivery::Outcome};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::time::Duration;
use ureq::{Agent, Error, http::HeaderMap};

/// Longest answer that is read.
const ANSWER_BYTES: u64 = 8 << 20;

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);

/// A receiver that speaks HTTP.
pub(crate) struct Http {
    agent: Agent,
    url: String,
    content_type: &'static str,
    authorization: Option<String>,
    secret: Option<Secret>,
}

/// An answer.
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// What it says.
    pub(crate) body: Vec<u8>,
    after: Option<Duration>,
}

impl Http {
    /// A receiver at `url`; `scheme` is the word before a token in the header.
    ///
    /// # Errors
    /// When proxy or certificate authorities cannot be used.
    pub(crate) fn new(
        options: &Options,
        url: String,
        content_type: &'static str,
        scheme: &str,
    ) -> Result<Self, SendError> {
        let proxy = match &options.proxy {
            None => None,
            Some(text) => Some(ureq::Proxy::new(text).map_err(|_| {
                SendError::Address(
                    "expected the address of a proxy; hint: such as http://proxy.example:3128".to_owned(),
                )
            })?),
        };
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            // A redirection would carry credentials and findings somewhere nobody named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .timeout_connect(Some(CONNECT.min(options.timeout)))
            .timeout_global(Some(options.timeout))
            .user_agent(concat!("monologue/", env!("CARGO_PKG_VERSION")));
        let agent = Agent::new_with_config(authorities(options, builder)?.build());
        let (authorization, secret) = match &options.credentials {
            None => (None, None),
            Some(Credentials::Token(token)) => (Some(format!("{scheme} {}", token.reveal())), Some(token.clone())),
            Some(Credentials::Password(user, password)) => {
                let pair = format!("{user}:{}", password.reveal());
                (Some(format!("Basic {}", BASE64_STANDARD.encode(pair))), Some(password.clone()))
            }
        };
        Ok(Self { agent, url, content_type, authorization, secret })
    }

    /// Posts a body.
    ///
    /// # Errors
    /// The outcome, where there is no answer.
    pub(crate) fn post(&self, body: &[u8]) -> Result<Answer, Outcome> {
        let mut request = self.agent.post(&self.url).header("Content-Type", self.content_type);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let failed = |error: Error| {
            let reason = format!("no answer: {}", self.hidden(&error.to_string()));
            match error {
                Error::Io(_)
                | Error::Timeout(_)
                | Error::ConnectionFailed
                | Error::HostNotFound
                | Error::Protocol(_)
                | Error::BodyStalled => Outcome::Later { reason, after: None },
                _ => Outcome::Stop(reason),
            }
        };
        let mut response = request.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let body = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        // The status alone decides where the body does not come whole; but a success without it is none.
        match body {
            Ok(body) => Ok(Answer { status, body, after }),
            Err(_) if !(200..300).contains(&status) => Ok(Answer { status, body: Vec::new(), after }),
            Err(error) => Err(failed(error)),
        }
    }

    /// What an answer that is no success means for the batch.
    pub(crate) fn outcome(&self, answer: &Answer) -> Outcome {
        let said = String::from_utf8_lossy(&answer.body);
        let said = self.hidden(said.trim());
        let reason =
            if said.is_empty() { format!("HTTP {}", answer.status) } else { format!("HTTP {}: {said}", answer.status) };
        match answer.status {
            408 | 425 | 429 | 500 | 502..=504 | 506..=599 => Outcome::Later { reason, after: answer.after },
            400 | 413 | 422 => Outcome::Split(reason),
            401 | 403 => Outcome::Stop(format!("the credentials were not accepted: {reason}")),
            300..=399 => Outcome::Stop(format!("expected no redirection: {reason}")),
            _ => Outcome::Stop(reason),
        }
    }

    /// A text of the receiver without the credential.
    pub(crate) fn hidden(&self, text: &str) -> String {
        self.secret.as_ref().map_or_else(|| text.to_owned(), |secret| secret.hide(text))
    }
}

type Builder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

#[cfg(feature = "tls")]
fn authorities(options: &Options, builder: Builder) -> Result<Builder, SendError> {
    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
    let Some(pem) = &options.authorities else { return Ok(builder) };
    let wrong =
        || SendError::Authorities("expected certificates in PEM in the file of certificate authorities".to_owned());
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| wrong())? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong());
    }
    Ok(builder.tls_config(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build()))
}

#[cfg(not(feature = "tls"))]
fn authorities(options: &Options, builder: Builder) -> Result<Builder, SendError> {
    match options.authorities {
        None => Ok(builder),
        Some(_) => Err(SendError::Authorities("this build has no TLS, and so no certificate authorities".to_owned())),
    }
}

/// `Retry-After` in seconds. A date would need a clock, which a library has not; then our own wait has to do.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
