//! When to stop sampling answers to a problem: is the leading answer the one that would win in the long run?
//!
//! With v1 votes for the leader and v2 for the runner-up, and a uniform prior on the leader's share p of their votes,
//! the posterior probability that p > 1/2 is a finite binomial tail,
//!
//! ```text
//! P(p > 1/2 | v1, v2) = I_{1/2}(v2 + 1, v1 + 1) = P(Binomial(v1 + v2 + 1, 1/2) > v2)
//! ```
//!
//! (the stopping rule of adaptive consistency, Aggarwal et al. 2023). It is summed from the centre of the binomial
//! outwards, all terms positive and below one, so that no count is large enough to underflow it.

use crate::error::{Result, invalid};
use crate::rows::Rows;
use crate::run::{Control, map_items};
use std::f64::consts::PI;
use std::sync::{Mutex, OnceLock};

/// How the votes become a degree of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The posterior probability that the leader beats the runner-up. Right for one look; repeated looks inflate the
    /// error.
    Beta,
    /// One minus the level at which an e-process rejects every rival: holds at all looks together.
    EValue,
}

/// The largest count taken, so that a sum has at most some millions of terms.
const LARGEST: i64 = 1 << 40;

/// Rows of a unit of work: a row alone takes less time than handing it out.
const BLOCK: usize = 1024;

/// Counts up to here are looked up.
const TABULATED: usize = 255;

/// Above this the central binomial mass comes from its asymptotic series, whose next term is then below 1e-18.
const SERIES_FROM: u64 = 256;

/// Fills `out` with one confidence for each row of `counts`, the votes for each answer of a problem.
///
/// A row without votes has 1/2 under [`Rule::Beta`] and 0 under [`Rule::EValue`]. Cost: the columns of a row, and
/// min((v1 - v2)/2, 4.5 sqrt(v1 + v2)) multiply-adds where v1 is above 255.
///
/// # Errors
/// A negative count, or one above 2^40; [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have one element for each row.
pub fn stopping_probability(counts: &dyn Rows<i64>, rule: Rule, control: &Control, out: &mut [f64]) -> Result<()> {
    assert_eq!(out.len(), counts.n_rows(), "one result for each row");
    let n_columns = counts.n_columns();
    let rivals = n_columns.saturating_sub(1).max(1) as f64;
    let blocks: Vec<Mutex<&mut [f64]>> = out.chunks_mut(BLOCK).map(Mutex::new).collect();
    map_items(
        blocks.len(),
        1,
        control,
        || vec![0; n_columns],
        |row, block| {
            let Ok(mut out) = blocks[block].lock() else { return Ok(()) };
            for (i, out) in out.iter_mut().enumerate() {
                counts.read(block * BLOCK + i, row);
                // NaN marks a bad row, named below: which error is raised must not depend on the threads.
                *out = top_two(row).map_or(f64::NAN, |(first, second)| match rule {
                    Rule::Beta => beta(first, second),
                    Rule::EValue => 1.0 - (rivals / e_value(first, second)).min(1.0),
                });
            }
            Ok(())
        },
    )?;
    drop(blocks);
    let Some(bad) = out.iter().position(|p| p.is_nan()) else { return Ok(()) };
    let mut row = vec![0; n_columns];
    counts.read(bad, &mut row);
    let column = row.iter().position(|c| !(0..=LARGEST).contains(c)).unwrap_or(0);
    Err(invalid("counts", &[bad, column], row[column], "be from 0 to 2^40"))
}

/// The two largest counts, or None if one is out of range.
fn top_two(row: &[i64]) -> Option<(u64, u64)> {
    let (mut first, mut second, mut least) = (0, 0, 0);
    for &count in row {
        second = second.max(first.min(count));
        first = first.max(count);
        least = least.min(count);
    }
    (least >= 0 && first <= LARGEST).then_some((first as u64, second as u64))
}

/// P(p > 1/2) for `first` >= `second` votes.
fn beta(first: u64, second: u64) -> f64 {
    if first as usize <= TABULATED {
        let row = first as usize;
        return table()[row * (row + 1) / 2 + second as usize];
    }
    tail(first, second).0
}

/// The one-sided e-process against "the leader's share is at most 1/2" with a uniform prior on shares above it:
/// 2 P(p > 1/2) / ((n + 1) C(n, v2) 2^-n), n = v1 + v2.
///
/// Under the null each vote multiplies the integrand by at most 1 on average, so by Ville's inequality it ever
/// reaches 1/alpha with probability at most alpha.
fn e_value(first: u64, second: u64) -> f64 {
    let (probability, mass) = tail(first, second);
    let n = (first + second) as f64;
    // C(n, v2) 2^-n from C(n + 1, v2) 2^-(n + 1), which the sum has at hand.
    let mass = mass * 2.0 * (n + 1.0 - second as f64) / (n + 1.0);
    2.0 * probability / ((n + 1.0) * mass)
}

