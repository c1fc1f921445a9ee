//! How a walk leaves a set of states: when, and from which of them, drawn exactly at a cost that does not grow with the
//! time it stays.
//!
//! This is kinetic path sampling (Athenes and Bulatov 2014, "Path factorization approach to stochastic simulations"):
//! the states of the set are eliminated one by one, and the path is then drawn backwards. Eliminating state k adds to
//! each transition i -> j the paths that go through k,
//!
//! ```text
//! T_ij += T_ik T_kj / s_k,    s_k = sum of T_kj over j other than k that remain, and the outside,
//! ```
//!
//! so that once all are gone, the walk leaves in a single transition. Bringing them back in the opposite order, so many
//! of the transitions i -> j turn out to have gone through k (binomial), and so often has the walk, once at k, come back
//! to it before it went on (negative binomial). The number of transitions at the end is the time. Only counts are kept:
//! 10^15 returns cost as much as 10. Elimination adds, multiplies and divides positive numbers, and never subtracts, so
//! that its factors have all their digits at any metastability (Grassmann, Taksar and Heyman 1985).
//!
//! Here all transitions between i and j are split at once, among the direct one and the paths whose highest state on
//! the way is k, for all k below both. Their weights are products of two factors, so the square matrices of factors
//! are all that must be stored.

use super::counts::{binomial, geometric_sum, uniform};
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;

/// Factors of the elimination of a set of `n` states; places are the order in which they go.
#[derive(Debug)]
pub(super) struct Exits {
    n: usize,
    /// Probability of i -> k once the states below k are gone, at `i * n + k`, k < i.
    lower: Vec<f64>,
    /// Probability that the next other state is j on leaving k, once the states below k are gone, at `j * n + k`,
    /// k < j; the outside is j = n.
    upper: Vec<f64>,
    /// The transitions themselves, at `i * (n + 1) + j`; j = n is the outside.
    direct: Vec<f64>,
    /// As `upper` for the column of walks that stay for ever, in states that lead nowhere else.
    lost: Vec<f64>,
    /// Probability of leaving k for another state, and of coming back to it, once the states below are gone.
    leave: Vec<f64>,
    stay: Vec<f64>,
    /// For a walk that enters at e: as `lower` for a state before it whose only transition is to e, at `e * n + k`.
    entry: Vec<f64>,
    /// Mean time to the outside from each state; infinite where it may never be reached.
    mean: Vec<f64>,
}

/// Working memory for the counts of a path.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Places of the set, and one.
    width: usize,
    /// Transitions i -> k still to be split, at `k * width + i`, i > k; n is where the walk came from.
    into: Vec<u64>,
    /// Transitions k -> j, at `k * width + j`, j > k; n is the outside.
    out: Vec<u64>,
    visits: Vec<u64>,
    cumulated: Vec<f64>,
    /// Transitions so far: never more than there will be.
    total: u64,
}

/// How a visit to a set ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// After so many steps, the last of them from this place to the outside.
    After(u64, usize),
    /// Not within the time allowed.
    Never,
}

impl Exits {
    /// Bytes that the factors of `n` states take.
    pub(super) fn bytes(n: usize) -> usize {
        8 * (4 * n * n + 8 * n)
    }

