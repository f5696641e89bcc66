//! Secrets: texts that no message shows.

use std::fmt;

/// A token or password. Printing it shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    #[must_use]
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the header it belongs to.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The text without the secret: a receiver may quote what it was sent.
    pub(crate) fn hide(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "(secret)") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_nothing() {
        let secret = Secret::new("abc-123".to_owned());
        assert_eq!(format!("{secret:?}"), "(secret)");
        assert_eq!(secret.hide("bad token abc-123"), "bad token (secret)");
        assert_eq!(Secret::new(String::new()).hide("a"), "a");
    }
}
