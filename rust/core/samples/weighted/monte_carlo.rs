//! The weighted vote on every prefix of random permutations, corrected by control variates.
//!
//! One Fisher-Yates pass over the samples is a subset of every size. As no weight is negative only the class just
//! drawn can overtake, so a step costs the same for any number of classes. Three statistics whose expectation is known
//! exactly ride on the same prefixes: gold leads the unweighted vote, gold leads or ties in it, the sample of the
//! largest weight is gold. (That some gold sample is there adds nothing to these three.) Each is 0 or 1, so a step
//! leaves one byte, and sums and products of the bytes are taken in vector lanes afterwards. The regression on them is
//! by resample rather than on batch means, so that its standard error is that of an ordinary regression.

use super::units::Units;
use super::{Row, Settings};
use crate::error::Result;
use crate::machine;
use crate::random::{Seed, Stream};
use crate::run::Control;
use crate::samples::majority::{self, Ties};

/// Resamples counted in bytes before these are added up.
const BLOCK: usize = 128;

/// Fewer resamples are averaged as they are: a regression on them would not be trustworthy.
const LEAST_FOR_CONTROLS: usize = 64;

/// Number of control variates.
const CONTROLS: usize = 3;

/// Bits of a step's byte: the weighted vote is won, the unweighted one is led, led or tied, the best sample is gold.
const VOTE: u8 = 8;
const LEADS: u8 = 4;
const TIES: u8 = 2;
const BEST: u8 = 1;

/// Masks of which all bits must be set for a step to count in a sum: the four statistics and the products that do not
/// follow from "leads implies leads or ties".
const SUMS: [u8; 9] = [VOTE, LEADS, TIES, BEST, VOTE | LEADS, VOTE | TIES, VOTE | BEST, LEADS | BEST, TIES | BEST];

/// Sum of squared vote credits and products with the controls where gold ties: credit, its square, and credit times
/// leads, ties, best.
const SHARED: usize = 5;

/// Working memory of a thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    steps: Vec<u8>,
    bytes: Vec<u8>,
    sums: Vec<u64>,
    shared: Vec<f64>,
    /// Of the exact unweighted vote.
    pub(super) majority: majority::Scratch,
}

/// A sum of weights.
trait Sum: Copy + PartialOrd + Default + std::ops::AddAssign + Send {}
impl Sum for u64 {}
impl Sum for f64 {}

/// What drawing a sample adds where; a silent sample adds nothing, and class 0 stays empty.
#[derive(Debug, Clone, Copy, Default)]
struct Sample<S> {
    gold: Tally<S>,
    rival: Tally<S>,
    /// Class of a rival, 0 for others.
    class: u32,
    /// Twice the rank of the weight, plus 1 for gold; 0 for a silent sample.
    key: u32,
}

/// Weight and votes; votes count double, so that "at least one and no fewer than any rival" is one comparison.
#[derive(Debug, Clone, Copy, Default)]
struct Tally<S> {
    weight: S,
    votes: u64,
}

