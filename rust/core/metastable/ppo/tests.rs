use super::*;
use crate::chains::matrix::Meaning;
use crate::error::Error;
use crate::rows::Matrix;

/// Two clusters of three states; state 0 leads to state 3 and state 3 to state 0 with probability `epsilon`.
fn clusters(epsilon: f64) -> MarkovChain {
    let mut rows = vec![0.0; 36];
    for state in 0..6 {
        for other in 0..3 {
            rows[6 * state + state / 3 * 3 + other] = [0.5, 0.25, 0.25][other];
        }
    }
    for (source, target) in [(0, 3), (3, 0)] {
        rows[6 * source..6 * source + 6].iter_mut().for_each(|p| *p *= 1.0 - epsilon);
        rows[6 * source + target] = epsilon;
    }
    MarkovChain::from_dense(&Matrix::new(&rows, 6, 6), Meaning::Probabilities, &Control::default()).unwrap()
}

const EDGES: [[u32; 2]; 2] = [[0, 3], [3, 0]];

fn settings(epsilon_max: f64) -> Settings {
    Settings { epsilon_max, clip: 0.2, learning_rate: 0.05, sign_gradient: true, n_epochs: 4, n_iterations: 10_000 }
}

#[test]
fn rare_transitions_rise_to_the_wanted_probability_and_the_rest_keeps_its_ratios() {
    for epsilon in [1e-2, 1e-30, 1e-300] {
        let chain = clusters(epsilon);
        let found = ppo(&chain, &EDGES, None, &settings(0.1), None, &Control::new(2)).unwrap();
        let row = found.chain.row(0);
        assert!((row.probability(3) / 0.1 - 1.0).abs() < 1e-13, "{}", row.probability(3));
        assert!((row.probability(0) / row.probability(1) - 2.0).abs() < 1e-12);
        assert_eq!(found.reached, [true, true]);
        assert!((found.total_variation[0] - (0.1 - epsilon)).abs() < 1e-12);
        assert_eq!(found.total_variation[1], 0.0);
        assert_eq!(found.chain.row(1).probabilities, chain.row(1).probabilities, "states without an edge stay");
        assert_eq!(found.edge_probabilities.len(), 2 * (found.n_iterations + 1));
        // No iteration rises by more than the clip and one step beyond it.
        for pair in found.edge_probabilities.chunks(2).collect::<Vec<_>>().windows(2) {
            assert!(pair[1][0] / pair[0][0] < 1.2 * f64::exp(0.1) + 1e-9);
        }
    }
}

#[test]
fn plain_gradients_need_a_rate_of_the_size_of_one_over_epsilon() {
    let chain = clusters(1e-12);
    let slow = Settings { sign_gradient: false, n_iterations: 100, learning_rate: 1.0, ..settings(0.1) };
    let found = ppo(&chain, &EDGES, None, &slow, None, &Control::default()).unwrap();
    assert!(found.chain.row(0).probability(3) < 1.1e-12);
    assert_eq!((found.n_iterations, &found.reached[..]), (100, &[false, false][..]));
    let fast = Settings { learning_rate: 5e11, n_iterations: 10_000, ..slow };
    let found = ppo(&chain, &EDGES, None, &fast, None, &Control::default()).unwrap();
    assert_eq!(found.reached, [true, true]);
    let far = Settings { learning_rate: 1e300, ..slow };
    assert!(matches!(ppo(&chain, &EDGES, None, &far, None, &Control::default()), Err(Error::Invalid(_))));
}

#[test]
fn the_gradient_is_that_of_the_clipped_objective() {
    // By differences of the objective itself, in a state with two wanted transitions, one of them clipped.
    let row = [0.1, 0.2, 0.3, 0.4];
    let chain = MarkovChain::from_dense(
        &Matrix::new(&[row, row, row, row].concat(), 4, 4),
        Meaning::Probabilities,
        &Control::default(),
    )
    .unwrap();
    let rate = 1e-7;
    let settings = Settings { sign_gradient: false, learning_rate: rate, clip: 0.2, ..settings(0.45) };
    let moved = [0.05, 0.4, -0.1, 0.0];
    let old: Vec<f64> = row.iter().map(|p: &f64| p.ln()).collect();
    let start: Vec<f64> = old.iter().zip(moved).map(|(logit, by)| logit + by).collect();
    let objective = |logits: &[f64]| {
        let total: f64 = logits.iter().map(|x| x.exp()).sum();
        [0, 1].iter().map(|&y| 0.7 * row[y] * (logits[y].exp() / total / row[y]).min(1.2)).sum::<f64>()
    };
    let wanted = [0, 1].map(|place| Wanted { place, edge: place, goal: Goal::Ahead }).to_vec();
    let mut state = State::new(0, 0.7, chain.row(0), wanted);
    state.logits = start.clone();
    softmax::normalise(&mut state.logits);
    let before = state.logits.clone();
    state.ascend(None, &settings).unwrap();
    let steps: Vec<f64> = state.logits.iter().zip(&before).map(|(after, before)| (after - before) / rate).collect();
    for z in 0..4 {
        let mut ends = [start.clone(), start.clone()];
        ends[0][z] -= 1e-5;
        ends[1][z] += 1e-5;
        let slope = (objective(&ends[1]) - objective(&ends[0])) / 2e-5;
        // Up to the same shift of all, which changes no probability.
        let shift = steps[3]
            - (objective(&{
                let mut end = start.clone();
                end[3] += 1e-5;
                end
            }) - objective(&{
                let mut end = start.clone();
                end[3] -= 1e-5;
                end
            })) / 2e-5;
        assert!((steps[z] - shift - slope).abs() < 1e-6, "{z}: {} {slope}", steps[z] - shift);
    }
}

#[test]
fn batches_find_the_transitions_they_draw() {
    let chain = clusters(1e-2);
    let batch = Batch { size: 5000, seed: Seed::from_u64(1) };
    let found = ppo(&chain, &EDGES, None, &settings(0.1), Some(batch), &Control::new(2)).unwrap();
    assert_eq!(found.reached, [true, true]);
    let law = [0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
    let few = Settings { n_iterations: 60, ..settings(0.1) };
    let found = ppo(&chain, &EDGES, Some(&law), &few, Some(batch), &Control::new(2)).unwrap();
    assert_eq!((found.n_iterations, &found.reached[..]), (60, &[true, false][..]), "state 3 is never met");
}
