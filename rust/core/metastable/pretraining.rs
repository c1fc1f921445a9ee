//! Pretraining of a bigram model: gradient descent on the cross-entropy of `p_W(y | x) = softmax(W x)_y`, in two stages
//! with the small entries cut off between them (Kim et al. 2025, Algorithm 1).
//!
//! With x as a unit vector the rows of the model are independent: row x moves by the learning rate times law(x) times
//! `p(. | x) - p_W(. | x)`. From W = 0, entries of equal probability keep equal weights, so a row costs its number of
//! different probabilities a step, however many states there are; those that x never leads to are one of them.

use crate::chains::matrix::{MarkovChain, Meaning, sum};
use crate::error::{Error, Result, invalid};
use crate::run::{Control, map_items};
use libm::{exp, log1p};

/// Exponentials between two looks at the stop flag.
const CHECKED: usize = 1 << 18;

/// How the model is trained.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Step of gradient descent.
    pub learning_rate: f64,
    /// Entries whose probability is below it after the first stage are cut off.
    pub threshold: f64,
    /// Steps of each stage at which figures are noted, ascending; a stage ends with the last of its own.
    pub noted: [&'a [u64]; 2],
}

/// The model, and figures at the noted steps of the first stage and then of the second.
#[derive(Debug)]
pub struct Pretrained {
    /// The model after the second stage, without the entries that were cut off.
    pub chain: MarkovChain,
    /// Cross-entropy less the entropy of the data, in nats a transition; infinite where a transition was cut off.
    pub excess: Vec<f64>,
    /// Largest relative error of the probability of a transition.
    pub error: Vec<f64>,
    /// Probability that the model takes a transition which is none.
    pub spurious: Vec<f64>,
    /// Pairs that are no transitions and were not cut off.
    pub n_spurious: u64,
    /// Transitions that were cut off.
    pub n_missed: u64,
}

/// Entries of a row that share their probability, and so their weight.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Probability of each in the data.
    wanted: f64,
    n_entries: f64,
    weight: f64,
    /// Probability of each in the model.
    model: f64,
    kept: bool,
}

/// A row at the end, and its figures: excess, error, spurious probability.
struct Row {
    groups: Vec<Group>,
    /// Group of each transition.
    members: Vec<u32>,
    noted: Vec<[f64; 3]>,
}

/// Trains a model on transitions of `chain` out of states with the frequencies `law`.
///
/// States of frequency 0 are not learned: their rows stay equal over all states. Cost: for each row its different
/// probabilities times the steps, some 10 ns each. Rows are shared out to threads.
///
/// # Errors
/// A learning rate that is not positive, or 4 or more times the largest frequency, where descent is unstable; a threshold
/// below 0 or above 1; a law that is none; [`Error::Memory`]; [`Error::Interrupted`].
pub fn pretrain(chain: &MarkovChain, law: &[f64], settings: &Settings<'_>, control: &Control) -> Result<Pretrained> {
    check(chain, law, settings)?;
    let rows = map_items(
        chain.n_states(),
        1,
        control,
        || (),
        |(), state| {
            let mut row = Row::new(chain, state as u32);
            let rate = settings.learning_rate * law[state];
            row.descend(rate, settings.noted[0], control)?;
            row.cut(settings.threshold);
            row.descend(rate, settings.noted[1], control)?;
            Ok(row)
        },
    )?;
    let n_noted = settings.noted[0].len() + settings.noted[1].len();
    let column = |number: usize| (0..n_noted).map(move |at| (at, number));
    let mean = |(at, number): (usize, usize)| -> f64 {
        // Not with `sum`: an infinite loss would make it NaN.
        rows.iter().zip(law).filter(|(_, law)| **law > 0.0).map(|(row, law)| law * row.noted[at][number]).sum()
    };
    let most = |(at, number): (usize, usize)| {
        let seen = rows.iter().zip(law).filter(|(_, law)| **law > 0.0);
        seen.map(|(row, _)| row.noted[at][number]).fold(0.0, f64::max)
    };
    let (mut n_spurious, mut n_missed) = (0, 0);
    for (row, _) in rows.iter().zip(law).filter(|(_, law)| **law > 0.0) {
        for group in &row.groups {
            let n_entries = group.n_entries as u64;
            n_spurious += if group.kept && group.wanted == 0.0 { n_entries } else { 0 };
            n_missed += if !group.kept && group.wanted > 0.0 { n_entries } else { 0 };
        }
    }
    Ok(Pretrained {
        chain: model(chain, &rows, control)?,
        excess: column(0).map(mean).collect(),
        error: column(1).map(most).collect(),
        spurious: column(2).map(mean).collect(),
        n_spurious,
        n_missed,
    })
}

