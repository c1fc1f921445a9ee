//! Uncertainty of a mean over problems: problem-level and clustered standard errors, paired differences.
//! [`laws`](super::laws) turns them into intervals and p-values.
//!
//! A curve of `K` values belongs to each problem, NaN where the problem has too few samples for that `k`. Problems
//! with equal curves share one stored row, so the pass@k curves of a million problems stay small. With `U_i` the value
//! of problem `i` at one `k`, and the sums over the problems that have a value there,
//!
//! * `SE^2 = sum (U_i - mean)^2 / ((P - 1) P)`: the sampling noise within the problems is already in it;
//! * clustered: `SE^2 = C/(C-1) * sum_c (sum_{i in c} (U_i - mean))^2 / P^2` over `C` clusters (Miller 2024,
//!   arXiv 2411.00640, with the small-sample factor).

use crate::error::{Result, invalid};
use crate::run::{Control, map_items};

/// Columns summed at a time.
const BLOCK: usize = 32;

/// One row for each problem, equal rows stored once: problem `i` has row `index[i]` of `rows`.
#[derive(Debug, Clone, Copy)]
pub struct Curves<'a> {
    rows: &'a [f64],
    width: usize,
    index: &'a [i64],
}

impl<'a> Curves<'a> {
    /// Views `rows` as rows of `width` values.
    ///
    /// # Errors
    /// If `rows` is not a whole number of rows, or an index points outside.
    pub fn new(rows: &'a [f64], width: usize, index: &'a [i64]) -> Result<Self> {
        if width == 0 || !rows.len().is_multiple_of(width) {
            return Err(invalid("rows", &[], rows.len(), format!("be a whole number of rows of {width} values")));
        }
        let n_rows = rows.len() / width;
        match index.iter().position(|&row| row < 0 || row as usize >= n_rows) {
            Some(i) => Err(invalid("index", &[i], index[i], format!("be a row number below {n_rows}"))),
            None => Ok(Self { rows, width, index }),
        }
    }

    /// Number of values of a curve.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of problems.
    pub fn n_problems(&self) -> usize {
        self.index.len()
    }

    /// Number of stored rows.
    pub fn n_rows(&self) -> usize {
        self.rows.len() / self.width
    }

    /// The row number of each problem.
    pub fn index(&self) -> &'a [i64] {
        self.index
    }

    /// Stored row `row`.
    #[inline]
    pub fn row(&self, row: usize) -> &'a [f64] {
        &self.rows[row * self.width..(row + 1) * self.width]
    }

    /// The curve of problem `i`.
    #[inline]
    pub fn problem(&self, i: usize) -> &'a [f64] {
        self.row(self.index[i] as usize)
    }
}

/// Which problems belong together; a cluster is one independent unit.
#[derive(Debug, Clone)]
pub struct Clusters {
    order: Vec<usize>,
    starts: Vec<usize>,
}

impl Clusters {
    /// Groups problems of equal label, the groups in order of their labels.
    pub fn new(labels: &[i64]) -> Self {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&i| labels[i]);
        let mut starts: Vec<usize> =
            (0..order.len()).filter(|&i| i == 0 || labels[order[i]] != labels[order[i - 1]]).collect();
        starts.push(order.len());
        Self { order, starts }
    }

    /// The members of each cluster.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.starts.windows(2).map(|pair| &self.order[pair[0]..pair[1]])
    }
}

/// Mean of one column over problems.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Problems with a value in this column.
    pub n_used: u64,
    /// Independent units among them: the same, or the number of clusters.
    pub n_units: u64,
    /// Their mean; NaN without any.
    pub mean: f64,
    /// Its standard error; NaN with fewer than two units.
    pub standard_error: f64,
}

