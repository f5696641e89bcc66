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

/// Results of a search that are opened to rank them, where the page asks for fewer.
const RANKED: usize = 200;

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
    /// What can be told without opening the object. Types that have no word are told by the object only.
    fn takes_member(&self, member: Member) -> bool {
        let retired = match self.retired {
            Retired::Without => member.marks & RETIRED == 0,
            Retired::With => true,
            Retired::Only => member.marks & RETIRED != 0,
        };
        let kind = kinds::KINDS.get(member.kind_place());
        let meant = |kind: &kinds::Kind| self.kinds.iter().any(|asked| kinds::is_meant(kind.stix, asked));
        retired && (self.kinds.is_empty() || kind.is_none_or(meant))
    }

    /// Whether the object itself has to be opened to tell.
    fn needs_header(&self, member: Member) -> bool {
        self.domain.is_some()
            || self.platform.is_some()
            || self.tactic.is_some()
            || (!self.kinds.is_empty() && member.kind_place() >= kinds::KINDS.len())
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
        let mut wanted: Vec<Member> = wanted.collect();
        if wanted.iter().any(|member| filter.needs_header(*member)) {
            let mut rows = self.rows(&wanted)?;
            rows.retain(|header| filter.takes(header));
            let total = rows.len();
            let rows = rows.into_iter().skip(page.offset).take(page.limit).collect();
            return Ok(Listed { total, offset: page.offset, rows });
        }
        // The type decides first, so only types on this page are opened.
        wanted.sort_by_key(|member| member.kind_place());
        let mut rows = Vec::new();
        let (mut passed, end) = (0, page.offset.saturating_add(page.limit));
        for group in wanted.chunk_by(|left, right| left.kind_place() == right.kind_place()) {
            if passed + group.len() > page.offset && passed < end {
                let (from, until) = (page.offset.saturating_sub(passed), end - passed);
                rows.extend(self.rows(group)?.into_iter().take(until).skip(from));
            }
            passed += group.len();
        }
        Ok(Listed { total: wanted.len(), offset: page.offset, rows })
    }

    /// Headers in the order of type and id.
    fn rows(&self, members: &[Member]) -> Result<Vec<Header>, Error> {
        let headers = self.library.headers(members.iter().map(|member| member.document))?;
        let mut rows: Vec<Header> = headers.into_iter().map(|(_, header)| header).collect();
        rows.sort_by_cached_key(|header| (kinds::order(&header.kind), natural(header.label()), header.stix_id.clone()));
        Ok(rows)
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
            // The very object that is asked for is always among those that are opened.
            scores.insert(document, f64::MAX / 2.0);
        }
        let mut found: Vec<(f64, Member)> = scores
            .into_iter()
            .filter_map(|(document, score)| Some((score, self.member(document)?)))
            .filter(|(_, member)| filter.takes_member(*member))
            .map(|(score, member)| (score * factor(member), member))
            .collect();
        found.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.document.cmp(&right.1.document)));
        let opens_all = found.iter().any(|(_, member)| filter.needs_header(*member));
        let total = found.len();
        if !opens_all {
            // A word of the name outweighs any number in the text, so what the page shows is among the first.
            found.truncate(page.offset.saturating_add(page.limit).max(RANKED));
        }
        let scores: HashMap<u32, f64> = found.iter().map(|(score, member)| (member.document, *score)).collect();
        let headers = self.library.headers(found.iter().map(|(_, member)| member.document))?;
        let mut rows: Vec<(f64, Header)> = headers
            .into_iter()
            .filter(|(_, header)| filter.takes(header))
            .map(|(document, header)| (rank(asked, &header, scores.get(&document).copied()), header))
            .collect();
        rows.sort_by(|left, right| {
            right.0.total_cmp(&left.0).then_with(|| natural(left.1.label()).cmp(&natural(right.1.label())))
        });
        let total = if opens_all { rows.len() } else { total };
        let rows = rows.into_iter().map(|(_, header)| header).skip(page.offset).take(page.limit).collect();
        Ok(Listed { total, offset: page.offset, rows })
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
}

/// How much less a relationship or a retired object counts.
const fn factor(member: Member) -> f64 {
    let relationship = if member.marks & RELATIONSHIP == 0 { 1.0 } else { 0.2 };
    relationship * if member.marks & RETIRED == 0 { 1.0 } else { 0.3 }
}

/// The score, lifted where the very id or name is asked for.
fn rank(asked: &str, header: &Header, score: Option<f64>) -> f64 {
    let asked = asked.trim();
    let is = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(asked));
    let retired = header.revoked || header.deprecated;
    if is(header.attack_id.as_deref()) || is(Some(&header.stix_id)) {
        return if retired { 1e9 } else { 2e9 };
    }
    let exact = if is(header.name.as_deref()) && !retired { 1e6 } else { 0.0 };
    score.unwrap_or(0.0) + exact
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
