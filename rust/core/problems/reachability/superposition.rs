//! Reachability by superposition: a thought holds all nodes that were reached so far at once, and one step expands all of
//! them (Zhu et al. 2025, "Reasoning by Superposition", lemma 2).
//!
//! Thought c is `|V_c|^(-1/2) sum over v in V_c of u_v`, where the `u_v` are orthonormal and `V_c` are the nodes within c
//! edges of the root: one layer of attention adds the heads of all edges whose tails are in the thought, and what is
//! above a threshold then gets equal weights again.

use super::exact::distances;
use super::graphs::{Graph, Graphs};
use crate::error::{Result, invalid};
use crate::memory::zeros;
use crate::random::Seed;
use crate::random::laws::{Draws, Source};
use crate::run::{Control, fill_rows};

/// Graphs that are handed to a thread at once.
const BLOCK: usize = 16;

/// What disturbs a thought. Ours: the paper's construction has no noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Standard deviation of the normal number that is added to the weight of each node before the threshold.
    pub sigma: f64,
    /// The threshold, in units of the weights of the thought before.
    pub threshold: f64,
}

/// Fills `out` with the weights of the nodes in thoughts 0 to `n_steps`: a row of `(n_steps + 1) * width` for each graph,
/// thought after thought, 0 beyond its nodes. Without `noise` a step costs nodes; with noise nodes and edges, and a normal
/// number for each node, from stream `first + g` of `seed` for graph g.
///
/// # Errors
/// Noise that is negative or not finite, a threshold that is not positive;
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `width` is less than the nodes of the largest graph, or `out` has another size.
pub fn thoughts(
    graphs: &Graphs,
    (n_steps, width): (usize, usize),
    noise: Option<Noise>,
    seed: &Seed,
    first: u64,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    assert!(width >= graphs.most_nodes(), "a place for each node");
    assert_eq!(out.len(), graphs.len() * (n_steps + 1) * width, "a row for each graph");
    if let Some(Noise { sigma, threshold }) = noise {
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return Err(invalid("noise", &[], sigma, "be finite and at least 0"));
        }
        if !(threshold > 0.0 && threshold.is_finite()) {
            return Err(invalid("threshold", &[], threshold, "be finite and above 0"));
        }
    }
    let scratch = || vec![0; width];
    fill_rows(out, (n_steps + 1) * width, BLOCK, control, scratch, |distance: &mut Vec<i64>, item, rows| {
        let graph = graphs.get(item);
        rows.fill(0.0);
        match noise {
            None => exact(&graph, &mut distance[..graph.n_nodes()], width, rows, control),
            Some(noise) => {
                let draws = Draws::new(seed.stream(first.wrapping_add(item as u64)));
                disturbed(&graph, noise, draws, width, rows, control)
            }
        }
    })
}

fn exact(graph: &Graph<'_>, distance: &mut [i64], width: usize, rows: &mut [f64], control: &Control) -> Result<()> {
    distances(graph, distance);
    for (step, row) in rows.chunks_mut(width).enumerate() {
        control.check()?;
        let within = |&distance: &i64| distance >= 0 && distance <= step as i64;
        let weight = 1.0 / (distance.iter().filter(|distance| within(distance)).count() as f64).sqrt();
        for (place, distance) in row.iter_mut().zip(&*distance) {
            *place = if within(distance) { weight } else { 0.0 };
        }
    }
    Ok(())
}

fn disturbed(
    graph: &Graph<'_>,
    noise: Noise,
    mut draws: Draws,
    width: usize,
    rows: &mut [f64],
    control: &Control,
) -> Result<()> {
    rows[graph.question.root as usize] = 1.0;
    let mut rest = rows;
    while rest.len() > width {
        control.check()?;
        let (now, after) = rest.split_at_mut(width);
        let next = &mut after[..graph.n_nodes()];
        let level = noise.threshold * now.iter().copied().fold(0.0, f64::max);
        next.copy_from_slice(&now[..graph.n_nodes()]);
        for (tail, &weight) in now[..graph.n_nodes()].iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for &head in graph.heads(tail as u32) {
                next[head as usize] += weight;
            }
        }
        for place in next.iter_mut() {
            let seen = *place + noise.sigma * draws.normal();
            *place = if level > 0.0 && seen > level { 1.0 } else { 0.0 };
        }
        let kept: f64 = next.iter().sum();
        if kept > 0.0 {
            for place in next {
                *place /= kept.sqrt();
            }
        }
        rest = after;
    }
    Ok(())
}