/// Estimate and standard error for k = 1 to `largest`; resample r draws from stream r of `seed` and starts from the samples
/// in their order, so that what it gives for a k does not depend on `largest`.
pub(super) fn curve(
    row: &Row,
    largest: usize,
    settings: &Settings,
    seed: &Seed,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<Vec<(f64, f64)>> {
    let n_resamples = settings.n_resamples;
    let controlled = settings.control_variates && n_resamples >= LEAST_FOR_CONTROLS;
    let n_sums = if controlled { SUMS.len() } else { 1 };
    scratch.steps.resize(largest, 0);
    scratch.sums.clear();
    scratch.sums.resize(n_sums * largest, 0);
    scratch.bytes.resize(n_sums * largest, 0);
    scratch.shared.clear();
    scratch.shared.resize(SHARED * largest, 0.0);
    let ranks = ranks(row);
    match &row.units {
        Units::Whole(units) | Units::Fixed(units) => {
            let units: Vec<u64> = units.iter().map(|unit| unit.unsigned_abs()).collect();
            resample(row, &units, &ranks, n_resamples, controlled, seed, scratch, control)?;
        }
        Units::Float(weights) => resample(row, weights, &ranks, n_resamples, controlled, seed, scratch, control)?,
    }
    let means =
        if controlled { Some(expectations(row, &ranks, largest, n_resamples, scratch, control)?) } else { None };
    let r = n_resamples as f64;
    let curve = (0..largest).map(|k| {
        let sums: Vec<f64> = (0..n_sums).map(|i| scratch.sums[i * largest + k] as f64 / r).collect();
        let shared: Vec<f64> = (0..SHARED).map(|i| scratch.shared[i * largest + k] / r).collect();
        let (mean, square) = (sums[0] + shared[0], sums[0] + shared[1]);
        let variance = (square - mean * mean).max(0.0);
        match &means {
            None => (mean, (variance / (r - 1.0)).sqrt()),
            Some(means) => {
                let means: [Option<f64>; CONTROLS] = std::array::from_fn(|i| means[i].as_ref().map(|curve| curve[k]));
                regress(&sums, &shared, mean, variance, &means, r)
            }
        }
    });
    Ok(curve.collect())
}

/// Fills `scratch.sums` and `scratch.shared`.
#[allow(clippy::too_many_arguments)]
fn resample<S: Sum>(
    row: &Row,
    weights: &[S],
    ranks: &[u32],
    n_resamples: usize,
    controlled: bool,
    seed: &Seed,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<()> {
    let samples: Vec<Sample<S>> = (row.class.iter().zip(weights).zip(ranks))
        .map(|((&class, &weight), &key)| {
            let (none, vote) = (Tally::default(), Tally { weight, votes: 2 });
            match class {
                0 => Sample::default(),
                1 => Sample { gold: vote, rival: none, class: 0, key },
                _ => Sample { gold: none, rival: vote, class: class - 1, key },
            }
        })
        .collect();
    let mut tallies = vec![Tally::default(); row.n_classes - 1];
    let start: Vec<u32> = (0..samples.len() as u32).collect();
    let mut order = start.clone();
    for first in (0..n_resamples).step_by(BLOCK) {
        let block = Block {
            samples: &samples,
            start: &start,
            order: &mut order,
            tallies: &mut tallies,
            resamples: first..(first + BLOCK).min(n_resamples),
            seed,
            scratch,
            control,
        };
        if controlled { machine::widest(Controlled(block)) } else { machine::widest(Plain(block)) }?;
    }
    Ok(())
}

/// Resamples counted together.
struct Block<'a, S> {
    samples: &'a [Sample<S>],
    start: &'a [u32],
    order: &'a mut [u32],
    tallies: &'a mut [Tally<S>],
    resamples: std::ops::Range<usize>,
    seed: &'a Seed,
    scratch: &'a mut Scratch,
    control: &'a Control,
}

struct Controlled<'a, S>(Block<'a, S>);
struct Plain<'a, S>(Block<'a, S>);

impl<S: Sum> machine::Kernel for Controlled<'_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.0.run::<true>()
    }
}

impl<S: Sum> machine::Kernel for Plain<'_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.0.run::<false>()
    }
}

impl<S: Sum> Block<'_, S> {
    #[inline(always)]
    fn run<const CONTROLLED: bool>(self) -> Result<()> {
        let Self { samples, start, order, tallies, resamples, seed, scratch, control } = self;
        let Scratch { steps, bytes, sums, shared, .. } = scratch;
        bytes.fill(0);
        for resample in resamples {
            control.check()?;
            let mut stream = seed.stream(resample as u64);
            order.copy_from_slice(start);
            tallies.fill(Tally::default());
            prefixes::<S, CONTROLLED>(samples, order, tallies, &mut stream, steps, shared);
            let n = steps.len();
            for (bytes, mask) in bytes.chunks_exact_mut(n).zip(SUMS) {
                for (byte, step) in bytes.iter_mut().zip(&*steps) {
                    *byte += u8::from(step & mask == mask);
                }
            }
        }
        for (sum, byte) in sums.iter_mut().zip(&*bytes) {
            *sum += u64::from(*byte);
        }
        Ok(())
    }
}

