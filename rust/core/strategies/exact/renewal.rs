//! Walks of different lengths, one after another until a budget of steps is spent: each begins where the one before it
//! came to its end, whenever that was. What they come to within b steps follows from what they come to within fewer.
//!
//! A choice among several answers is the integral of a generating function. With R right ones and W wrong ones,
//! R / (R + W) is the integral of R s^(R + W - 1) over s from 0 to 1. The mean of that is a polynomial in s with positive
//! coefficients, and a recursion finds it at each s. No sum here has terms below 0, and no digits are lost.

use super::lengths::Lengths;
use crate::error::Result;
use crate::run::Control;
use crate::samples::majority::quadrature::rule_for;
use crate::strategies::{Selector, Strategy, Verifier};
use std::cell::OnceCell;

/// Nodes of a quadrature that stand side by side.
const LANES: usize = 8;

/// Votes times steps of the longest walk, at most, where the law of a difference of votes is kept: 64 MiB.
const MOST_KEPT: f64 = 4_194_304.0;

/// Probabilities below this are left out: they are far below the last digit of what they would be added to, however many
/// there are, and processors are slow with numbers that are smaller yet.
const NEGLIGIBLE: f64 = 1e-40;

/// What is asked of the walks on one instance.
pub(super) struct Renewal<'a> {
    pub(super) lengths: &'a Lengths,
    /// In steps, ascending.
    pub(super) budgets: &'a [u64],
    /// Multiplications for a strategy, at most.
    pub(super) most: f64,
    pub(super) control: &'a Control,
    /// The probability of at least one right answer, which several strategies come to.
    pub(super) any_right: OnceCell<Vec<f64>>,
}