fn check(chain: &MarkovChain, law: &[f64], settings: &Settings<'_>) -> Result<()> {
    let n_states = chain.n_states();
    if law.len() != n_states {
        let rule = format!("have one number for each of the {n_states} states");
        return Err(invalid("state_distribution", &[], law.len(), rule));
    }
    if let Some(index) = law.iter().position(|p| !(*p >= 0.0 && *p <= 1.0 + 1e-9)) {
        return Err(invalid("state_distribution", &[index], law[index], "be a probability"));
    }
    let total = sum(law.iter().copied());
    if (total - 1.0).abs() > 1e-9 {
        return Err(invalid("state_distribution", &[], total, "have a sum of 1 within 1e-9"));
    }
    let (rate, most) = (settings.learning_rate, law.iter().copied().fold(0.0, f64::max));
    if !(rate > 0.0 && rate * most < 4.0) {
        let rule = format!("be above 0 and below 4 over the largest frequency of a state, {}", 4.0 / most);
        return Err(invalid("learning_rate", &[], rate, rule));
    }
    if !(0.0..=1.0).contains(&settings.threshold) {
        return Err(invalid("threshold", &[], settings.threshold, "be from 0 to 1"));
    }
    Ok(())
}

impl Row {
    fn new(chain: &MarkovChain, state: u32) -> Self {
        let row = chain.row(state);
        let total = sum(row.iter().map(|(_, probability)| probability));
        let mut different: Vec<f64> = row.iter().map(|(_, probability)| probability).collect();
        different.sort_by(f64::total_cmp);
        different.dedup();
        let group = |wanted: f64| Group { wanted, n_entries: 0.0, weight: 0.0, model: 0.0, kept: true };
        let mut groups: Vec<Group> = different.iter().map(|probability| group(probability / total)).collect();
        let mut members = Vec::with_capacity(row.targets.len());
        for (_, probability) in row.iter() {
            let number = different.partition_point(|other| *other < probability);
            groups[number].n_entries += 1.0;
            members.push(number as u32);
        }
        let others = chain.n_states() - row.targets.len();
        if others > 0 {
            groups.push(Group { n_entries: others as f64, ..group(0.0) });
        }
        Self { groups, members, noted: Vec::new() }
    }

    /// The steps of a stage.
    fn descend(&mut self, rate: f64, noted: &[u64], control: &Control) -> Result<()> {
        let Some(&last) = noted.last() else { return Ok(()) };
        // Where transitions were cut off, the gradient of what is left of the cross-entropy.
        let share = sum(self.groups.iter().filter(|group| group.kept).map(|group| group.n_entries * group.wanted));
        let every = (CHECKED / self.groups.len()).max(1) as u64;
        let (mut next, mut step) = (0, 0);
        loop {
            self.evaluate();
            while next < noted.len() && (noted[next] == step || rate == 0.0) {
                self.note();
                next += 1;
            }
            if step == last || next == noted.len() {
                return Ok(());
            }
            if step % every == 0 {
                control.check()?;
            }
            for group in self.groups.iter_mut().filter(|group| group.kept) {
                group.weight += rate * (group.wanted - share * group.model);
            }
            step += 1;
        }
    }

    /// The probabilities of the model.
    #[inline]
    fn evaluate(&mut self) {
        let kept = self.groups.iter().filter(|group| group.kept);
        let most = kept.fold(f64::NEG_INFINITY, |most, group| most.max(group.weight));
        let mut total = 0.0;
        for group in &mut self.groups {
            group.model = if group.kept { exp(group.weight - most) } else { 0.0 };
            total += group.n_entries * group.model;
        }
        let scale = 1.0 / total;
        self.groups.iter_mut().for_each(|group| group.model *= scale);
    }

    fn note(&mut self) {
        let (mut excess, mut error, mut spurious) = (0.0, 0.0f64, 0.0);
        for group in &self.groups {
            if group.wanted > 0.0 {
                let relative = (group.model - group.wanted) / group.wanted;
                excess += group.n_entries * group.wanted * divergence(relative);
                error = error.max(relative.abs());
            } else {
                spurious += group.n_entries * group.model;
            }
        }
        self.noted.push([excess + spurious, error, spurious]);
    }

    /// Cuts off what is below `threshold`; a row with nothing above it stays whole.
    fn cut(&mut self, threshold: f64) {
        if self.groups.iter().any(|group| group.model >= threshold) {
            self.groups.iter_mut().for_each(|group| group.kept = group.model >= threshold);
        }
    }
}

/// x - ln(1 + x): the terms of a divergence, none of them negative, so that nothing cancels between them.
fn divergence(x: f64) -> f64 {
    if x.abs() < 1e-3 { x * x * (0.5 - x * (1.0 / 3.0 - x * (0.25 - x * 0.2))) } else { x - log1p(x) }
}

