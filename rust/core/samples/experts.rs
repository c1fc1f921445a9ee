//! Online learning over experts: Hedge and its regret.
//!
//! Hedge (Freund & Schapire 1997) plays expert i in round t with weight proportional to `exp(-eta L_i)`, where `L_i`
//! is the loss of i in the rounds before. With losses in [0, 1] and `eta = sqrt(8 ln N / T)` its expected loss exceeds
//! that of the best of N experts by at most `sqrt(T ln N / 2)` after T rounds, whatever the losses are.

// `widest` compiles the inlined loops once for each instruction set.
#![allow(clippy::inline_always)]

use crate::error::{Result, invalid};
use crate::machine;
use crate::rows::Rows;
use crate::run::{Control, map_items};
use std::sync::Mutex;

/// Where [`hedge`] puts its results: R runs of T rounds with N experts, all row-major.
#[derive(Debug)]
pub struct HedgeOutput<'a> {
    /// The weights of each round, (R, T, N); None does not store them.
    pub weights: Option<&'a mut [f64]>,
    /// The expected loss of each round, (R, T).
    pub expected_loss: &'a mut [f64],
    /// The expected loss so far less that of the best expert so far, (R, T).
    pub regret: &'a mut [f64],
}

/// The slices one run fills.
type Run<'a> = (Option<&'a mut [f64]>, &'a mut [f64], &'a mut [f64]);

/// Plays Hedge on `n_runs` independent runs: row `r * T + t` of `losses` holds what each expert loses in round t of
/// run r.
///
/// Time: T N exponentials a run; runs are shared out to threads. Losses so far are kept less their minimum, so that
/// the weights stay accurate after any number of rounds.
///
/// # Errors
/// A loss outside [0, 1] or NaN, named by its run (if `runs_named`), round and expert.
///
/// # Panics
/// If the outputs do not have the sizes given with [`HedgeOutput`].
pub fn hedge(
    losses: &dyn Rows<f64>,
    n_runs: usize,
    runs_named: bool,
    learning_rate: f64,
    control: &Control,
    out: HedgeOutput<'_>,
) -> Result<()> {
    let (n_rows, n_experts) = (losses.n_rows(), losses.n_columns());
    if n_runs == 0 || n_rows == 0 || n_experts == 0 {
        return control.check();
    }
    let n_rounds = n_rows / n_runs;
    assert_eq!(n_rows, n_rounds * n_runs, "every run has the same number of rounds");
    assert_eq!((out.expected_loss.len(), out.regret.len()), (n_rows, n_rows), "one result for each round");
    let mut weights = out.weights.map(|weights| {
        assert_eq!(weights.len(), n_rows * n_experts, "one weight for each loss");
        weights.chunks_mut(n_rounds * n_experts)
    });
    let results = out.expected_loss.chunks_mut(n_rounds).zip(out.regret.chunks_mut(n_rounds));
    let runs: Vec<Mutex<Option<Run>>> = results
        .map(|(expected, regret)| Mutex::new(Some((weights.as_mut().and_then(Iterator::next), expected, regret))))
        .collect();
    let bad = map_items(
        n_runs,
        1,
        control,
        || Player::new(n_experts, learning_rate),
        |player, run| {
            let Some((mut weights, expected_loss, regret)) = runs[run].lock().map_or(None, |mut run| run.take()) else {
                return Ok(None);
            };
            player.reset();
            let (mut total, mut best) = (0.0, 0.0);
            for round in 0..n_rounds {
                if round % 1024 == 0 {
                    control.check()?;
                }
                losses.read(run * n_rounds + round, &mut player.losses);
                let (expected, least, valid) = machine::widest(Round(player));
                if !valid {
                    return Ok(Some(round));
                }
                total += expected;
                best += least;
                expected_loss[round] = expected;
                regret[round] = total - best;
                if let Some(weights) = &mut weights {
                    weights[round * n_experts..(round + 1) * n_experts].copy_from_slice(&player.weights);
                }
            }
            Ok(None)
        },
    )?;
    let Some((run, round)) = bad.iter().enumerate().find_map(|(run, round)| round.map(|round| (run, round))) else {
        return Ok(());
    };
    let mut row = vec![0.0; n_experts];
    losses.read(run * n_rounds + round, &mut row);
    let expert = row.iter().position(|loss| !(0.0..=1.0).contains(loss)).unwrap_or(0);
    let index = [run, round, expert];
    Err(invalid("losses", &index[usize::from(!runs_named)..], row[expert], "be from 0 to 1"))
}

/// The state of one run.
struct Player {
    learning_rate: f64,
    /// Losses of this round.
    losses: Vec<f64>,
    /// Losses before this round, less their minimum.
    behind: Vec<f64>,
    /// Weights of this round.
    weights: Vec<f64>,
}

impl Player {
    fn new(n_experts: usize, learning_rate: f64) -> Self {
        let zeros = || vec![0.0; n_experts];
        Self { learning_rate, losses: zeros(), behind: zeros(), weights: zeros() }
    }

    fn reset(&mut self) {
        self.behind.fill(0.0);
    }
}

