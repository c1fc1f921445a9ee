//! Which method solves a system, and whether what elimination found in f64 can be trusted.

use super::careful::Careful;
use super::reach::reaching;
use super::wide::Wide;
use crate::chains::elimination::Factors;
use crate::chains::system::{System, zeros};
use crate::error::Result;
use crate::run::Control;
use std::sync::OnceLock;

/// How a system is to be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By elimination where that is cheap, else by iteration, else by elimination after all.
    Auto,
    /// By subtraction-free elimination.
    Elimination,
    /// By the two-level iteration.
    Iterative,
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// How to solve.
    pub method: Method,
    /// The largest residual that an iteration may leave, relative to the right sides.
    pub tolerance: f64,
}

/// How a result was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The transitions alone settled it.
    Reachability,
    /// By elimination.
    Elimination,
    /// By iteration.
    Iterative,
}

/// How a result was found, and how well it satisfies its equations.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The method that was taken in the end.
    pub taken: Taken,
    /// The largest residual of an iteration; NaN where there was none.
    pub residual: f64,
    /// Steps of the iteration.
    pub n_steps: u64,
}

impl Report {
    /// Of a result for which no system was solved.
    pub(super) const SETTLED: Self = Self { taken: Taken::Reachability, residual: f64::NAN, n_steps: 0 };

    /// Of a result of elimination.
    pub(super) const ELIMINATED: Self = Self { taken: Taken::Elimination, ..Self::SETTLED };
}

/// What the products of a system of n states that fall below the range of f64 can add up to, over the square of n,
/// with 1e-18 of it to spare: each is wrong by 5e-324 at most.
const LOST_PRODUCTS: f64 = 1e-305;

/// A system whose states are eliminated: in f64, and again in numbers of unlimited range for results that the f64 may
/// have spoiled.
///
/// A product that underflows acts as if the transition that it is added to were changed by less than 5e-324. What
/// that does to a result follows from how long walks stay, so that it can be told afterwards whether it matters. It hardly
/// ever does: the bounds below are passed where the largest mean time, over the smallest entry of the
/// result, stays under about 1e300 / n^2.
pub(super) struct Eliminated<'a> {
    system: &'a System,
    factors: Factors,
    longest: OnceLock<f64>,
    careful: OnceLock<Careful>,
}

impl<'a> Eliminated<'a> {
    pub(super) fn new(system: &'a System, control: &Control) -> Result<Self> {
        let factors = Factors::new(system, control)?;
        Ok(Self { system, factors, longest: OnceLock::new(), careful: OnceLock::new() })
    }

    /// As [`Factors::solve`], for one column, with each entry right that f64 can hold.
    pub(super) fn solve(&self, column: &mut [f64], control: &Control) -> Result<()> {
        let right = column.to_vec();
        self.factors.solve(column, control)?;
        if !self.trusted(&right, column, control)? {
            let x = self.careful(control)?.solve(&right, control)?;
            for (to, x) in column.iter_mut().zip(x) {
                *to = x.value();
            }
        }
        Ok(())
    }

    /// As [`Factors::visits`], for one row, with all digits of each entry.
    pub(super) fn visits(&self, row: &[Wide], control: &Control) -> Result<Vec<Wide>> {
        if let Some(visits) = self.plain_visits(row, control)? {
            return Ok(visits);
        }
        self.careful(control)?.visits(row, control)
    }

    /// The visits as f64 finds them, where it can.
    ///
    /// What is lost of a transition from i to j changes those of k, in proportion, by at most the visits of i, times what
    /// was lost, times the longest time, over the visits of j: a walk that comes to k is counted there as often as one
    /// that came to j before.
    fn plain_visits(&self, row: &[Wide], control: &Control) -> Result<Option<Vec<Wide>>> {
        let start: Vec<f64> = row.iter().map(|entry| entry.value()).collect();
        if row.iter().zip(&start).any(|(entry, &value)| !entry.is_zero() && !(1e-290..1e290).contains(&value)) {
            return Ok(None);
        }
        let mut visits = start.clone();
        self.factors.visits(&mut visits, control)?;
        let all = visits.iter().sum::<f64>().max(1.0);
        let least = all * self.lost() * self.longest(control)?;
        let right = self.right(&visits, least, &start, true, control)?;
        Ok(right.then(|| visits.into_iter().map(Wide::new).collect()))
    }

    /// Whether lost products cannot have harmed the solution `x` for the right side `c`.
    ///
    /// With N = (I - Q)^-1 the error is N r, where `r_i` is at most what was lost, times the largest entry. Where c
    /// is positive throughout, that is a relative error of r / c, for x = N c; else the error is the longest time times r.
    fn trusted(&self, c: &[f64], x: &[f64], control: &Control) -> Result<bool> {
        let least_cost = c.iter().copied().fold(f64::INFINITY, f64::min);
        let residual = self.lost() * x.iter().copied().fold(1.0, f64::max);
        if residual <= least_cost {
            return Ok(x.iter().all(|x| x.is_finite()));
        }
        let least = residual * self.longest(control)?;
        self.right(x, least, c, false, control)
    }

    /// Whether all of `x` are at least `least`, but for those that must be 0 as far as walks cannot connect them with
    /// positive entries of `from`.
    fn right(&self, x: &[f64], least: f64, from: &[f64], backwards: bool, control: &Control) -> Result<bool> {
        if !least.is_finite() || x.iter().any(|x| !x.is_finite()) {
            return Ok(false);
        }
        if x.iter().all(|&x| x >= least) {
            return Ok(true);
        }
        let positive = reaching(self.system, |state| from[state] > 0.0, backwards, control)?;
        Ok(x.iter().zip(positive).all(|(&x, positive)| x >= least || !positive))
    }

    fn lost(&self) -> f64 {
        LOST_PRODUCTS * (self.system.n_states() as f64).powi(2)
    }

    /// The largest mean time until the system is left; infinite where f64 does not hold it.
    fn longest(&self, control: &Control) -> Result<f64> {
        if let Some(&longest) = self.longest.get() {
            return Ok(longest);
        }
        let mut times = zeros(self.system.n_states())?;
        times.fill(1.0);
        self.factors.solve(&mut times, control)?;
        // NaN comes of an infinite time, which `max` would pass over.
        let finite = times.iter().all(|time| time.is_finite());
        let longest = if finite { times.into_iter().fold(1.0, f64::max) } else { f64::INFINITY };
        Ok(*self.longest.get_or_init(|| longest))
    }

    fn careful(&self, control: &Control) -> Result<&Careful> {
        if let Some(careful) = self.careful.get() {
            return Ok(careful);
        }
        let made = Careful::new(self.system, control)?;
        Ok(self.careful.get_or_init(|| made))
    }
}
