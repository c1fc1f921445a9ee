//! Multinomial resamples of a table of counts, exactly and fast.
//!
//! N draws from C cells of counts c could be N look-ups, or C binomials one after the other. Here the cells are
//! independent Poisson draws of mean c (1 - 2 / sqrt(N)), each a look-up in the alias table of its count. Given their
//! sum S such draws are a multinomial of size S; a sum above N (2 % of the time) is drawn anew, and N - S single draws
//! complete the others. The result is a multinomial of size N, up to 2^-53 in its probabilities: C + 2 sqrt(N) look-ups.

use super::alias::{Slot, build, draw};
use super::{Battles, pairs, place};
use crate::error::{Result, invalid};
use crate::random::Stream;
use crate::run::Control;

/// The largest count with an alias table; above, tables would fill the cache and a rejection takes over.
const LARGEST_TABLE: u32 = 2048;

/// Cells of one kind and one count.
#[derive(Debug)]
struct Group {
    mean: f64,
    slots: std::ops::Range<usize>,
    cells: std::ops::Range<usize>,
}

/// Draws resamples of the battles as points of pairs.
#[derive(Debug)]
pub(super) struct Resampler {
    n_pairs: usize,
    /// Where each cell adds its points: the cells of wins, then those of ties (which add half at both places of the
    /// pair), each sorted by count so that neighbours share a table.
    places: Vec<u32>,
    n_wins: usize,
    groups: Vec<Group>,
    slots: Vec<Slot>,
    single: Vec<Slot>,
    total: u64,
}

impl Resampler {
    pub(super) fn new(battles: &Battles<'_>) -> Result<Self> {
        let n = battles.n_players;
        for (argument, counts) in [("wins", battles.wins), ("ties", battles.ties)] {
            if let Some(at) = counts.iter().position(|&c| c.fract() != 0.0 || c > 1e12) {
                let rule =
                    "be a whole number up to 1e12 for the bootstrap, which redraws battles (give draws as ties=)";
                return Err(invalid(argument, &[at / n, at % n], counts[at], rule));
            }
        }
        let mut wins = Vec::new();
        let mut ties = Vec::new();
        for (i, j) in pairs(n) {
            wins.push((battles.wins[i * n + j] as u64, place(n, i, j) as u32));
            wins.push((battles.wins[j * n + i] as u64, place(n, j, i) as u32));
            ties.push((battles.tie(i * n + j) as u64, place(n, i, j) as u32));
        }
        for cells in [&mut wins, &mut ties] {
            cells.retain(|cell| cell.0 > 0);
            cells.sort_unstable();
        }
        let n_wins = wins.len();
        wins.append(&mut ties);
        let total: u64 = wins.iter().map(|cell| cell.0).sum();
        let weights: Vec<f64> = wins.iter().map(|cell| cell.0 as f64).collect();
        let mut single = Vec::with_capacity(wins.len());
        build(&weights, 0, &mut single);
        let rate = 1.0 - 2.0 / (total as f64).sqrt();
        let (mut groups, mut slots) = (Vec::<Group>::new(), Vec::new());
        // Few battles in many cells: draw them one by one.
        if total > wins.len() as u64 && rate > 0.0 {
            let mut known: Vec<(u64, std::ops::Range<usize>)> = Vec::new();
            let mut start = 0;
            while start < wins.len() {
                let count = wins[start].0;
                let stop = if start < n_wins { n_wins } else { wins.len() };
                let end = start + wins[start..stop].partition_point(|cell| cell.0 == count);
                let mean = count as f64 * rate;
                let old = known.iter().find(|(other, _)| *other == count).map(|(_, table)| table.clone());
                let table = old.unwrap_or_else(|| {
                    let begin = slots.len();
                    if count <= u64::from(LARGEST_TABLE) {
                        poisson_table(mean, &mut slots);
                    }
                    begin..slots.len()
                });
                known.push((count, table.clone()));
                groups.push(Group { mean, slots: table, cells: start..end });
                start = end;
            }
        }
        let places = wins.iter().map(|cell| cell.1).collect();
        Ok(Self { n_pairs: n * (n - 1) / 2, places, n_wins, groups, slots, single, total })
    }

