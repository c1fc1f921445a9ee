//! The exact weighted vote for weights that are whole multiples of a common unit.
//!
//! Let `G_b(j, w)` count the j-subsets of the samples of class b with total weight w. The gold answer a wins with
//! weight w, sharing ties evenly, in
//!
//! ```text
//! [x^k] sum_j G_a(j, w) x^j  integral over y in [0, 1] of  product over b != a of
//!     sum_j ( sum_{w' < w} G_b(j, w') + y G_b(j, w) ) x^j
//! ```
//!
//! of the C(n, k) subsets: the power of y counts the rivals at w, and the integral of y^t is 1/(t + 1). The integrand
//! is a polynomial in y, so Gauss-Legendre quadrature with enough nodes is exact, and every term is positive.

use super::Row;
use super::units::Units;
use crate::error::{Error, Result};
use crate::machine;
use crate::run::Control;
use crate::samples::majority::quadrature::{Rule, rule_for};

/// Counts of subsets are plain floats: C(1000, 500) is 2.7e299.
pub(super) const MOST_SAMPLES: usize = 1000;

/// Multiply-adds above which even a demand for the exact method is refused: some minutes.
pub(super) const MOST: f64 = 1e12;

/// The votes of a row: the weights of each class, in units.
pub(super) struct Votes {
    gold: Vec<usize>,
    rivals: Vec<Vec<usize>>,
    n_silent: usize,
}

impl Votes {
    /// None if the weights have no small common unit, or the samples are too many.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let Units::Whole(units) = &row.units else { return None };
        if units.len() > MOST_SAMPLES {
            return None;
        }
        let mut classes = vec![Vec::new(); row.n_classes];
        for (&class, &unit) in row.class.iter().zip(units) {
            classes[class as usize].push(unit as usize);
        }
        let rivals = classes.split_off(2);
        let gold = classes.pop()?;
        Some(Self { gold, rivals, n_silent: classes.pop()?.len() })
    }

    fn n_samples(&self) -> usize {
        self.n_silent + self.gold.len() + self.rivals.iter().map(Vec::len).sum::<usize>()
    }

    /// About how many multiply-adds the curve takes.
    pub(super) fn cost(&self) -> f64 {
        let total: f64 = self.gold.iter().map(|w| *w as f64).sum();
        let tables: f64 = self
            .rivals
            .iter()
            .chain([&self.gold])
            .map(|class| class.iter().map(|w| *w as f64).sum::<f64>() * (class.len() + 1) as f64)
            .sum();
        if total > 1e6 || tables > 3e7 {
            return f64::INFINITY;
        }
        let sizes: Vec<(f64, f64)> = self
            .rivals
            .iter()
            .map(|class| (class.iter().map(|w| *w as f64).sum::<f64>(), (class.len() + 1) as f64))
            .collect();
        // A rival takes part at gold weights up to its own total; at each it costs a product for every node.
        let n = self.n_samples() as f64;
        let products: f64 = sizes.iter().map(|(weight, count)| weight.min(total) * count).sum();
        let live: f64 = sizes.iter().map(|(weight, _)| weight.min(total)).sum::<f64>() / total;
        products * (live / 2.0 + 1.0) * n / 2.0 + total * n * self.gold.len() as f64 / 4.0 + tables * 4.0
    }

    /// The probability that gold wins, for k = 1 to `largest`.
    pub(super) fn curve(&self, largest: usize, control: &Control) -> Result<Vec<f64>> {
        let n = self.n_samples();
        let gold = Table::new(&self.gold)?;
        let mut rivals = self.rivals.iter().map(|class| Live::new(class)).collect::<Result<Vec<_>>>()?;
        let mut rules: Vec<Option<Rule>> = Vec::new();
        rules.resize_with(self.rivals.len() + 1, || None);
        let mut out = vec![0.0; largest + 1];
        let (mut base, mut product, mut next, mut won) =
            (Vec::with_capacity(n + 1), Vec::with_capacity(n + 1), Vec::with_capacity(n + 1), vec![0.0; largest + 1]);
        for weight in 1..gold.n_weights() {
            if gold.at(weight).iter().all(|count| *count == 0.0) {
                continue;
            }
            control.check()?;
            let mut free = self.n_silent;
            let mut tied = Vec::new();
            base.clear();
            base.push(1.0);
            for rival in &mut rivals {
                rival.advance(weight);
                if rival.table.n_weights() <= weight {
                    free += rival.table.size;
                } else if rival.ties(weight) {
                    tied.push(&*rival);
                } else {
                    multiply(&base, &rival.below, largest, &mut next);
                    std::mem::swap(&mut base, &mut next);
                }
            }
            multiply(&base, &binomials(free), largest, &mut next);
            std::mem::swap(&mut base, &mut next);
            let rule = rules[tied.len()].get_or_insert_with(|| rule_for(tied.len()));
            won.fill(0.0);
            for (&y, &share) in rule.nodes.iter().zip(&rule.weights) {
                product.clear();
                product.extend_from_slice(&base);
                for rival in &tied {
                    let factor: Vec<f64> =
                        rival.below.iter().zip(rival.table.at(weight)).map(|(below, at)| below + y * at).collect();
                    multiply(&product, &factor, largest, &mut next);
                    std::mem::swap(&mut product, &mut next);
                }
                for (won, product) in won.iter_mut().zip(&product) {
                    *won += share * product;
                }
            }
            multiply(&won, gold.at(weight), largest, &mut next);
            for (out, won) in out.iter_mut().zip(&next) {
                *out += won;
            }
        }
        let subsets = binomials(n);
        Ok(out.iter().zip(&subsets).skip(1).map(|(won, all)| (won / all).min(1.0)).collect())
    }
}

