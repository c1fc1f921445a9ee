//! Learners by themselves: experts that are right with known probabilities, and what is lost by not knowing them.

use super::experts::{Bandit, Learner};
use crate::error::{Result, invalid};
use crate::random::Seed;
use crate::run::{Control, fill_rows};

/// Rounds between two looks at the stop flag.
const BETWEEN_CHECKS: usize = 1 << 12;

/// Whom `learner` asks in each round, (R, T) row-major in `chosen`: run i draws from stream `first + i` of `seed`.
///
/// Expert a is right with probability `means[a]`, independently in each round. Time: one pass over the experts a round.
///
/// # Errors
/// No experts, a mean outside [0, 1], a parameter of the learner out of range; [`Error::Interrupted`](crate::Error).
pub fn choices(
    means: &[f64],
    learner: Learner,
    n_rounds: usize,
    first: u64,
    seed: Seed,
    control: &Control,
    chosen: &mut [u32],
) -> Result<()> {
    if means.is_empty() {
        return Err(invalid("means", &[], "", "hold at least one expert"));
    }
    if let Some(i) = means.iter().position(|mean| !(0.0..=1.0).contains(mean)) {
        return Err(invalid("means", &[i], means[i], "be between 0 and 1"));
    }
    learner.check(0)?;
    fill_rows(
        chosen,
        n_rounds,
        1,
        control,
        || (),
        |(), run, row| {
            let seed = seed.child(first.wrapping_add(run as u64));
            let mut bandit = Bandit::new(learner, means.len() as u32, seed.stream(0));
            let mut rewards = seed.stream(1);
            for (round, slot) in row.iter_mut().enumerate() {
                let expert = bandit.pick();
                *slot = expert as u32;
                bandit.learn(expert, f64::from(u8::from(rewards.uniform() < means[expert])));
                if round % BETWEEN_CHECKS == 0 {
                    control.check()?;
                }
            }
            Ok(())
        },
    )
}
