//! Elimination in a square table.

use crate::chains::system::zeros;
use crate::error::Result;
use crate::run::Control;

/// Eliminates the `n` states of `table`, n rows of n + 1 numbers, the last of which is the exit; the diagonal does not
/// matter. Rows are divided by their s_k, which are returned.
pub(super) fn eliminate(table: &mut [f64], n: usize, control: &Control) -> Result<Vec<f64>> {
    let width = n + 1;
    let mut leave = zeros(n)?;
    for k in 0..n {
        control.check()?;
        let (before, after) = table.split_at_mut((k + 1) * width);
        let row = &mut before[k * width + k + 1..];
        let s = row.iter().sum::<f64>();
        leave[k] = s;
        row.iter_mut().for_each(|x| *x /= s);
        for other in after.chunks_exact_mut(width) {
            let factor = other[k];
            if factor > 0.0 {
                other[k + 1..].iter_mut().zip(&*row).for_each(|(to, &x)| *to += factor * x);
            }
        }
    }
    Ok(leave)
}