/// `G(j, w)`: how many j-subsets of a class have weight w.
struct Table {
    size: usize,
    counts: Vec<f64>,
}

impl Table {
    fn new(weights: &[usize]) -> Result<Self> {
        let (size, total) = (weights.len(), weights.iter().sum::<usize>());
        let (width, length) = (size + 1, (size + 1) * (total + 1));
        let mut counts = Vec::new();
        counts.try_reserve_exact(length).map_err(|_| Error::Memory(length * size_of::<f64>()))?;
        counts.resize(length, 0.0);
        counts[0] = 1.0;
        let mut reached = 0;
        for (taken, &weight) in weights.iter().enumerate() {
            for w in (0..=reached).rev() {
                for j in (0..=taken).rev() {
                    counts[(w + weight) * width + j + 1] += counts[w * width + j];
                }
            }
            reached += weight;
        }
        Ok(Self { size, counts })
    }

    /// One more than the largest weight.
    fn n_weights(&self) -> usize {
        self.counts.len() / (self.size + 1)
    }

    /// The counts by size of the subsets of weight `weight`.
    fn at(&self, weight: usize) -> &[f64] {
        &self.counts[weight * (self.size + 1)..(weight + 1) * (self.size + 1)]
    }
}

/// A rival and its subsets below the current weight.
struct Live {
    table: Table,
    below: Vec<f64>,
    weight: usize,
}

impl Live {
    fn new(weights: &[usize]) -> Result<Self> {
        Ok(Self { table: Table::new(weights)?, below: vec![0.0; weights.len() + 1], weight: 0 })
    }

    /// Brings `below` up to `weight`.
    fn advance(&mut self, weight: usize) {
        while self.weight < weight.min(self.table.n_weights()) {
            for (below, at) in self.below.iter_mut().zip(self.table.at(self.weight)) {
                *below += at;
            }
            self.weight += 1;
        }
    }

    fn ties(&self, weight: usize) -> bool {
        self.table.at(weight).iter().any(|count| *count > 0.0)
    }
}

/// `out` = the product of two polynomials up to degree `largest`.
fn multiply(left: &[f64], right: &[f64], largest: usize, out: &mut Vec<f64>) {
    let right = &right[..right.iter().rposition(|c| *c != 0.0).map_or(0, |last| last + 1)];
    out.clear();
    out.resize((left.len() + right.len()).saturating_sub(1).min(largest + 1), 0.0);
    let (long, short) = if left.len() < right.len() { (right, left) } else { (left, right) };
    machine::widest(Product { long, short, out });
}

struct Product<'a> {
    long: &'a [f64],
    short: &'a [f64],
    out: &'a mut [f64],
}

impl machine::Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (shift, &factor) in self.short.iter().enumerate().take(self.out.len()) {
            if factor != 0.0 {
                for (out, long) in self.out[shift..].iter_mut().zip(self.long) {
                    *out += factor * long;
                }
            }
        }
    }
}

/// C(n, j) for j = 0 to n.
fn binomials(n: usize) -> Vec<f64> {
    let mut row = vec![1.0; n + 1];
    for j in 1..=n / 2 {
        row[j] = row[j - 1] * (n + 1 - j) as f64 / j as f64;
        row[n - j] = row[j];
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_subsets() {
        let table = Table::new(&[1, 2, 3]).unwrap();
        assert_eq!(table.at(3), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(table.at(6), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(binomials(5), [1.0, 5.0, 10.0, 10.0, 5.0, 1.0]);
    }
}
