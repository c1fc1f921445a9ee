//! The plurality computation: from one row of vote probabilities a class to the probability of winning, for all k.
//!
//! With independent counts `X_b` the gold answer a wins a draw of k samples with probability proportional to
//! `[x^k] sum_m P(X_a = m) x^m  integral_0^1 prod_b (T_b(x) + y D_b x^m) dy`, where `T_b(x) = sum_{j<m} P(X_b = j) x^j`
//! are the ways in which rival b stays behind and `D_b = P(X_b = m)` those in which it draws level: `integral y^t dy
//! = 1/(t+1)` is the share of a winner among t + 1. All terms are non-negative, so nothing cancels.
//!
//! What makes it fast:
//! * A rival that cannot reach m votes contributes its whole row, whatever y and m: those rows are multiplied in once
//!   for each stretch of m between two rivals' limits, not for each m (a Horner scheme over the stretches).
//! * With few rivals in reach, the products `prod_{b in S} T_b` over all subsets S follow each other from m to m + 1
//!   by adding scaled copies of smaller ones: linear, not quadratic, in m.
//! * With many, Gauss-Legendre nodes in y stand side by side in memory, so that one filter serves them all.

use super::Ties;
use super::convolve::Polynomial;
use super::laws::RowSet;
use super::quadrature::{Rule, rule_for};
use crate::error::Result;
use crate::machine::{Kernel, widest};
use crate::run::Control;

/// Working memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    rules: Vec<Rule>,
    /// `stretches[b]`: the sum over the m at which exactly the b strongest rivals are in reach.
    stretches: Vec<Polynomial>,
    subsets: Vec<Polynomial>,
    current: Polynomial,
    next: Polynomial,
    node_values: Vec<f64>,
    factor: Polynomial,
    result: Polynomial,
}

/// From how many votes m on the subset products are cheaper than the filters, by number of rivals in reach.
const SUBSETS_FROM: [usize; 8] = [1, 1, 1, 1, 1, 12, 24, 60];

/// The coefficients `[x^k]` of the sum above, for k up to `rows.k_max`: probabilities of winning with k draws.
pub(super) fn plurality<'s>(
    rows: &RowSet<'_>,
    ties: Ties,
    scratch: &'s mut Scratch,
    control: &Control,
) -> Result<&'s [f64]> {
    widest(Plurality { rows, ties, scratch, control })
}

struct Plurality<'a, 'r, 's> {
    rows: &'a RowSet<'r>,
    ties: Ties,
    scratch: &'s mut Scratch,
    control: &'a Control,
}

impl<'s> Kernel for Plurality<'_, '_, 's> {
    type Output = Result<&'s [f64]>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { rows, ties, scratch, control } = self;
        let (k_max, rivals) = (rows.k_max, &rows.rivals[..]);
        scratch.stretches.resize(scratch.stretches.len().max(rivals.len() + 1), Polynomial::default());
        for stretch in &mut scratch.stretches {
            stretch.resize(0);
        }
        let mut in_subsets = false;
        let mut n_active = rivals.len();
        for m in 1..rows.gold.len().min(k_max + 1) {
            control.check()?;
            while n_active > 0 && rivals[n_active - 1].len() <= m {
                n_active -= 1;
            }
            let weight = rows.gold[m];
            let active = &rivals[..n_active];
            if in_subsets || SUBSETS_FROM.get(n_active).is_some_and(|&from| m >= from) {
                if !in_subsets {
                    start_subsets(active, m, k_max, scratch);
                    in_subsets = true;
                }
                step_subsets(active, m, k_max, weight, ties, scratch);
            } else if m == 1 {
                singles(active, k_max, weight, ties, scratch);
            } else {
                filters(active, m, k_max, weight, ties, scratch, control)?;
            }
            if rows.gold_probability.is_some_and(|p| is_complete(rows, p, m, &scratch.stretches[n_active])) {
                break;
            }
        }
        combine(rivals, &rows.silent, k_max, scratch, control)?;
        Ok(&scratch.result)
    }
}