/// The chain of the rows.
fn model(chain: &MarkovChain, rows: &[Row], control: &Control) -> Result<MarkovChain> {
    let n_states = chain.n_states();
    let whole = |row: &Row| row.groups.iter().any(|group| group.kept && group.wanted == 0.0);
    let entries = rows.iter().map(|row| if whole(row) { n_states } else { row.members.len() }).sum();
    let (mut indptr, mut indices, mut values) = (vec![0i64], Vec::<u32>::new(), Vec::<f64>::new());
    indices.try_reserve_exact(entries).map_err(|_| Error::Memory(12 * entries))?;
    values.try_reserve_exact(entries).map_err(|_| Error::Memory(12 * entries))?;
    for (state, row) in rows.iter().enumerate() {
        control.check()?;
        let targets = chain.row(state as u32).targets;
        let own = targets.iter().zip(&row.members).map(|(target, &group)| (*target, row.groups[group as usize]));
        if whole(row) {
            let others = row.groups[row.groups.len() - 1].model;
            let begin = values.len();
            indices.extend(0..n_states as u32);
            values.resize(begin + n_states, others);
            own.for_each(|(target, group)| values[begin + target as usize] = group.model);
        } else {
            for (target, group) in own.filter(|(_, group)| group.kept) {
                indices.push(target);
                values.push(group.model);
            }
        }
        indptr.push(values.len() as i64);
    }
    MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Matrix;

    /// A ring of `n_clusters` clusters of `size` states; the first of each leads on with probability `epsilon`.
    fn ring(n_clusters: usize, size: usize, epsilon: f64) -> MarkovChain {
        let n = n_clusters * size;
        let mut rows = vec![0.0; n * n];
        for state in 0..n {
            let (cluster, leaves) = (state / size, state % size == 0);
            for other in 0..size {
                rows[state * n + cluster * size + other] = (if leaves { 1.0 - epsilon } else { 1.0 }) / size as f64;
            }
            if leaves {
                rows[state * n + (cluster + 1) % n_clusters * size + 1] = epsilon;
            }
        }
        MarkovChain::from_dense(&Matrix::new(&rows, n, n), Meaning::Probabilities, &Control::default()).unwrap()
    }

    #[test]
    fn the_second_stage_learns_what_the_first_one_cannot() {
        let chain = ring(4, 4, 0.1);
        let law = vec![1.0 / 16.0; 16];
        let noted: [&[u64]; 2] = [&[0, 6400], &[0, 4800]];
        let settings = Settings { learning_rate: 1.0, threshold: 0.05, noted };
        let found = pretrain(&chain, &law, &settings, &Control::new(2)).unwrap();
        // W = 0 is the uniform law over the 16 states.
        assert!((found.spurious[0] - (0.25 * 11.0 + 0.75 * 12.0) / 16.0).abs() < 1e-12, "{:?}", found.spurious);
        assert!(found.spurious[1] > 1e-3 && found.error[1] > 1e-3, "{:?}", found.error);
        assert_eq!((found.spurious[3], found.n_spurious, found.n_missed), (0.0, 0, 0));
        assert!(found.error[3] < 1e-10, "{:?}", found.error);
        assert!(found.excess.windows(2).all(|pair| pair[1] < pair[0]), "{:?}", found.excess);
        assert_eq!(found.chain.targets(), chain.targets());
    }

    #[test]
    fn a_high_threshold_cuts_off_transitions_and_a_low_one_keeps_all() {
        let (chain, law) = (ring(3, 2, 0.1), vec![1.0 / 6.0; 6]);
        let noted: [&[u64]; 2] = [&[2000], &[2000]];
        let high = Settings { learning_rate: 1.0, threshold: 0.2, noted };
        let found = pretrain(&chain, &law, &high, &Control::default()).unwrap();
        assert_eq!((found.n_missed, found.error[1], found.excess[1]), (3, 1.0, f64::INFINITY));
        let low = Settings { threshold: 0.0, ..high };
        let found = pretrain(&chain, &law, &low, &Control::default()).unwrap();
        assert_eq!((found.n_missed, found.n_spurious, found.chain.n_transitions()), (0, 3 * 3 + 3 * 4, 36));
    }

    #[test]
    fn states_that_never_occur_are_not_learned() {
        let chain = ring(2, 2, 0.1);
        let noted: [&[u64]; 2] = [&[0, 5000], &[3000]];
        let settings = Settings { learning_rate: 1.0, threshold: 0.05, noted };
        let found = pretrain(&chain, &[0.5, 0.5, 0.0, 0.0], &settings, &Control::default()).unwrap();
        assert_eq!(found.chain.row(2).iter().map(|(_, p)| p).collect::<Vec<_>>(), [0.25; 4]);
        assert!(found.error[2] < 1e-9, "{:?}", found.error);
    }

    #[test]
    fn terms_of_the_divergence_meet_where_the_series_ends() {
        for x in [1e-3f64, -1e-3] {
            let (below, above) = (divergence(x * (1.0 - 1e-9)), divergence(x));
            assert!((below / above - 1.0).abs() < 1e-8, "{below} {above}");
        }
    }
}
