//! How many samples are enough: plurality probabilities at any n, and the smallest n that reaches a confidence.
//!
//! Small cases come from the all-positive sums of [`majority::plurality`]. For large n one Fourier sum takes their
//! place: with independent Poisson counts of mean `n p_b` the number of samples lies within 9 sqrt(n) of n but for
//! 1e-17, so that the coefficient of x^n is found from about 9 sqrt(n) points of the unit circle, at each of which the
//! classes multiply as numbers. Its absolute error is about 1e-13.

use crate::error::{Result, invalid};
use crate::run::{Control, map_items};
use crate::samples::majority::quadrature::rule_for;
use crate::samples::majority::{self, Ties, laws, validate_law};

/// Samples a plurality is worked out for at most: the Fourier sum takes time in proportion to their number.
const MOST: i64 = 1_000_000_000;

/// The probability, for each of `n`, that answer `target` wins the plurality of n independent answers with law `p`.
///
/// What `p` lacks to 1 is the probability of no answer. Relative error about 1e-13 where the sums of
/// [`majority::plurality`] are affordable (with few answers up to n of some thousands), else absolute error 1e-13.
///
/// # Errors
/// If `p` is no law, `target` is not in it, or an n is below 1; [`Error::Interrupted`](crate::Error).
pub fn plurality_probability(
    p: &[f64],
    n: &[i64],
    target: usize,
    ties: Ties,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    validate_law(p, target)?;
    if let Some(i) = n.iter().position(|n| !(1..=MOST).contains(n)) {
        return Err(invalid("n", &[i], n[i], format!("be at least 1 and at most {MOST}")));
    }
    let largest = n.iter().copied().max().unwrap_or(0);
    if direct_cost(p, largest) <= fourier_cost(p, largest) * n.len() as f64 {
        return majority::plurality(p, n, target, ties, out, control);
    }
    for (slot, &n) in out.iter_mut().zip(n) {
        *slot = if let Some(won) = between_two(p, n as usize, target, ties) {
            won
        } else if n <= 20 {
            let mut one = [0.0];
            majority::plurality(p, &[n], target, ties, &mut one, control)?;
            one[0]
        } else {
            fourier(p, n as u64, target, ties, control)?
        };
        control.check()?;
    }
    Ok(())
}

/// With one rival and always an answer the votes are binomial: their law is cheap to write down up to some millions.
fn between_two(p: &[f64], n: usize, target: usize, ties: Ties) -> Option<f64> {
    let is_sure = (p.iter().sum::<f64>() - 1.0).abs() < 1e-12;
    if !is_sure || n > 4_000_000 || p.iter().filter(|&&p| p > 0.0).count() != 2 || p[target] <= 0.0 {
        return None;
    }
    let law = laws::binomial(n, p[target]);
    let tie = match ties {
        Ties::Uniform => 0.5,
        Ties::Strict => 0.0,
        Ties::Any => 1.0,
    };
    let level = if n.is_multiple_of(2) { tie * law[n / 2] } else { 0.0 };
    Some((law[n / 2 + 1..].iter().rev().sum::<f64>() + level).min(1.0))
}

/// The smallest n such that with n samples, and with every larger number, `target` wins the plurality (ties drawn at
/// random) with probability at least `confidence`.
///
/// Where the whole curve up to the bound of Chernoff is affordable, no n up to it is skipped; beyond, the probability
/// is taken to grow with n and the crossing is bisected.
///
/// # Errors
/// If `p` is no law, `confidence` is not in (0, 1), or `target` is not the single most probable answer and so never
/// gets there; [`Error::Interrupted`](crate::Error).
pub fn samples_for_majority(p: &[f64], target: usize, confidence: f64, control: &Control) -> Result<u64> {
    validate_law(p, target)?;
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(invalid("confidence", &[], confidence, "lie between 0 and 1"));
    }
    let first = p[target];
    let rivals = || p.iter().enumerate().filter(|&(b, &p)| b != target && p > 0.0).map(|(_, &p)| p);
    let second = rivals().fold(0.0, f64::max);
    if first <= second {
        let rule = format!("be the most probable answer; another has probability {second}");
        return Err(invalid("target", &[], format!("{target} with probability {first}"), rule));
    }
    // P(some rival has as many votes) <= sum_b (1 - (sqrt p_1 - sqrt p_b)^2)^n, no votes at all being one more rival.
    let factors: Vec<f64> = rivals().chain([0.0]).map(|p| -(first.sqrt() - p.sqrt()).powi(2)).collect();
    let surely = |n: u64| factors.iter().map(|x| (n as f64 * x.ln_1p()).exp()).sum::<f64>() <= 1.0 - confidence;
    let bound = least(1, 1 << 52, surely);
    if bound >= 1 << 50 {
        return Err(invalid("p", &[target], first, format!("exceed the next probability, {second}, by more")));
    }
    if direct_cost(p, bound as i64) < 2e9 {
        let n: Vec<i64> = (1..=bound as i64).collect();
        let mut curve = vec![0.0; n.len()];
        majority::plurality(p, &n, target, Ties::Uniform, &mut curve, control)?;
        return Ok(curve.iter().rposition(|&won| won < confidence).map_or(1, |i| i as u64 + 2));
    }
    // Brackets the crossing from below before bisecting: the cost grows with n.
    let reaches = |n: u64| -> Result<bool> {
        let mut won = [0.0];
        plurality_probability(p, &[n as i64], target, Ties::Uniform, &mut won, control)?;
        Ok(won[0] >= confidence)
    };
    let (mut low, mut high) = (0, (bound / 16).max(1));
    while high < bound && !reaches(high)? {
        (low, high) = (high, (high * 2).min(bound));
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reaches(middle)? { high = middle } else { low = middle }
    }
    Ok(high)
}