/// The share of the winner when t rivals draw level.
#[inline(always)]
fn share(ties: Ties, t: usize) -> f64 {
    match ties {
        Ties::Uniform => 1.0 / (t + 1) as f64,
        Ties::Strict => f64::from(u8::from(t == 0)),
        Ties::Any => 1.0,
    }
}

/// Lengthens `stretch` to hold degrees up to `degree` (at most `k_max`).
#[inline(always)]
fn reserve(stretch: &mut Polynomial, degree: usize, k_max: usize) {
    let len = degree.min(k_max) + 1;
    if stretch.len() < len {
        stretch.resize(len);
    }
}

/// Fills `subsets[S] = prod_{b in S} T_b` at `m` for all subsets of `active`.
#[inline(always)]
fn start_subsets<R: AsRef<[f64]>>(active: &[R], m: usize, k_max: usize, scratch: &mut Scratch) {
    let subsets = &mut scratch.subsets;
    subsets.resize(subsets.len().max(1 << active.len()), Polynomial::default());
    subsets[0].set(&[1.0]);
    for (b, row) in active.iter().enumerate() {
        let taps = &row.as_ref()[..m];
        for below in 0..1usize << b {
            let (low, high) = subsets.split_at_mut(1 << b);
            let len = (low[below].len() + taps.len() - 1).min(k_max + 1);
            high[below].set_filtered(&low[below], taps, 1, len);
        }
    }
}

/// Adds the terms of `m` to its stretch and carries the subset products from m to m + 1.
#[inline(always)]
fn step_subsets<R: AsRef<[f64]>>(active: &[R], m: usize, k_max: usize, weight: f64, ties: Ties, scratch: &mut Scratch) {
    let Scratch { subsets, stretches, .. } = scratch;
    let n_sets = 1usize << active.len();
    // level[S]: the probability that just the rivals in S draw level, as a factor of x^(m |S|).
    let mut level = [1.0; 1 << (SUBSETS_FROM.len() - 1)];
    for set in 1..n_sets {
        let highest = set.ilog2() as usize;
        level[set] = level[set ^ (1 << highest)] * active[highest].as_ref()[m];
    }
    let stretch = &mut stretches[active.len()];
    reserve(stretch, m + m * active.len(), k_max);
    for set in 0..n_sets {
        let tied = set.count_ones() as usize;
        let factor = weight * share(ties, tied) * level[set];
        stretch.add_scaled(m + m * tied, factor, &subsets[(n_sets - 1) ^ set]);
    }
    // Larger sets first: each draws on the smaller ones as they were.
    for size in (1..=active.len()).rev() {
        for set in (1..n_sets).filter(|set| set.count_ones() as usize == size) {
            let (smaller, larger) = subsets.split_at_mut(set);
            let product = &mut larger[0];
            reserve(product, m * size, k_max);
            let mut part = set;
            while part > 0 {
                product.add_scaled(m * part.count_ones() as usize, level[part], &smaller[set ^ part]);
                part = (part - 1) & set;
            }
        }
    }
}

/// The terms of m = 1: the power of x is the number of ties, so no integral is needed.
#[inline(always)]
fn singles<R: AsRef<[f64]>>(active: &[R], k_max: usize, weight: f64, ties: Ties, scratch: &mut Scratch) {
    let product = &mut scratch.current;
    product.set(&[weight]);
    for row in active {
        let (none, one) = (row.as_ref()[0], row.as_ref()[1]);
        if product.len() < k_max {
            product.resize(product.len() + 1);
        }
        for i in (1..product.len()).rev() {
            product[i] = product[i] * none + product[i - 1] * one;
        }
        product[0] *= none;
    }
    let stretch = &mut scratch.stretches[active.len()];
    reserve(stretch, product.len(), k_max);
    for (t, &value) in product.iter().enumerate().take(k_max) {
        stretch[t + 1] += value * share(ties, t);
    }
}

