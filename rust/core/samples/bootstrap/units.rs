//! What a resample draws: problems or clusters.

use super::zeros;
use crate::error::{Result, invalid};
use crate::random::Stream;
use crate::run::Control;
use crate::samples::intervals::{Clusters, Curves};

/// Up to this number of units two draws share a random word; no unit is off its probability by more than 2^-32.
const HALF_WORD: u64 = 1 << 16;

/// What is drawn: units, each with a stored row of sums, and how many values each column of it sums.
pub(super) struct Units<'a> {
    /// Row of each unit.
    pub(super) row_of: Vec<u32>,
    pub(super) n_rows: usize,
    pub(super) width: usize,
    values: Rows<'a>,
    /// None where each row counts one value in every column.
    pub(super) counts: Option<Vec<f64>>,
}

enum Rows<'a> {
    Borrowed(Curves<'a>),
    Owned(Vec<f64>),
}

impl<'a> Units<'a> {
    pub(super) fn new(curves: &Curves<'a>, clusters: Option<&[i64]>) -> Result<Self> {
        let width = curves.width();
        if curves.n_problems() == 0 {
            return Err(invalid("index", &[], "", "not be empty"));
        }
        if let Some(labels) = clusters {
            if labels.len() != curves.n_problems() {
                let rule = format!("have one entry a problem, {}", curves.n_problems());
                return Err(invalid("cluster", &[], labels.len(), rule));
            }
            let clusters = Clusters::new(labels);
            let n_rows = clusters.iter().len();
            let (mut values, mut counts) = (zeros(n_rows * width)?, zeros(n_rows * width)?);
            for (c, members) in clusters.iter().enumerate() {
                let place = c * width..(c + 1) * width;
                for &i in members {
                    let (to, counts) = (&mut values[place.clone()], &mut counts[place.clone()]);
                    for ((sum, count), &x) in to.iter_mut().zip(counts).zip(curves.problem(i)) {
                        if !x.is_nan() {
                            *sum += x;
                            *count += 1.0;
                        }
                    }
                }
            }
            let row_of = (0..n_rows as u32).collect();
            return Ok(Self { row_of, n_rows, width, values: Rows::Owned(values), counts: Some(counts) });
        }
        let n_rows = curves.n_rows();
        let row_of = curves.index().iter().map(|&row| row as u32).collect();
        let missing = (0..n_rows).any(|row| curves.row(row).iter().any(|x| x.is_nan()));
        if !missing {
            return Ok(Self { row_of, n_rows, width, values: Rows::Borrowed(*curves), counts: None });
        }
        let (mut values, mut counts) = (zeros(n_rows * width)?, zeros(n_rows * width)?);
        for row in 0..n_rows {
            for (j, &x) in curves.row(row).iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                values[row * width + j] = x;
                counts[row * width + j] = 1.0;
            }
        }
        Ok(Self { row_of, n_rows, width, values: Rows::Owned(values), counts: Some(counts) })
    }

    pub(super) fn value_row(&self, row: usize) -> &[f64] {
        match &self.values {
            Rows::Borrowed(curves) => curves.row(row),
            Rows::Owned(values) => &values[row * self.width..(row + 1) * self.width],
        }
    }
}

/// Adds up how often each row is drawn.
pub(super) fn draw(mut stream: Stream, row_of: &[u32], times: &mut [u32], control: &Control) -> Result<()> {
    let n = row_of.len() as u64;
    if n <= HALF_WORD {
        let below = |word: u64| ((word * n) >> 32) as usize;
        for _ in 0..n / 2 {
            let word = stream.next_u64();
            times[row_of[below(word >> 32)] as usize] += 1;
            times[row_of[below(word & 0xffff_ffff)] as usize] += 1;
        }
        if n % 2 == 1 {
            times[row_of[below(stream.next_u64() >> 32)] as usize] += 1;
        }
        return Ok(());
    }
    for chunk in 0..n.div_ceil(HALF_WORD) {
        control.check()?;
        for _ in 0..HALF_WORD.min(n - chunk * HALF_WORD) {
            times[row_of[stream.below(n) as usize] as usize] += 1;
        }
    }
    Ok(())
}
