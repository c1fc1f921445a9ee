//! Steps towards the solution within the sets: conjugate gradients, and GMRES or BiCGSTAB where flows do not balance.

use super::operator::Operator;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;

/// Directions that are kept; the memory for them is what bounds their number.
const DIRECTIONS: usize = 60;

/// Where the search for x in `operator x = b` ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Part of the first residual that the last may be.
    pub(super) reduction: f64,
    /// Products with the operator.
    pub(super) n_steps: u64,
}

/// Adds to `x` what conjugate gradients make of the residual `r`, with the leave probabilities as preconditioner (van
/// der Vorst and others call it Jacobi's). `weights` make the operator symmetric. Returns the number of products.
pub(super) fn conjugate_gradients(
    operator: &Operator<'_>,
    weights: &[f64],
    r: &mut [f64],
    x: &mut [f64],
    limits: Limits,
    control: &Control,
) -> Result<u64> {
    let n = r.len();
    let (mut p, mut q): (Vec<f64>, Vec<f64>) = (room(n)?, zeros(n)?);
    let leave = &operator.leave;
    p.extend(r.iter().zip(leave).map(|(&r, &leave)| r / leave));
    let weights = &weights[..n];
    let mut size = partial_sums(n, |i| weights[i] * r[i] * p[i]);
    let enough = size * limits.reduction * limits.reduction;
    for step in 0..limits.n_steps {
        if size <= enough || size.is_nan() {
            return Ok(step);
        }
        operator.apply(&p, &mut q, control)?;
        let along = partial_sums(n, |i| weights[i] * p[i] * q[i]);
        if along <= 0.0 || along.is_nan() {
            return Ok(step + 1);
        }
        let length = size / along;
        add(x, length, &p);
        add(r, -length, &q);
        // The products are no longer needed: their place takes the residual divided by the leave probabilities.
        for ((q, r), leave) in q.iter_mut().zip(&*r).zip(leave) {
            *q = r / leave;
        }
        let next = partial_sums(n, |i| weights[i] * r[i] * q[i]);
        let keep = next / size;
        for (p, q) in p.iter_mut().zip(&q) {
            *p = q + keep * *p;
        }
        size = next;
    }
    Ok(limits.n_steps)
}

/// The sum of `term(0)` to `term(n - 1)`, in eight partial sums: the processor need not wait for one addition before
/// the next.
#[inline(always)]
fn partial_sums(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0f64; 8];
    let whole = n / 8 * 8;
    for first in (0..whole).step_by(8) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    sums.iter().sum::<f64>() + (whole..n).map(term).sum::<f64>()
}

/// The sum of products of two vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let b = &b[..a.len()];
    partial_sums(a.len(), |i| a[i] * b[i])
}

/// Adds `factor` times `from` to `to`.
fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// The operator in other units: residuals are divided by the leave probabilities, and multiplied with `units` that make
/// those of all states count as they should.
struct Scaled<'a, 'b> {
    operator: &'a Operator<'b>,
    units: &'a [f64],
    control: &'a Control,
    plain: Vec<f64>,
}

impl Scaled<'_, '_> {
    fn residual(&self, r: &mut [f64]) {
        for ((r, unit), leave) in r.iter_mut().zip(self.units).zip(&self.operator.leave) {
            *r *= unit / leave;
        }
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) -> Result<()> {
        for ((plain, v), unit) in self.plain.iter_mut().zip(v).zip(self.units) {
            *plain = v / unit;
        }
        self.operator.apply(&self.plain, out, self.control)?;
        self.residual(out);
        Ok(())
    }

    fn solution(&self, x: &mut [f64]) {
        x.iter_mut().zip(self.units).for_each(|(x, unit)| *x /= unit);
    }
}

