//! First passages: mean times between all pairs of states, Kemeny's constant, and the law of the time to some states, all
//! digits right at any metastability.
//!
//! Mean times to a state are finite where it is hit with certainty, which `certain` finds out beforehand: within a recurrent
//! class and from the transient states that end nowhere else (`class`), and from transient states to those that all
//! their walks pass (`transient`).

mod certain;
mod class;
mod kemeny;
mod law;
mod number;
mod pairs;
mod product;
mod transient;

pub use kemeny::kemeny_constant;
pub use law::{law_from, law_of_each};

use super::matrix::MarkovChain;
use crate::error::Result;
use crate::run::{Control, fill_blocks};
use certain::Certain;
use class::Class;
use number::{Number, Wide, trusted};
use pairs::zeros;

/// Fills `out`, as many rows and columns as there are states, with the mean number of steps from each state (row) until
/// the first visit of each (column): 0 on the diagonal, or with `returns` the mean time of the first return, which
/// is one over the stationary probability; infinite where the state may be missed, and above the range of `f64`.
///
/// Cost: 23/18 n^3 multiplications for n states of one class, on all threads, and 4/3 n^2 numbers of memory besides the
/// output; 7/3 n^2 where there are several classes or transient states. Ten times as long, and twice the memory, where
/// a time is above 1e280.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have a number for each pair of states.
pub fn mean_first_passage_times(chain: &MarkovChain, returns: bool, out: &mut [f64], control: &Control) -> Result<()> {
    let n = chain.n_states();
    assert_eq!(out.len(), n * n, "a number for each pair of states");
    let certain = Certain::new(chain, control)?;
    if certain.classes.iter().any(|states| states.len() == n) {
        let class = Class::new(chain, &certain, 0, control)?;
        class.fill(returns, out, control)?;
        if !trusted(out) {
            let mut wide = zeros(n * n, control)?;
            class.fill::<Wide>(returns, &mut wide, control)?;
            out.iter_mut().zip(wide).for_each(|(to, time)| *to = time.value());
        }
        return Ok(());
    }
    fill_blocks(
        out,
        n,
        64,
        control,
        || (),
        |(), first, rows| {
            rows.fill(f64::INFINITY);
            let diagonal = rows.chunks_exact_mut(n).enumerate().map(|(row, to)| &mut to[first + row]);
            diagonal.for_each(|to| *to = if returns { f64::INFINITY } else { 0.0 });
            control.check()
        },
    )?;
    for number in 0..certain.classes.len() {
        let class = Class::new(chain, &certain, number, control)?;
        if !into::<f64>(&class, returns, out, n, control)? {
            into::<Wide>(&class, returns, out, n, control)?;
        }
    }
    if !transient::fill::<f64>(chain, &certain, out, control)? {
        transient::fill::<Wide>(chain, &certain, out, control)?;
    }
    Ok(())
}

