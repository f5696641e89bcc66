//! Response independence: does anything the server says change what the client does?
//!
//! # The statistic
//! Each answered request has a class of reply (status, size, content where it was hashed) and what the client did next: how
//! long it waited on the awake clock, how much it sent next time, whether something followed on the Mac, whether the same
//! application made other connections within [`FOLLOW_NS`]. For each of these, the mutual information between class and
//! deed is estimated from the table of counts (Cover and Thomas, Elements of Information Theory, 2006, section 2.3); their sum
//! is the statistic. All of it is conditional on what was asked (method and path, else the size of the request): a client that
//! takes turns between two addresses gets two answers and waits twice, and neither on account of the other.
//!
//! # The p-value
//! Replies are permuted among requests for the same thing within blocks of [`BLOCK`] neighbours, so that what drifts slowly (a day, a change of
//! network) is no dependence, and the statistic is computed anew. The p-value is sequential (Besag and Clifford, Sequential
//! Monte Carlo p-values, 1991): it stops after [`EXCEEDANCES`] at least as large, or after [`PERMUTATIONS`]. All chance is
//! seeded by the channel's id: the same tomorrow.
//!
//! # What independence means
//! Dependence that is found refutes "nothing used the replies". Not finding it proves nothing, unless it would have been
//! found: the upper bound of 95 % of the mutual information with each deed must lie below [`MARGIN_BITS`]. It comes from the
//! non-central chi-square distribution of 2·n·I (in nats), by its normal approximation, solved for the non-centrality.

use crate::awake::AwakeClock;
use monologue_model::{Channel, Row, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Replies below which nothing is tested.
pub const MINIMUM_REPLIES: usize = 24;

/// Replies below which independence cannot be claimed.
pub const INDEPENDENCE_REPLIES: usize = 96;

/// Entropy in bits that replies must have for independence to be claimed: half a yes-or-no question.
pub const REPLY_ENTROPY_BITS: f64 = 0.5;

/// How much a reply may tell about the next deed and still be called ignored: a tenth of a yes-or-no question.
pub const MARGIN_BITS: f64 = 0.1;

/// A p-value at or below this is a dependence.
pub const SIGNIFICANCE: f64 = 0.01;

/// Other connections of the same application within this of a reply count as following it: 30 s.
pub const FOLLOW_NS: i64 = 30_000_000_000;

/// Neighbours among which replies are permuted.
pub const BLOCK: usize = 12;

/// Permutations at most.
pub const PERMUTATIONS: usize = 999;

/// Permutations at least as extreme after which it stops.
pub const EXCEEDANCES: usize = 20;

/// Replies that are looked at; of longer series the last ones.
const REPLY_CAP: usize = 2048;

/// Classes of replies that are told apart; the rarer ones are one class.
const CLASSES: usize = 6;

/// What was found of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dependence {
    /// Replies looked at.
    pub replies: usize,
    /// Entropy of the classes of replies, in bits.
    pub reply_entropy_bits: f64,
    /// Probability of a statistic so large if replies changed nothing.
    pub p_value: f64,
    /// Upper bound (95 %) of what a reply tells about any one deed, in bits.
    pub bound_bits: f64,
    /// The deed that a reply tells most about.
    pub strongest: Deed,
    /// What was asked, what came and what followed is known of every request: only then may independence be claimed, since a
    /// deed of which one case is hidden would be left out.
    pub is_whole: bool,
}

impl Dependence {
    /// Whether the client does other things after other replies.
    #[must_use]
    pub fn is_dependent(&self) -> bool {
        self.p_value <= SIGNIFICANCE
    }

    /// Whether it certainly does not, beyond the margin.
    #[must_use]
    pub fn is_independent(&self) -> bool {
        self.is_whole
            && !self.is_dependent()
            && self.replies >= INDEPENDENCE_REPLIES
            && self.reply_entropy_bits >= REPLY_ENTROPY_BITS
            && self.bound_bits < MARGIN_BITS
    }
}

/// What a client does after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// How long it waits.
    Interval,
    /// How much it sends next.
    NextRequest,
    /// Something happens on the Mac.
    Effect,
    /// The application makes another connection.
    OtherConnection,
}

