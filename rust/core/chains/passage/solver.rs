//! Which method solves a system, and whether what elimination found in f64 can be trusted.

use super::careful::Careful;
use super::reach::{filled, reaching, sources};
use super::wide::Wide;
use crate::chains::elimination::{Factors, Plan, core_size};
use crate::chains::system::{System, room, zeros};
use crate::error::{Error, Result, invalid};
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
    /// Bytes that an elimination may take; no limit if there is none.
    pub memory: Option<usize>,
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

/// Systems of up to so many states are eliminated without a look at what it costs: a second at most.
const SMALL: usize = 2000;

/// Multiplications of an elimination that is cheap: some half a second on a core.
const CHEAP: f64 = 2e9;

/// Transitions for which the plan of an elimination is made in any case: that takes a microsecond for each.
const FEW: usize = 50_000;

/// Bytes that elimination takes at its peak, over those of the factors.
const PEAK: usize = 3;

/// An iteration that solves a system.
pub(super) type Iteration<'a, T> = &'a dyn Fn() -> Result<(T, Report)>;

/// Solves `system` by elimination or, where there is an iteration for it, by that, as `request` has it.
///
/// A plan tells what elimination costs, but takes as long as an iteration itself where there are millions of
/// transitions; so it is asked for only where elimination may be cheap, or the iteration has missed its tolerance.
pub(super) fn decide<T>(
    system: &System,
    request: Request,
    iterate: Option<Iteration<'_, T>>,
    eliminate: impl FnOnce(&Eliminated<'_>) -> Result<T>,
    control: &Control,
) -> Result<(T, Report)> {
    let mut plan = None;
    let mut missed = None;
    if let Some(iterate) = iterate {
        let first = match request.method {
            Method::Iterative => return iterate(),
            Method::Elimination => false,
            Method::Auto if system.n_states() <= SMALL => false,
            Method::Auto if !may_be_cheap(system, control)? => true,
            Method::Auto => plan.insert(Plan::new(system, control)?).operations() > CHEAP,
        };
        if first {
            match iterate() {
                Err(Error::NotConverged(what)) => missed = Some(what),
                other => return other,
            }
        }
    } else if request.method == Method::Iterative {
        return Err(invalid("method", &[], "\"iterative\"", "be \"auto\" or \"elimination\" for this quantity"));
    }
    let plan = plan.map_or_else(|| Plan::new(system, control), Ok)?;
    let bytes = plan.bytes().saturating_mul(PEAK);
    if request.memory.is_some_and(|memory| bytes > memory) {
        return Err(missed.map_or(Error::Memory(bytes), |what| {
            Error::NotConverged(format!("{what} (it would take about {:.1} GB of memory)", bytes as f64 / 1e9))
        }));
    }
    let result = eliminate(&Eliminated::with(plan, system, control)?)?;
    Ok((result, Report::ELIMINATED))
}

/// Whether a plan is worth making: what cannot be cheap is told at a fraction of its cost.
fn may_be_cheap(system: &System, control: &Control) -> Result<bool> {
    let small = system.n_transitions() <= FEW || core_size(system)? <= SMALL;
    Ok(small || breadth(system, control)? <= CHEAP)
}

/// About as many multiplications as elimination takes layer after layer of the states that are so many transitions away
/// from a first one, either way: much less than all pairs demand only where the system is narrow.
fn breadth(system: &System, control: &Control) -> Result<f64> {
    let (begins, sources) = sources(system)?;
    let mut seen = filled(system.n_states(), false)?;
    let (mut layer, mut next): (Vec<u32>, Vec<u32>) = (room(0)?, room(0)?);
    let mut operations = 0.0;
    for first in 0..system.n_states() {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        layer.push(first as u32);
        while !layer.is_empty() {
            control.check()?;
            operations += (layer.len() as f64).powi(3);
            for &state in &layer {
                let before = &sources[begins[state as usize]..begins[state as usize + 1]];
                for &other in system.row(state as usize).0.iter().chain(before) {
                    if !std::mem::replace(&mut seen[other as usize], true) {
                        next.push(other);
                    }
                }
            }
            std::mem::swap(&mut layer, &mut next);
            next.clear();
        }
    }
    Ok(operations)
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
    fn with(plan: Plan, system: &'a System, control: &Control) -> Result<Self> {
        let factors = Factors::with(plan, system, control)?;
        Ok(Self { system, factors, longest: OnceLock::new(), careful: OnceLock::new() })
    }

    /// As [`Factors::solve`], for one column, with each entry right that f64 can hold.
    pub(super) fn solve(&self, right: &[f64], control: &Control) -> Result<Vec<f64>> {
        let mut x = right.to_vec();
        self.factors.solve(&mut x, control)?;
        if self.trusted(right, &x, control)? {
            return Ok(x);
        }
        Ok(self.careful(control)?.solve(right, control)?.into_iter().map(Wide::value).collect())
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