    /// Eliminates `n` states, given their transitions among each other and, in column `n`, to the outside; rows sum
    /// to one. Cost: n^3 / 3 multiplications where no transition is missing, and n^3 / 6.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Interrupted`].
    pub(super) fn new(direct: Vec<f64>, n: usize, control: &Control) -> Result<Self> {
        let width = n + 1;
        let mut table = zeros(n * width)?;
        table.copy_from_slice(&direct);
        let (mut upper, mut entry) = (zeros(width * n)?, zeros(n * n)?);
        let (mut leave, mut stay, mut mean, mut lost) = (zeros(n)?, zeros(n)?, zeros(n)?, zeros(n)?);
        let (mut cost, mut scaled) = (vec![1.0; n], vec![0.0; width]);
        for k in 0..n {
            control.check()?;
            let (before, rest) = table.split_at_mut((k + 1) * width);
            let row = &before[k * width..];
            stay[k] = row[k];
            leave[k] = row[k + 1..].iter().sum::<f64>() + lost[k];
            lost[k] = if leave[k] > 0.0 { lost[k] / leave[k] } else { 1.0 };
            for j in k + 1..width {
                scaled[j] = if leave[k] > 0.0 { row[j] / leave[k] } else { 0.0 };
                upper[j * n + k] = scaled[j];
            }
            for (i, other) in rest.chunks_exact_mut(width).enumerate() {
                let factor = other[k];
                if factor > 0.0 {
                    for (to, &scaled) in other[k + 1..].iter_mut().zip(&scaled[k + 1..]) {
                        *to += factor * scaled;
                    }
                    lost[k + 1 + i] += factor * lost[k];
                    cost[k + 1 + i] += factor * (cost[k] / leave[k]);
                }
            }
        }
        for k in (0..n).rev() {
            // A path that may never end makes the mean infinite, not NaN.
            let further = (k + 1..n).map(|j| if upper[j * n + k] > 0.0 { upper[j * n + k] * mean[j] } else { 0.0 });
            mean[k] = further.sum::<f64>() + cost[k] / leave[k];
        }
        let mut lower = zeros(n * n)?;
        for i in 0..n {
            lower[i * n..i * n + i].copy_from_slice(&table[i * width..i * width + i]);
        }
        for e in 0..n {
            control.check()?;
            let row = &mut entry[e * n..(e + 1) * n];
            row[e] = 1.0;
            for k in e + 1..n {
                row[k] = (e..k).fold(0.0, |sum, m| sum + row[m] * upper[k * n + m]);
            }
        }
        Ok(Self { n, lower, upper, direct, lost, leave, stay, entry, mean })
    }

    /// The longest mean time to the outside.
    pub(super) fn longest(&self) -> f64 {
        self.mean.iter().copied().fold(0.0, f64::max)
    }

    /// The number of binomial draws that a long visit takes.
    pub(super) fn splits(&self) -> f64 {
        let n = self.n;
        let count =
            |slice: &[f64], step: usize, length: usize| (0..length).filter(|m| slice[m * step] > 0.0).count() as f64;
        // Paths i -> k -> j for i and j above k, with the entry and the outside among them.
        (0..n)
            .map(|k| {
                let into = if k + 1 < n { count(&self.lower[(k + 1) * n + k..], n, n - k - 1) } else { 0.0 };
                let out = count(&self.upper[(k + 1) * n + k..], n, n - k);
                (into + 1.0) * out
            })
            .sum()
    }

