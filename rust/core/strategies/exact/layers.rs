//! Choices after each step, where step l is right with probability `p_l` whatever came before, and a wrong one is never
//! made good: with an exact process reward a choice falls on a state that is right so far, if there is one.

use super::at_least_one;
use crate::samples::majority::laws::binomial;
use crate::strategies::{Generator, Selector, Strategy, Verifier};

/// Candidates of a layer up to which a beam is worked out: time grows with their square.
const WIDEST: u64 = 1 << 12;

/// The probability that `strategy` is right within a budget of `n` walks; NaN where no closed form is known.
pub(super) fn success(p: &[f64], strategy: &Strategy, verifier: &Verifier, n: u64) -> f64 {
    let exact_steps = verifier.process_noise == 0.0 && verifier.process_bias == 0.0;
    let is_layered =
        matches!(strategy.generator, Generator::Beam { .. } | Generator::Dvts { .. } | Generator::Stepwise { .. });
    if n == 0 || !is_layered {
        return if is_layered { 0.0 } else { f64::NAN };
    }
    match (strategy.generator, strategy.selector) {
        (Generator::Stepwise { width }, selector)
            if exact_steps && (verifier.is_perfect() || verifier.accuracy.is_some()) =>
        {
            let width = if width == 0 { n } else { width.into() };
            let (chain, chains) = (one_chain(p, width, verifier.accuracy.unwrap_or(1.0)), n / width);
            match selector {
                Selector::First if chains > 0 => chain,
                Selector::Best => verifier.accuracy.unwrap_or(1.0) * at_least_one(chain, chains as f64),
                Selector::First => 0.0,
                Selector::Majority | Selector::Weighted => f64::NAN,
            }
        }
        (Generator::Dvts { expand }, Selector::Best) if exact_steps && verifier.is_perfect() => {
            let trees = (n / u64::from(expand)).max(1);
            // Some trees have a candidate more than the others.
            let (width, wider) = (n / trees, n % trees);
            let missed = |width, trees: u64| (1.0 - one_chain(p, width, 1.0)).powf(trees as f64);
            1.0 - missed(width, trees - wider) * missed(width + 1, wider)
        }
        (Generator::Beam { expand }, Selector::Best) if exact_steps && verifier.is_perfect() && n <= WIDEST => {
            beam(p, n, expand.into())
        }
        _ => f64::NAN,
    }
}

/// Gan et al. 2025, theorem 4.6 without its last inequality: the product of `accuracy (1 - (1 - p_l)^width)`.
fn one_chain(p: &[f64], width: u64, accuracy: f64) -> f64 {
    p.iter().map(|&p| accuracy * at_least_one(p, width as f64)).product()
}

/// The chance that any of `n` candidates of the last layer is right. Of the `kept` those that are right come first.
fn beam(p: &[f64], n: u64, expand: u64) -> f64 {
    let Some((&last, layers)) = p.split_last() else { return 1.0 };
    let mut kept = 1;
    // The law of the number of kept states that are right so far.
    let mut law = vec![0.0, 1.0];
    let successors = |right: u64, kept: u64| right * (n / kept) + right.min(n % kept);
    for &p in layers {
        let next_kept = (n / expand).clamp(1, n);
        let mut next = vec![0.0; next_kept as usize + 1];
        for (right, &weight) in law.iter().enumerate().filter(|&(_, &weight)| weight > 0.0) {
            let candidates = successors(right as u64, kept) as usize;
            for (found, chance) in right_of(candidates, p) {
                next[found.min(next_kept as usize)] += weight * chance;
            }
        }
        (kept, law) = (next_kept, next);
    }
    let at_last = |right: usize| at_least_one(last, successors(right as u64, kept) as f64);
    law.iter().enumerate().map(|(right, weight)| weight * at_last(right)).sum()
}

/// How many of `n` candidates are right, with probabilities.
fn right_of(n: usize, p: f64) -> Vec<(usize, f64)> {
    // The odds of a sure step are no number.
    if p >= 1.0 { vec![(n, 1.0)] } else { binomial(n, p).into_iter().enumerate().collect() }
}