impl Renewal<'_> {
    /// What `strategy`, which selects among walks, comes to at each budget, up to the last one that is known and does
    /// not take too long.
    pub(super) fn curve(&self, strategy: &Strategy, verifier: &Verifier) -> Result<Vec<f64>> {
        let Lengths { right, wrong, silent, .. } = self.lengths;
        if right.iter().all(|&p| p == 0.0) {
            return Ok(vec![0.0; self.budgets.len()]);
        }
        let any_right = || match self.any_right.get() {
            Some(known) => Ok(known.clone()),
            None => self.first(right, &sum(wrong, silent)).map(|found| self.any_right.get_or_init(|| found).clone()),
        };
        let never_wrong = wrong.iter().all(|&p| p == 0.0);
        let errs_apart = verifier.noise == 0.0 && verifier.bias == 0.0 && !verifier.systematic;
        match (strategy.selector, verifier.accuracy) {
            (Selector::First, _) => Ok(self.budgets.iter().map(|&budget| within(right, budget)).collect()),
            (Selector::Best, Some(accuracy)) if never_wrong || errs_apart => Ok(scaled(&any_right()?, accuracy)),
            // Whatever is chosen is right.
            (Selector::Best, None) | (Selector::Majority | Selector::Weighted, _) if never_wrong => any_right(),
            (Selector::Weighted, _) if verifier.is_perfect() => any_right(),
            (Selector::Majority, _) if self.lengths.is_a_duel => self.duel(),
            (Selector::Best, None) if errs_apart => self.best(strategy.ends_early(verifier), verifier),
            _ => Ok(vec![]),
        }
    }

    /// The best by verdicts that err independently: one of those accepted, the first of them if that `ends_early`; or one
    /// of those refused, where none is accepted.
    fn best(&self, ends_early: bool, verifier: &Verifier) -> Result<Vec<f64>> {
        let Lengths { right, wrong, silent, .. } = self.lengths;
        let (missed, taken) = (verifier.false_negative, verifier.false_positive);
        let accepted = (scaled(right, 1.0 - missed), scaled(wrong, taken));
        let refused = (scaled(right, missed), scaled(wrong, 1.0 - taken));
        let others = sum(&sum(&refused.0, &refused.1), silent);
        let of_accepted = if ends_early || taken == 0.0 {
            self.first(&accepted.0, &others)?
        } else {
            self.share(&accepted.0, &accepted.1, &others)?
        };
        if missed == 0.0 {
            return Ok(of_accepted);
        }
        let of_refused = self.share(&refused.0, &refused.1, silent)?;
        Ok(of_accepted.iter().zip(of_refused).map(|(x, y)| x + y).collect())
    }

    /// The probability that walks of the kind `others` are followed by one of the kind `wanted` within each budget.
    fn first(&self, wanted: &[f64], others: &[f64]) -> Result<Vec<f64>> {
        let kernel: Vec<[f64; 1]> = others.iter().map(|&p| [p]).collect();
        let budgets = self.affordable(|budget| budget as f64 * kernel.len() as f64);
        let (mut run, mut at_once) = (Recursion::new(kernel.len()), 0.0);
        self.each_step(budgets, |budget| {
            at_once += at(wanted, budget);
            let found = run.next([at_once]);
            run.add(&kernel, found);
            found[0]
        })
    }

    /// The mean of R / (R + W) at each budget, if R walks of the kind `right` and W of the kind `wrong` are completed, and
    /// all others are of the kind `neutral`; 0 counts for R = 0, and where there is a walk of none of these kinds.
    fn share(&self, right: &[f64], wrong: &[f64], neutral: &[f64]) -> Result<Vec<f64>> {
        let counted = sum(right, wrong);
        let Some(shortest) = counted.iter().position(|&p| p > 0.0) else { return Ok(vec![0.0; self.budgets.len()]) };
        let horizon = self.horizon(&sum(&counted, neutral))?;
        let degree = |budget: u64| (budget / shortest as u64) as f64;
        let work = |budget: u64| {
            let budget = budget.min(horizon);
            // As many nodes as `rule_for` takes, or some more.
            let nodes = (4.0 * degree(budget).sqrt() + 9.0).min(degree(budget) / 2.0 + 1.0);
            3.0 * nodes * budget as f64 * counted.len() as f64
        };
        let budgets = self.affordable(work);
        let mut shares = vec![0.0; budgets.len()];
        let budgets = &budgets[..budgets.partition_point(|&budget| budget <= horizon)];
        let Some(&largest) = budgets.last() else { return Ok(shares) };
        let rule = rule_for(degree(largest) as usize);
        let longer = self.lengths.longer();
        let gained: Vec<[f64; LANES]> = right.iter().map(|&p| [p; LANES]).collect();
        for (nodes, weights) in rule.nodes.chunks(LANES).zip(rule.weights.chunks(LANES)) {
            // A lane without a node has a weight of 0.
            let lanes = |values: &[f64]| -> [f64; LANES] {
                std::array::from_fn(|lane| values.get(lane).copied().unwrap_or(0.0))
            };
            let (s, weights) = (lanes(nodes), lanes(weights));
            let kernel: Vec<[f64; LANES]> =
                counted.iter().zip(neutral).map(|(p, neutral)| s.map(|s| p * s + neutral)).collect();
            // The mean of s^(R + W), and that of R s^(R + W - 1).
            let (mut power, mut slope) = (Recursion::new(kernel.len()), Recursion::new(kernel.len()));
            let mut is_over = false;
            let of_nodes = self.each_step(budgets, |budget| {
                if is_over {
                    return 0.0;
                }
                let powers = power.next([at(&longer, budget); LANES]);
                let slopes = slope.next([0.0; LANES]);
                power.add(&kernel, powers);
                slope.add(&gained, powers);
                slope.add(&kernel, slopes);
                // Powers fall from here on, and bound what the slopes come to.
                is_over = powers.iter().all(|&power| power < NEGLIGIBLE);
                slopes.iter().zip(weights).map(|(slope, weight)| slope * weight).sum()
            })?;
            shares.iter_mut().zip(of_nodes).for_each(|(share, of_nodes)| *share += of_nodes);
        }
        Ok(shares)
    }

    /// The number of steps beyond which it is negligible that all walks are of kinds that make up `law`; at most the
    /// largest budget.
    fn horizon(&self, law: &[f64]) -> Result<u64> {
        let longer = self.lengths.longer();
        let kernel: Vec<[f64; 1]> = law.iter().map(|&p| [p]).collect();
        let budgets = self.affordable(|budget| budget as f64 * kernel.len() as f64);
        let Some(&largest) = budgets.last() else { return Ok(u64::MAX) };
        let mut run = Recursion::new(kernel.len());
        for step in 0..largest {
            self.control.check()?;
            let all = run.next([at(&longer, step)]);
            run.add(&kernel, all);
            if all[0] < NEGLIGIBLE {
                return Ok(step);
            }
        }
        Ok(u64::MAX)
    }

    /// The vote between a right answer and a wrong one, by the law of the difference of their votes.
    fn duel(&self) -> Result<Vec<f64>> {
        let Lengths { right, wrong, silent, .. } = self.lengths;
        let Some(shortest) = sum(right, wrong).iter().position(|&p| p > 0.0) else { return Ok(vec![]) };
        let n_rows = right.len();
        // What a walk of a length adds to the difference, plus 1.
        let moves = |law: &[f64], up: usize| -> Vec<(usize, f64, usize)> {
            law.iter().enumerate().filter(|&(_, &p)| p > 0.0).map(|(length, &p)| (length, p, up)).collect()
        };
        let moves = [moves(right, 2), moves(silent, 1), moves(wrong, 0)].concat();
        let budgets = self.affordable(|budget| {
            // Beyond some ten standard deviations the law is negligible.
            let votes = (budget / shortest as u64) as f64 + 1.0;
            let work = moves.len() as f64 * budget as f64 * votes.min(24.0 * votes.sqrt());
            if votes * n_rows as f64 > MOST_KEPT { f64::INFINITY } else { work }
        });
        let Some(&largest) = budgets.last() else { return Ok(vec![]) };
        let middle = largest as usize / shortest + 1;
        // The law of the difference when a walk ends at this very step, for as many steps as the longest walk takes; and
        // where it is not negligible.
        let mut rows = vec![(vec![0.0; 2 * middle + 1], 0..0); n_rows];
        let (longer, votes) = (self.lengths.longer(), silent.iter().map(|&p| [p]).collect::<Vec<_>>());
        let mut no_votes = Recursion::new(votes.len());
        self.each_step(budgets, |budget| {
            let step = budget as usize;
            let (mut row, mut reach) = std::mem::take(&mut rows[step % n_rows]);
            row[reach].fill(0.0);
            row[middle] = f64::from(u8::from(step == 0));
            reach = middle..middle + 1;
            for &(length, p, up) in moves.iter().filter(|&&(length, ..)| length <= step) {
                let (before, from) = &rows[(step - length) % n_rows];
                if !from.is_empty() {
                    let to = from.start + up - 1..from.end + up - 1;
                    reach = reach.start.min(to.start)..reach.end.max(to.end);
                    row[to].iter_mut().zip(&before[from.clone()]).for_each(|(to, from)| *to += p * from);
                }
            }
            while reach.end > reach.start && row[reach.end - 1] < NEGLIGIBLE {
                reach.end -= 1;
                row[reach.end] = 0.0;
            }
            while reach.end > reach.start && row[reach.start] < NEGLIGIBLE {
                row[reach.start] = 0.0;
                reach.start += 1;
            }
            rows[step % n_rows] = (row, reach);
            let silence = no_votes.next([at(&longer, budget)]);
            no_votes.add(&votes, silence);
            if budgets.binary_search(&budget).is_err() {
                return 0.0;
            }
            let (mut ahead, mut tied) = (0.0, 0.0);
            // The walk under way has taken some steps since.
            for (taken, longer) in longer.iter().take(step + 1).enumerate() {
                let (row, _) = &rows[(step - taken) % n_rows];
                ahead += longer * row[middle + 1..].iter().sum::<f64>();
                tied += longer * row[middle];
            }
            ahead + (tied - silence[0]).max(0.0) / 2.0
        })
    }

    /// The budgets, in ascending order, for which `work` is not too much.
    fn affordable(&self, work: impl Fn(u64) -> f64) -> &[u64] {
        let n = self.budgets.partition_point(|&budget| work(budget) <= self.most);
        &self.budgets[..n]
    }

    /// Calls `value` with 0, 1, 2 and so on steps; what it returns at each of `budgets`.
    fn each_step(&self, budgets: &[u64], mut value: impl FnMut(u64) -> f64) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(budgets.len());
        for step in 0..budgets.last().map_or(0, |last| last + 1) {
            self.control.check()?;
            let value = value(step);
            if step == budgets[values.len()] {
                values.push(value);
            }
        }
        Ok(values)
    }
}

