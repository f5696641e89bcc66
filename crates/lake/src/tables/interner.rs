//! Sharing of texts that repeat: hosts, paths, formats and sources stand in almost every row.

use std::{collections::HashSet, sync::Arc};

/// Texts kept before all are let go.
const TEXTS: usize = 1 << 18;

/// Longest text that is shared, in bytes.
const LENGTH: usize = 512;

/// Gives the same `Arc` for the same text. Bounded: it forgets everything when it is full, and long texts are not kept.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
}

impl Interner {
    /// An interner that knows no text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text, shared.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if text.len() > LENGTH {
            return text.into();
        }
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        if self.texts.len() >= TEXTS {
            self.texts.clear();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }

    /// The text, shared, where there is one.
    pub(super) fn option(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        text.map(|text| self.text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_memory_is_bounded() {
        let mut interner = Interner::new();
        let (first, second) = (interner.text("anna-mac"), interner.text("anna-mac"));
        assert!(Arc::ptr_eq(&first, &second));
        let long = "x".repeat(LENGTH + 1);
        assert_eq!(&*interner.text(&long), long);
        assert_eq!(interner.texts.len(), 1);
        (0..=TEXTS).for_each(|number| drop(interner.text(&number.to_string())));
        assert!(interner.texts.len() <= TEXTS);
    }
}