impl Deed {
    /// In words, after "a reply tells …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Interval => "how long the client waits",
            Self::NextRequest => "how much it sends next",
            Self::Effect => "whether something happens on the Mac",
            Self::OtherConnection => "whether the application connects elsewhere",
        }
    }
}

/// Tests one channel. `others` are the times of the same application's other requests, ascending; `None`: some of this host's
/// requests are nobody's, or were dropped, and may be among them. `None` is yielded for too few replies, or all of one class, or
/// nothing that could differ after them.
#[must_use]
pub fn test(channel: &Channel, clock: &AwakeClock, others: Option<&[Timestamp]>) -> Option<Dependence> {
    let series = Series::of(channel, clock, others);
    if series.classes.len() < MINIMUM_REPLIES || !series.varies() || series.deeds.is_empty() {
        return None;
    }
    let told = |classes: &[u8], deed: &[u8]| conditional_information(classes, deed, &series.kinds);
    let observed: f64 = series.deeds.iter().map(|(_, deed)| told(&series.classes, deed)).sum();
    let mut chance = SplitMix(channel.key.id().seed());
    let (mut at_least, mut done) = (0, 0);
    let mut permuted = series.classes.clone();
    let blocks = series.blocks();
    while done < PERMUTATIONS && at_least < EXCEEDANCES {
        blocks.iter().for_each(|block| chance.shuffle(block, &mut permuted));
        let now: f64 = series.deeds.iter().map(|(_, deed)| told(&permuted, deed)).sum();
        at_least += usize::from(now >= observed - 1e-12);
        done += 1;
    }
    let p_value =
        if at_least == EXCEEDANCES { at_least as f64 / done as f64 } else { (at_least + 1) as f64 / (done + 1) as f64 };
    let of = |deed: &[u8]| told(&series.classes, deed);
    let strongest = series.deeds.iter().max_by(|one, other| of(&one.1).total_cmp(&of(&other.1)))?.0;
    let bounds = series.deeds.iter().map(|(_, deed)| bound_bits(of(deed), &series.classes, deed, &series.kinds));
    Some(Dependence {
        replies: series.classes.len(),
        reply_entropy_bits: series.reply_entropy_bits(),
        p_value,
        bound_bits: bounds.fold(0.0, f64::max),
        strongest,
        is_whole: series.is_whole,
    })
}

/// Replies by class, what was asked, and what followed each.
struct Series {
    classes: Vec<u8>,
    kinds: Vec<u8>,
    deeds: Vec<(Deed, Vec<u8>)>,
    is_whole: bool,
}

impl Series {
    fn of(channel: &Channel, clock: &AwakeClock, others: Option<&[Timestamp]>) -> Self {
        let rows: Vec<&Row> = channel.rows().collect();
        let (_, is_pruned) = channel.kept_hours();
        // What follows the last is not known; where hours were dropped, what follows the last of an hour is not either.
        let pairs: Vec<(&Row, &Row)> = rows
            .windows(2)
            .filter_map(|pair| match pair {
                [one, next] if one.timed && next.timed => Some((*one, *next)),
                _ => None,
            })
            .filter(|(row, next)| row.reply.is_answer() && (!is_pruned || row.time.hour() == next.time.hour()))
            .filter(|(row, _)| row.status > 0 || row.response_bytes != u32::MAX)
            .collect();
        let pairs = pairs.get(pairs.len().saturating_sub(REPLY_CAP)..).unwrap_or_default();
        let interval =
            |(row, next): &(&Row, &Row)| Some(clock.reading(next.time).saturating_sub(clock.reading(row.time)));
        let size = |(row, next): &(&Row, &Row)| {
            let known = row.request_layer.is_some() && row.request_layer == next.request_layer;
            known.then_some(i64::from(next.request_bytes))
        };
        let follows = |(row, _): &(&Row, &Row)| {
            let others = others?;
            let from = others.partition_point(|time| *time <= row.time);
            let near = others.get(from).is_some_and(|time| time.since(row.time) <= FOLLOW_NS);
            Some(i64::from(near))
        };
        let effect = |(row, _): &(&Row, &Row)| {
            (row.seen.contains(monologue_model::Sight::FileEffect) || row.effects > 0)
                .then_some(i64::from(row.effects > 0))
        };
        let all: [(Deed, Vec<Option<i64>>); 4] = [
            (Deed::Interval, pairs.iter().map(interval).collect()),
            (Deed::NextRequest, pairs.iter().map(size).collect()),
            (Deed::Effect, pairs.iter().map(effect).collect()),
            (Deed::OtherConnection, pairs.iter().map(follows).collect()),
        ];
        let asked = pairs.iter().all(|(row, _)| row.status > 0 && row.request_kind > 0);
        let is_whole = asked && !is_pruned && all.iter().all(|(_, values)| values.iter().all(Option::is_some));
        let deeds = all.into_iter().filter_map(|(deed, values)| Some((deed, thirds(values)?))).collect();
        let kinds = kinds(pairs.iter().map(|(row, _)| *row));
        Self { classes: classes(pairs.iter().map(|(row, _)| *row)), kinds, deeds, is_whole }
    }

