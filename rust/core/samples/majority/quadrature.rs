//! Gauss-Legendre quadrature on [0, 1], which turns the division of tied votes into a sum of products.

/// Nodes and weights of one rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
}

/// The smallest rule that integrates every polynomial of degree `degree` with non-negative coefficients to a relative
/// error near rounding.
///
/// `degree / 2 + 1` nodes are exact. A power y^d is within 1e-17 of a polynomial of degree about sqrt(d ln(2e17)), so
/// for large degrees far fewer do.
pub(crate) fn rule_for(degree: usize) -> Rule {
    let exact = degree / 2 + 1;
    let needed = (degree as f64 * (2e17 * (degree + 1) as f64).ln()).sqrt() / 2.0;
    gauss_legendre(exact.min(needed as usize + 8))
}

/// The rule with `n` nodes, by Newton's method on the Legendre polynomial.
fn gauss_legendre(n: usize) -> Rule {
    let mut rule = Rule { nodes: vec![0.0; n], weights: vec![0.0; n] };
    for i in 0..n.div_ceil(2) {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut value, mut before) = (x, 1.0);
            if n == 1 {
                (value, before) = (x, 1.0);
            }
            for j in 2..=n {
                let j = j as f64;
                (value, before) = (((2.0 * j - 1.0) * x * value - (j - 1.0) * before) / j, value);
            }
            slope = n as f64 * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        let weight = 1.0 / ((1.0 - x * x) * slope * slope);
        let mirror = n - 1 - i;
        (rule.nodes[i], rule.nodes[mirror]) = ((1.0 - x) / 2.0, f64::midpoint(1.0, x));
        (rule.weights[i], rule.weights[mirror]) = (weight, weight);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_to_rounding() {
        for degree in [0, 1, 2, 3, 7, 19, 100, 255, 2_000, 10_000] {
            let rule = rule_for(degree);
            for power in (0..=degree).step_by(1 + degree / 37) {
                let sum: f64 = rule.nodes.iter().zip(&rule.weights).map(|(y, w)| w * y.powi(power as i32)).sum();
                let error = (sum * (power + 1) as f64 - 1.0).abs();
                assert!(error < 1e-12, "degree {degree} power {power}: {error}");
            }
        }
        assert!(rule_for(10_000).nodes.len() < 600);
    }
}