/// One round: weights from the losses before, then the losses of this round. Gives the expected loss, by how much the
/// best expert's loss grew, and whether all losses were in [0, 1].
struct Round<'a>(&'a mut Player);

/// Sums run over this many lanes in turn, so that their order does not depend on the width of the machine's vectors.
const LANES: usize = 8;

impl machine::Kernel for Round<'_> {
    type Output = (f64, f64, bool);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Player { learning_rate, losses, behind, weights } = self.0;
        let rate = *learning_rate;
        for (weight, behind) in weights.iter_mut().zip(&*behind) {
            *weight = exp_of_minus(rate * behind);
        }
        let scale = 1.0 / sum(weights);
        let mut valid = true;
        for ((weight, behind), &loss) in weights.iter_mut().zip(&mut *behind).zip(&*losses) {
            *weight *= scale;
            *behind += loss;
            valid &= (0.0..=1.0).contains(&loss);
        }
        let expected = dot(weights, losses);
        let least = least(behind);
        for behind in behind.iter_mut() {
            *behind -= least;
        }
        (expected, least, valid)
    }
}

/// The sum in a fixed order: every `LANES`-th element, then the lanes, then the rest.
#[inline(always)]
fn sum(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

/// The inner product, summed as by [`sum`].
#[inline(always)]
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let ((chunks, rest), (others, other_rest)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (chunk, other) in chunks.iter().zip(others) {
        for ((lane, x), y) in lanes.iter_mut().zip(chunk).zip(other) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().zip(other_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// The least element.
#[inline(always)]
fn least(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f64::INFINITY; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value < *lane { value } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f64::INFINITY, f64::min)
}

/// exp(-x) for x >= 0 within 1.5 units in the last place, 0 from 708 on; plain arithmetic, so that it is the same on
/// every machine and runs in vector lanes.
#[inline(always)]
fn exp_of_minus(x: f64) -> f64 {
    // ln 2 in two parts, the first with trailing zeros so that its multiples are exact (Cody and Waite).
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    /// Adding it rounds to a whole number, held in the low bits of the sum.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let y = -if x < 708.0 { x } else { 708.0 };
    let shifted = y * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (y - whole * HIGH) - whole * LOW;
    // The Taylor series on |r| <= ln(2)/2: the first term left out is below 2^-58 relative.
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0] {
        p = p * r + 1.0 / c;
    }
    let p = p * r * r + r + 1.0;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x < 708.0 { p * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Matrix;
    use proptest::prelude::*;

    fn play(losses: &[f64], n_runs: usize, n_experts: usize, rate: f64, threads: usize) -> Result<[Vec<f64>; 3]> {
        let n_rows = losses.len() / n_experts;
        let mut out = [vec![0.0; losses.len()], vec![0.0; n_rows], vec![0.0; n_rows]];
        let [weights, expected_loss, regret] = &mut out;
        let matrix = Matrix::new(losses, n_rows, n_experts);
        let output = HedgeOutput { weights: Some(weights), expected_loss, regret };
        hedge(&matrix, n_runs, true, rate, &Control::new(threads), output)?;
        Ok(out)
    }

    #[test]
    fn two_experts_by_hand() {
        let [weights, expected, regret] = play(&[1.0, 0.0, 1.0, 0.0], 1, 2, 2.0f64.ln(), 1).unwrap();
        for (found, by_hand) in weights.iter().zip([0.5, 0.5, 1.0 / 3.0, 2.0 / 3.0]) {
            assert!((found - by_hand).abs() < 1e-15);
        }
        assert!((expected[1] - 1.0 / 3.0).abs() < 1e-15 && (regret[1] - 5.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn the_first_bad_loss_is_named_for_any_number_of_threads() {
        let mut losses = vec![0.5; 2 * 3 * 4];
        losses[22] = f64::NAN;
        losses[6] = 1.5;
        for threads in [1, 2, 7] {
            let error = play(&losses, 2, 4, 1.0, threads).unwrap_err();
            assert_eq!(error.to_string(), "losses[0, 1, 2] must be from 0 to 1, got 1.5");
        }
    }

    #[test]
    fn the_own_exponential_is_accurate() {
        for i in 0..200_000 {
            let x = f64::from(i) * 0.003_539;
            let (own, library) = (exp_of_minus(x), (-x).exp());
            assert!((own - library).abs() <= 4e-16 * library, "{x}: {own} {library}");
        }
        assert_eq!((exp_of_minus(0.0), exp_of_minus(709.0), exp_of_minus(f64::INFINITY)), (1.0, 0.0, 0.0));
    }

    proptest! {
        #[test]
        fn weights_are_a_distribution_and_regret_is_bounded(
            losses in proptest::collection::vec(0.0f64..=1.0, 17 * 40), threads in 1usize..4
        ) {
            let rate = (8.0 * 17f64.ln() / 40.0).sqrt();
            let [weights, _, regret] = play(&losses, 1, 17, rate, threads).unwrap();
            for row in weights.chunks(17) {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            }
            prop_assert!(regret[39] <= (40.0 * 17f64.ln() / 2.0).sqrt() + 1e-12);
        }
    }
}