    /// Fills `points` with those of one resample.
    #[inline(always)]
    pub(super) fn draw(&self, stream: &mut Stream, points: &mut [f64], control: &Control) -> Result<()> {
        let mut drawn = 0u64;
        loop {
            control.check()?;
            points.fill(0.0);
            for group in &self.groups {
                let places = &self.places[group.cells.clone()];
                let slots = &self.slots[group.slots.clone()];
                let tie = group.cells.start >= self.n_wins;
                for &place in places {
                    let count = if slots.is_empty() {
                        poisson_rejection(group.mean, stream)
                    } else {
                        u64::from(draw(slots, stream))
                    };
                    drawn += count;
                    self.add(points, place as usize, tie, count as f64);
                }
            }
            if drawn <= self.total {
                break;
            }
            drawn = 0;
        }
        for i in drawn..self.total {
            if i % 65_536 == 0 {
                control.check()?;
            }
            let cell = draw(&self.single, stream) as usize;
            self.add(points, self.places[cell] as usize, cell >= self.n_wins, 1.0);
        }
        Ok(())
    }

    #[inline(always)]
    fn add(&self, points: &mut [f64], place: usize, tie: bool, count: f64) {
        if tie {
            points[place] += 0.5 * count;
            points[place + self.n_pairs] += 0.5 * count;
        } else {
            points[place] += count;
        }
    }
}

/// Appends the alias table of the Poisson law of this mean, cut where a value has less than 2^-70 of the largest
/// probability.
fn poisson_table(mean: f64, slots: &mut Vec<Slot>) {
    let mode = mean.floor();
    let negligible = 2.0f64.powi(-70);
    let mut weights = vec![1.0];
    let mut value = mode;
    while value > 0.0 {
        let weight = weights[weights.len() - 1] * value / mean;
        if weight < negligible {
            break;
        }
        weights.push(weight);
        value -= 1.0;
    }
    let first = value as u32;
    weights.reverse();
    value = mode;
    loop {
        value += 1.0;
        let weight = weights[weights.len() - 1] * mean / value;
        if weight < negligible {
            break;
        }
        weights.push(weight);
    }
    build(&weights, first, slots);
}

/// A Poisson draw of a large mean by transformed rejection (Hörmann, Insurance: Mathematics and Economics 1993).
fn poisson_rejection(mean: f64, stream: &mut Stream) -> u64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = stream.uniform() - 0.5;
        let v = stream.uniform();
        let side = 0.5 - u.abs();
        let value = ((2.0 * a / side + b) * u + mean + 0.43).floor();
        if side >= 0.07 && v <= squeeze {
            return value as u64;
        }
        if value < 0.0 || (side < 0.013 && v > side) {
            continue;
        }
        if libm::log(v * inverse_alpha / (a / (side * side) + b)) <= log_poisson(value, mean) {
            return value as u64;
        }
    }
}

