//! The Student and binomial laws behind intervals and p-values.

use crate::samples::special::log_rising;
use libm::lgamma;

/// P(|T| >= |t|) for Student's T with `df` degrees of freedom: `I_{df/(df + t^2)}(df/2, 1/2)`.
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    beta_regularised(df / 2.0, 0.5, df / (df + square), square / (df + square))
}

/// The t with P(|T| <= t) = `confidence`, for Student's T with `df` degrees of freedom.
pub fn student_quantile(confidence: f64, df: f64) -> f64 {
    if !(confidence > 0.0 && confidence < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, df) > 1.0 - confidence && high < 1e300 {
        high *= 2.0;
    }
    // The tail falls with t: halve until the two ends are neighbours (about 60 steps).
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if student_two_sided(middle, df) > 1.0 - confidence { low = middle } else { high = middle }
    }
}

/// Two-sided p-value of `k` successes in `n` fair tosses: `min(1, 2 P(X <= min(k, n - k)))`, the exact sign test.
pub fn sign_test(k: u64, n: u64) -> f64 {
    let k = k.min(n - k.min(n));
    if n == 0 || 2 * k == n {
        return 1.0;
    }
    // P(X <= k) = I_{1/2}(n - k, k + 1).
    (2.0 * beta_regularised((n - k) as f64, (k + 1) as f64, 0.5, 0.5)).min(1.0)
}

/// The interval of Clopper and Pearson (Biometrika 26, 1934) for the probability of which `k` successes in `n` trials
/// were seen: whatever the probability, it holds it at least as often as `confidence` says. (0, 1) without trials.
pub fn binomial_interval(k: u64, n: u64, confidence: f64) -> (f64, f64) {
    let k = k.min(n);
    let tail = 0.5 * (1.0 - confidence);
    let (successes, failures) = (k as f64, (n - k) as f64);
    // P(X >= k) rises with the probability p, and P(X <= k) with 1 - p: the same search from either side.
    let low = if k == 0 { 0.0 } else { quantile(successes, failures + 1.0, tail).0 };
    let high = if k == n { 1.0 } else { quantile(failures, successes + 1.0, tail).1 };
    (low, high)
}

/// The x with `I_x(a, b) = tail`, and `1 - x`: the smaller of the two is searched for, and keeps its digits.
fn quantile(a: f64, b: f64, tail: f64) -> (f64, f64) {
    let below_half = beta_regularised(a, b, 0.5, 0.5) > tail;
    let (mut low, mut high) = (0.0, 0.5);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return if below_half { (high, 1.0 - high) } else { (1.0 - high, high) };
        }
        let (x, y) = if below_half { (middle, 1.0 - middle) } else { (1.0 - middle, middle) };
        let too_far = beta_regularised(a, b, x, y) > tail;
        if too_far == below_half { high = middle } else { low = middle }
    }
}

/// The regularised incomplete beta function `I_x(a, b)`, with `y = 1 - x`, by its continued fraction.
fn beta_regularised(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean; the other follows from I_x(a, b) = 1 - I_y(b, a).
    if x * (a + b + 2.0) > a + 1.0 {
        return 1.0 - beta_regularised(b, a, y, x);
    }
    // The larger of the two is rounded to 1 where the other is small: its logarithm comes from the other.
    let (ln_x, ln_y) = if x < y { (x.ln(), (-x).ln_1p()) } else { ((-y).ln_1p(), y.ln()) };
    let front = (a * ln_x + b * ln_y + log_rising(a.max(b), a.min(b)) - lgamma(a.min(b))).exp() / a;
    let tiny = 1e-300;
    let guard = |value: f64| if value.abs() < tiny { tiny } else { value };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    // Some tens of rounds, but for the middle of a law of billions of trials.
    for m in 1..1_000_000 {
        let m = f64::from(m);
        for step in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / guard(1.0 + step * d);
            c = guard(1.0 + step / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance * b.abs().max(1e-300)
    }

    #[test]
    fn laws_at_known_points() {
        // Closed forms: df = 1 is Cauchy, df = 2 is algebraic.
        assert!(close(student_two_sided(1.0, 1.0), 0.5, 1e-14));
        assert!(close(student_two_sided(3.0, 2.0), 1.0 - 3.0 / 11f64.sqrt(), 1e-13));
        assert!(close(student_quantile(0.95, 1.0), (0.475 * std::f64::consts::PI).tan(), 1e-12));
        assert!(close(student_quantile(0.95, 2.0), 4.302_652_729_749_464, 1e-12));
        assert!(close(student_quantile(0.95, 1e9), 1.959_963_984_540_054, 1e-8));
        assert!(close(sign_test(1, 6), 2.0 * 7.0 / 64.0, 1e-14));
        assert_eq!((sign_test(0, 0), sign_test(3, 6), sign_test(3, 7)), (1.0, 1.0, 1.0));
        assert!(close(sign_test(9, 10), 22.0 / 1024.0, 1e-13));
    }

    #[test]
    fn binomial_intervals_are_those_of_clopper_and_pearson() {
        let (low, high) = binomial_interval(4, 20, 0.95);
        assert!(close(low, 0.057_333_997, 1e-8) && close(high, 0.436_614_003, 1e-8), "{low} {high}");
        let (low, high) = binomial_interval(0, 1_000_000_000, 0.95);
        assert!(low == 0.0 && close(high, -(0.025f64.ln()) / 1e9, 1e-8), "{high}");
        let (low, high) = binomial_interval(7, 7, 0.9);
        assert!(high == 1.0 && close(low, 0.05f64.powf(1.0 / 7.0), 1e-12));
        assert_eq!(binomial_interval(0, 0, 0.95), (0.0, 1.0));
        let (low, high) = binomial_interval(500_000_000, 1_000_000_000, 0.95);
        assert!(close(high - low, 2.0 * 1.959_963_985 / (4e9f64).sqrt(), 1e-4) && close(low, 1.0 - high, 1e-12));
    }
}