/// The terms of `m` by quadrature in y, node values side by side: element `i * nodes + q` is the coefficient of x^i
/// at node q.
#[inline(always)]
fn filters<R: AsRef<[f64]>>(
    active: &[R],
    m: usize,
    k_max: usize,
    weight: f64,
    ties: Ties,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<()> {
    let Scratch { rules, stretches, current, next, node_values, .. } = scratch;
    let rule = match ties {
        Ties::Uniform => {
            rules.resize(rules.len().max(active.len() + 1), Rule::default());
            let rule = &mut rules[active.len()];
            if rule.nodes.is_empty() {
                *rule = rule_for(active.len());
            }
            &*rule
        }
        Ties::Strict => &Rule { nodes: vec![0.0], weights: vec![1.0] },
        Ties::Any => &Rule { nodes: vec![1.0], weights: vec![1.0] },
    };
    let n_nodes = rule.nodes.len();
    // Degrees above this end beyond k_max once x^m is multiplied in.
    let most = k_max - m;
    node_values.clear();
    while node_values.len() < (most + 1) * n_nodes {
        node_values.extend_from_slice(&rule.nodes);
    }
    current.resize(n_nodes);
    current.fill(1.0);
    for row in active {
        control.check()?;
        let row = row.as_ref();
        let len = current.len();
        let out_len = (len + m * n_nodes).min((most + 1) * n_nodes);
        next.set_filtered(current, &row[..m], n_nodes, out_len);
        if let Some(level) = next.get_mut(m * n_nodes..) {
            for ((out, &value), &y) in level.iter_mut().zip(current.iter()).zip(&*node_values) {
                *out += row[m] * (y * value);
            }
        }
        std::mem::swap(current, next);
    }
    let stretch = &mut stretches[active.len()];
    reserve(stretch, m + current.len() / n_nodes - 1, k_max);
    for (i, values) in current.chunks_exact(n_nodes).enumerate() {
        let integral: f64 = values.iter().zip(&rule.weights).map(|(value, w)| value * w).sum();
        stretch[m + i] += weight * integral;
    }
    Ok(())
}

/// Multiplies each stretch by the rows of the rivals out of reach in it, and all by the silent row.
#[inline(always)]
fn combine<R: AsRef<[f64]>>(
    rivals: &[R],
    silent: &[f64],
    k_max: usize,
    scratch: &mut Scratch,
    control: &Control,
) -> Result<()> {
    let Scratch { stretches, factor, next, result, .. } = scratch;
    result.set(&stretches[0]);
    for (b, row) in rivals.iter().enumerate() {
        control.check()?;
        multiply(result, row.as_ref(), k_max, factor, next);
        let stretch = &stretches[b + 1];
        if result.len() < stretch.len() {
            result.resize(stretch.len());
        }
        result.add_scaled(0, 1.0, stretch);
    }
    multiply(result, silent, k_max, factor, next);
    Ok(())
}

/// Multiplies `result` by `row`, up to degree `k_max`.
#[inline(always)]
fn multiply(result: &mut Polynomial, row: &[f64], k_max: usize, factor: &mut Polynomial, next: &mut Polynomial) {
    if result.is_empty() || row == [1.0] {
        return;
    }
    let len = (result.len() + row.len() - 1).min(k_max + 1);
    if row.len() > result.len() {
        // The longer one is the signal.
        factor.set(row);
        next.set_filtered(factor, result, 1, len);
    } else {
        next.set_filtered(result, row, 1, len);
    }
    std::mem::swap(result, next);
}

/// Whether, with independent draws, more than `m` gold votes add nothing any more at any wanted k: the chance of that
/// many, by Chernoff's bound, is below rounding of what the stretch holds already.
#[inline(always)]
fn is_complete(rows: &RowSet<'_>, p: f64, m: usize, stretch: &[f64]) -> bool {
    if rows.silent.iter().skip(1).any(|&p| p > 0.0) {
        return false; // the stretch is not yet the result
    }
    let m = (m + 1) as f64;
    (rows.k_min..=rows.k_max).all(|k| {
        let n = k as f64;
        if m > n {
            return true;
        }
        if m <= n * p {
            return false;
        }
        let others = if m < n { (n - m) * ((n - m) / (n * (1.0 - p))).ln() } else { 0.0 };
        let tail = (-(m * (m / (n * p)).ln() + others)).exp();
        stretch.get(k).is_some_and(|&won| tail * rows.total[k] < 1e-18 * won)
    })
}
