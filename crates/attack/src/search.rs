//! Lists and full-text search over a view, with filters, counts and pages.

use crate::{
    kinds,
    library::{Member, RELATIONSHIP, RETIRED},
    object::Header,
    problem::Error,
    terms,
    view::{View, same_domain},
};
use serde::Serialize;
use std::collections::HashMap;

/// Terms that a beginning of a word may stand for.
const PREFIX_CAP: usize = 64;

/// What a word in the name, an alias or the id weighs, against at most one for a word in the text.
const NAME_WEIGHT: f64 = 8.0;

/// Whether revoked and deprecated objects are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retired {
    /// Left out.
    #[default]
    Without,
    /// Listed with the others.
    With,
    /// Nothing else is listed.
    Only,
}

/// What is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Types, as words or STIX names. Empty: all but relationships.
    pub kinds: Vec<String>,
    /// Domain. `None`: all.
    pub domain: Option<String>,
    /// Platform. `None`: all.
    pub platform: Option<String>,
    /// Tactic, by its short name. `None`: all.
    pub tactic: Option<String>,
    /// Revoked and deprecated ones.
    pub retired: Retired,
}

impl Filter {
    fn takes_member(&self, member: Member) -> bool {
        match self.retired {
            Retired::Without => member.marks & RETIRED == 0,
            Retired::With => true,
            Retired::Only => member.marks & RETIRED != 0,
        }
    }

    fn takes(&self, header: &Header) -> bool {
        let same = |there: &String, asked: &String| there.eq_ignore_ascii_case(asked);
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| kinds::is_meant(&header.kind, kind)))
            && self.domain.as_ref().is_none_or(|asked| header.domains.iter().any(|there| same_domain(there, asked)))
            && self.platform.as_ref().is_none_or(|asked| header.platforms.iter().any(|there| same(there, asked)))
            && self.tactic.as_ref().is_none_or(|asked| header.tactics.iter().any(|there| same(there, asked)))
    }

    fn asks_for_relationships(&self) -> bool {
        self.kinds.iter().any(|kind| kinds::is_meant("relationship", kind))
    }
}

/// Which of the results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Results passed over.
    pub offset: usize,
    /// Results shown.
    pub limit: usize,
}

/// A page of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// All results.
    pub total: usize,
    /// Results passed over.
    pub offset: usize,
    /// Those shown.
    pub rows: Vec<Header>,
}

impl Listed {
    fn of(rows: Vec<Header>, page: Page) -> Self {
        let total = rows.len();
        let rows = rows.into_iter().skip(page.offset).take(page.limit).collect();
        Self { total, offset: page.offset, rows }
    }
}

/// Text with its numbers as numbers, so that T9 comes before T10.
pub(crate) fn natural(text: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut digits = false;
    for character in text.chars() {
        let digit = character.to_digit(10);
        if digit.is_none() && digits {
            parts.push((String::new(), 0));
        }
        digits = digit.is_some();
        if let Some((letters, number)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(u64::from(digit)),
                None => letters.push(character),
            }
        }
    }
    parts
}

impl View<'_> {
    /// Objects in the order of type and id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list(&self, filter: &Filter, page: Page) -> Result<Listed, Error> {
        let relationships = filter.asks_for_relationships();
        let wanted = self
            .members()
            .filter(|member| filter.takes_member(*member) && (relationships || member.marks & RELATIONSHIP == 0));
        let headers = self.library.headers(wanted.map(|member| member.document))?;
        let mut rows: Vec<Header> =
            headers.into_iter().map(|(_, header)| header).filter(|header| filter.takes(header)).collect();
        rows.sort_by_cached_key(|header| (kinds::order(&header.kind), natural(header.label()), header.stix_id.clone()));
        Ok(Listed::of(rows, page))
    }

    /// Objects that hold all the words: first the one whose id or name is asked for, then those with the words in the
    /// name, then those with them in the text. A word that nothing holds stands for all that begin with it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn search(&self, asked: &str, filter: &Filter, page: Page) -> Result<Listed, Error> {
        let words: Vec<String> = terms::words(asked).collect();
        let mut scores: Option<HashMap<u32, f64>> = None;
        let documents = self.library.documents()? as f64;
        for word in &words {
            let here = self.scored(word, documents)?;
            scores = Some(match scores {
                None => here,
                Some(before) => before
                    .into_iter()
                    .filter_map(|(document, score)| here.get(&document).map(|more| (document, score + more)))
                    .collect(),
            });
        }
        let mut scores = scores.unwrap_or_default();
        for document in self.library.named(asked.trim())? {
            scores.entry(document).or_default();
        }
        let scores: HashMap<u32, f64> = scores
            .into_iter()
            .filter(|(document, _)| self.member(*document).is_some_and(|member| filter.takes_member(member)))
            .collect();
        let mut rows: Vec<(f64, Header)> = self
            .library
            .headers(scores.keys().copied())?
            .into_iter()
            .filter(|(_, header)| filter.takes(header))
            .map(|(document, header)| (self.rank(asked, &header, scores.get(&document).copied()), header))
            .collect();
        rows.sort_by(|left, right| {
            right.0.total_cmp(&left.0).then_with(|| natural(left.1.label()).cmp(&natural(right.1.label())))
        });
        Ok(Listed::of(rows.into_iter().map(|(_, header)| header).collect(), page))
    }

    /// How well each document of this view holds a word.
    fn scored(&self, word: &str, documents: f64) -> Result<HashMap<u32, f64>, Error> {
        let mut packed = self.library.postings(word, false, usize::MAX)?;
        if packed.is_empty() {
            packed = self.library.postings(word, true, PREFIX_CAP)?;
        }
        let postings: Vec<terms::Posting> = packed.iter().flat_map(|bytes| terms::unpack(bytes)).collect();
        let rarity = (1.0 + documents / (1.0 + postings.len() as f64)).ln();
        let mut scores = HashMap::new();
        for posting in postings {
            let count = f64::from(posting.count);
            let weight = count / (count + 1.5) + if posting.in_name { NAME_WEIGHT } else { 0.0 };
            *scores.entry(posting.document).or_default() += rarity * weight;
        }
        Ok(scores)
    }

    fn rank(&self, asked: &str, header: &Header, score: Option<f64>) -> f64 {
        let asked = asked.trim();
        let is = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(asked));
        if is(header.attack_id.as_deref()) || is(Some(&header.stix_id)) {
            return if header.revoked || header.deprecated { 1e9 } else { 2e9 };
        }
        let factor = if header.is_relationship() { 0.2 } else { 1.0 }
            * if header.revoked || header.deprecated { 0.3 } else { 1.0 };
        let exact = if is(header.name.as_deref()) { 1e6 } else { 0.0 };
        (score.unwrap_or(0.0) + exact) * factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_ids_are_ordered_as_numbers() {
        let mut ids = vec!["T1102.003", "T9", "T1102", "AN10", "AN9", "T1102.001"];
        ids.sort_by_key(|id| natural(id));
        assert_eq!(ids, ["AN9", "AN10", "T9", "T1102", "T1102.001", "T1102.003"]);
    }
}