/// Fills `out` with the distance of each node from the root, -1 where it cannot be reached: a row of `width` for each
/// graph, -1 beyond its nodes.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `width` is less than the nodes of the largest graph, or `out` has another size.
pub fn all_distances(graphs: &Graphs, width: usize, out: &mut [i64], control: &Control) -> Result<()> {
    assert!(width >= graphs.most_nodes(), "a place for each node");
    assert_eq!(out.len(), graphs.len() * width, "a row for each graph");
    fill_rows(
        out,
        width,
        BLOCK,
        control,
        || (),
        |(), item, row| {
            let graph = graphs.get(item);
            row.fill(-1);
            distances(&graph, &mut row[..graph.n_nodes()]);
            Ok(())
        },
    )
}

/// The distance of the target of each graph from its root, -1 where it cannot be reached.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn depths(graphs: &Graphs, control: &Control) -> Result<Vec<i64>> {
    let mut out = zeros(graphs.len())?;
    let scratch = || vec![0; graphs.most_nodes()];
    fill_rows(&mut out, 1, BLOCK, control, scratch, |distance, item, out| {
        let graph = graphs.get(item);
        distances(&graph, &mut distance[..graph.n_nodes()]);
        out[0] = distance[graph.question.target as usize];
        Ok(())
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::graphs::tests::graph;
    use super::*;

    const EDGES: [[i64; 2]; 6] = [[0, 1], [0, 2], [1, 3], [2, 3], [3, 4], [5, 6]];

    fn made(noise: Option<Noise>, n_steps: usize) -> Vec<f64> {
        let graphs = graph(&EDGES, 0, 4, 6);
        let mut out = vec![9.0; (n_steps + 1) * 8];
        thoughts(&graphs, (n_steps, 8), noise, &Seed::from_u64(1), 0, &mut out, &Control::default()).unwrap();
        out
    }

    #[test]
    fn a_thought_holds_the_nodes_within_so_many_steps() {
        let out = made(None, 4);
        for (step, n) in [1usize, 3, 4, 5, 5].into_iter().enumerate() {
            let row = &out[8 * step..8 * (step + 1)];
            let weight = 1.0 / (n as f64).sqrt();
            assert!(row[..n].iter().all(|&w| w == weight) && row[n..].iter().all(|&w| w == 0.0), "{row:?}");
        }
        let mut distances = vec![0; 9];
        all_distances(&graph(&EDGES, 0, 4, 6), 9, &mut distances, &Control::default()).unwrap();
        assert_eq!(distances, [0, 1, 1, 2, 3, -1, -1, -1, -1]);
        assert_eq!(depths(&graph(&EDGES, 0, 4, 6), &Control::default()), Ok(vec![3]));
        assert_eq!(depths(&graph(&EDGES, 0, 6, 4), &Control::default()), Ok(vec![-1]));
    }

    #[test]
    fn without_noise_the_threshold_gives_the_same_thoughts() {
        for threshold in [0.01, 0.5, 0.99] {
            let silent = made(Some(Noise { sigma: 0.0, threshold }), 5);
            assert!(silent.iter().zip(made(None, 5)).all(|(x, y)| (x - y).abs() < 1e-15));
        }
        // Noise beyond all measure keeps half of the nodes on average, whatever they are.
        let loud = made(Some(Noise { sigma: 1e9, threshold: 0.5 }), 4000);
        let kept = loud.iter().filter(|&&weight| weight > 0.0).count() as f64 / 4001.0;
        // A thought that lost all nodes stays empty.
        assert!(kept < 7.0 / 2.0, "{kept}");
        let norms = loud.chunks(8).map(|row| row.iter().map(|w| w * w).sum::<f64>());
        assert!(norms.into_iter().all(|norm| norm == 0.0 || (norm - 1.0).abs() < 1e-12));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |sigma, threshold| {
            let noise = Some(Noise { sigma, threshold });
            let graphs = graph(&EDGES, 0, 4, 6);
            thoughts(&graphs, (0, 7), noise, &Seed::from_u64(1), 0, &mut [0.0; 7], &Control::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(error(-1.0, 0.5), "noise must be finite and at least 0, got -1");
        assert_eq!(error(0.1, 0.0), "threshold must be finite and above 0, got 0");
    }
}
