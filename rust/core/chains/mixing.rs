//! How long walks take to forget where they began.

use super::matrix::MarkovChain;
use super::powers::{Power, multiply, normalise};
use super::propagate::step::Step;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;

/// Binary digits of a mixing time that are found: those of a floating-point number.
const DIGITS: u32 = f64::MANTISSA_DIGITS;

/// Binary digits of the largest floating-point number.
const LONGEST: u32 = f64::MAX_EXP as u32;

/// Half the sum of absolute differences between two laws.
pub fn total_variation(law: &[f64], other: &[f64]) -> f64 {
    law.iter().zip(other).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}

/// As [`mixing_time`] for a law `start`, step by step: `None` where `max_steps` are not enough. Cost: O(transitions) a
/// step.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn steps_to_mix(
    chain: &MarkovChain,
    stationary: &[f64],
    epsilon: f64,
    start: &[f64],
    max_steps: u64,
    control: &Control,
) -> Result<Option<u64>> {
    let mut law = start.to_vec();
    let mut next = zeros(law.len())?;
    let mut step = None;
    control.expect(max_steps);
    for taken in 0..=max_steps {
        control.check()?;
        if total_variation(&law, stationary) <= epsilon {
            return Ok(Some(taken));
        }
        if taken < max_steps {
            let step = match &mut step {
                Some(step) => step,
                none => none.insert(Step::forward(chain, true, control)?),
            };
            step.take::<1>(&mut law, &mut next, control)?;
            std::mem::swap(&mut law, &mut next);
            // The sum may drift by rounding, over very many steps.
            normalise(&mut law);
            control.advance(1);
        }
    }
    Ok(None)
}

/// Where walks begin of which the law after t steps is compared with the stationary one.
enum Laws {
    /// At any state: the rows of a power of the matrix.
    All(Power),
    /// At a state drawn from a law: what it has become.
    One(Vec<f64>),
}

impl Laws {
    fn after(&self, steps: &Power, control: &Control) -> Result<Self> {
        Ok(match self {
            Self::All(power) => Self::All(power.times(steps, control)?),
            Self::One(law) => {
                let mut next = zeros(law.len())?;
                multiply(law, steps.entries(), law.len(), &mut next, control)?;
                normalise(&mut next);
                Self::One(next)
            }
        })
    }

    /// The largest distance of one of the laws to the stationary one.
    fn distance(&self, stationary: &[f64]) -> f64 {
        match self {
            Self::All(power) => {
                let laws = power.entries().chunks_exact(power.n_states());
                laws.map(|law| total_variation(law, stationary)).fold(0.0, f64::max)
            }
            Self::One(law) => total_variation(law, stationary),
        }
    }
}

/// The least number of steps after which the law of a walk is within `epsilon` of `stationary` in total variation,
/// whatever its start, or for one that is drawn from the law `start`. Whole below 2^53; infinite above 1.8e308.
///
/// The powers P, P^2, P^4, ... are computed until one is near enough, then the binary digits of the time from the first
/// to the last, 53 at most: the distance never rises. Cost: two dense products of n^3 multiplications for each digit,
/// three where n is above 1,024; memory as [`matrices`] says. The chain must be aperiodic and have one recurrent class,
/// with the law `stationary`.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn mixing_time(
    chain: &MarkovChain,
    stationary: &[f64],
    epsilon: f64,
    start: Option<&[f64]>,
    control: &Control,
) -> Result<f64> {
    let at_once = match start {
        Some(law) => total_variation(law, stationary),
        None => 1.0 - stationary.iter().copied().fold(1.0, f64::min),
    };
    if at_once <= epsilon {
        return Ok(0.0);
    }
    let begun = |steps: &Power| match start {
        Some(law) => Laws::One(law.to_vec()).after(steps, control),
        None => Ok(Laws::All(steps.clone())),
    };
    let mut ladder = Ladder::new(chain, control)?;
    let mut before = None;
    // Of 2^digit steps.
    let mut digit = 0;
    loop {
        let laws = begun(ladder.top())?;
        if laws.distance(stationary) <= epsilon {
            break;
        }
        before = Some(laws);
        digit += 1;
        if digit == LONGEST {
            return Ok(f64::INFINITY);
        }
        ladder.rise(control)?;
    }
    // One step is enough, at most.
    let Some(mut before) = before else { return Ok(1.0) };
    // `steps` times 2^digit steps are too few, one more of them enough.
    let mut steps = 1u64;
    digit -= 1;
    while digit > 0 && steps >> (DIGITS - 1) == 0 {
        digit -= 1;
        let later = before.after(ladder.descend(digit, control)?, control)?;
        steps *= 2;
        if later.distance(stationary) > epsilon {
            before = later;
            steps += 1;
        }
    }
    Ok((steps + 1) as f64 * 2f64.powi(digit as i32))
}

