//! The maximum of the likelihood by Newton's method, and its robust covariance.

use super::linear::{cholesky, dot, inverse, solve, sum};
use super::{Battles, pairs};
use crate::error::{Result, invalid};
use crate::machine::{Kernel, widest};
use crate::run::{Control, fill_rows};

/// Newton steps change no difference of ratings by more than this. A step of range r multiplies each curvature by at
/// most e^r, so the likelihood rises by at least 1 - (e^r - 1 - r) / r^2 of its predicted slope: above 0 up to r = 1.79,
/// hence convergence from anywhere without trying a step.
const LARGEST_STEP: f64 = 1.5;
const MOST_STEPS: usize = 400;
/// A Newton step below this leaves an error of about its square.
const LAST_STEP: f64 = 1e-8;

/// Ratings and what they were found with.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Ratings in natural units (log odds), with sum 0.
    pub rating: Vec<f64>,
    /// Newton steps taken.
    pub n_iterations: usize,
    /// Log-likelihood of the battles, without the ridge's penalty.
    pub log_likelihood: f64,
    /// Inverse of the negative Hessian (of the penalised likelihood) on ratings of sum 0, n x n.
    pub inverse: Vec<f64>,
}

/// Fits the ratings of `battles`. Costs about n^3 / 6 + 2 n^2 steps an iteration, some 6 iterations, and n^3 in the end.
///
/// # Errors
/// If `ridge` is negative or not finite, or no finite rating exists, see the [module](super); [`Error::Interrupted`].
///
/// [`Error::Interrupted`]: crate::Error::Interrupted
pub fn fit(battles: &Battles<'_>, ridge: f64, control: &Control) -> Result<Fit> {
    if !(ridge.is_finite() && ridge >= 0.0) {
        return Err(invalid("ridge", &[], ridge, "be a finite number of at least 0"));
    }
    let points = battles.points();
    if ridge == 0.0 {
        battles.connected(&points)?;
    }
    let mut newton = Newton::new(battles.n_players, ridge);
    let steps = newton.climb(&points, control)?;
    let n_iterations = steps.ok_or_else(|| {
        invalid("wins", &[], "", "have finite ratings that can be found: counts are too unequal; set ridge > 0")
    })?;
    let inverse = newton.inverse(&points, control)?;
    let log_likelihood = log_likelihood(&points, &newton.rating);
    Ok(Fit { rating: newton.rating, n_iterations, log_likelihood, inverse })
}

/// Fills `covariance` (n x n) with the robust covariance of the ratings: the inverse Hessian times the sum of the
/// squared scores of the battles times the inverse Hessian. Right for ties too, which the inverse Hessian alone is not.
/// Costs 2 n^3 steps, shared by the threads.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `covariance` is not n x n.
pub fn sandwich(battles: &Battles<'_>, fit: &Fit, covariance: &mut [f64], control: &Control) -> Result<()> {
    struct Row<'a> {
        left: &'a [f64],
        matrix: &'a [f64],
        out: &'a mut [f64],
    }
    impl Kernel for Row<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for (out, row) in self.out.iter_mut().zip(self.matrix.chunks_exact(self.left.len())) {
                *out = dot(self.left, row);
            }
        }
    }
    let n = battles.n_players;
    assert_eq!(covariance.len(), n * n, "covariance of {n} players");
    let weight = weights(&fit.rating);
    let mut squares = vec![0.0; n * n];
    for (i, j) in pairs(n) {
        let (above, below) = (i * n + j, j * n + i);
        let p = weight[i] / (weight[i] + weight[j]);
        let q = weight[j] / (weight[i] + weight[j]);
        let square =
            battles.wins[above] * q * q + battles.wins[below] * p * p + battles.tie(above) * (0.5 - p) * (0.5 - p);
        squares[above] = -square;
        squares[below] = -square;
        squares[i * n + i] += square;
        squares[j * n + j] += square;
    }
    let mut half = vec![0.0; n * n];
    let product = |left: &[f64], matrix: &[f64], out: &mut [f64]| {
        fill_rows(
            out,
            n,
            8,
            control,
            || (),
            |(), i, out| {
                widest(Row { left: &left[i * n..(i + 1) * n], matrix, out });
                Ok(())
            },
        )
    };
    product(&fit.inverse, &squares, &mut half)?;
    product(&half, &fit.inverse, covariance)
}

/// Newton's iteration with its working memory.
pub(super) struct Newton {
    pub(super) rating: Vec<f64>,
    ridge: f64,
    weight: Vec<f64>,
    step: Vec<f64>,
    matrix: Vec<f64>,
}

impl Newton {
    pub(super) fn new(n: usize, ridge: f64) -> Self {
        Self { rating: vec![0.0; n], ridge, weight: vec![1.0; n], step: vec![0.0; n], matrix: vec![0.0; n * n] }
    }

    /// Climbs from `self.rating` to the maximum; the number of steps, or None where there seems to be none.
    pub(super) fn climb(&mut self, points: &[f64], control: &Control) -> Result<Option<usize>> {
        widest(Climb { newton: self, points, control })
    }