/// As [`conjugate_gradients`] for any system (BiCGSTAB, van der Vorst 1992). Residuals are divided by the leave
/// probabilities and multiplied with `units`.
pub(super) fn bicgstab(
    operator: &Operator<'_>,
    units: &[f64],
    r: &mut [f64],
    x: &mut [f64],
    limits: Limits,
    control: &Control,
) -> Result<u64> {
    let n = r.len();
    let mut scaled = Scaled { operator, units, control, plain: zeros(n)? };
    scaled.residual(r);
    let shadow = r.to_vec();
    let (mut p, mut v, mut t) = (zeros(n)?, zeros(n)?, zeros(n)?);
    let (mut rho, mut alpha, mut omega) = (1.0, 1.0, 1.0);
    let first = dot(r, r);
    let enough = first * limits.reduction * limits.reduction;
    let within = |size: f64| size <= enough || size.is_nan();
    let mut n_steps = 0;
    while n_steps < limits.n_steps {
        let next = dot(&shadow, r);
        let beta = next / rho * (alpha / omega);
        if !beta.is_finite() || next == 0.0 {
            break;
        }
        rho = next;
        for i in 0..n {
            p[i] = r[i] + beta * (p[i] - omega * v[i]);
        }
        scaled.apply(&p, &mut v)?;
        n_steps += 1;
        alpha = rho / dot(&shadow, &v);
        if !alpha.is_finite() {
            break;
        }
        add(x, alpha, &p);
        add(r, -alpha, &v);
        if within(dot(r, r)) {
            break;
        }
        scaled.apply(r, &mut t)?;
        n_steps += 1;
        omega = dot(&t, r) / dot(&t, &t);
        if !omega.is_finite() || omega == 0.0 {
            break;
        }
        add(x, omega, r);
        add(r, -omega, &t);
        if within(dot(r, r)) {
            break;
        }
    }
    scaled.solution(x);
    Ok(n_steps)
}

/// As [`bicgstab`] by minimal residuals over at most [`DIRECTIONS`] directions, all of which are kept (GMRES, Saad and
/// Schultz 1986): the residual never grows.
pub(super) fn minimal_residuals(
    operator: &Operator<'_>,
    units: &[f64],
    r: &mut [f64],
    x: &mut [f64],
    limits: Limits,
    control: &Control,
) -> Result<u64> {
    let n = r.len();
    let mut scaled = Scaled { operator, units, control, plain: zeros(n)? };
    scaled.residual(r);
    let first = dot(r, r).sqrt();
    if first == 0.0 || !first.is_finite() {
        return Ok(0);
    }
    for r in r.iter_mut() {
        *r /= first;
    }
    let mut directions = vec![r.to_vec()];
    // The triangle that the rotations make of the products, column after column, and the rotated residual.
    let (mut columns, mut rotations, mut rest) = (Vec::<Vec<f64>>::new(), Vec::<(f64, f64)>::new(), vec![first]);
    while columns.len() < DIRECTIONS && rest[columns.len()].abs() > limits.reduction * first {
        let mut next = zeros(n)?;
        scaled.apply(&directions[columns.len()], &mut next)?;
        let mut column = Vec::with_capacity(directions.len());
        for direction in &directions {
            let along = dot(direction, &next);
            add(&mut next, -along, direction);
            column.push(along);
        }
        let beyond = dot(&next, &next).sqrt();
        for (row, &(c, s)) in rotations.iter().enumerate() {
            (column[row], column[row + 1]) =
                (c * column[row] + s * column[row + 1], c * column[row + 1] - s * column[row]);
        }
        let last = columns.len();
        let length = column[last].hypot(beyond);
        if length == 0.0 || !length.is_finite() {
            break;
        }
        let (c, s) = (column[last] / length, beyond / length);
        column[last] = length;
        rotations.push((c, s));
        rest.push(-s * rest[last]);
        rest[last] *= c;
        columns.push(column);
        if beyond == 0.0 {
            break;
        }
        for x in &mut next {
            *x /= beyond;
        }
        directions.push(next);
    }
    for last in (0..columns.len()).rev() {
        let factor = rest[last] / columns[last][last];
        for row in 0..last {
            rest[row] -= factor * columns[last][row];
        }
        add(x, factor, &directions[last]);
    }
    scaled.solution(x);
    Ok(columns.len() as u64)
}
