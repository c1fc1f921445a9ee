//! The crispest memberships: combinations of the slow functions that are non-negative, sum to 1 and overlap least.
//!
//! The combinations have (k - 1)^2 free parameters; the others follow from the two conditions (Roeblitz and Weber 2013,
//! algorithm 3.12). The largest crispness is sought by the downhill simplex method (Nelder and Mead 1965), as crispness
//! has a kink wherever another state becomes the one that a membership vanishes at.

use crate::error::Result;
use crate::random::Seed;
use crate::run::Control;
use faer::Mat;
use faer::linalg::solvers::Solve;

/// Parameters up to which all are moved at once; above, those of one set at a time.
const TOGETHER: usize = 36;

/// Evaluations for each parameter that is moved.
const EVALUATIONS: usize = 150;

/// Multiplications that a round may take: about two seconds.
const WORK: f64 = 2e9;

/// Rounds over the parameters.
const ROUNDS: usize = 4;

/// Other points to climb from, and how far they lie from the first in each parameter.
const STARTS: usize = 96;
const AROUND: f64 = 0.8;

/// Gain in crispness that is worth another round, and the difference at which a search has arrived.
const WORTH: f64 = 1e-6;
const ARRIVED: f64 = 1e-8;

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Crisp {
    /// n x k, row after row.
    pub(super) memberships: Vec<f64>,
    /// k x k: the memberships are those of the start times this.
    pub(super) combination: Mat<f64>,
    pub(super) crispness: f64,
}

/// The objective: what a choice of parameters gives.
struct Objective<'a> {
    /// n x k, row after row: memberships that sum to 1, not all of them non-negative.
    start: &'a [f64],
    k: usize,
    /// start' diag(law) start and start' law.
    gram: Vec<f64>,
    weights: Vec<f64>,
}

/// The crispest memberships that combine the columns of `start`, of which those of a row sum to 1.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn optimise(start: &[f64], law: &[f64], n: usize, k: usize, control: &Control) -> Result<Crisp> {
    let objective = Objective::new(start, law, k);
    // Coordinates of the simplex themselves: no change.
    let free = k.saturating_sub(1);
    let mut point: Vec<f64> = (0..free * free).map(|i| f64::from(u8::from(i / free == i % free))).collect();
    let corners = point.clone();
    let mut value = climb(&objective, &mut point, n, control)?;
    // The objective has several summits: where it costs little, others are climbed from around the corners, and from
    // other corners.
    if (EVALUATIONS * STARTS * point.len() * n * k * k) as f64 <= WORK {
        for start in 0..STARTS as u64 {
            let mut stream = Seed::from_u64(0).stream(start);
            let mut other = if start % 2 == 0 {
                corners.iter().map(|x| x + AROUND * (2.0 * stream.uniform() - 1.0)).collect()
            } else {
                objective.at_corners(&(0..k).map(|_| stream.below(n as u64) as usize).collect::<Vec<_>>())
            };
            let reached = climb(&objective, &mut other, n, control)?;
            if reached > value + ARRIVED {
                (point, value) = (other, reached);
            }
        }
    }
    let combination = objective.combination(&point);
    let mut memberships = vec![0.0; n * k];
    for (row, from) in memberships.chunks_exact_mut(k).zip(start.chunks_exact(k)) {
        for (j, to) in row.iter_mut().enumerate() {
            *to = (0..k).map(|i| from[i] * combination[(i, j)]).sum::<f64>().max(0.0);
        }
        let total: f64 = row.iter().sum();
        for x in row {
            *x /= total;
        }
    }
    let crispness = crispness(&memberships, law, k);
    Ok(Crisp { memberships, combination, crispness })
}

/// Moves a point uphill as far as that is worth it, and returns the value there.
fn climb(objective: &Objective<'_>, point: &mut [f64], n: usize, control: &Control) -> Result<f64> {
    let (k, free) = (objective.k, objective.k.saturating_sub(1));
    let groups = if point.len() <= TOGETHER { 1 } else { free };
    let affordable = (WORK / (n * k * k) as f64) as usize / groups;
    let mut value = objective.value(point);
    if value == f64::NEG_INFINITY {
        return Ok(value);
    }
    for _ in 0..ROUNDS {
        let before = value;
        for group in 0..groups {
            // The parameters of set `group` are a column of the square of parameters.
            let moved: Vec<usize> =
                if groups == 1 { (0..point.len()).collect() } else { (0..free).map(|i| i * free + group).collect() };
            let most = (EVALUATIONS * moved.len()).min(affordable);
            // Fewer would not get beyond the first simplex.
            if most > 3 * moved.len() {
                value = ascend(objective, point, &moved, most, control)?;
            }
        }
        if value <= before + WORTH {
            break;
        }
    }
    Ok(value)
}

/// The mean membership of each set, weighed by `law`.
pub(super) fn weights(memberships: &[f64], law: &[f64], k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k];
    for (row, p) in memberships.chunks_exact(k).zip(law) {
        out.iter_mut().zip(row).for_each(|(to, x)| *to += p * x);
    }
    let total: f64 = out.iter().sum();
    for x in &mut out {
        *x /= total;
    }
    out
}

/// The mean over the sets of sum(p x^2) / sum(p x); a set without weight counts 1.
fn crispness(memberships: &[f64], law: &[f64], k: usize) -> f64 {
    let of_set = |j: usize| {
        let (mut squares, mut sum) = (0.0, 0.0);
        for (row, p) in memberships.chunks_exact(k).zip(law) {
            squares += p * row[j] * row[j];
            sum += p * row[j];
        }
        if sum > 0.0 { squares / sum } else { 1.0 }
    };
    (0..k).map(of_set).sum::<f64>() / k as f64
}

