//! Random transition matrices, as probable as observed counts make them.
//!
//! Counts `c_ij` stand for a density proportional to the product of `p_ij^(c_ij - 1)` over the entries that have any:
//! the posterior under a prior proportional to the product of `1 / p_ij`, whose mean is `c_ij / c_i`. Other priors are
//! pseudo-counts, added by the caller.

use super::table::CountTable;
use crate::error::Result;
use crate::random::Seed;
use crate::random::laws::Draws;
use crate::run::{Control, fill_rows};

/// Entries between two looks at the stop flag.
const CHECKED: usize = 1 << 14;

/// Fills `out`, one number for each entry of `counts` and sample: each row of each matrix is a Dirichlet draw,
/// independent of all others. Sample `i` draws from stream `first + i`. Numbers below 1e-308 are 0. Cost: about 30 ns
/// an entry.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` is not a whole number of samples.
pub fn sample_rows(counts: &CountTable<'_>, seed: &Seed, first: u64, out: &mut [f64], control: &Control) -> Result<()> {
    fill_rows(
        out,
        counts.indices().len(),
        1,
        control,
        || (),
        |(), sample, out| {
            let mut draws = Draws::new(seed.stream(first.wrapping_add(sample as u64)));
            for state in 0..counts.n_states() {
                if state % 256 == 0 {
                    control.check()?;
                }
                let (row, shapes) = (&mut out[counts.row(state)], &counts.values()[counts.row(state)]);
                for (out, shapes) in row.chunks_mut(CHECKED).zip(shapes.chunks(CHECKED)) {
                    out.iter_mut().zip(shapes).for_each(|(out, &shape)| *out = draws.log_gamma(shape));
                    control.check()?;
                }
                normalise(row);
            }
            Ok(())
        },
    )
}

/// Replaces logarithms by numbers in the same proportions whose sum is 1.
pub(super) fn normalise(logs: &mut [f64]) {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for log in &mut *logs {
        *log = libm::exp(*log - most);
    }
    let total: f64 = logs.iter().sum();
    for share in logs {
        *share /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sum_to_one_and_have_their_means() {
        let values = [0.01, 3.0, 5.0, 2.0, 1.0];
        let (indptr, indices) = ([0, 2, 4, 5], [0, 1, 0, 2, 1]);
        let counts = CountTable::new(&indptr, &indices, &values).unwrap();
        let n = 20_000;
        let mut out = vec![0.0; 5 * n];
        sample_rows(&counts, &Seed::from_u64(1), 0, &mut out, &Control::new(2)).unwrap();
        let mut mean = [0.0; 5];
        for sample in out.chunks(5) {
            assert!((sample[0] + sample[1] - 1.0).abs() < 1e-15 && (sample[2] + sample[3] - 1.0).abs() < 1e-15);
            assert_eq!(sample[4], 1.0);
            mean.iter_mut().zip(sample).for_each(|(mean, p)| *mean += p / n as f64);
        }
        // Standard deviations of the means: 0.0002 and 0.0011.
        assert!((mean[1] - 3.0 / 3.01).abs() < 0.0012 && (mean[2] - 5.0 / 7.0).abs() < 0.006, "{mean:?}");
    }

    #[test]
    fn value_stability() {
        let counts = CountTable::new(&[0, 2, 4], &[0, 1, 0, 1], &[0.5, 3.0, 5.0, 2.0]).unwrap();
        let mut out = [0.0; 8];
        sample_rows(&counts, &Seed::from_u64(7), 3, &mut out, &Control::default()).unwrap();
        let bits: Vec<u64> = out.iter().map(|p: &f64| p.to_bits()).collect();
        assert_eq!(bits, PINNED, "{out:?}");
    }
    const PINNED: [u64; 8] = [
        4_584_042_671_518_001_212,
        4_606_920_373_484_093_119,
        4_603_402_308_434_795_661,
        4_601_231_840_648_349_413,
        4_573_384_345_468_550_459,
        4_607_129_806_899_120_006,
        4_606_375_252_624_494_137,
        4_591_121_750_067_351_101,
    ];
}
