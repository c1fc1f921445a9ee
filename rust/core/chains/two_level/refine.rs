//! Rounds of residual, levels and deviations, until rounding is all that is left.

use super::coarse::Levels;
use super::krylov::{self, Limits};
use super::operator::Operator;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;

/// Part to which the residual is brought in a round.
const REDUCTION: f64 = 1e-5;

/// Products in a round.
const ROUND_STEPS: u64 = 2000;

/// Rounds at most.
const ROUNDS: u64 = 40;

/// A round that leaves more than this part of the residual was the last.
const STALLED: f64 = 0.3;

/// Ratio of the residuals of two sets up to which conjugate gradients, which look at all sets together, do for both.
const EVEN: f64 = 1e3;

/// The least ratio whose square is no trouble.
const LEAST: f64 = 1e-140;

/// Residuals below this part of the summands are not worth another method.
const NEARLY: f64 = 1e-13;

/// Residuals below this part of the summands they are made of are rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// A solution in two parts, and what is left of its equations.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) levels: Levels,
    pub(super) deviation: Vec<f64>,
    /// Cost less flow, for each state.
    pub(super) residual: Vec<f64>,
    /// The largest summands of the equations of each set, divided by the leave probabilities.
    pub(super) summands: Vec<f64>,
    /// Products with the matrix.
    pub(super) n_steps: u64,
}

impl Parts {
    /// The largest residual relative to the summands of its set; NaN if any is.
    pub(super) fn left(&self, operator: &Operator<'_>) -> f64 {
        let states = self.residual.iter().zip(&operator.leave).zip(&operator.sets.of);
        largest(states.map(|((&r, leave), &set)| {
            let size = r.abs() / leave;
            if size == 0.0 { 0.0 } else { size / self.summands[set as usize] }
        }))
    }
}

/// Digits of the residual, as the items of the job; those of small systems count for nothing.
struct Progress<'a> {
    control: &'a Control,
    total: u64,
    done: u64,
}

impl<'a> Progress<'a> {
    fn new(operator: &Operator<'_>, control: &'a Control) -> Self {
        let total = if operator.direct.is_some() { 0 } else { 16 };
        control.expect(total);
        Self { control, total, done: 0 }
    }

    fn reach(&mut self, left: f64) {
        let digits = (-left.log10()).clamp(0.0, self.total as f64) as u64;
        self.control.advance(digits.saturating_sub(self.done));
        self.done = self.done.max(digits);
    }
}

/// How the deviations are found, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Elimination,
    ConjugateGradients,
    MinimalResiduals,
    BiCgStab,
}

impl Method {
    fn next(self) -> Option<Self> {
        match self {
            Self::Elimination | Self::ConjugateGradients => Some(Self::MinimalResiduals),
            Self::MinimalResiduals => Some(Self::BiCgStab),
            Self::BiCgStab => None,
        }
    }
}

/// Adds to `x` deviations that make the residual `r` smaller. Returns the number of products.
fn step(
    operator: &Operator<'_>,
    method: Method,
    r: &mut [f64],
    summands: &[f64],
    x: &mut [f64],
    control: &Control,
) -> Result<u64> {
    let limits = Limits { reduction: REDUCTION, n_steps: ROUND_STEPS };
    if let (Some(within), Method::Elimination) = (&operator.direct, method) {
        let mut both: Vec<f64> = room(2 * r.len())?;
        both.extend(r.iter().map(|&r| r.max(0.0)));
        both.extend(r.iter().map(|&r| (-r).max(0.0)));
        within.solve(&mut both, control)?;
        let (positive, negative) = both.split_at(r.len());
        x.iter_mut().zip(positive).zip(negative).for_each(|((x, p), q)| *x = p - q);
        return Ok(0);
    }
    let scales = scales(operator, r, summands);
    let even = || largest(scales.iter().map(|scale| 1.0 / scale)) <= EVEN;
    if let (Some(weights), Method::ConjugateGradients, true) = (&operator.symmetric, method, even()) {
        return krylov::conjugate_gradients(operator, weights, r, x, limits, control);
    }
    let units = units(operator, &scales)?;
    if method == Method::BiCgStab {
        return krylov::bicgstab(operator, &units, r, x, limits, control);
    }
    krylov::minimal_residuals(operator, &units, r, x, limits, control)
}

