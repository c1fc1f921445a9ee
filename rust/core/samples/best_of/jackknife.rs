//! The delete-one jackknife of best-of-k by groups of tied scores.

use super::Sample;

/// Samples with one score: how many, their mean value, and the sum of the squared deviations from it.
pub(super) struct Group {
    size: usize,
    mean: f64,
    scatter: f64,
}

pub(super) fn groups(samples: &[Sample]) -> Vec<Group> {
    samples
        .chunk_by(|a, b| a.0 == b.0)
        .map(|tied| {
            let size = tied.len();
            let mean = tied.iter().map(|sample| sample.1).sum::<f64>() / size as f64;
            Group { size, mean, scatter: tied.iter().map(|sample| (sample.1 - mean).powi(2)).sum() }
        })
        .collect()
}

/// (n-1)/n times the sum over i of (U_{-i} - their mean)^2, where U_{-i} is best-of-k without sample i.
///
/// Without a member of value v of a group of s, the groups above keep their weights w among the n-1 samples, those
/// below move up a rank (seen from the top: one place), and the rest of the group has mean (s mean - v)/(s-1). So
/// U_{-i} is linear in v within a group, and its scatter there is that of the values.
pub(super) fn jackknife(groups: &[Group], n: usize, k: i64, weights: &mut Vec<f64>) -> f64 {
    if k > n as i64 - 1 {
        return f64::NAN;
    }
    let k = k as f64;
    // weights[t]: the t-th sample from the top is the best of k, among n - 1.
    weights.clear();
    let mut weight = k / (n as f64 - 1.0);
    for t in 0..n - 1 {
        weights.push(weight);
        let rank = (n - 1 - t) as f64;
        weight *= if rank > 1.0 { (rank - k).max(0.0) / (rank - 1.0) } else { 0.0 };
    }
    // Sums over the groups below, their members one place up.
    let mut below: f64 = 0.0;
    let mut start = groups[0].size;
    for group in &groups[1..] {
        below += group.mean * weights[start - 1..start - 1 + group.size].iter().sum::<f64>();
        start += group.size;
    }
    let mut above = 0.0;
    let mut start = 0;
    let mut without = Vec::with_capacity(groups.len()); // mean of U_{-i} over the group, and its scatter
    for (g, group) in groups.iter().enumerate() {
        let own = weights[start..start + group.size - 1].iter().sum::<f64>();
        let slope = if group.size > 1 { own / (group.size as f64 - 1.0) } else { 0.0 };
        without.push((above + below + own * group.mean, slope * slope * group.scatter));
        let end = start + group.size;
        if let Some(next) = groups.get(g + 1) {
            above += group.mean * weights[start..end].iter().sum::<f64>();
            below -= next.mean * weights[end - 1..end - 1 + next.size].iter().sum::<f64>();
        }
        start = end;
    }
    let n = n as f64;
    let mean = groups.iter().zip(&without).map(|(group, (u, _))| group.size as f64 * u).sum::<f64>() / n;
    let spread = |(group, (u, scatter)): (&Group, &(f64, f64))| group.size as f64 * (u - mean).powi(2) + scatter;
    (n - 1.0) / n * groups.iter().zip(&without).map(spread).sum::<f64>()
}