/// One permutation: the byte of each prefix into `steps`, shared credits added to `shared`.
#[inline(always)]
fn prefixes<S: Sum, const CONTROLLED: bool>(
    samples: &[Sample<S>],
    order: &mut [u32],
    tallies: &mut [Tally<S>],
    stream: &mut Stream,
    steps: &mut [u8],
    shared: &mut [f64],
) {
    let (n, largest) = (samples.len(), steps.len());
    let mut gold = Tally { weight: S::default(), votes: 0 };
    let mut rival = Tally { weight: S::default(), votes: 1 };
    let mut best = 0u32;
    let mut word = 0;
    for (k, byte) in steps.iter_mut().enumerate() {
        // Two 32-bit draws of a word: no sample is off its probability by more than n / 2^32.
        word = if k % 2 == 0 { stream.next_u64() } else { word >> 32 };
        let j = k + ((u64::from(word as u32) * (n - k) as u64) >> 32) as usize;
        order.swap(j, k);
        let sample = &samples[order[k] as usize];
        let tally = &mut tallies[sample.class as usize];
        tally.weight += sample.rival.weight;
        let reached = tally.weight;
        rival.weight = if reached > rival.weight { reached } else { rival.weight };
        gold.weight += sample.gold.weight;
        // Each bit is a carry shifted in.
        let mut bits = u32::from(rival.weight < gold.weight);
        if CONTROLLED {
            tally.votes += sample.rival.votes;
            rival.votes = rival.votes.max(tally.votes);
            gold.votes += sample.gold.votes;
            best = best.max(sample.key);
            bits = 2 * bits + u32::from(rival.votes < gold.votes);
            bits = 2 * bits + u32::from(gold.votes < rival.votes);
            bits = 2 * bits + (best & 1);
            bits ^= u32::from(TIES);
        } else {
            bits *= u32::from(VOTE);
        }
        *byte = bits as u8;
        if gold.weight == rival.weight {
            share(k, largest, *byte, tallies, gold.weight, shared);
        }
    }
}

/// Adds the share of a tie.
#[inline(never)]
fn share<S: Sum>(k: usize, largest: usize, step: u8, tallies: &[Tally<S>], most: S, shared: &mut [f64]) {
    // Gold and the rivals as strong; before any vote there is nothing to share.
    let tied = 1 + tallies.iter().filter(|tally| tally.weight == most).count();
    if most == S::default() {
        return;
    }
    let credit = 1.0 / tied as f64;
    let flag = |mask: u8| if step & mask == 0 { 0.0 } else { credit };
    let parts = [credit, credit * credit, flag(LEADS), flag(TIES), flag(BEST)];
    for (i, part) in parts.into_iter().enumerate() {
        shared[i * largest + k] += part;
    }
}

/// The key of each sample: distinct ranks from 1 by weight, then by position, doubled, plus 1 for gold; 0 if silent.
/// An arbitrary order among equal weights is as good a control as any, and its expectation as exact.
fn ranks(row: &Row) -> Vec<u32> {
    let mut order: Vec<u32> = (0..row.class.len() as u32).filter(|i| row.class[*i as usize] != 0).collect();
    match &row.units {
        Units::Whole(units) | Units::Fixed(units) => order.sort_by_key(|i| units[*i as usize]),
        Units::Float(weights) => order.sort_by(|a, b| weights[*a as usize].total_cmp(&weights[*b as usize])),
    }
    let mut keys = vec![0; row.class.len()];
    for (rank, i) in (1..).zip(order) {
        keys[i as usize] = 2 * rank + u32::from(row.class[i as usize] == 1);
    }
    keys
}