/// Mean and standard error of every column. Costs two passes over the stored rows (over all problems, with clusters).
///
/// # Errors
/// If `clusters` has another number of problems, and [`Error::Interrupted`](crate::Error::Interrupted).
pub fn summarise(curves: &Curves<'_>, clusters: Option<&[i64]>, control: &Control) -> Result<Vec<Moments>> {
    if let Some(labels) = clusters {
        same_problems("cluster", labels.len(), curves.n_problems())?;
        let clusters = Clusters::new(labels);
        let read =
            |i: usize, first: usize, out: &mut [f64]| out.copy_from_slice(&curves.problem(i)[first..][..out.len()]);
        return columns(curves.width, &Units::Clusters(&clusters), control, read);
    }
    let mut counts = vec![0u32; curves.n_rows()];
    for &row in curves.index {
        counts[row as usize] += 1;
    }
    let read = |row: usize, first: usize, out: &mut [f64]| out.copy_from_slice(&curves.row(row)[first..][..out.len()]);
    columns(curves.width, &Units::Rows(&counts), control, read)
}

/// A paired comparison of two columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The difference, first minus second, over the pairs in which both have a value.
    pub difference: Moments,
    /// Pearson's correlation of the two over those pairs; NaN where one of them does not vary.
    pub correlation: f64,
}

/// Compares two sets of curves, problem `i` of the one with problem `i` of the other, column by column.
///
/// # Errors
/// If shapes differ, and [`Error::Interrupted`](crate::Error::Interrupted).
pub fn compare(a: &Curves<'_>, b: &Curves<'_>, clusters: Option<&[i64]>, control: &Control) -> Result<Vec<Paired>> {
    same_problems("index_b", b.n_problems(), a.n_problems())?;
    if a.width != b.width {
        return Err(invalid("rows_b", &[], b.width, format!("have as many columns as rows_a, {}", a.width)));
    }
    let ones = vec![1u32; a.n_problems()];
    let grouped =
        clusters.map(|labels| same_problems("cluster", labels.len(), a.n_problems()).map(|()| Clusters::new(labels)));
    let grouped = grouped.transpose()?;
    let pairs = Units::Rows(&ones);
    let units = grouped.as_ref().map_or(Units::Rows(&ones), Units::Clusters);
    let read = |combine: fn(f64, f64) -> f64| {
        move |i: usize, first: usize, out: &mut [f64]| {
            let (a, b) = (&a.problem(i)[first..], &b.problem(i)[first..]);
            for (to, (&x, &y)) in out.iter_mut().zip(a.iter().zip(b)) {
                *to = combine(x, y);
            }
        }
    };
    // Adding 0 times the other value carries its NaN over, so that all the moments are over the same pairs.
    let of_a = columns(a.width, &pairs, control, read(|x, y| x + 0.0 * y))?;
    let of_b = columns(a.width, &pairs, control, read(|x, y| y + 0.0 * x))?;
    let of_sum = columns(a.width, &pairs, control, read(|x, y| x + y))?;
    let of_difference = columns(a.width, &pairs, control, read(|x, y| x - y))?;
    let difference =
        if grouped.is_some() { columns(a.width, &units, control, read(|x, y| x - y))? } else { of_difference.clone() };
    let paired = |k: usize| {
        let square = |m: &Moments| m.standard_error * m.standard_error;
        // Var(a + b) - Var(a - b) = 4 Cov(a, b): exact for perfect correlation of either sign.
        let covariance = (square(&of_sum[k]) - square(&of_difference[k])) / 4.0;
        let scale = of_a[k].standard_error * of_b[k].standard_error;
        let correlation = if scale > 0.0 { (covariance / scale).clamp(-1.0, 1.0) } else { f64::NAN };
        Paired { difference: difference[k], correlation }
    };
    Ok((0..a.width).map(paired).collect())
}

fn same_problems(argument: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        Ok(())
    } else {
        Err(invalid(argument, &[], got, format!("have one entry a problem, {expected}")))
    }
}

