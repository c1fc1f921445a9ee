//! Rank correlations, O(n log n).

use super::prompt::key;
use crate::error::{Result, invalid};

/// Spearman's rank correlation, ties at their middle rank: Pearson's correlation of the ranks. NaN where one side is
/// constant or there are fewer than two values. O(n log n).
///
/// # Errors
/// If the lengths differ or a value is NaN.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64> {
    check_pairs(x, y)?;
    // Twice the ranks are whole numbers: the sums are exact up to 2^53.
    let (x, y) = (double_ranks(x), double_ranks(y));
    let mean = x.len() as f64 + 1.0;
    let moment = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let spread = (moment(&x, &x) * moment(&y, &y)).sqrt();
    Ok(if spread > 0.0 { (moment(&x, &y) / spread).clamp(-1.0, 1.0) } else { f64::NAN })
}

/// Kendall's tau-b: (concordant - discordant) pairs over the geometric mean of the pairs untied in x and in y. NaN
/// where one side is constant or there are fewer than two values. O(n log n): discordant pairs are the exchanges of a
/// merge sort (Knight, JASA 1966).
///
/// # Errors
/// If the lengths differ or a value is NaN.
pub fn kendall_tau(x: &[f64], y: &[f64]) -> Result<f64> {
    check_pairs(x, y)?;
    let mut points: Vec<(u64, u64)> = x.iter().zip(y).map(|(&x, &y)| (key(x), key(y))).collect();
    points.sort_unstable();
    let n_pairs = |n: usize| n as i64 * (n as i64 - 1).max(0) / 2;
    let all = n_pairs(points.len());
    let tied_x: i64 = points.chunk_by(|a, b| a.0 == b.0).map(|run| n_pairs(run.len())).sum();
    let tied_both: i64 = points.chunk_by(|a, b| a == b).map(|run| n_pairs(run.len())).sum();
    let mut y: Vec<u64> = points.iter().map(|point| point.1).collect();
    let mut spare = y.clone();
    let discordant = exchanges(&mut y, &mut spare);
    let tied_y: i64 = y.chunk_by(|a, b| a == b).map(|run| n_pairs(run.len())).sum();
    let concordant = all - tied_x - tied_y + tied_both - discordant;
    let spread = ((all - tied_x) as f64 * (all - tied_y) as f64).sqrt();
    Ok(if spread > 0.0 { ((concordant - discordant) as f64 / spread).clamp(-1.0, 1.0) } else { f64::NAN })
}

/// Sorts `values`; the number of pairs that were in the wrong order.
fn exchanges(values: &mut [u64], spare: &mut [u64]) -> i64 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(n / 2);
    let (spare_left, spare_right) = spare.split_at_mut(n / 2);
    let mut count = exchanges(left, spare_left) + exchanges(right, spare_right);
    let (mut i, mut j) = (0, 0);
    for to in spare.iter_mut() {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            *to = left[i];
            i += 1;
        } else {
            *to = right[j];
            j += 1;
            count += (left.len() - i) as i64;
        }
    }
    values.copy_from_slice(spare);
    count
}

fn double_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by_key(|&i| key(values[i]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for run in order.chunk_by(|&a, &b| key(values[a]) == key(values[b])) {
        for &i in run {
            ranks[i] = (2 * below + run.len() + 1) as f64;
        }
        below += run.len();
    }
    ranks
}

fn check_pairs(x: &[f64], y: &[f64]) -> Result<()> {
    if x.len() != y.len() {
        return Err(invalid("y", &[], y.len(), format!("have the length of x, {}", x.len())));
    }
    for (argument, values) in [("x", x), ("y", y)] {
        if let Some(at) = values.iter().position(|value| value.is_nan()) {
            return Err(invalid(argument, &[at], "NaN", "be a number"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12
    }

    proptest! {
        #[test]
        fn rank_correlations_equal_their_quadratic_forms(points in prop::collection::vec((-4i8..4, -4i8..4), 0..30)) {
            let x: Vec<f64> = points.iter().map(|p| f64::from(p.0)).collect();
            let y: Vec<f64> = points.iter().map(|p| f64::from(p.1)).collect();
            let (mut sign, mut untied_x, mut untied_y) = (0.0, 0.0, 0.0);
            for i in 0..x.len() {
                for j in 0..i {
                    let (dx, dy) = (x[i] - x[j], y[i] - y[j]);
                    sign += if dx * dy == 0.0 { 0.0 } else { (dx * dy).signum() };
                    untied_x += f64::from(u8::from(dx != 0.0));
                    untied_y += f64::from(u8::from(dy != 0.0));
                }
            }
            let tau = if untied_x * untied_y > 0.0 { sign / f64::sqrt(untied_x * untied_y) } else { f64::NAN };
            prop_assert!(close(kendall_tau(&x, &y).unwrap(), tau));
            let own = if untied_x > 0.0 { 1.0 } else { f64::NAN };
            prop_assert!(close(spearman(&x, &x).unwrap(), own));
            prop_assert!(close(spearman(&x, &y).unwrap(), spearman(&y, &x).unwrap()));
        }
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(kendall_tau(&[1.0], &[1.0, 2.0]).is_err() && spearman(&[f64::NAN], &[1.0]).is_err());
    }
}
