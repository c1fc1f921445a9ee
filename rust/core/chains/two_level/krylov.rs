//! Steps towards the solution within the sets: conjugate gradients, and BiCGSTAB where flows do not balance.

use super::operator::Operator;
use crate::chains::system::{room, zeros};
use crate::error::Result;
use crate::run::Control;

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
    let mut size: f64 = (0..n).map(|i| weights[i] * r[i] * p[i]).sum();
    let enough = size * limits.reduction * limits.reduction;
    for step in 0..limits.n_steps {
        if size <= enough || size.is_nan() {
            return Ok(step);
        }
        operator.apply(&p, &mut q, control)?;
        let along: f64 = (0..n).map(|i| weights[i] * p[i] * q[i]).sum();
        if along <= 0.0 || along.is_nan() {
            return Ok(step + 1);
        }
        let length = size / along;
        let mut next = 0.0;
        for i in 0..n {
            x[i] += length * p[i];
            r[i] -= length * q[i];
            next += weights[i] * r[i] * (r[i] / leave[i]);
        }
        let keep = next / size;
        for i in 0..n {
            p[i] = r[i] / leave[i] + keep * p[i];
        }
        size = next;
    }
    Ok(limits.n_steps)
}

/// As [`conjugate_gradients`] for any system (van der Vorst 1992). Residuals are divided by the leave probabilities.
pub(super) fn bicgstab(
    operator: &Operator<'_>,
    r: &mut [f64],
    x: &mut [f64],
    limits: Limits,
    control: &Control,
) -> Result<u64> {
    let n = r.len();
    let leave = &operator.leave;
    let masses: Vec<f64> = operator.weights.iter().zip(leave).map(|(weight, leave)| weight * leave).collect();
    let dot = |a: &[f64], b: &[f64]| (0..n).map(|i| masses[i] * a[i] * b[i]).sum::<f64>();
    let product = |v: &[f64], out: &mut [f64]| {
        operator.apply(v, out, control)?;
        out.iter_mut().zip(leave).for_each(|(out, &leave)| *out /= leave);
        Result::Ok(())
    };
    r.iter_mut().zip(leave).for_each(|(r, &leave)| *r /= leave);
    let shadow = r.to_vec();
    let (mut p, mut v, mut t) = (zeros(n)?, zeros(n)?, zeros(n)?);
    let (mut rho, mut alpha, mut omega) = (1.0, 1.0, 1.0);
    let enough = dot(r, r) * limits.reduction * limits.reduction;
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
        product(&p, &mut v)?;
        n_steps += 1;
        alpha = rho / dot(&shadow, &v);
        if !alpha.is_finite() {
            break;
        }
        for i in 0..n {
            x[i] += alpha * p[i];
            r[i] -= alpha * v[i];
        }
        if within(dot(r, r)) {
            break;
        }
        product(r, &mut t)?;
        n_steps += 1;
        omega = dot(&t, r) / dot(&t, &t);
        if !omega.is_finite() || omega == 0.0 {
            break;
        }
        for i in 0..n {
            x[i] += omega * r[i];
            r[i] -= omega * t[i];
        }
        if within(dot(r, r)) {
            break;
        }
    }
    Ok(n_steps)
}