impl<'a> Objective<'a> {
    fn new(start: &'a [f64], law: &[f64], k: usize) -> Self {
        let (mut gram, mut weights) = (vec![0.0; k * k], vec![0.0; k]);
        for (row, p) in start.chunks_exact(k).zip(law) {
            for i in 0..k {
                weights[i] += p * row[i];
                (0..k).for_each(|j| gram[i * k + j] += p * row[i] * row[j]);
            }
        }
        Self { start, k, gram, weights }
    }

    /// The k x k combination that belongs to the parameters: those are what the first k - 1 columns of the start,
    /// beside the constant, contribute to the sets but the last.
    fn combination(&self, point: &[f64]) -> Mat<f64> {
        let (k, free) = (self.k, self.k - 1);
        if free == 0 {
            return Mat::identity(1, 1);
        }
        // Rows: the constant, then the columns 0 to k - 2 of the start. Columns: the sets; the last follows from the others.
        let mut a = Mat::<f64>::zeros(k, k);
        for i in 0..free {
            for j in 0..free {
                a[(i + 1, j)] = point[i * free + j];
                a[(i + 1, free)] -= point[i * free + j];
            }
        }
        let mut least = vec![f64::INFINITY; k];
        for row in self.start.chunks_exact(k) {
            for (j, least) in least.iter_mut().enumerate() {
                *least = least.min((0..free).map(|i| row[i] * a[(i + 1, j)]).sum());
            }
        }
        let total: f64 = -least.iter().sum::<f64>();
        // The constant is the sum of all columns of the start.
        Mat::from_fn(k, k, |i, j| (if i < free { a[(i + 1, j)] } else { 0.0 } - least[j]) / total)
    }

    /// The parameters of memberships that are 1 at one of some states and 0 at the others; not finite where there are
    /// none such.
    fn at_corners(&self, states: &[usize]) -> Vec<f64> {
        let (k, free) = (self.k, self.k - 1);
        let rows = Mat::from_fn(k, k, |i, j| self.start[states[i] * k + j]);
        let combination = rows.full_piv_lu().solve(Mat::<f64>::identity(k, k));
        // Columns of the start sum to 1: the last is taken off the others.
        (0..free * free).map(|i| combination[(i / free, i % free)] - combination[(free, i % free)]).collect()
    }

    fn value(&self, point: &[f64]) -> f64 {
        let k = self.k;
        if k == 1 {
            return 1.0;
        }
        let b = self.combination(point);
        let mut value = 0.0;
        for j in 0..k {
            let weight: f64 = (0..k).map(|i| self.weights[i] * b[(i, j)]).sum();
            let square: f64 =
                (0..k).map(|i| b[(i, j)] * (0..k).map(|l| self.gram[i * k + l] * b[(l, j)]).sum::<f64>()).sum();
            value += square / weight;
        }
        if value.is_finite() { value / k as f64 } else { f64::NEG_INFINITY }
    }
}

/// Moves the parameters numbered in `moved` uphill and returns the value there.
fn ascend(
    objective: &Objective<'_>,
    point: &mut [f64],
    moved: &[usize],
    most: usize,
    control: &Control,
) -> Result<f64> {
    let dimension = moved.len();
    let at = |values: &[f64], point: &[f64]| {
        let mut full = point.to_vec();
        moved.iter().zip(values).for_each(|(&i, &x)| full[i] = x);
        objective.value(&full)
    };
    let centre: Vec<f64> = moved.iter().map(|&i| point[i]).collect();
    let mut points = vec![centre];
    for i in 0..dimension {
        let mut other = points[0].clone();
        other[i] += 0.05;
        points.push(other);
    }
    let mut values: Vec<f64> = points.iter().map(|values| at(values, point)).collect();
    if dimension == 0 {
        return Ok(values[0]);
    }
    // Gao and Han 2012: steps that suit the number of dimensions.
    let d = dimension.max(2) as f64;
    let (expansion, contraction, shrinkage) = (1.0 + 2.0 / d, 0.75 - 0.5 / d, 1.0 - 1.0 / d);
    for _ in 0..most {
        control.check()?;
        let mut order: Vec<usize> = (0..=dimension).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let (best, second, worst) = (order[0], order[dimension - 1], order[dimension]);
        if values[best] - values[worst] < ARRIVED {
            break;
        }
        let mean: Vec<f64> = (0..dimension)
            .map(|i| order[..dimension].iter().map(|&o| points[o][i]).sum::<f64>() / dimension as f64)
            .collect();
        let step =
            |factor: f64| -> Vec<f64> { mean.iter().zip(&points[worst]).map(|(m, w)| m + factor * (m - w)).collect() };
        let reflected = step(1.0);
        let value = at(&reflected, point);
        let (mut next, mut next_value) = (reflected, value);
        if value > values[best] {
            let expanded = step(expansion);
            let value = at(&expanded, point);
            if value > next_value {
                (next, next_value) = (expanded, value);
            }
        } else if value <= values[second] {
            let inner = if value > values[worst] { contraction } else { -contraction };
            next = step(inner);
            next_value = at(&next, point);
            if next_value <= values[worst].max(value) {
                let centre = points[best].clone();
                for i in (0..=dimension).filter(|&i| i != best) {
                    points[i].iter_mut().zip(&centre).for_each(|(x, c)| *x = c + shrinkage * (*x - c));
                    values[i] = at(&points[i], point);
                }
                continue;
            }
        }
        points[worst] = next;
        values[worst] = next_value;
    }
    let best = (1..=dimension).fold(0, |best, i| if values[i] > values[best] { i } else { best });
    moved.iter().zip(&points[best]).for_each(|(&i, &x)| point[i] = x);
    Ok(values[best])
}