/// Matrices that [`mixing_time`] holds at most, for a chain of `n` states.
pub const fn matrices(n: usize) -> usize {
    let stride = stride(n) as usize;
    DIGITS as usize / stride + stride + 6
}

/// Of so many successive powers one is kept.
const fn stride(n: usize) -> u32 {
    if n <= 1024 { 1 } else { 8 }
}

/// The powers with the exponents 1, 2, 4, ...: on the way up the last 53, or every eighth of them; those between are
/// computed once more on the way down.
struct Ladder {
    /// Ascending.
    kept: Vec<(u32, Power)>,
    stride: u32,
}

impl Ladder {
    fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        Ok(Self { kept: vec![(0, Power::first(chain, control)?)], stride: stride(chain.n_states()) })
    }

    /// The last power.
    fn top(&self) -> &Power {
        &self.kept[self.kept.len() - 1].1
    }

    /// Squares the last power.
    fn rise(&mut self, control: &Control) -> Result<()> {
        let last = self.kept[self.kept.len() - 1].0;
        self.square(control)?;
        if !last.is_multiple_of(self.stride) {
            self.kept.remove(self.kept.len() - 2);
        }
        // The digits that will be found begin at the last one.
        if self.kept.get(1).is_some_and(|&(second, _)| second + DIGITS < last) {
            self.kept.remove(0);
        }
        Ok(())
    }

    /// The power with the exponent `2^digit`, and none above it any more.
    fn descend(&mut self, digit: u32, control: &Control) -> Result<&Power> {
        while self.kept.len() > 1 && self.kept[self.kept.len() - 1].0 > digit {
            self.kept.pop();
        }
        while self.kept[self.kept.len() - 1].0 < digit {
            self.square(control)?;
        }
        Ok(self.top())
    }

    fn square(&mut self, control: &Control) -> Result<()> {
        control.expect(1);
        let next = self.top().times(self.top(), control)?;
        self.kept.push((self.kept[self.kept.len() - 1].0 + 1, next));
        control.advance(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;
    use crate::rows::Matrix;

    fn pair(p: f64, q: f64) -> MarkovChain {
        let rows = [1.0 - p, p, q, 1.0 - q];
        MarkovChain::from_dense(&Matrix::new(&rows, 2, 2), Meaning::Probabilities, &Control::default()).unwrap()
    }

    fn time(p: f64, q: f64, epsilon: f64) -> f64 {
        let stationary = [q / (p + q), p / (p + q)];
        mixing_time(&pair(p, q), &stationary, epsilon, None, &Control::default()).unwrap()
    }

    #[test]
    fn two_states_mix_at_the_rate_at_which_they_are_left() {
        // From state 1 the distance is w (1 - p - q)^t, with the larger weight w.
        for (p, q) in
            [(0.25f64, 0.25f64), (0.125, 0.0625), (1e-3, 3e-3), (1e-12, 2e-12), (1e-100, 3e-100), (5e-300, 1e-299f64)]
        {
            let (weight, rate) = (p.max(q) / (p + q), -(-(p + q)).ln_1p());
            for epsilon in [0.25, 0.01, 1e-6] {
                let exact = ((weight / epsilon).ln() / rate).ceil();
                let found = time(p, q, epsilon);
                assert!(
                    (found / exact - 1.0).abs() < 1e-12 + 1e-15 / epsilon,
                    "{p} {q} {epsilon}: {found}, not {exact}"
                );
            }
        }
        assert_eq!((time(0.5, 0.5, 0.25), time(0.5, 0.5, 0.5)), (1.0, 0.0));
    }

    #[test]
    fn a_ladder_with_gaps_holds_the_same_powers() {
        let (chain, control) = (pair(3e-20, 1e-21), Control::default());
        let mut full = Ladder::new(&chain, &control).unwrap();
        let mut gaps = Ladder { stride: 8, ..Ladder::new(&chain, &control).unwrap() };
        for _ in 0..150 {
            full.rise(&control).unwrap();
            gaps.rise(&control).unwrap();
            assert!(full.kept.len() <= matrices(2) && gaps.kept.len() <= matrices(2000) - 8);
        }
        for digit in (150 - DIGITS..150).rev() {
            let expected = full.descend(digit, &control).unwrap().entries().to_vec();
            assert_eq!(gaps.descend(digit, &control).unwrap().entries(), expected);
            assert!(gaps.kept.len() <= matrices(2000));
        }
    }
}