    /// Draws how a walk that is at place `entry` leaves the set, if it does within `allowed` steps. Takes a number of
    /// draws that depends on the path.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn draw(
        &self,
        entry: usize,
        allowed: u64,
        state: &mut [u64; 2],
        path: &mut Path,
        control: &Control,
    ) -> Result<Exit> {
        let (n, width) = (self.n, self.n + 1);
        let source = &self.entry[entry * n..(entry + 1) * n];
        path.reset(n);
        // The one transition when all are gone: from the source, row n, to the outside, column n.
        if !self.is_left(source, state) {
            return Ok(Exit::Never);
        }
        // One transition is that from the source to where the walk already is.
        let most = allowed.saturating_add(1);
        let mut last = path.split(source, &self.upper[n * n..], 0.0, 1, n, n, n, state).then_some(entry);
        for k in (0..n).rev() {
            control.check()?;
            if path.visits[k] == 0 {
                continue;
            }
            let returns = geometric_sum(state, path.visits[k], self.leave[k], self.stay[k]);
            path.total = path.total.saturating_add(returns);
            if path.total > most {
                path.clear(k + 1);
                return Ok(Exit::Never);
            }
            let (column, row) = (&self.upper[k * n..k * n + k], &self.lower[k * n..k * n + k]);
            if returns > 0 {
                path.split(row, column, self.direct[k * width + k], returns, k, k, k, state);
            }
            for other in k + 1..width {
                let count = std::mem::take(&mut path.into[k * width + other]);
                if count > 0 {
                    let (factors, direct) = if other < n {
                        (&self.lower[other * n..other * n + k], self.direct[other * width + k])
                    } else {
                        (&source[..k], f64::from(u8::from(k == entry)))
                    };
                    path.split(factors, column, direct, count, other, k, k, state);
                }
                let count = std::mem::take(&mut path.out[k * width + other]);
                if count > 0 {
                    let factors = &self.upper[other * n..other * n + k];
                    let straight = path.split(row, factors, self.direct[k * width + other], count, k, other, k, state);
                    if other == n && straight {
                        last = Some(k);
                    }
                }
                if path.total > most {
                    path.clear(k + 1);
                    return Ok(Exit::Never);
                }
                control.check()?;
            }
            path.visits[k] = 0;
        }
        Ok(Exit::After(path.total - 1, last.unwrap_or(entry)))
    }

    /// Whether the walk leaves at all: it may come to states that lead nowhere else. No draw where it cannot.
    fn is_left(&self, source: &[f64], state: &mut [u64; 2]) -> bool {
        let n = self.n;
        let onward = |column: &[f64]| source.iter().zip(column).fold(0.0, |sum, (a, b)| sum + a * b);
        let closed = onward(&self.lost);
        if closed <= 0.0 {
            return true;
        }
        let left = onward(&self.upper[n * n..]);
        binomial(state, 1, left, closed) == 1
    }
}

impl Path {
    /// Makes room for the counts of a set of `n` states. Between draws all counts are zero.
    fn reset(&mut self, n: usize) {
        self.width = n + 1;
        if self.visits.len() < n {
            self.into.resize(n * (n + 1), 0);
            self.out.resize(n * (n + 1), 0);
            self.visits.resize(n, 0);
            self.cumulated.resize(n + 1, 0.0);
        }
        self.total = 1;
    }

    /// Forgets the counts of the places below `end`.
    fn clear(&mut self, end: usize) {
        self.into[..end * self.width].fill(0);
        self.out[..end * self.width].fill(0);
        self.visits[..end].fill(0);
    }

    /// Splits `count` transitions from `from` to `to` among the direct one and the paths whose highest state is k, for
    /// all k below `end`, whose weights are `row[k] * column[k]`. Returns whether any were direct.
    #[allow(clippy::too_many_arguments)]
    fn split(
        &mut self,
        row: &[f64],
        column: &[f64],
        direct: f64,
        count: u64,
        from: usize,
        to: usize,
        end: usize,
        state: &mut [u64; 2],
    ) -> bool {
        let (row, column) = (&row[..end], &column[..end]);
        let cumulated = &mut self.cumulated[..=end];
        let mut sum = direct;
        cumulated[0] = sum;
        for k in 0..end {
            sum += row[k] * column[k];
            cumulated[k + 1] = sum;
        }
        let mut left = count;
        if count <= end as u64 + 1 {
            for _ in 0..count {
                let wanted = uniform(state) * sum;
                let at = self.cumulated[..=end].partition_point(|&sum| sum <= wanted).min(end);
                if at > 0 {
                    self.through(at - 1, 1, from, to);
                    left -= 1;
                }
            }
            return left > 0;
        }
        for k in (0..end).rev() {
            let weight = row[k] * column[k];
            if weight > 0.0 {
                let via = binomial(state, left, weight, self.cumulated[k]);
                if via > 0 {
                    self.through(k, via, from, to);
                    left -= via;
                    if left == 0 {
                        break;
                    }
                }
            }
        }
        left > 0
    }

