//! Ratings of resampled battles.

use super::fit::{Fit, Newton, centre, fill_weights, gradient, weights};
use super::linear::dot;
use super::resample::Resampler;
use super::{Battles, components, place};
use crate::error::Result;
use crate::machine::{Kernel, widest};
use crate::random::Seed;
use crate::run::{Control, map_items};
use std::sync::Mutex;

/// The error left in a rating, in natural units: far below any interval.
const TOLERANCE: f64 = 1e-10;

/// Fills each row of `out` (rounds x players) with the ratings of one multinomial resample of the battles; round i
/// draws from stream `first + i`. A round in which some player has no finite rating has a row of NaN; returns how many
/// those are.
///
/// A resample is close to the data, so its maximum is found by chords: steps with the inverse Hessian of the full
/// `fit`, each a gradient and a product of n^2. Where they do not contract fast, Newton's method takes over.
///
/// # Errors
/// If a count is not whole; [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` is not a whole number of rows.
pub fn bootstrap(
    battles: &Battles<'_>,
    fit: &Fit,
    ridge: f64,
    seed: Seed,
    first: u64,
    out: &mut [f64],
    control: &Control,
) -> Result<usize> {
    let n = battles.n_players;
    let resampler = Resampler::new(battles)?;
    let weight = weights(&fit.rating);
    let certificate = if ridge > 0.0 { Vec::new() } else { certificate(n, &battles.points()) };
    assert_eq!(out.len() % n, 0, "the output is not a whole number of rows");
    let rows: Vec<Mutex<&mut [f64]>> = out.chunks_exact_mut(n).map(Mutex::new).collect();
    let found = map_items(
        rows.len(),
        4,
        control,
        || Scratch::new(n, ridge),
        |scratch, item| {
            let mut stream = seed.stream(first.wrapping_add(item as u64));
            let round = Round {
                resampler: &resampler,
                stream: &mut stream,
                fit,
                weight: &weight,
                ridge,
                certificate: &certificate,
                scratch,
                control,
            };
            let found = widest(round)?;
            if let Ok(mut row) = rows[item].lock() {
                if found {
                    row.copy_from_slice(&scratch.newton.rating);
                } else {
                    row.fill(f64::NAN);
                }
            }
            Ok(found)
        },
    )?;
    Ok(found.iter().filter(|found| !**found).count())
}

struct Scratch {
    points: Vec<f64>,
    gradient: Vec<f64>,
    weight: Vec<f64>,
    newton: Newton,
}

impl Scratch {
    fn new(n: usize, ridge: f64) -> Self {
        let zeros = vec![0.0; n];
        Self { points: vec![0.0; n * (n - 1)], gradient: zeros.clone(), weight: zeros, newton: Newton::new(n, ridge) }
    }
}

struct Round<'a> {
    resampler: &'a Resampler,
    stream: &'a mut crate::random::Stream,
    fit: &'a Fit,
    weight: &'a [f64],
    ridge: f64,
    certificate: &'a [usize],
    scratch: &'a mut Scratch,
    control: &'a Control,
}

impl Kernel for Round<'_> {
    type Output = Result<bool>;

    /// Leaves the ratings in `scratch.newton.rating`; false if there are none.
    #[inline(always)]
    fn run(self) -> Result<bool> {
        let Scratch { points, gradient: g, weight, newton } = self.scratch;
        let n = self.weight.len();
        self.resampler.draw(self.stream, points, self.control)?;
        if self.certificate.iter().any(|&at| points[at] == 0.0) && components(n, points).iter().any(|&c| c != 0) {
            return Ok(false);
        }
        newton.rating.copy_from_slice(&self.fit.rating);
        weight.copy_from_slice(self.weight);
        let mut last: Option<f64> = None;
        for _ in 0..30 {
            self.control.check()?;
            gradient(points, weight, g);
            if self.ridge > 0.0 {
                for (g, r) in g.iter_mut().zip(&newton.rating) {
                    *g -= self.ridge * r;
                }
            }
            let mut largest = 0.0f64;
            for (rating, row) in newton.rating.iter_mut().zip(self.fit.inverse.chunks_exact(n)) {
                let step = dot(row, g);
                *rating += step;
                largest = largest.max(step.abs());
            }
            if let Some(last) = last {
                // Steps shrink like a geometric series, so this bounds what is left of it.
                let factor = largest / last;
                if largest * factor < TOLERANCE * (1.0 - factor) {
                    centre(&mut newton.rating);
                    return Ok(true);
                }
                if factor.is_nan() || factor > 0.4 {
                    break;
                }
            }
            last = Some(f64::max(largest, f64::MIN_POSITIVE));
            fill_weights(&newton.rating, weight);
        }
        newton.rating.copy_from_slice(&self.fit.rating);
        Ok(newton.climb(points, self.control)?.is_some())
    }
}