/// The exact expectation of each control for k = 1 to `largest`; None where it would cost more than it saves.
fn expectations(
    row: &Row,
    keys: &[u32],
    largest: usize,
    n_resamples: usize,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<[Option<Vec<f64>>; CONTROLS]> {
    // About so many multiply-adds a vote; a step of a resample takes the time of some thirty.
    let tally = row.tally();
    let smaller: u64 = tally.rivals.iter().map(|rival| rival.min(&tally.gold).pow(2)).sum();
    let (mut leads, mut ties) = (None, None);
    if smaller as f64 * row.class.len() as f64 / 4.0 <= 4.0 * n_resamples as f64 * largest as f64 {
        let k: Vec<i64> = (1..=largest as i64).collect();
        for (curve, ties) in [(&mut leads, Ties::Strict), (&mut ties, Ties::Any)] {
            let mut values = vec![0.0; largest];
            majority::curve_of(&tally, &k, ties, &mut scratch.majority, control, &mut values)?;
            *curve = Some(values);
        }
    }
    let mut by_rank = keys.to_vec();
    by_rank.sort_unstable();
    let n = by_rank.len();
    let gold: Vec<f64> = by_rank.iter().map(|key| f64::from(key & 1)).collect();
    let best = (1..=largest)
        .map(|k| {
            // C(j, k - 1) / C(n, k) for the sample with j others below it, from the top down.
            let (mut probability, mut sum) = (k as f64 / n as f64, 0.0);
            for j in (k - 1..n).rev() {
                sum += probability * gold[j];
                probability *= (j + 1 - k) as f64 / j.max(1) as f64;
                if probability < 1e-18 {
                    break;
                }
            }
            sum
        })
        .collect();
    Ok([leads, ties, Some(best)])
}

/// The mean of the vote corrected for how far the controls are off their expectations, and its standard error: least
/// squares by Cholesky, leaving out a control that the data cannot tell from a constant or from those before it.
#[inline]
fn regress(
    sums: &[f64],
    shared: &[f64],
    mean: f64,
    variance: f64,
    means: &[Option<f64>; CONTROLS],
    n_resamples: f64,
) -> (f64, f64) {
    let [_, leads, ties, best, vote_leads, vote_ties, vote_best, leads_best, ties_best] = *sums else {
        return (mean, (variance / (n_resamples - 1.0)).sqrt());
    };
    let averages = [leads, ties, best];
    let moments = [[leads, leads, leads_best], [leads, ties, ties_best], [leads_best, ties_best, best]];
    let with_vote = [vote_leads + shared[2], vote_ties + shared[3], vote_best + shared[4]];
    let mut factor = [[0.0; CONTROLS]; CONTROLS];
    let mut projected = [0.0; CONTROLS];
    let mut shift = [0.0; CONTROLS];
    let (mut estimate, mut left, mut used) = (mean, variance, 0.0);
    for i in 0..CONTROLS {
        let Some(expected) = means[i] else { continue };
        for j in 0..=i {
            let mut covariance = moments[i][j] - averages[i] * averages[j];
            for (a, b) in factor[i].iter().zip(&factor[j]).take(j) {
                covariance -= a * b;
            }
            if j < i {
                factor[i][j] = if factor[j][j] > 0.0 { covariance / factor[j][j] } else { 0.0 };
            } else if covariance * n_resamples > 8.0 {
                factor[i][i] = covariance.sqrt();
            } else {
                // Too few resamples say anything new about this control.
                factor[i] = [0.0; CONTROLS];
            }
        }
        let pivot = factor[i][i];
        if pivot > 0.0 {
            let mut covariance = with_vote[i] - mean * averages[i];
            let mut off = averages[i] - expected;
            for l in 0..i {
                covariance -= factor[i][l] * projected[l];
                off -= factor[i][l] * shift[l];
            }
            projected[i] = covariance / pivot;
            shift[i] = off / pivot;
            estimate -= projected[i] * shift[i];
            left -= projected[i] * projected[i];
            used += 1.0;
        }
    }
    // Differences of sums of 2^31 terms: what is left of a perfect fit is rounding.
    let left = if left < 1e-13 { 0.0 } else { left };
    (estimate, (left / (n_resamples - 1.0 - used)).sqrt())
}