/// Values x(0), x(1), ... each of which is given, but for multiples of those before it that are added.
struct Recursion<const N: usize> {
    /// What is known of the values from the present one on.
    pending: Vec<[f64; N]>,
    at: usize,
    reach: usize,
}

impl<const N: usize> Recursion<N> {
    /// Values between two moves of what is pending to the front.
    const CHUNK: usize = 256;

    /// One whose values reach `reach - 1` steps ahead.
    fn new(reach: usize) -> Self {
        // The first value comes after a move.
        Self { pending: vec![[0.0; N]; Self::CHUNK + reach], at: Self::CHUNK - 1, reach }
    }

    /// The next value: what was added to it, and `given`.
    fn next(&mut self, given: [f64; N]) -> [f64; N] {
        self.at += 1;
        if self.at == Self::CHUNK {
            self.pending.copy_within(Self::CHUNK.., 0);
            self.pending[self.reach..].fill([0.0; N]);
            self.at = 0;
        }
        let pending = self.pending[self.at];
        std::array::from_fn(|lane| given[lane] + pending[lane])
    }

    /// Adds `kernel[l] * value` to the value that is l steps ahead of the present one.
    fn add(&mut self, kernel: &[[f64; N]], value: [f64; N]) {
        for (pending, factors) in self.pending[self.at..].iter_mut().zip(kernel) {
            for lane in 0..N {
                pending[lane] += factors[lane] * value[lane];
            }
        }
    }
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn scaled(law: &[f64], factor: f64) -> Vec<f64> {
    law.iter().map(|p| p * factor).collect()
}

/// What stands at this place, 0 beyond the end.
fn at(law: &[f64], place: u64) -> f64 {
    usize::try_from(place).ok().and_then(|place| law.get(place)).copied().unwrap_or(0.0)
}

/// The sum of what is for at most `budget` steps.
fn within(law: &[f64], budget: u64) -> f64 {
    law.iter().take(usize::try_from(budget).unwrap_or(usize::MAX).saturating_add(1)).sum()
}