    /// `count` transitions from `from` to `to` went through k.
    fn through(&mut self, k: usize, count: u64, from: usize, to: usize) {
        let width = self.width;
        // Sums beyond the largest time are cut: the total then is beyond it too, and the counts are not used.
        for counter in
            [&mut self.into[k * width + from], &mut self.out[k * width + to], &mut self.visits[k], &mut self.total]
        {
            *counter = counter.saturating_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    /// A ring of `n` states that stay, go on and go back, with a way out of the first of probability `leave`.
    fn ring(n: usize, leave: f64) -> Exits {
        let mut direct = vec![0.0; n * (n + 1)];
        for i in 0..n {
            direct[i * (n + 1) + i] += 0.5;
            direct[i * (n + 1) + (i + 1) % n] += 0.3;
            direct[i * (n + 1) + (i + n - 1) % n] += 0.2;
        }
        direct[n] = leave;
        direct[0] -= leave;
        Exits::new(direct, n, &Control::default()).unwrap()
    }

    #[test]
    fn mean_times_have_all_their_digits_at_any_metastability() {
        // The stationary law of the closed ring is uniform: n / leave steps from visit to visit of the way out.
        for n in [3, 10, 60] {
            for leave in [1e-3, 1e-9, 1e-30, 1e-100, 1e-290] {
                let mean = ring(n, leave).mean[0];
                assert!((mean * leave / n as f64 - 1.0).abs() < 1e-13, "{n} {leave}: {mean}");
            }
        }
    }

    #[test]
    fn times_have_the_exact_mean_and_exponential_spread() {
        let (control, mut path) = (Control::default(), Path::default());
        for (n, leave) in [(3, 1e-6), (10, 1e-13), (40, 1e-15)] {
            let exits = ring(n, leave);
            let mut state = Seed::from_u64(n as u64).state(0);
            let draws: Vec<f64> = (0..2000)
                .map(|_| match exits.draw(n / 2, u64::MAX >> 1, &mut state, &mut path, &control).unwrap() {
                    Exit::After(time, 0) => time as f64 / exits.mean[n / 2],
                    other => panic!("{other:?}"),
                })
                .collect();
            let mean = draws.iter().sum::<f64>() / 2000.0;
            let square = draws.iter().map(|x| x * x).sum::<f64>() / 2000.0;
            // 5.5 standard deviations: 1 for a time, sqrt(20) for its square.
            assert!((mean - 1.0).abs() < 5.5 / 2000f64.sqrt(), "{mean}");
            assert!((square - 2.0).abs() < 5.5 * (20.0 / 2000f64).sqrt(), "{square}");
            assert!(path.into.iter().chain(&path.out).chain(&path.visits).all(|&count| count == 0));
        }
    }

    #[test]
    fn a_time_that_is_too_long_leaves_no_counts_behind() {
        let (control, mut path) = (Control::default(), Path::default());
        let exits = ring(12, 1e-9);
        let mut state = Seed::from_u64(1).state(0);
        for allowed in [0, 1, 10, 1_000_000, 1 << 33] {
            for _ in 0..20 {
                match exits.draw(3, allowed, &mut state, &mut path, &control).unwrap() {
                    Exit::After(time, _) => assert!(time <= allowed),
                    Exit::Never => {}
                }
                assert!(path.into.iter().chain(&path.out).chain(&path.visits).all(|&count| count == 0));
            }
        }
    }

    #[test]
    fn the_order_of_splits_is_that_of_their_number() {
        assert!(ring(3, 1e-3).splits() < ring(4, 1e-3).splits());
        // Three full states: (3 + 1) ways in and out of the first that are not itself, and so on.
        let full = Exits::new(vec![0.25; 12], 3, &Control::default()).unwrap();
        assert_eq!(full.splits(), 9.0 + 4.0 + 1.0);
    }
}
