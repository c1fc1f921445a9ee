//! The vote probabilities that the plurality computation starts from, scaled so that nothing overflows.
//!
//! Choosing a k-subset of n samples is keeping each sample with probability p, given that k are kept: the count of a
//! class of c samples is then Binomial(c, p), independent of the others, and the result is divided by
//! P(Binomial(n, p) = k). Drawing k times with replacement is the same with Poisson counts of mean `lambda p_b`. Any
//! tilt p or lambda is exact; one near the wanted k keeps the numbers in range.

use super::Tally;
use std::borrow::Cow;

/// The smallest natural logarithm of the probability of the wanted k under the tilt: leaves as much again for small
/// results before the range of floating point ends.
const LEAST_LOG: f64 = -400.0;

/// Below this a probability is taken for 0; no term is that small where n <= 1000.
const TINY: f64 = 1e-305;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    Without,
    With,
}

/// One problem: counts or probabilities of its classes.
#[derive(Debug, Default)]
pub(super) struct Laws {
    kind: Kind,
    /// Gold, rivals (largest first), silent: counts, or probabilities.
    gold: f64,
    rivals: Vec<f64>,
    silent: f64,
    n: u64,
    tables: Tables,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Counts,
    Probabilities,
}

/// Probability rows by class parameter, valid for one tilt; classes of equal counts share a row.
#[derive(Debug, Default)]
struct Tables {
    tilt: f64,
    binomial: Vec<Vec<f64>>,
}

/// What [`dp::plurality`](super::dp::plurality) takes: `row[j]` is the probability of j votes.
#[derive(Debug)]
pub(super) struct RowSet<'a> {
    pub gold: Cow<'a, [f64]>,
    /// Longest first.
    pub rivals: Vec<Cow<'a, [f64]>>,
    pub silent: Cow<'a, [f64]>,
    /// Probability that k samples are drawn in all, by k.
    pub total: Cow<'a, [f64]>,
    /// The largest k that this tilt serves.
    pub k_max: usize,
    /// For independent draws, the probability of the gold answer: lets the sum over its votes end early.
    pub gold_probability: Option<f64>,
    /// The smallest k that is wanted.
    pub k_min: usize,
}

impl Laws {
    pub fn set_counts(&mut self, tally: &Tally, replacement: Replacement) {
        self.n = tally.n();
        let scale = match replacement {
            Replacement::Without => {
                self.kind = Kind::Counts;
                1.0
            }
            Replacement::With => {
                self.kind = Kind::Probabilities;
                self.n as f64
            }
        };
        self.gold = tally.gold as f64 / scale;
        self.rivals.clear();
        self.rivals.extend(tally.rivals.iter().map(|&count| count as f64 / scale));
        self.silent = tally.silent as f64 / scale;
    }

    pub fn set_probabilities(&mut self, gold: f64, rivals: &[f64], silent: f64) {
        self.kind = Kind::Probabilities;
        (self.gold, self.silent, self.n) = (gold, silent, 1);
        self.rivals = rivals.to_vec();
        self.rivals.sort_unstable_by(|a, b| b.total_cmp(a));
    }

    /// Whether k samples can be drawn.
    pub fn allows(&self, k: u64) -> bool {
        match self.kind {
            Kind::Counts => k <= self.n,
            Kind::Probabilities => self.n > 0,
        }
    }

    pub fn gold_is_impossible(&self) -> bool {
        self.gold <= 0.0
    }