    /// Classes of the replies to one kind of request.
    fn classes_of(&self, kind: u8) -> Vec<u8> {
        self.classes.iter().zip(&self.kinds).filter(|(_, of)| **of == kind).map(|(class, _)| *class).collect()
    }

    /// Whether the replies to any one kind of request differ.
    fn varies(&self) -> bool {
        (0..CLASSES as u8).any(|kind| count_kinds(&self.classes_of(kind)) > 1)
    }

    /// Entropy of the replies, given what was asked.
    fn reply_entropy_bits(&self) -> f64 {
        let total = self.classes.len() as f64;
        let of = |kind: u8| {
            let classes = self.classes_of(kind);
            if classes.is_empty() { 0.0 } else { classes.len() as f64 / total * entropy_bits(&classes) }
        };
        (0..CLASSES as u8).map(of).sum()
    }

    /// The places of neighbours of each kind of request, among which replies are permuted.
    fn blocks(&self) -> Vec<Vec<usize>> {
        let of = |kind: u8| -> Vec<usize> {
            self.kinds.iter().enumerate().filter(|(_, of)| **of == kind).map(|(at, _)| at).collect()
        };
        (0..CLASSES as u8).flat_map(|kind| of(kind).chunks(BLOCK).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
    }
}

/// Numbers what was asked, the commonest first: method and path, else the size of the request where few sizes recur.
fn kinds<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Vec<u8> {
    let sizes: BTreeSet<u32> = rows.clone().map(|row| row.request_bytes).collect();
    let recurs = sizes.len() < CLASSES;
    let key = |row: &Row| (row.request_kind, if recurs { row.request_bytes } else { 0 });
    number(rows, key)
}

/// Numbers the classes of replies, the commonest first.
fn classes<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Vec<u8> {
    let sizes: BTreeMap<u32, u32> = rows.clone().fold(BTreeMap::new(), |mut sizes, row| {
        *sizes.entry(row.response_bytes).or_insert(0) += 1;
        sizes
    });
    // Sizes that come again and again are told apart exactly; sizes that are all different, by powers of two.
    let recurs = sizes.len() <= CLASSES;
    let size = |bytes: u32| if recurs { bytes } else { 32 - bytes.leading_zeros() };
    let key = |row: &Row| (row.status, size(row.response_bytes), row.content_hash);
    number(rows, key)
}

/// Numbers values, the commonest first; the rarest share a number.
fn number<'a, K: Ord + Copy>(rows: impl Iterator<Item = &'a Row> + Clone, key: impl Fn(&Row) -> K) -> Vec<u8> {
    let mut counts: BTreeMap<K, u32> = BTreeMap::new();
    rows.clone().for_each(|row| *counts.entry(key(row)).or_insert(0) += 1);
    let mut order: Vec<_> = counts.into_iter().collect();
    order.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    let place: BTreeMap<_, u8> =
        order.iter().enumerate().map(|(at, (kind, _))| (*kind, at.min(CLASSES - 1) as u8)).collect();
    rows.map(|row| place.get(&key(row)).copied().unwrap_or(0)).collect()
}