    /// The inverse of the negative Hessian at `self.rating`, on ratings of sum 0.
    fn inverse(&mut self, points: &[f64], control: &Control) -> Result<Vec<f64>> {
        widest(Invert { newton: self, points, control })
    }

    /// Sets `self.matrix` to the Cholesky factor of the negative Hessian, shifted by a constant (returned) that makes
    /// it regular without touching ratings of sum 0.
    #[inline(always)]
    fn factorise(&mut self, points: &[f64], control: &Control) -> Result<Option<f64>> {
        let n = self.rating.len();
        let (a, b) = points.split_at(points.len() / 2);
        let (matrix, weight) = (&mut self.matrix, &self.weight);
        let mut diagonal = vec![self.ridge; n];
        let mut start = 0;
        for i in 0..n {
            let end = start + n - i - 1;
            let own = weight[i];
            let row = &mut matrix[i * n + i + 1..(i + 1) * n];
            for (((out, w), a), b) in row.iter_mut().zip(&weight[i + 1..]).zip(&a[start..end]).zip(&b[start..end]) {
                let share = own / (own + w);
                *out = (a + b) * share * (w / (own + w));
            }
            for (sum, &h) in diagonal[i + 1..].iter_mut().zip(row.iter()) {
                *sum += h;
            }
            diagonal[i] += row.iter().sum::<f64>();
            start = end;
        }
        let trace = diagonal.iter().sum::<f64>();
        let shift = if trace > 0.0 { trace / (n * n) as f64 } else { 1.0 };
        for i in 0..n {
            for j in 0..i {
                matrix[i * n + j] = shift - matrix[j * n + i];
            }
            matrix[i * n + i] = diagonal[i] + shift;
        }
        Ok(cholesky(matrix, n, control)?.then_some(shift))
    }
}

struct Climb<'a> {
    newton: &'a mut Newton,
    points: &'a [f64],
    control: &'a Control,
}

impl Kernel for Climb<'_> {
    type Output = Result<Option<usize>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { newton, points, control } = self;
        let n = newton.rating.len();
        for count in 1..=MOST_STEPS {
            fill_weights(&newton.rating, &mut newton.weight);
            gradient(points, &newton.weight, &mut newton.step);
            for (g, r) in newton.step.iter_mut().zip(&newton.rating) {
                *g -= newton.ridge * r;
            }
            if newton.factorise(points, control)?.is_none() {
                return Ok(None);
            }
            solve(&newton.matrix, n, &mut newton.step);
            let (low, high) = newton.step.iter().fold((0.0f64, 0.0f64), |(low, high), &s| (low.min(s), high.max(s)));
            let share = (LARGEST_STEP / (high - low)).min(1.0);
            for (r, s) in newton.rating.iter_mut().zip(&newton.step) {
                *r += share * s;
            }
            centre(&mut newton.rating);
            if (high - low).is_nan() {
                return Ok(None);
            }
            if high - low < LAST_STEP {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }
}

struct Invert<'a> {
    newton: &'a mut Newton,
    points: &'a [f64],
    control: &'a Control,
}

impl Kernel for Invert<'_> {
    type Output = Result<Vec<f64>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { newton, points, control } = self;
        let n = newton.rating.len();
        fill_weights(&newton.rating, &mut newton.weight);
        let Some(shift) = newton.factorise(points, control)? else {
            return Err(invalid("wins", &[], "", "have finite ratings that can be found; set ridge > 0"));
        };
        let mut inverse = inverse(&newton.matrix, n, control)?;
        // Along the constant vector the shifted matrix is n * shift + ridge: take that part out again.
        let constant = 1.0 / ((n as f64 * shift + newton.ridge) * n as f64);
        for x in &mut inverse {
            *x -= constant;
        }
        Ok(inverse)
    }
}

/// exp(rating): the odds are then ratios of weights. Far outside of what counts can say the rating is cut, so that no
/// weight is infinite.
pub(super) fn weights(rating: &[f64]) -> Vec<f64> {
    let mut weight = vec![0.0; rating.len()];
    fill_weights(rating, &mut weight);
    weight
}

/// See [`weights`].
#[inline(always)]
pub(super) fn fill_weights(rating: &[f64], weight: &mut [f64]) {
    for (w, r) in weight.iter_mut().zip(rating) {
        *w = libm::exp(r.clamp(-300.0, 300.0));
    }
}