/// Places whose points, where none is 0, prove that a chain of wins leads from everyone to everyone: a tree of wins
/// from player 0 and one of losses, of the heaviest edges.
fn certificate(n: usize, points: &[f64]) -> Vec<usize> {
    let mut places = Vec::with_capacity(2 * (n - 1));
    for outward in [true, false] {
        let edge = |from: usize, to: usize| if outward { place(n, from, to) } else { place(n, to, from) };
        let mut parent = vec![0; n];
        let mut outside: Vec<usize> = (1..n).collect();
        while !outside.is_empty() {
            let weight = |&i: &usize| points[edge(parent[i], i)];
            let at = (0..outside.len())
                .max_by(|&a, &b| weight(&outside[a]).total_cmp(&weight(&outside[b])))
                .unwrap_or_default();
            let new = outside.swap_remove(at);
            places.push(edge(parent[new], new));
            for &i in &outside {
                if points[edge(new, i)] > points[edge(parent[i], i)] {
                    parent[i] = new;
                }
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::{fit, pairs};
    use super::*;

    fn table(n: usize, size: u64) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Seed::from_u64(11).stream(0);
        let (mut wins, mut ties) = (vec![0.0; n * n], vec![0.0; n * n]);
        for (i, j) in pairs(n) {
            wins[i * n + j] = (1 + stream.below(size)) as f64;
            wins[j * n + i] = (1 + stream.below(size)) as f64;
            ties[i * n + j] = stream.below(size / 4 + 1) as f64;
            ties[j * n + i] = ties[i * n + j];
        }
        (wins, ties)
    }

    fn run(n: usize, size: u64, ridge: f64, threads: usize, first: u64, rounds: usize) -> (Vec<f64>, usize) {
        let (wins, ties) = table(n, size);
        let battles = Battles::new(n, &wins, &ties, &[]).unwrap();
        let control = Control::new(threads);
        let fit = fit(&battles, ridge, &control).unwrap();
        let mut out = vec![0.0; rounds * n];
        let failed = bootstrap(&battles, &fit, ridge, Seed::from_u64(2), first, &mut out, &control).unwrap();
        (out, failed)
    }

    #[test]
    fn rounds_are_the_fits_of_their_resamples() {
        for (n, size, ridge) in [(3, 2, 0.0), (6, 40, 0.0), (20, 400, 0.0), (5, 2, 0.3)] {
            let (wins, ties) = table(n, size);
            let battles = Battles::new(n, &wins, &ties, &[]).unwrap();
            let resampler = Resampler::new(&battles).unwrap();
            let (ratings, failed) = run(n, size, ridge, 2, 0, 50);
            let mut points = vec![0.0; n * (n - 1)];
            let mut missing = 0;
            for (round, row) in ratings.chunks_exact(n).enumerate() {
                let control = Control::default();
                resampler.draw(&mut Seed::from_u64(2).stream(round as u64), &mut points, &control).unwrap();
                let mut wins = vec![0.0; n * n];
                for i in 0..n {
                    for j in (0..n).filter(|&j| j != i) {
                        wins[i * n + j] = points[place(n, i, j)];
                    }
                }
                if let Ok(fit) = fit(&Battles::new(n, &wins, &[], &[]).unwrap(), ridge, &control) {
                    for (a, b) in row.iter().zip(&fit.rating) {
                        assert!((a - b).abs() < 1e-9, "{n} {a} {b}");
                    }
                } else {
                    missing += 1;
                    assert!(row.iter().all(|x| x.is_nan()));
                }
            }
            assert_eq!(missing, failed);
            assert_eq!(n == 3, failed > 0, "the smallest table is to lose some rounds");
        }
    }

    #[test]
    fn same_bytes_for_any_threads_and_shards() {
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let whole = bits(run(7, 30, 0.0, 1, 5, 60).0);
        assert_eq!(whole, bits(run(7, 30, 0.0, 2, 5, 60).0));
        assert_eq!(whole, bits(run(7, 30, 0.0, 7, 5, 60).0));
        let shards = [bits(run(7, 30, 0.0, 2, 5, 13).0), bits(run(7, 30, 0.0, 2, 18, 47).0)].concat();
        assert_eq!(whole, shards);
    }

    #[test]
    fn value_stability() {
        // A changed value here changes every bootstrap interval: it needs a line in CHANGELOG.md.
        let (ratings, failed) = run(4, 20, 0.0, 1, 0, 2);
        assert_eq!((ratings[0], ratings[7], failed), (0.404_698_244_588_295_34, -0.089_818_990_924_512_68, 0));
    }
}