/// Writes the times to the states of `class` into `out`, of `n` columns, unless they are not to be trusted.
fn into<T: Number>(class: &Class, returns: bool, out: &mut [f64], n: usize, control: &Control) -> Result<bool> {
    let width = class.n_targets();
    let mut times: Vec<T> = zeros(class.states.len() * width, control)?;
    class.fill(returns, &mut times, control)?;
    if !trusted(&times) {
        return Ok(false);
    }
    for (&state, times) in class.states.iter().zip(times.chunks_exact(width)) {
        control.check()?;
        let row = &mut out[state as usize * n..][..n];
        class.states.iter().zip(times).for_each(|(&target, time)| row[target as usize] = time.value());
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{Dangling, Meaning};
    use proptest::prelude::*;

    fn chain(n: usize, weights: &[f64]) -> MarkovChain {
        let indptr: Vec<i64> = (0..=n as i64).map(|row| row * n as i64).collect();
        let indices: Vec<u32> = (0..n * n).map(|at| (at % n) as u32).collect();
        let meaning = Meaning::Weights(Dangling::Absorb);
        MarkovChain::from_csr(&indptr, &indices, Some(weights), meaning, &Control::default()).unwrap()
    }

    fn times(chain: &MarkovChain, returns: bool, threads: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; chain.n_states().pow(2)];
        let control = Control::new(threads);
        mean_first_passage_times(chain, returns, &mut out, &control).unwrap();
        assert_eq!(control.progress().0, control.progress().1);
        out
    }

    /// The largest deviation from `sum over k of a_ik (m_ij - m_kj) = 1`, in the form that adds only.
    fn residual(chain: &MarkovChain, times: &[f64]) -> f64 {
        let n = chain.n_states();
        let mut worst = 0.0f64;
        for i in 0..n {
            for j in (0..n).filter(|&j| j != i && times[i * n + j] < f64::INFINITY) {
                let (mut leave, mut after) = (0.0, 1.0);
                for (k, p) in chain.row(i as u32).iter().filter(|&(k, _)| k as usize != i) {
                    leave += p;
                    after += if k as usize == j { 0.0 } else { p * times[k as usize * n + j] };
                }
                worst = worst.max((times[i * n + j] * leave / after - 1.0).abs());
            }
        }
        worst
    }

    /// Dense rows whose entries span thirty powers of ten.
    fn rough(n: usize) -> MarkovChain {
        let weights: Vec<f64> = (0..n * n).map(|at| 10f64.powf(-((at * 7919 % 1009) as f64) / 33.0)).collect();
        chain(n, &weights)
    }

    #[test]
    fn sizes_around_the_panels_and_any_threads() {
        for n in [1, 2, 3, 31, 32, 33, 64, 65, 97, 130, 257] {
            let chain = rough(n);
            let found = times(&chain, true, 1);
            assert!(residual(&chain, &found) < 1e-13 && found.iter().all(|&time| time >= 1.0), "{n}");
            assert_eq!(found, times(&chain, true, 3));
        }
    }

    #[test]
    fn a_product_of_a_lost_probability_and_an_endless_time_counts() {
        // From 1 the walk goes to 3, but with 1e-200 to 2, from there with 1e-200 to 0, which is left with 1e-300 1e-150.
        let mut weights = [0.0; 25];
        for (from, to, weight) in [(1, 3, 1.0), (1, 2, 1e-200), (2, 3, 1.0), (2, 0, 1e-200)] {
            weights[from * 5 + to] = weight;
        }
        for (from, to, weight) in [(0, 4, 1e-300), (0, 0, 1.0), (4, 0, 1.0), (4, 3, 1e-150), (3, 1, 1.0)] {
            weights[from * 5 + to] = weight;
        }
        let found = times(&chain(5, &weights), false, 1);
        // 0 -> 3 takes 1e450, beyond the range; 1 -> 3 takes 1 + 1e-400 1e450.
        assert_eq!((found[3], found[4 * 5 + 3]), (f64::INFINITY, f64::INFINITY));
        assert!((found[5 + 3] / 1e50 - 1.0).abs() < 1e-14, "{}", found[5 + 3]);
        assert!((found[2 * 5 + 3] / 1e250 - 1.0).abs() < 1e-14, "{}", found[2 * 5 + 3]);
        assert_eq!((found[3 * 5 + 1], found[15]), (1.0, f64::INFINITY));
    }

    #[test]
    fn classes_transient_states_and_what_all_walks_pass() {
        // 5 and 6 lead to 4 at once or by each other, 4 to 0 or 2; {0, 1} and {2} are never left.
        let mut weights = [0.0; 49];
        for (from, to) in [(0, 1), (1, 0), (2, 2), (4, 0), (4, 2), (5, 4), (5, 6), (6, 5), (6, 4), (3, 0)] {
            weights[from * 7 + to] = 1.0;
        }
        let chain = chain(7, &weights);
        let found = times(&chain, true, 1);
        let inf = f64::INFINITY;
        assert_eq!(found[..7], [2.0, 1.0, inf, inf, inf, inf, inf]);
        assert_eq!(found[14..21], [inf, inf, 1.0, inf, inf, inf, inf]);
        assert_eq!(found[21..28], [1.0, 2.0, inf, inf, inf, inf, inf]);
        assert_eq!(found[28..35], [inf; 7]);
        assert_eq!(found[35..42], [inf, inf, inf, inf, 2.0, inf, inf]);
        assert_eq!(times(&chain, false, 1)[32], 0.0);
        let error = kemeny_constant(&chain, usize::MAX, &Control::default()).unwrap_err();
        assert!(error.to_string().contains("2 (states 0 and 2"));
    }

    proptest! {
        #[test]
        fn each_time_is_one_more_than_the_mean_of_the_next(
            weights in prop::collection::vec(prop_oneof![Just(0.0), (0..40i32).prop_map(|e| 10f64.powi(-e))], 49)
        ) {
            let chain = chain(7, &weights);
            prop_assert!(residual(&chain, &times(&chain, false, 1)) < 1e-14);
        }
    }

    #[test]
    fn kemeny_by_hand() {
        // Eigenvalues 1 and 1 - a - b.
        let two = chain(2, &[1.0, 1e-60, 3e-60, 1.0]);
        let found = kemeny_constant(&two, usize::MAX, &Control::default()).unwrap();
        assert!((found * 4e-60 - 1.0).abs() < 1e-15);
        assert_eq!(kemeny_constant(&chain(1, &[1.0]), usize::MAX, &Control::default()), Ok(0.0));
    }
}