/// What varies independently.
enum Units<'a> {
    /// Stored rows, each standing for this many problems.
    Rows(&'a [u32]),
    /// Groups of problems.
    Clusters(&'a Clusters),
}

/// The moments of every column; `read(item, first column, out)` copies part of an item's row.
fn columns(
    width: usize,
    units: &Units<'_>,
    control: &Control,
    read: impl Fn(usize, usize, &mut [f64]) + Sync,
) -> Result<Vec<Moments>> {
    let blocks = map_items(
        width.div_ceil(BLOCK),
        1,
        control,
        || (),
        |(), block| {
            let first = block * BLOCK;
            let columns = BLOCK.min(width - first);
            block_moments(columns, units, control, |item, out| read(item, first, out))
        },
    )?;
    Ok(blocks.into_iter().flatten().collect())
}

fn block_moments(
    columns: usize,
    units: &Units<'_>,
    control: &Control,
    read: impl Fn(usize, &mut [f64]),
) -> Result<Vec<Moments>> {
    let mut value = [f64::NAN; BLOCK];
    // Sums are of distances from the first value, so that a constant column has exactly no spread.
    let (mut origin, mut n, mut sum) = ([f64::NAN; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    each(
        units,
        control,
        |item, weight| {
            read(item, &mut value[..columns]);
            for j in 0..BLOCK {
                let used = !value[j].is_nan();
                origin[j] = if origin[j].is_nan() { value[j] } else { origin[j] };
                n[j] += if used { weight } else { 0.0 };
                sum[j] += if used { weight * (value[j] - origin[j]) } else { 0.0 };
            }
        },
        || (),
    )?;
    let mean: [f64; BLOCK] = std::array::from_fn(|j| sum[j] / n[j]);
    let (mut total, mut n_units) = ([0.0; BLOCK], [0.0; BLOCK]);
    match units {
        Units::Rows(_) => {
            each(
                units,
                control,
                |item, weight| {
                    read(item, &mut value[..columns]);
                    for j in 0..BLOCK {
                        let deviation = (value[j] - origin[j]) - mean[j];
                        total[j] += if deviation.is_nan() { 0.0 } else { weight * (deviation * deviation) };
                    }
                },
                || (),
            )?;
            n_units = n;
        }
        Units::Clusters(_) => {
            // Both closures of `each` write to these; it never runs them at once.
            let state = std::cell::RefCell::new(([0.0f64; BLOCK], [false; BLOCK]));
            each(
                units,
                control,
                |item, _| {
                    read(item, &mut value[..columns]);
                    let (within, seen) = &mut *state.borrow_mut();
                    for j in 0..BLOCK {
                        let deviation = (value[j] - origin[j]) - mean[j];
                        within[j] += if deviation.is_nan() { 0.0 } else { deviation };
                        seen[j] |= !deviation.is_nan();
                    }
                },
                || {
                    let (within, seen) = &mut *state.borrow_mut();
                    for j in 0..BLOCK {
                        total[j] += within[j] * within[j];
                        n_units[j] += f64::from(u8::from(seen[j]));
                    }
                    (*within, *seen) = ([0.0; BLOCK], [false; BLOCK]);
                },
            )?;
        }
    }
    let moments = |j: usize| {
        let (n, units) = (n[j], n_units[j]);
        let variance = if units < 2.0 { f64::NAN } else { total[j] / n / n * (units / (units - 1.0)) };
        Moments { n_used: n as u64, n_units: units as u64, mean: origin[j] + mean[j], standard_error: variance.sqrt() }
    };
    Ok((0..columns).map(moments).collect())
}

/// Calls `item(number, weight)` for each item in order, and `unit_end()` after the last of each cluster.
fn each(
    units: &Units<'_>,
    control: &Control,
    mut item: impl FnMut(usize, f64),
    mut unit_end: impl FnMut(),
) -> Result<()> {
    match units {
        Units::Rows(counts) => {
            for (chunk, counts) in counts.chunks(4096).enumerate() {
                control.check()?;
                for (i, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
                    item(chunk * 4096 + i, f64::from(count));
                }
            }
        }
        Units::Clusters(clusters) => {
            for members in clusters.iter() {
                control.check()?;
                for &i in members {
                    item(i, 1.0);
                }
                unit_end();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1e-300)
    }

    #[test]
    fn a_known_column() {
        let curves = Curves::new(&[0.0, 1.0], 1, &[0, 1, 1, 0, 1]).unwrap();
        let moments = summarise(&curves, None, &Control::default()).unwrap()[0];
        assert_eq!((moments.n_used, moments.n_units), (5, 5));
        assert!(close(moments.mean, 0.6, 1e-15) && close(moments.standard_error, (0.3f64 / 5.0).sqrt(), 1e-14));
    }

    #[test]
    fn constant_columns_have_no_spread() {
        let curves = Curves::new(&[1.0 / 3.0, 0.1], 2, &[0; 7]).unwrap();
        for cluster in [None, Some(&[0, 0, 1, 1, 2, 2, 3][..])] {
            let moments = summarise(&curves, cluster, &Control::default()).unwrap();
            assert_eq!((moments[0].mean, moments[0].standard_error), (1.0 / 3.0, 0.0));
        }
    }

    #[test]
    fn clusters_of_one_are_no_clusters_and_doubled_problems_are_half() {
        let rows = [0.1, 0.9, 0.4, 0.35];
        let curves = Curves::new(&rows, 1, &[0, 1, 2, 3]).unwrap();
        let twice = Curves::new(&rows, 1, &[0, 1, 2, 3, 3, 2, 1, 0]).unwrap();
        let plain = summarise(&curves, None, &Control::default()).unwrap()[0];
        let single = summarise(&curves, Some(&[7, 5, 3, -1]), &Control::default()).unwrap()[0];
        let doubled = summarise(&twice, Some(&[0, 1, 2, 3, 3, 2, 1, 0]), &Control::default()).unwrap()[0];
        assert!(close(single.standard_error, plain.standard_error, 1e-14));
        assert!(close(doubled.standard_error, plain.standard_error, 1e-14));
        assert_eq!((doubled.n_used, doubled.n_units), (8, 4));
    }

    #[test]
    fn missing_values_leave_their_column_alone() {
        let rows = [0.0, f64::NAN, 1.0, 0.5];
        let curves = Curves::new(&rows, 2, &[0, 1]).unwrap();
        let moments = summarise(&curves, None, &Control::default()).unwrap();
        assert_eq!((moments[0].n_used, moments[1].n_used), (2, 1));
        assert_eq!(moments[1].mean, 0.5);
        assert!(moments[1].standard_error.is_nan());
    }

    #[test]
    fn bad_indices_are_named() {
        let error = Curves::new(&[0.0], 1, &[0, 1]).unwrap_err();
        assert_eq!(error.to_string(), "index[1] must be a row number below 1, got 1");
    }

    proptest! {
        #[test]
        fn threads_do_not_matter_and_pairs_agree_with_differences(
            rows in prop::collection::vec(0.0f64..1.0, 3 * 70), index in prop::collection::vec(0i64..3, 2..40)
        ) {
            let a = Curves::new(&rows, 70, &index).unwrap();
            let reversed: Vec<i64> = index.iter().rev().copied().collect();
            let b = Curves::new(&rows, 70, &reversed).unwrap();
            let one = compare(&a, &b, None, &Control::default()).unwrap();
            prop_assert_eq!(format!("{one:?}"), format!("{:?}", compare(&a, &b, None, &Control::new(7)).unwrap()));
            for (k, paired) in one.iter().enumerate() {
                let d: Vec<f64> = (0..index.len()).map(|i| a.problem(i)[k] - b.problem(i)[k]).collect();
                let mean = d.iter().sum::<f64>() / d.len() as f64;
                let n = d.len() as f64;
                let error = (d.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / (n - 1.0)).sqrt();
                prop_assert!((paired.difference.mean - mean).abs() < 1e-12);
                prop_assert!((paired.difference.standard_error - error).abs() < 1e-12);
                prop_assert!(paired.correlation.is_nan() || paired.correlation.abs() <= 1.0);
            }
        }
    }
}