/// The size of the residual of each set, or of the rounding in it, relative to the largest of all.
fn scales(operator: &Operator<'_>, residual: &[f64], summands: &[f64]) -> Vec<f64> {
    let mut scales: Vec<f64> = summands.iter().map(|summand| ROUNDING * summand).collect();
    for ((r, &leave), &set) in residual.iter().zip(&operator.leave).zip(&operator.sets.of) {
        scales[set as usize] = scales[set as usize].max(r.abs() / leave);
    }
    let most = largest(scales.iter().copied());
    scales.iter().map(|&scale| if scale > 0.0 { (scale / most).max(LEAST) } else { 1.0 }).collect()
}

/// What makes the residuals of all sets count alike, though those of one may be smaller by any factor.
fn units(operator: &Operator<'_>, scales: &[f64]) -> Result<Vec<f64>> {
    let mut units = room(operator.leave.len())?;
    for ((weight, leave), &set) in operator.weights.iter().zip(&operator.leave).zip(&operator.sets.of) {
        units.push((weight * leave).sqrt() / scales[set as usize]);
    }
    Ok(units)
}

/// The largest of some numbers, NaN if any is.
pub(super) fn largest(mut numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.try_fold(0.0, |most: f64, x| if x.is_nan() { Err(x) } else { Ok(most.max(x)) }).unwrap_or_else(|nan| nan)
}

/// The solution for a cost of any signs, until no residual exceeds the part `target` of the cost of its state, or as good
/// as rounding or the conditions allow; its residual tells how good.
pub(super) fn refine(operator: &Operator<'_>, cost: &[f64], target: f64, control: &Control) -> Result<Parts> {
    let n = cost.len();
    let levels = operator.coarse.zeros(operator.sets.n);
    let summands = vec![0.0; operator.sets.n];
    let mut now = Parts { levels, deviation: zeros(n)?, residual: zeros(n)?, summands, n_steps: 0 };
    let (mut best, mut least) = (now.clone(), f64::INFINITY);
    best.residual.copy_from_slice(cost);
    let mut method = if operator.direct.is_some() { Method::Elimination } else { Method::ConjugateGradients };
    let mut progress = Progress::new(operator, control);
    for _ in 0..ROUNDS {
        now.summands = operator.residual(&now.levels, &now.deviation, cost, &mut now.residual, control)?;
        let mut sums = operator.sums(&now.residual);
        let levels = operator.project(&mut now.residual, &mut sums, control)?;
        now.levels.add(&levels);
        operator.coarse.sizes(&now.levels, &operator.leave, &mut now.summands);
        let left = now.left(operator);
        let stalled = left.is_nan() || left > STALLED * least;
        if left < least {
            progress.reach(left);
            least = left;
            best.clone_from(&now);
        }
        let reached = |(r, cost): (&f64, &f64)| r.abs() <= target * cost;
        if least <= ROUNDING || now.residual.iter().zip(cost).all(reached) {
            break;
        }
        if stalled {
            let Some(other) = method.next().filter(|_| least > NEARLY) else { break };
            method = other;
            let n_steps = now.n_steps;
            now.clone_from(&best);
            now.n_steps = n_steps;
            sums = operator.sums(&now.residual);
        }
        operator.free(&mut now.residual, &sums);
        let mut x = zeros(n)?;
        now.n_steps += step(operator, method, &mut now.residual, &now.summands, &mut x, control)?;
        let means = operator.means(&x);
        for ((deviation, x), &set) in now.deviation.iter_mut().zip(&x).zip(&operator.sets.of) {
            *deviation += x - means[set as usize];
        }
        now.levels.shift(&means);
    }
    best.summands = operator.residual(&best.levels, &best.deviation, cost, &mut best.residual, control)?;
    best.n_steps = now.n_steps;
    progress.reach(0.0);
    Ok(best)
}
