//! Symmetric positive definite systems, dense and row-major, in dot products of rows: the compiler vectorises them,
//! and the order of every sum is fixed.

use crate::error::Result;
use crate::run::Control;

const LANES: usize = 16;

/// The sum of `x[i] * y[i]`.
#[inline(always)]
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (x, x_rest) = x.as_chunks::<LANES>();
    let (y, y_rest) = y.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    for (lane, (x, y)) in x_rest.iter().zip(y_rest).enumerate() {
        lanes[lane] += x * y;
    }
    sum(lanes)
}

#[inline(always)]
pub(super) fn sum(mut lanes: [f64; LANES]) -> f64 {
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

/// Replaces the lower triangle of `a` by its Cholesky factor L, A = L L^T; false if `a` is not positive definite.
#[inline(always)]
pub(super) fn cholesky(a: &mut [f64], n: usize, control: &Control) -> Result<bool> {
    for i in 0..n {
        control.check()?;
        let (above, row) = a.split_at_mut(i * n);
        let row = &mut row[..n];
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let square = row[i] - dot(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return Ok(false);
        }
        row[i] = square.sqrt();
    }
    Ok(true)
}

/// Replaces `x` by the solution of L L^T y = x.
#[inline(always)]
pub(super) fn solve(l: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        x[i] = (x[i] - dot(&l[i * n..i * n + i], &x[..i])) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let (before, rest) = x.split_at_mut(i);
        let value = rest[0] / l[i * n + i];
        rest[0] = value;
        for (x, l) in before.iter_mut().zip(&l[i * n..i * n + i]) {
            *x -= value * l;
        }
    }
}

/// The inverse of A = L L^T.
#[inline(always)]
pub(super) fn inverse(l: &[f64], n: usize, control: &Control) -> Result<Vec<f64>> {
    let mut columns = vec![0.0; n * n]; // row j: column j of the inverse of L
    for j in 0..n {
        control.check()?;
        let column = &mut columns[j * n..(j + 1) * n];
        column[j] = 1.0 / l[j * n + j];
        for i in j + 1..n {
            column[i] = -dot(&l[i * n + j..i * n + i], &column[j..i]) / l[i * n + i];
        }
    }
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        control.check()?;
        for j in 0..=i {
            let value = dot(&columns[i * n + i..(i + 1) * n], &columns[j * n + i..(j + 1) * n]);
            inverse[i * n + j] = value;
            inverse[j * n + i] = value;
        }
    }
    Ok(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn factor_solution_and_inverse_undo_the_matrix() {
        for n in [1, 2, 3, 15, 16, 17, 40] {
            let mut stream = Seed::from_u64(n as u64).stream(0);
            let b: Vec<f64> = (0..n * n).map(|_| stream.uniform() - 0.5).collect();
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    a[i * n + j] = (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f64>();
                }
                a[i * n + i] += 0.1;
            }
            let control = Control::default();
            let mut l = a.clone();
            assert!(cholesky(&mut l, n, &control).unwrap());
            let inverse = inverse(&l, n, &control).unwrap();
            let wanted: Vec<f64> = (0..n).map(|_| stream.uniform()).collect();
            let mut x: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i * n + j] * wanted[j]).sum()).collect();
            solve(&l, n, &mut x);
            for i in 0..n {
                assert!((x[i] - wanted[i]).abs() < 1e-10, "n = {n}");
                for j in 0..n {
                    let unit: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                    assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-10, "n = {n}");
                }
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused() {
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2, &Control::default()).unwrap());
    }
}