/// The derivative of the log-likelihood by each rating. Each pair adds (points of i) P(j wins) - (points of j) P(i
/// wins) rather than points minus expected points, which would cancel for unequal players.
#[inline(always)]
pub(super) fn gradient(points: &[f64], weight: &[f64], out: &mut [f64]) {
    const LANES: usize = 16;
    let (a, b) = points.split_at(points.len() / 2);
    out.fill(0.0);
    let mut start = 0;
    for i in 0..weight.len() {
        let end = start + weight.len() - i - 1;
        let own = weight[i];
        let (head, tail) = out.split_at_mut(i + 1);
        let (a, a_rest) = a[start..end].as_chunks::<LANES>();
        let (b, b_rest) = b[start..end].as_chunks::<LANES>();
        let (w, w_rest) = weight[i + 1..].as_chunks::<LANES>();
        let (others, others_rest) = tail.as_chunks_mut::<LANES>();
        let mut lanes = [0.0; LANES];
        for (((a, b), w), other) in a.iter().zip(b).zip(w).zip(others) {
            for lane in 0..LANES {
                let gain = (a[lane] * w[lane] - b[lane] * own) / (own + w[lane]);
                lanes[lane] += gain;
                other[lane] -= gain;
            }
        }
        for (lane, (((a, b), w), other)) in a_rest.iter().zip(b_rest).zip(w_rest).zip(others_rest).enumerate() {
            let gain = (a * w - b * own) / (own + w);
            lanes[lane] += gain;
            *other -= gain;
        }
        head[i] += sum(lanes);
        start = end;
    }
}

/// Shifts `rating` to sum 0.
#[inline(always)]
pub(super) fn centre(rating: &mut [f64]) {
    let mean = rating.iter().sum::<f64>() / rating.len() as f64;
    for r in rating {
        *r -= mean;
    }
}

fn log_likelihood(points: &[f64], rating: &[f64]) -> f64 {
    let (a, b) = points.split_at(points.len() / 2);
    let mut sum = 0.0;
    for ((i, j), (a, b)) in pairs(rating.len()).zip(a.iter().zip(b)) {
        let gap = rating[i] - rating[j];
        // ln(1 + exp(-|gap|)) is lost by both; the loser of the expectation loses |gap| more.
        let loss = libm::log1p(libm::exp(-gap.abs()));
        sum -= (a + b) * loss + if gap < 0.0 { -gap * a } else { gap * b };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    /// Hunter's minorise-maximise iteration (Annals of Statistics 2004): slow, and nothing like Newton's.
    fn slow(n: usize, wins: &[f64], ties: &[f64]) -> Vec<f64> {
        let points = |i: usize, j: usize| wins[i * n + j] + ties[i * n + j] / 2.0;
        let mut w = vec![1.0; n];
        for _ in 0..20_000 {
            for i in 0..n {
                let won: f64 = (0..n).map(|j| points(i, j)).sum();
                let met: f64 = (0..n).filter(|&j| j != i).map(|j| (points(i, j) + points(j, i)) / (w[i] + w[j])).sum();
                w[i] = won / met;
            }
        }
        let mut rating: Vec<f64> = w.iter().map(|w| w.ln()).collect();
        centre(&mut rating);
        rating
    }

    fn table(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Seed::from_u64(seed).stream(0);
        let (mut wins, mut ties) = (vec![0.0; n * n], vec![0.0; n * n]);
        for (i, j) in pairs(n) {
            wins[i * n + j] = 1.0 + stream.below(30) as f64;
            wins[j * n + i] = stream.below(30) as f64 + 0.25;
            ties[i * n + j] = stream.below(5) as f64;
            ties[j * n + i] = ties[i * n + j];
        }
        (wins, ties)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn newton_finds_what_the_slow_iteration_finds(n in 2usize..7, seed in any::<u64>()) {
            let (wins, ties) = table(n, seed);
            let battles = Battles::new(n, &wins, &ties, &[]).unwrap();
            let fit = fit(&battles, 0.0, &Control::default()).unwrap();
            for (fast, slow) in fit.rating.iter().zip(slow(n, &wins, &ties)) {
                prop_assert!((fast - slow).abs() < 1e-9, "{fast} {slow}");
            }
        }
    }

    #[test]
    fn two_players_have_a_closed_form_at_any_odds() {
        for (won, lost) in [(3.0, 1.0), (1e6, 1.0), (1e12, 0.5), (1.0, 1e9)] {
            let wins = [0.0, won, lost, 0.0];
            let battles = Battles::new(2, &wins, &[], &[]).unwrap();
            let control = Control::default();
            let fit = fit(&battles, 0.0, &control).unwrap();
            let odds: f64 = won / lost;
            assert!((fit.rating[0] - fit.rating[1] - odds.ln()).abs() < 1e-12 * odds.ln().abs());
            // The variance of a log odds is 1/won + 1/lost.
            let mut covariance = [0.0; 4];
            sandwich(&battles, &fit, &mut covariance, &control).unwrap();
            let variance = covariance[0] - 2.0 * covariance[1] + covariance[3];
            assert!((variance / (1.0 / won + 1.0 / lost) - 1.0).abs() < 1e-6, "{variance}");
        }
    }

    #[test]
    fn a_ridge_makes_the_winless_finite_and_keeps_the_sum() {
        let wins = [0.0, 5.0, 5.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let battles = Battles::new(3, &wins, &[], &[]).unwrap();
        let fit = fit(&battles, 0.5, &Control::default()).unwrap();
        assert!(fit.rating[0] > fit.rating[1] && fit.rating[1] > fit.rating[2]);
        assert!(fit.rating.iter().sum::<f64>().abs() < 1e-14);
        assert!(super::fit(&battles, -1.0, &Control::default()).is_err());
    }
}