/// Three classes of values of about equal size; two values stay as they are. `None`: some are unknown, or all are one.
fn thirds(values: Vec<Option<i64>>) -> Option<Vec<u8>> {
    let values: Vec<i64> = values.into_iter().collect::<Option<_>>()?;
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let at = |share: usize| sorted.get(sorted.len() * share / 3).copied();
    let (low, high) = (at(1)?, at(2)?);
    let (least, greatest) = (*sorted.first()?, *sorted.last()?);
    let third = |value: &i64| match (low > least, greatest > high) {
        // Most are the least: told apart are those and the rest.
        (false, _) => u8::from(*value > low),
        (true, false) => u8::from(*value >= low) + u8::from(*value >= high && high > low),
        (true, true) => u8::from(*value >= low) + u8::from(*value >= high),
    };
    let thirds: Vec<u8> = values.iter().map(third).collect();
    (count_kinds(&thirds) > 1).then_some(thirds)
}

fn count_kinds(classes: &[u8]) -> usize {
    classes.iter().collect::<BTreeSet<_>>().len()
}

/// Mutual information in nats given what was asked: the mean over the kinds of request. Plug-in estimate from the tables of
/// counts, classes of replies by thirds of deeds.
fn conditional_information(classes: &[u8], deed: &[u8], kinds: &[u8]) -> f64 {
    let mut tables = [[[0.0_f64; 3]; CLASSES]; CLASSES];
    for ((class, third), kind) in classes.iter().zip(deed).zip(kinds) {
        let row = tables.get_mut(usize::from(*kind)).and_then(|table| table.get_mut(usize::from(*class)));
        if let Some(cell) = row.and_then(|row| row.get_mut(usize::from(*third))) {
            *cell += 1.0;
        }
    }
    let plogp = |count: f64| if count > 0.0 { count * count.ln() } else { 0.0 };
    let sum: f64 = tables
        .iter()
        .map(|table| {
            let total: f64 = table.iter().flatten().sum();
            let cells: f64 = table.iter().flatten().map(|count| plogp(*count)).sum();
            let rows: f64 = table.iter().map(|row| plogp(row.iter().sum())).sum();
            let columns: f64 = (0..3).map(|at| plogp(table.iter().filter_map(|row| row.get(at)).sum())).sum();
            cells - rows - columns + plogp(total)
        })
        .sum();
    (sum / classes.len().max(1) as f64).max(0.0)
}

fn entropy_bits(classes: &[u8]) -> f64 {
    let total = classes.len() as f64;
    let mut counts = [0.0_f64; CLASSES];
    for class in classes {
        if let Some(count) = counts.get_mut(usize::from(*class)) {
            *count += 1.0;
        }
    }
    let terms = counts.iter().filter(|count| **count > 0.0);
    terms.map(|count| -count / total * (count / total).log2()).sum()
}

/// Upper bound (95 %, one-sided) of the mutual information in bits, of which `nats` was estimated. G = 2·n·I has about a
/// non-central chi-square distribution with mean d + λ and variance 2·(d + 2·λ); λ is the largest for which the observed G is
/// no lower than its 5 % quantile. Degrees of freedom are those of the kinds of request together.
fn bound_bits(nats: f64, classes: &[u8], deed: &[u8], kinds: &[u8]) -> f64 {
    const Z: f64 = 1.645;
    let n = classes.len() as f64;
    let g = 2.0 * n * nats;
    let each = ((count_kinds(classes) - 1) * (count_kinds(deed).max(1) - 1)).max(1);
    let freedom = (each * count_kinds(kinds)) as f64;
    // g = d + λ − z·√(2d + 4λ): with u = √(2d + 4λ), u²/4 − z·u + d/2 − g = 0.
    let root = (Z * Z - (freedom / 2.0 - g)).max(0.0).sqrt();
    let u = 2.0 * (Z + root);
    let lambda = ((u * u - 2.0 * freedom) / 4.0).max(0.0);
    lambda / (2.0 * n) / std::f64::consts::LN_2
}

/// The generator SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Shuffles the values at some places among each other (Fisher and Yates).
    fn shuffle(&mut self, places: &[usize], values: &mut [u8]) {
        for last in (1..places.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            if let (Some(one), Some(another)) = (places.get(last), places.get(other))
                && *one < values.len()
                && *another < values.len()
            {
                values.swap(*one, *another);
            }
        }
    }
}

#[cfg(test)]
mod tests;