/// P(Binomial(N, 1/2) > second) for N = first + second + 1, and the mass at `second`, or a number below 1e-17 that is
/// no less.
fn tail(first: u64, second: u64) -> (f64, f64) {
    let (n, lead) = (first + second + 1, first - second);
    // Hoeffding: the other tail is below exp(-lead^2 / (2 n)) < 1e-17.
    if u128::from(lead).pow(2) > 80 * u128::from(n) {
        return (1.0, 1e-18);
    }
    let centre = n / 2;
    let mut mass = central(centre);
    let mut sum = 0.5;
    if n % 2 == 1 {
        mass *= n as f64 / (n + 1) as f64;
    } else {
        sum -= mass / 2.0;
    }
    let mut j = centre;
    while j > second && mass > 1e-18 {
        sum += mass;
        mass *= j as f64 / (n - j + 1) as f64;
        j -= 1;
    }
    (sum.min(1.0), mass)
}

/// C(2m, m) / 4^m.
fn central(m: u64) -> f64 {
    if m < SERIES_FROM {
        return (1..=m).fold(1.0, |c, i| c * ((2 * i - 1) as f64 / (2 * i) as f64));
    }
    let x = 1.0 / m as f64;
    let series =
        1.0 + x * (-1.0 / 8.0 + x * (1.0 / 128.0 + x * (5.0 / 1024.0 + x * (-21.0 / 32768.0 - x * 399.0 / 262_144.0))));
    series / (PI * m as f64).sqrt()
}

/// P(p > 1/2) for all second <= first <= `TABULATED`, row `first` after row `first - 1`.
///
/// Conditioning on one of the N coin flips, P(v1, v2) is the mean of P(v1 - 1, v2) and P(v1, v2 - 1).
fn table() -> &'static [f64] {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<f64> = Vec::with_capacity((TABULATED + 1) * (TABULATED + 2) / 2);
        let mut none = 1.0;
        for first in 0..=TABULATED {
            none /= 2.0;
            table.push(1.0 - none);
            let above = table.len() - 1 - first; // P(first - 1, 0)
            for second in 1..=first {
                let left = table[table.len() - 1];
                table.push(if second == first { 0.5 } else { f64::midpoint(left, table[above + second]) });
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Matrix;
    use proptest::prelude::*;

    fn probabilities(counts: &[i64], columns: usize, rule: Rule) -> Result<Vec<f64>> {
        let rows = counts.len() / columns;
        let mut out = vec![0.0; rows];
        stopping_probability(&Matrix::new(counts, rows, columns), rule, &Control::new(2), &mut out)?;
        Ok(out)
    }

    #[test]
    fn golden_values() {
        let found = probabilities(&[12, 8, 0, 600, 0, 500, 3, 3, 1, 0, 0, 0], 3, Rule::Beta).unwrap();
        for (found, expected) in found.iter().zip([0.808_344_841, 0.998_717_614, 0.5, 0.5]) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn a_million_votes_neither_underflow_nor_stall() {
        let found = probabilities(&[1_000_000, 0, 500_000, 500_000, 501_000, 499_000], 2, Rule::Beta).unwrap();
        // A lead of 2000 in 10^6 is two standard deviations: Phi(2) up to the continuity correction.
        assert_eq!(&found[..2], &[1.0, 0.5]);
        assert!((found[2] - 0.977_249_87).abs() < 1e-4, "{}", found[2]);
    }

    #[test]
    fn the_table_and_the_sum_agree() {
        for first in 0..=TABULATED as u64 {
            for second in 0..=first {
                let (sum, _) = tail(first, second);
                assert!((beta(first, second) - sum).abs() < 1e-13, "{first} {second}");
            }
        }
    }

    #[test]
    fn the_series_meets_the_product() {
        let product = (1..=SERIES_FROM).fold(1.0, |c, i| c * ((2 * i - 1) as f64 / (2 * i) as f64));
        assert!((central(SERIES_FROM) / product - 1.0).abs() < 1e-14);
    }

    #[test]
    fn the_first_bad_count_is_named() {
        let error = probabilities(&[1, 2, 3, -4, -5, 6], 2, Rule::Beta).unwrap_err();
        assert_eq!(error.to_string(), "counts[1, 1] must be from 0 to 2^40, got -4");
    }

    proptest! {
        #[test]
        fn more_lead_is_more_confidence(first in 0u64..5000, second in 0u64..5000) {
            let (first, second) = (first.max(second), first.min(second));
            prop_assert!(beta(first + 1, second) >= beta(first, second) - 1e-12);
            prop_assert!((0.5 - 1e-12..=1.0).contains(&beta(first, second)));
        }

        #[test]
        fn the_e_value_is_the_mixture_integral(first in 0u64..30, second in 0u64..30) {
            let (first, second) = (first.max(second), first.min(second));
            let steps = 4000;
            let integral: f64 = (0..steps).map(|i| {
                let p = 0.5 + (f64::from(i) + 0.5) / (2.0 * f64::from(steps));
                (2.0 * p).powi(first as i32) * (2.0 * (1.0 - p)).powi(second as i32) / f64::from(steps)
            }).sum();
            prop_assert!((e_value(first, second) / integral - 1.0).abs() < 1e-4);
        }
    }
}