/// The smallest x in [low, high] that `holds`, or `high`, for a condition that stays true once it is.
fn least(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Multiply-adds of the direct sums for all n up to `n`, roughly.
fn direct_cost(p: &[f64], n: i64) -> f64 {
    let (rivals, n) = (p.iter().filter(|&&p| p > 0.0).count() as f64 - 1.0, n as f64);
    let tilts = 1.0 + n / 1500.0;
    let per_votes = if rivals <= 4.0 { 3f64.powf(rivals) * rivals * n } else { rivals * rivals * n * n / 8.0 };
    per_votes * (n * p.iter().copied().fold(0.0, f64::max) + 60.0).min(n) * tilts
}

/// Multiply-adds of the Fourier sum at one n, roughly.
fn fourier_cost(p: &[f64], n: i64) -> f64 {
    let (rivals, n) = (p.iter().filter(|&&p| p > 0.0).count() as f64, n as f64);
    (18.0 * n.sqrt()).min(n + 40.0) * (5.0 * n.sqrt() + 20.0) * 4.0 * rivals * (rivals / 2.0 + 1.0).min(40.0)
}

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Complex(f64, f64);

impl Complex {
    fn times(self, other: Self) -> Self {
        Self(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }

    fn plus(self, factor: f64, other: Self) -> Self {
        Self(self.0 + factor * other.0, self.1 + factor * other.1)
    }

    fn power(self, mut exponent: u32) -> Self {
        let (mut result, mut square) = (Self(1.0, 0.0), self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result.times(square);
            }
            square = square.times(square);
            exponent >>= 1;
        }
        result
    }
}

/// Rivals of one probability: how many, and `votes[m]`, the probability of m votes.
struct Group {
    count: u32,
    votes: Vec<f64>,
}

/// [`plurality_probability`] at one n by the Fourier sum.
fn fourier(p: &[f64], n: u64, target: usize, ties: Ties, control: &Control) -> Result<f64> {
    let total: f64 = p.iter().sum();
    let mean = n as f64;
    let most = (mean * p[target] + 12.0 * (mean * p[target]).sqrt() + 40.0).min(mean) as usize;
    let gold = laws::poisson(most, mean * p[target]);
    let mut rivals: Vec<f64> =
        p.iter().enumerate().filter(|&(b, &p)| b != target && p > 0.0).map(|(_, &p)| p).collect();
    let n_rivals = rivals.len();
    rivals.sort_unstable_by(f64::total_cmp);
    let groups: Vec<Group> = rivals
        .chunk_by(|a, b| a == b)
        .map(|same| Group { count: same.len() as u32, votes: laws::poisson(most, mean * same[0]) })
        .collect();
    let silent = mean * if 1.0 - total < 1e-12 { 0.0 } else { 1.0 - total };
    let (nodes, weights) = match ties {
        Ties::Uniform => {
            let rule = rule_for(n_rivals);
            (rule.nodes, rule.weights)
        }
        Ties::Strict => (vec![0.0], vec![1.0]),
        Ties::Any => (vec![1.0], vec![1.0]),
    };
    // Fewer gold votes than this have no weight: their probability is below 1e-20 of the largest.
    let largest = gold.iter().copied().fold(0.0, f64::max);
    let from = gold.iter().position(|&p| p > 1e-22 * largest).unwrap_or(0).max(1);
    let n_points = 9 * mean.sqrt().ceil() as usize + 40;
    let circle: Vec<Complex> = (0..n_points)
        .map(|j| {
            let (sin, cos) = (std::f64::consts::TAU * j as f64 / n_points as f64).sin_cos();
            Complex(cos, sin)
        })
        .collect();
    let n_points_half = n_points / 2 + 1;
    let terms = map_items(
        n_points_half,
        8,
        control,
        || (),
        |(), j| {
            let power = |m: usize| circle[(j * (m % n_points)) % n_points];
            let mut behind: Vec<Complex> = groups
                .iter()
                .map(|group| (0..from).fold(Complex(0.0, 0.0), |sum, m| sum.plus(group.votes[m], power(m))))
                .collect();
            let mut sum = Complex(0.0, 0.0);
            for (m, &weight_of_gold) in gold.iter().enumerate().skip(from) {
                let at = power(m);
                let mut integral = Complex(0.0, 0.0);
                for (&y, &weight) in nodes.iter().zip(&weights) {
                    let product = groups.iter().zip(&behind).fold(Complex(1.0, 0.0), |product, (group, &behind)| {
                        product.times(behind.plus(y * group.votes[m], at).power(group.count))
                    });
                    integral = integral.plus(weight, product);
                }
                sum = sum.plus(weight_of_gold, integral.times(at));
                for (behind, group) in behind.iter_mut().zip(&groups) {
                    *behind = behind.plus(group.votes[m], at);
                }
                if m % 64 == 0 {
                    control.check()?;
                }
            }
            // The silent samples: exp(silent (x - 1)).
            let x = power(1);
            let (sin, cos) = (silent * x.1).sin_cos();
            let growth = (silent * (x.0 - 1.0)).exp();
            let back = power(n as usize % n_points);
            let value = sum.times(Complex(growth * cos, growth * sin)).times(Complex(back.0, -back.1));
            // Points above and below the real axis are conjugates.
            let twice = if j == 0 || 2 * j == n_points { 1.0 } else { 2.0 };
            Ok(twice * value.0)
        },
    )?;
    let drawn = *laws::poisson(n as usize, mean).last().unwrap_or(&1.0);
    Ok((terms.iter().sum::<f64>() / n_points as f64 / drawn).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(p: &[f64], confidence: f64) -> u64 {
        samples_for_majority(p, 0, confidence, &Control::new(2)).unwrap()
    }

    #[test]
    fn the_fourier_sum_agrees_with_the_direct_one() {
        let cases: [&[f64]; 6] = [
            &[0.4, 0.3, 0.3],
            &[0.5, 0.5],
            &[0.55, 0.45],
            &[0.2, 0.3, 0.1, 0.1, 0.1, 0.2],
            &[0.3, 0.2, 0.2],
            &[0.05, 0.9],
        ];
        for p in cases {
            for ties in [Ties::Uniform, Ties::Strict, Ties::Any] {
                for n in [21, 100, 257] {
                    let mut direct = [0.0];
                    majority::plurality(p, &[n], 0, ties, &mut direct, &Control::default()).unwrap();
                    let fourier = fourier(p, n as u64, 0, ties, &Control::new(2)).unwrap();
                    assert!((direct[0] - fourier).abs() < 1e-12, "{p:?} {ties:?} {n}: {direct:?} {fourier}");
                    if let Some(two) = between_two(p, n as usize, 0, ties) {
                        assert!((two / direct[0] - 1.0).abs() < 1e-12, "{p:?} {ties:?} {n}: {direct:?} {two}");
                    }
                }
            }
        }
    }

    #[test]
    fn two_answers_need_the_binomial_number() {
        // Smallest odd n with P(Binomial(n, (1 + D)/2) > n/2) >= 0.95, from exact binomial sums.
        for (gap, n) in [(0.4, 17), (0.2, 67), (0.1, 269), (0.05, 1081)] {
            assert_eq!(needed(&[f64::midpoint(1.0, gap), (1.0 - gap) / 2.0], 0.95), n);
        }
    }

    #[test]
    fn three_and_more_answers() {
        assert_eq!(needed(&[0.5, 0.3, 0.2], 0.95), 54);
        assert_eq!(needed(&[0.4, 0.3, 0.1, 0.1, 0.1], 0.95), 188);
        assert_eq!(needed(&[0.35, 0.25, 0.2, 0.2], 0.95), 169);
        assert_eq!(needed(&[1.0], 0.95), 1);
        assert!(samples_for_majority(&[0.3, 0.3], 0, 0.9, &Control::default()).is_err());
    }

    #[test]
    fn one_likely_answer_among_many_equal_ones() {
        // 2D against 1/D - 2 wrong answers of probability D each.
        for (gap, n) in [(0.2, 61), (0.1, 162), (0.05, 388)] {
            let mut p = vec![gap; (1.0 / gap - 2.0f64).round() as usize + 1];
            p[0] = 2.0 * gap;
            assert_eq!(needed(&p, 0.95), n, "{gap}");
        }
    }
}