/// The logarithm of the Poisson probability of a large mean at `value`, without cancelling terms of the size of
/// `value`: Loader's saddle-point form (2000).
fn log_poisson(value: f64, mean: f64) -> f64 {
    if value == 0.0 {
        return -mean;
    }
    let gap = value - mean;
    let ratio = gap / (value + mean);
    let deviance = if ratio.abs() < 0.1 {
        // value ln(value / mean) - gap as a series in the ratio
        let mut term = 2.0 * value * ratio;
        let mut sum = gap * ratio;
        for odd in (3..40).step_by(2) {
            term *= ratio * ratio;
            sum += term / f64::from(odd);
        }
        sum
    } else {
        value * libm::log(value / mean) - gap
    };
    let square = value * value;
    let stirling = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / value;
    -deviance - stirling - 0.5 * libm::log(std::f64::consts::TAU * value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn moments(draws: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let n = draws.clone().count() as f64;
        let mean = draws.clone().sum::<f64>() / n;
        (mean, draws.map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
    }

    #[test]
    fn poisson_draws_have_their_law() {
        let mut stream = Seed::from_u64(1).stream(0);
        let n = 40_000;
        for mean in [0.3, 1.0, 7.5, 300.0, 1900.0, 2100.0, 1e6] {
            let mut slots = Vec::new();
            if mean < 2000.0 {
                poisson_table(mean, &mut slots);
            }
            let draws: Vec<f64> = (0..n)
                .map(|_| {
                    if slots.is_empty() {
                        poisson_rejection(mean, &mut stream) as f64
                    } else {
                        f64::from(draw(&slots, &mut stream))
                    }
                })
                .collect();
            let (found, variance) = moments(draws.iter().copied());
            let n = f64::from(n);
            assert!((found - mean).abs() < 5.0 * (mean / n).sqrt(), "{mean}: {found}");
            let spread = ((2.0 * mean * mean + mean) / n).sqrt();
            assert!((variance - mean).abs() < 5.0 * spread, "{mean}: {variance}");
        }
    }

    #[test]
    fn rejection_and_table_agree_cell_by_cell() {
        let (mean, n) = (150.0, 200_000);
        let mut stream = Seed::from_u64(5).stream(0);
        let mut counts = [0u32; 40];
        for _ in 0..n {
            let value = poisson_rejection(mean, &mut stream) as i64 - 130;
            if (0..40).contains(&value) {
                counts[value as usize] += 1;
            }
        }
        let exact = |value: f64| value * mean.ln() - mean - (1..=value as u64).map(|k| (k as f64).ln()).sum::<f64>();
        for (i, &count) in counts.iter().enumerate() {
            let value = 130.0 + i as f64;
            assert!((log_poisson(value, mean) - exact(value)).abs() < 1e-11, "{value}");
            let expected = f64::from(n) * exact(value).exp();
            assert!((f64::from(count) - expected).abs() < 5.0 * expected.sqrt(), "{value}: {count} {expected}");
        }
        assert!((log_poisson(400.0, mean) - exact(400.0)).abs() < 1e-10);
    }

    /// Three players; the law of every cell must be binomial with the covariances of a multinomial.
    fn check_multinomial(scale: f64) {
        let wins = [0.0, 9.0, 2.0, 4.0, 0.0, 1.0, 3.0, 0.0, 0.0].map(|w| w * scale);
        let ties = [0.0, 5.0, 0.0, 5.0, 0.0, 2.0, 0.0, 2.0, 0.0].map(|t| t * scale);
        let battles = Battles::new(3, &wins, &ties, &[]).unwrap();
        let resampler = Resampler::new(&battles).unwrap();
        let seed = Seed::from_u64(3);
        let rounds = 40_000;
        let control = Control::default();
        let mut points = vec![0.0; 6];
        let exact = battles.points();
        let total: f64 = 26.0 * scale;
        let (mut first, mut second, mut both) = (vec![0.0; 6], vec![0.0; 6], 0.0);
        for round in 0..rounds {
            resampler.draw(&mut seed.stream(round), &mut points, &control).unwrap();
            assert_eq!(points.iter().sum::<f64>(), total);
            for i in 0..6 {
                first[i] += points[i] - exact[i];
                second[i] += (points[i] - exact[i]).powi(2);
            }
            both += (points[0] - exact[0]) * (points[1] - exact[1]);
        }
        // Of a cell pair with wins w and ties t: variance w + t / 4 - (w + t / 2)^2 / total.
        let cells = [(9.0, 5.0), (2.0, 0.0), (1.0, 2.0), (4.0, 5.0), (3.0, 0.0), (0.0, 2.0)];
        let rounds = rounds as f64;
        for i in 0..6 {
            let (w, t) = (cells[i].0 * scale, cells[i].1 * scale);
            let variance = w + t / 4.0 - (w + t / 2.0).powi(2) / total;
            assert!((first[i] / rounds).abs() < 5.0 * (variance / rounds).sqrt(), "{i} {first:?}");
            assert!((second[i] / rounds / variance - 1.0).abs() < 0.05, "{i} {} {variance}", second[i] / rounds);
        }
        let covariance = -exact[0] * exact[1] / total;
        assert!((both / rounds / covariance - 1.0).abs() < 0.15, "{} {covariance}", both / rounds);
    }

    #[test]
    fn resamples_are_multinomial_in_every_regime() {
        check_multinomial(1.0);
        check_multinomial(100.0);
        check_multinomial(1000.0); // counts above the largest table
    }

    #[test]
    fn few_battles_in_many_cells_are_drawn_one_by_one() {
        let battles = [0.0, 1.0, 1.0, 0.0];
        let battles = Battles::new(2, &battles, &[], &[]).unwrap();
        let resampler = Resampler::new(&battles).unwrap();
        assert!(resampler.groups.is_empty());
        let seed = Seed::from_u64(4);
        let mut points = [0.0; 2];
        let ones = (0..10_000)
            .filter(|&i| {
                resampler.draw(&mut seed.stream(i), &mut points, &Control::default()).unwrap();
                points[0] == 1.0
            })
            .count();
        assert!((ones as f64 - 5000.0).abs() < 250.0);
    }

    #[test]
    fn fractions_are_refused() {
        let wins = [0.0, 1.5, 1.0, 0.0];
        let battles = Battles::new(2, &wins, &[], &[]).unwrap();
        let error = Resampler::new(&battles).unwrap_err().to_string();
        assert!(error.contains("wins[0, 1] must be a whole number") && error.contains("1.5"), "{error}");
    }
}
