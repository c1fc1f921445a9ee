//! Distillation: a chain over clusters whose time is rescaled, so that it leaves each of them in a few steps however
//! seldom the chain it was learned from does (Kim et al. 2025, Algorithm 4).

use super::softmax;
use crate::chains::matrix::MarkovChain;
use crate::error::{Result, invalid};
use crate::run::Control;
use libm::log;

/// `meta` with `beta` added to the logits of all transitions between different states: their odds against staying are
/// multiplied by e^beta, and among themselves they stay what they are.
///
/// A probability of staying that falls below 5e-324 is 0. Cost: O(transitions).
///
/// # Errors
/// If `beta` is not finite; [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn rescale(meta: &MarkovChain, beta: f64, control: &Control) -> Result<MarkovChain> {
    if !beta.is_finite() {
        return Err(invalid("beta", &[], beta, "be finite"));
    }
    let mut logits = Vec::with_capacity(meta.n_transitions());
    for state in 0..meta.n_states() as u32 {
        let row = meta.row(state).iter();
        logits.extend(row.map(|(target, p)| log(p) + if target == state { 0.0 } else { beta }));
    }
    softmax::policy(meta, &logits, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;
    use crate::rows::Matrix;

    #[test]
    fn leaving_takes_two_steps_and_where_to_stays_the_same() {
        for epsilon in [1e-1, 1e-12, 1e-200] {
            let rows = [1.0 - epsilon, 0.75 * epsilon, 0.25 * epsilon, epsilon, 1.0 - epsilon, 0.0, 0.0, 0.0, 1.0];
            let matrix = Matrix::new(&rows, 3, 3);
            let meta = MarkovChain::from_dense(&matrix, Meaning::Probabilities, &Control::default()).unwrap();
            let found = rescale(&meta, -f64::ln(epsilon), &Control::default()).unwrap();
            let row = found.row(0);
            assert!((row.probability(1) / row.probability(2) - 3.0).abs() < 1e-12);
            let stays = (1.0 - epsilon) / (2.0 - epsilon);
            assert!((row.probability(0) - stays).abs() < 1e-12, "{}", row.probability(0));
            assert_eq!(found.row(2).targets, [2]);
        }
    }
}