    /// Rows for a tilt that serves all k from `k_min` on, as far as it can, up to `k_max`.
    pub fn rows(&mut self, k_min: u64, k_max: u64) -> RowSet<'_> {
        match self.kind {
            Kind::Counts => self.binomial_rows(k_min, k_max),
            Kind::Probabilities => self.poisson_rows(k_min, k_max),
        }
    }

    fn binomial_rows(&mut self, k_min: u64, k_max: u64) -> RowSet<'_> {
        let n = self.n as usize;
        let log = |k: u64, p: f64| -> f64 {
            let (kept, left) = (k as f64, self.n as f64 - k as f64);
            let part = |count: f64, p: f64| if count > 0.0 { count * (count / (self.n as f64 * p)).ln() } else { 0.0 };
            -part(kept, p) - part(left, 1.0 - p)
        };
        let tilt = if n <= 1000 {
            0.5
        } else {
            largest(k_min as f64 / n as f64, (n as f64 - 0.5) / n as f64, |p| log(k_min, p) >= LEAST_LOG)
        };
        let served =
            (k_min..=k_max).take_while(|&k| n <= 1000 || log(k, tilt) >= LEAST_LOG || k as f64 <= tilt * n as f64);
        let k_max = served.last().unwrap_or(k_min) as usize;
        let counts = self.rivals.iter().chain([&self.gold, &self.silent]).map(|&count| count as usize);
        self.tables.prepare(tilt, counts.chain([n]));
        let row = |count: f64| Cow::from(&self.tables.binomial[count as usize][..]);
        RowSet {
            gold: row(self.gold),
            rivals: self.rivals.iter().map(|&count| row(count)).collect(),
            silent: row(self.silent),
            total: row(n as f64),
            k_max,
            k_min: k_min as usize,
            gold_probability: None,
        }
    }

    fn poisson_rows(&mut self, k_min: u64, k_max: u64) -> RowSet<'_> {
        let log = |k: u64, mean: f64| (k as f64 - mean) - k as f64 * (k as f64 / mean).ln();
        let mean = if log(k_min, k_max as f64 / 2.0) >= LEAST_LOG && log(k_max, k_max as f64 / 2.0) >= LEAST_LOG {
            (k_max as f64 / 2.0).max(0.5)
        } else {
            largest(k_min as f64, k_max as f64, |mean| log(k_min, mean) >= LEAST_LOG)
        };
        let served = (k_min..=k_max).take_while(|&k| log(k, mean) >= LEAST_LOG || k as f64 <= mean);
        let k_max = served.last().unwrap_or(k_min) as usize;
        let row = |p: f64| Cow::from(poisson(k_max, mean * p));
        RowSet {
            gold: row(self.gold),
            rivals: self.rivals.iter().map(|&p| row(p)).collect(),
            silent: row(self.silent),
            total: Cow::from(poisson(k_max, mean * (self.gold + self.rivals.iter().sum::<f64>() + self.silent))),
            k_max,
            k_min: k_min as usize,
            gold_probability: Some(self.gold),
        }
    }
}

impl Tables {
    fn prepare(&mut self, tilt: f64, counts: impl Iterator<Item = usize>) {
        if self.tilt != tilt {
            self.binomial.clear();
            self.tilt = tilt;
        }
        for count in counts {
            if self.binomial.len() <= count {
                self.binomial.resize(count + 1, Vec::new());
            }
            if self.binomial[count].is_empty() {
                self.binomial[count] = binomial(count, tilt);
            }
        }
    }
}

/// The largest x in [low, high] with `holds(x)`, given that it holds at `low` and then up to some point.
fn largest(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    if holds(high) {
        return high;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

/// P(Binomial(n, p) = j) for j = 0..=n: ratios of neighbours from the mode outwards, then divided by their sum.
pub(crate) fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mode = (((n + 1) as f64) * p).floor().min(n as f64) as usize;
    let odds = p / (1.0 - p);
    from_mode(n + 1, mode, |j| (n - j) as f64 / (j + 1) as f64 * odds)
}

/// P(Poisson(mean) = j) for j = 0..=most.
pub(crate) fn poisson(most: usize, mean: f64) -> Vec<f64> {
    if mean <= 0.0 {
        let mut row = vec![0.0; most + 1];
        row[0] = 1.0;
        return row;
    }
    // The sum must run over all of the law, also where only its beginning is wanted.
    let mode = mean.floor() as usize;
    let enough = (mode + 60 + (12.0 * mean.sqrt()) as usize).max(most + 1);
    let mut row = from_mode(enough, mode, |j| mean / (j + 1) as f64);
    row.truncate(most + 1);
    row
}

/// The law on 0..len with `ratio(j) = P(j + 1) / P(j)` and its mode at `mode`.
fn from_mode(len: usize, mode: usize, ratio: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut row = vec![0.0; len];
    row[mode] = 1.0;
    for j in mode + 1..len {
        row[j] = row[j - 1] * ratio(j - 1);
        if row[j] < TINY {
            row[j] = 0.0;
            break;
        }
    }
    for j in (0..mode).rev() {
        row[j] = row[j + 1] / ratio(j);
        if row[j] < TINY {
            row[j] = 0.0;
            break;
        }
    }
    // Smallest first, from both tails, so that the sum keeps its last digits.
    let sum: f64 = row[..mode].iter().sum::<f64>() + row[mode..].iter().rev().sum::<f64>();
    for value in &mut row {
        *value /= sum;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_laws() {
        let row = binomial(4, 0.5);
        for (got, expected) in row.iter().zip([1.0, 4.0, 6.0, 4.0, 1.0]) {
            assert!((got - expected / 16.0).abs() < 1e-16);
        }
        assert!((binomial(1000, 0.5)[0].log2() + 1000.0).abs() < 1e-9);
        assert_eq!(binomial(0, 0.5), [1.0]);
        let row = poisson(3, 2.0);
        for (got, expected) in row.iter().zip([1.0, 2.0, 2.0, 4.0 / 3.0]) {
            assert!((got - expected * (-2.0f64).exp()).abs() < 1e-15);
        }
        assert_eq!(poisson(2, 0.0), [1.0, 0.0, 0.0]);
    }
}
