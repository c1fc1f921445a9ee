//! Which method solves a system, and whether what elimination found in f64 can be trusted.

use super::careful::Careful;
use super::reach::reaching;
use crate::chains::elimination::{Factors, Plan, core_size};
use crate::chains::system::System;
use crate::chains::two_level;
use crate::chains::wide::Wide;
use crate::error::{Error, Result, invalid};
use crate::memory::{filled, room, zeros};
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

/// The solution for a right side that each state can reach a positive entry of, by the two-level iteration.
pub(super) fn iterated(
    system: &System,
    right: &[f64],
    request: Request,
    control: &Control,
) -> Result<(Vec<f64>, Report)> {
    let solved = two_level::solve(system, right, request.tolerance, control)?;
    let report = Report { taken: Taken::Iterative, residual: solved.residual, n_steps: solved.n_steps };
    Ok((solved.values, report))
}

/// Whether a plan is worth making: what cannot be cheap is told at a fraction of its cost.
fn may_be_cheap(system: &System, control: &Control) -> Result<bool> {
    let small = system.n_transitions() <= FEW || core_size(system)? <= SMALL;
    Ok(small || breadth(system, control)? <= CHEAP)
}

/// About as many multiplications as elimination takes layer after layer of the states that are so many transitions away
/// from a first one, either way: much less than all pairs demand only where the system is narrow.
fn breadth(system: &System, control: &Control) -> Result<f64> {
    let (begins, sources) = system.sources()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method) -> Request {
        Request { method, tolerance: 1e-12, memory: None }
    }

    /// `n` states in a circle, each joined with the `width` next ones in both directions.
    fn band(n: usize, width: usize) -> System {
        let mut system = System { begins: vec![0], states: (0..n as u32).collect(), ..System::default() };
        for i in 0..n {
            let mut targets: Vec<u32> =
                (1..=width).flat_map(|d| [(i + d) % n, (i + n - d) % n]).map(|j| j as u32).collect();
            targets.sort_unstable();
            targets.dedup();
            system.values.extend(targets.iter().map(|_| 0.1));
            system.targets.extend(targets);
            system.begins.push(system.targets.len());
            system.exits.push(if i == 0 { 0.1 } else { 0.0 });
        }
        system
    }

    #[test]
    fn the_method_is_the_one_asked_for() {
        let (system, control) = (band(50, 2), Control::default());
        let ones = vec![1.0; 50];
        let missed = || Err(Error::NotConverged("too slow".to_owned()));
        let found = || Ok((Vec::new(), Report { taken: Taken::Iterative, residual: 0.0, n_steps: 1 }));
        let solve = |method, iterate: Option<Iteration<'_, Vec<f64>>>, memory| {
            let request = Request { memory, ..request(method) };
            decide(&system, request, iterate, |factors| factors.solve(&ones, &control), &control)
        };
        let taken = |solved: Result<(Vec<f64>, Report)>| solved.map(|(_, report)| report.taken);
        assert_eq!(taken(solve(Method::Auto, Some(&found), None)), Ok(Taken::Elimination));
        assert_eq!(taken(solve(Method::Elimination, Some(&found), None)), Ok(Taken::Elimination));
        assert_eq!(taken(solve(Method::Iterative, Some(&found), None)), Ok(Taken::Iterative));
        assert_eq!(
            taken(solve(Method::Iterative, Some(&missed), None)),
            Err(Error::NotConverged("too slow".to_owned()))
        );
        assert!(solve(Method::Iterative, None, None).unwrap_err().to_string().starts_with("method must be"));
        assert!(matches!(taken(solve(Method::Auto, None, Some(100))), Err(Error::Memory(bytes)) if bytes > 100));
    }

    #[test]
    fn where_the_iteration_is_slow_elimination_follows_if_it_fits() {
        let mut stream = crate::random::Seed::from_u64(1).stream(0);
        let mut system = band(6000, 1);
        // Six random targets a state instead: nothing is narrow any more.
        (system.begins, system.targets, system.values) = (vec![0], Vec::new(), Vec::new());
        for i in 0..6000 {
            let mut targets: Vec<u32> = (0..9).map(|_| stream.below(6000) as u32).filter(|&j| j != i).collect();
            targets.push((i + 1) % 6000);
            targets.sort_unstable();
            targets.dedup();
            system.values.extend(targets.iter().map(|_| 0.1));
            system.targets.extend(targets);
            system.begins.push(system.targets.len());
        }
        let control = Control::default();
        assert!(!may_be_cheap(&system, &control).unwrap());
        assert!(may_be_cheap(&band(60_000, 5), &control).unwrap());
        let missed = || Err(Error::NotConverged("too slow".to_owned()));
        let short = Request { memory: Some(1000), ..request(Method::Auto) };
        let failed = decide::<()>(&system, short, Some(&missed), |_| Ok(()), &control).unwrap_err();
        assert!(failed.to_string().contains("too slow") && failed.to_string().contains("GB of memory"), "{failed}");
    }

    #[test]
    fn what_underflows_is_noticed() {
        // From 0 to 1 with 1e-300, where it stays for 1e400 steps.
        let system = System {
            begins: vec![0, 1, 2, 3],
            targets: vec![1, 2, 1],
            values: vec![1e-300, 1e-200, 0.5],
            exits: vec![0.5, 0.0, 1e-200],
            states: vec![0, 1, 2],
        };
        let control = Control::default();
        let factors = Eliminated::with(Plan::new(&system, &control).unwrap(), &system, &control).unwrap();
        let times = factors.solve(&[1.0; 3], &control).unwrap();
        assert!((times[0] / 1e100 - 1.0).abs() < 1e-14, "{times:?}");
        let visits = factors.visits(&[Wide::new(1.0), Wide::ZERO, Wide::ZERO], &control).unwrap();
        // 2e-300 walks come to 1; they leave it (0.5 / 1e-200) times for 2, with 1e200 steps each.
        assert!((visits[1].value() / 1e100 - 1.0).abs() < 1e-14, "{visits:?}");
    }
}
