use super::*;
use crate::error::Error;
use crate::rows::Matrix;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ERROR: Meaning = Meaning::Weights(Dangling::Error);
const ABSORB: Meaning = Meaning::Weights(Dangling::Absorb);

type Entries = Vec<(u32, u32, f64)>;

/// Rows in the order of their entries.
fn csr(n_states: u32, entries: &[(u32, u32, f64)]) -> (Vec<i64>, Vec<i32>, Vec<f64>) {
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for state in 0..n_states {
        for &(_, to, value) in entries.iter().filter(|&&(from, _, _)| from == state) {
            indices.push(to as i32);
            values.push(value);
        }
        indptr.push(indices.len() as i64);
    }
    (indptr, indices, values)
}

fn of_csr(n_states: u32, entries: &[(u32, u32, f64)], meaning: Meaning) -> Result<MarkovChain> {
    let (indptr, indices, values) = csr(n_states, entries);
    MarkovChain::from_csr(&indptr, &indices, Some(&values), meaning, &Control::default())
}

fn of_edges(n_states: u32, entries: &[(u32, u32, f64)], directed: bool, dangling: Dangling) -> Result<MarkovChain> {
    let source: Vec<i64> = entries.iter().map(|entry| i64::from(entry.0)).collect();
    let target: Vec<i64> = entries.iter().map(|entry| i64::from(entry.1)).collect();
    let weight: Vec<f64> = entries.iter().map(|entry| entry.2).collect();
    let edges = Edges { source: &source, target: &target, weight: Some(&weight), directed };
    MarkovChain::from_edges(edges, Some(n_states as usize), dangling, &Control::default())
}

/// All transitions with their probabilities.
fn transitions(chain: &MarkovChain) -> Vec<(u32, u32, f64)> {
    (0..chain.n_states() as u32).flat_map(|state| chain.row(state).iter().map(move |(to, p)| (state, to, p))).collect()
}

/// What `transitions` must be, by the plainest way: a sum for each entry, divided by the sum of its row.
fn expected(n_states: u32, entries: &[(u32, u32, f64)], dangling: Dangling) -> Option<Entries> {
    let mut sums = BTreeMap::new();
    for &(from, to, value) in entries {
        *sums.entry((from, to)).or_insert(0.0) += value;
    }
    let mut out = Vec::new();
    for state in 0..n_states {
        let row: Vec<(u32, f64)> = sums
            .range((state, 0)..=(state, u32::MAX))
            .map(|(key, &value)| (key.1, value))
            .filter(|e| e.1 > 0.0)
            .collect();
        let total: f64 = row.iter().map(|e| e.1).sum();
        match dangling {
            _ if total > 0.0 => out.extend(row.iter().map(|&(to, value)| (state, to, value / total))),
            Dangling::Absorb => out.push((state, state, 1.0)),
            Dangling::Error => return None,
        }
    }
    Some(out)
}

fn close(found: &[(u32, u32, f64)], wanted: &[(u32, u32, f64)]) -> bool {
    found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(a, b)| (a.0, a.1) == (b.0, b.1) && (a.2 / b.2 - 1.0).abs() < 1e-14)
}

/// What every chain promises to those who walk it.
fn assert_sound(chain: &MarkovChain) {
    let (mut next, mut uniform) = (0, true);
    for state in 0..chain.n_states() as u32 {
        let (begin, degree) = chain.span(state);
        assert_eq!(begin, next);
        assert!(degree > 0);
        next += degree;
        let row = chain.row(state);
        assert!(row.targets.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(row.targets.iter().all(|&target| (target as usize) < chain.n_states()));
        assert!(row.iter().all(|(_, p)| p > 0.0 && p <= 1.0 + 1e-9));
        uniform &= row.iter().all(|(_, p)| p == 1.0 / degree as f64);
    }
    assert_eq!(next, chain.n_transitions());
    assert_eq!(uniform, chain.is_uniform(), "probabilities are stored where they are needed, and only there");
    let per_transition = if uniform { 4 } else { 12 };
    assert_eq!(chain.bytes(), 8 * chain.n_states() + per_transition * chain.n_transitions());
}

fn graphs() -> impl Strategy<Value = (u32, Entries)> {
    (1u32..8).prop_flat_map(|n| {
        let weight = prop_oneof![Just(0.0), Just(1.0), Just(1.0), 0.1..10.0f64, Just(1e-200), Just(1e200)];
        (Just(n), prop::collection::vec((0..n, 0..n, weight), 0..24))
    })
}

proptest! {
    #[test]
    fn rows_are_the_sums_of_their_entries((n, entries) in graphs(), absorb: bool) {
        let (dangling, meaning) = if absorb { (Dangling::Absorb, ABSORB) } else { (Dangling::Error, ERROR) };
        // A share below 1e-300 is refused, so rows have tiny weights or huge ones.
        let huge = entries.iter().any(|e| e.2 == 1e200);
        let entries: Entries = entries.into_iter().filter(|e| !huge || e.2 != 1e-200).collect();
        let (by_rows, by_edges) = (of_csr(n, &entries, meaning), of_edges(n, &entries, true, dangling));
        let Some(wanted) = expected(n, &entries, dangling) else {
            prop_assert!(matches!(by_rows, Err(Error::Invalid(_))) && matches!(by_edges, Err(Error::Invalid(_))));
            return Ok(());
        };
        let (by_rows, by_edges) = (by_rows.unwrap(), by_edges.unwrap());
        assert_sound(&by_rows);
        assert_sound(&by_edges);
        prop_assert!(close(&transitions(&by_rows), &wanted), "{:?}\n{wanted:?}", transitions(&by_rows));
        prop_assert_eq!(transitions(&by_rows), transitions(&by_edges));
        let mut dense = vec![0.0; (n * n) as usize];
        for &(from, to, value) in &entries {
            dense[(from * n + to) as usize] += value;
        }
        let by_matrix = MarkovChain::from_dense(&Matrix::new(&dense, n as usize, n as usize), meaning, &Control::default());
        prop_assert_eq!(transitions(&by_matrix.unwrap()), transitions(&by_rows));
        // The result is a matrix of probabilities, which is taken as it is.
        let again = of_csr(n, &transitions(&by_rows), Meaning::Probabilities).unwrap();
        assert_sound(&again);
        prop_assert_eq!(transitions(&again), transitions(&by_rows));
    }

    #[test]
    fn undirected_edges_stand_for_two((n, entries) in graphs()) {
        let both: Entries = entries.iter().flat_map(|&(a, b, w)| {
            [(a, b, w)].into_iter().chain((a != b).then_some((b, a, w)))
        }).filter(|e| e.2 < 1e100 && e.2 != 1e-200).collect();
        let one: Entries = entries.iter().copied().filter(|e| e.2 < 1e100 && e.2 != 1e-200).collect();
        let (found, wanted) = (of_edges(n, &one, false, Dangling::Absorb), of_edges(n, &both, true, Dangling::Absorb));
        prop_assert!(close(&transitions(&found.unwrap()), &transitions(&wanted.unwrap())));
    }

    #[test]
    fn rows_without_numbers_are_uniform((n, entries) in graphs()) {
        let (indptr, indices, values) = csr(n, &entries);
        let ones = vec![1.0; values.len()];
        let build = |values, meaning| MarkovChain::from_csr(&indptr, &indices, values, meaning, &Control::default());
        let chain = build(None, ABSORB).unwrap();
        assert_sound(&chain);
        prop_assert_eq!(transitions(&chain), transitions(&build(Some(&ones), ABSORB).unwrap()));
        prop_assert_eq!(
            build(None, Meaning::Probabilities).ok().map(|chain| transitions(&chain)),
            build(Some(&ones), ERROR).ok().map(|chain| transitions(&chain))
        );
        let ends: (Vec<u32>, Vec<u32>) = entries.iter().map(|e| (e.0, e.1)).unzip();
        let edges = Edges { source: &ends.0, target: &ends.1, weight: None, directed: true };
        let by_edges = MarkovChain::from_edges(edges, Some(n as usize), Dangling::Absorb, &Control::default()).unwrap();
        assert_sound(&by_edges);
        prop_assert_eq!(transitions(&chain), transitions(&by_edges));
    }
}

#[test]
fn equal_weights_are_stored_as_none_whatever_they_sum_to() {
    // 0.1 / (0.1 + ... + 0.1) need not be 1 / n in floating point.
    for weight in [0.1, 0.3, 1e-310, 1e308, 7.0] {
        for degree in 1..60 {
            let row: Entries = (0..degree).map(|to| (0, to, weight)).collect();
            let chain = of_csr(degree, &row, ABSORB).unwrap();
            assert!(chain.is_uniform());
            assert_sound(&chain);
        }
    }
}

#[test]
fn sums_near_one_are_weights_but_not_probabilities() {
    for error in [1e-6, -1e-6, 1e-5, -1e-5] {
        let rows = [(0, 0, 0.5), (0, 1, 0.5 + error), (1, 0, 1.0)];
        let chain = of_csr(2, &rows, ERROR).unwrap();
        assert!((chain.row(0).iter().map(|e| e.1).sum::<f64>() - 1.0).abs() < 1e-15);
        let text = of_csr(2, &rows, Meaning::Probabilities).unwrap_err().to_string();
        assert!(text.starts_with("transition_matrix[0] must have a sum of 1 within 1e-9"), "{text}");
    }
    let kept = [(0, 0, 0.5), (0, 1, 0.5 + 9e-10), (1, 0, 1.0)];
    assert_eq!(transitions(&of_csr(2, &kept, Meaning::Probabilities).unwrap()), kept);
}

#[test]
fn weights_of_any_size_keep_their_proportions() {
    let row = |weights: [f64; 3]| {
        let entries: Entries = weights.into_iter().enumerate().map(|(to, weight)| (0, to as u32, weight)).collect();
        of_csr(3, &entries, ABSORB).map(|chain| chain.row(0).iter().map(|e| e.1).collect::<Vec<_>>())
    };
    assert_eq!(row([f64::MAX, f64::MAX, f64::MAX / 2.0]).unwrap(), [0.4, 0.4, 0.2]);
    let least = 5e-324;
    assert_eq!(row([2.0 * least, 2.0 * least, 6.0 * least]).unwrap(), [0.2, 0.2, 0.6]);
    assert_eq!(row([1e-290, 0.0, 1.0]).unwrap(), [1e-290, 1.0]);
    assert_eq!(row([-0.0, 2.0, 6.0]).unwrap(), [0.25, 0.75]);
    let text = row([1e-310, 1.0, 1.0]).unwrap_err().to_string();
    assert!(text.starts_with("weights[0, 0] must be zero or at least 1e-300 of the sum of its row, got "), "{text}");
}

#[test]
fn what_is_wrong_is_named() {
    let message = |result: Result<MarkovChain>| result.unwrap_err().to_string();
    for (bad, name) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let rows = [(0, 1, 1.0), (1, 0, 1.0), (1, 2, bad), (2, 0, 1.0)];
        let text = format!("must be a finite number of at least 0, got {name}");
        assert_eq!(message(of_csr(3, &rows, ERROR)), format!("weights[1, 2] {text}"));
        assert_eq!(message(of_csr(3, &rows, Meaning::Probabilities)), format!("transition_matrix[1, 2] {text}"));
        assert_eq!(message(of_edges(3, &rows, true, Dangling::Error)), format!("weight[2] {text}"));
    }
    let empty = [(0, 1, 1.0), (1, 0, 0.0)];
    assert_eq!(
        message(of_csr(2, &empty, ERROR)),
        "weights[1] must have a positive entry (in from_weights, dangling=\"absorb\" makes a state without one \
         absorbing), got zeros"
    );
    assert_eq!(
        message(of_edges(2, &empty, true, Dangling::Error)),
        "source must have an edge of positive weight out of every state (dangling=\"absorb\" makes a state without one \
         absorbing), got none out of state 1"
    );
    let doubled = [(0, 1, f64::MAX), (0, 1, f64::MAX), (1, 0, 1.0)];
    assert_eq!(
        message(of_csr(2, &doubled, ERROR)),
        "weights[0, 1] must have duplicates with a finite sum, got infinity"
    );
    assert_eq!(
        message(of_edges(2, &doubled, true, Dangling::Error)),
        "weight must have duplicates with a finite sum, got infinity from state 0 to 1"
    );
    assert!(message(of_csr(2, &[(0, 1, 0.5), (1, 0, 1.0)], Meaning::Probabilities)).contains("got 0.5"));
}

#[test]
fn arrays_that_do_not_fit_together_are_named() {
    let build = |indptr: &[i64], indices: &[i64], values: Option<&[f64]>| {
        MarkovChain::from_csr(indptr, indices, values, ERROR, &Control::default()).unwrap_err().to_string()
    };
    let cases = [
        (build(&[], &[], None), "indptr must have one element more than there are states"),
        (build(&[0], &[], None), "indptr must have one element more than there are states"),
        (build(&[1, 2], &[0, 0], None), "indptr[0] must be 0, got 1"),
        (build(&[0, 2, 1], &[0], None), "indptr[2] must be at least indptr[1] = 2, got 1"),
        (build(&[0, 1], &[0, 0], None), "indptr[1] must be the number of indices, 2, got 1"),
        (build(&[0, 3], &[0, 0], None), "indptr[1] must be the number of indices, 2, got 3"),
        (build(&[0, 1, 2], &[0, 2], None), "indices[1] must be at least 0 and below the number of states, 2, got 2"),
        (build(&[0, 1, 2], &[-1, 0], None), "indices[0] must be at least 0 and below the number of states, 2, got -1"),
        (build(&[0, 1], &[1 << 32], None), "indices[0] must be at least 0 and below the number of states, 1, got 4294"),
        (build(&[0, 1], &[0], Some(&[1.0, 2.0])), "weights must have one number for each of 1 indices, got 2 numbers"),
        (build(&[0, 0, 1], &[0], None), "weights[0] must have a positive entry"),
    ];
    for (text, wanted) in cases {
        assert!(text.starts_with(wanted), "{text}");
    }
    let rows = [0.5; 6];
    let error = MarkovChain::from_dense(&Matrix::new(&rows, 2, 3), ERROR, &Control::default()).unwrap_err();
    assert_eq!(error.to_string(), "weights must be a square matrix of at least one row, got 2 x 3");
}

#[test]
fn edges_that_do_not_fit_together_are_named() {
    let build = |source: &[i64], target: &[i64], weight: Option<&[f64]>, n_states: Option<usize>| {
        let edges = Edges { source, target, weight, directed: true };
        MarkovChain::from_edges(edges, n_states, Dangling::Absorb, &Control::default())
    };
    let cases = [
        (build(&[0], &[], None, None), "target must have the length of source, 1, got 0 states"),
        (build(&[0], &[0], Some(&[]), None), "weight must have the length of source, 1, got 0 weights"),
        (build(&[0, -1], &[0, 0], None, None), "source[1] must be at least 0 and below 4,294,967,295, got -1"),
        (
            build(&[0, 1], &[0, 1 << 32], None, None),
            "target[1] must be at least 0 and below 4,294,967,295, got 4294967296",
        ),
        (build(&[0, 1], &[0, 3], None, Some(3)), "target[1] must be at least 0 and below n_states = 3, got 3"),
        (build(&[], &[], None, None), "source must not be empty where n_states is not given"),
        (build(&[], &[], None, Some(0)), "n_states must be at least 1, got 0"),
    ];
    for (result, wanted) in cases {
        assert_eq!(result.unwrap_err().to_string(), wanted);
    }
    assert_eq!(transitions(&build(&[], &[], None, Some(2)).unwrap()), [(0, 0, 1.0), (1, 1, 1.0)]);
    assert_eq!(build(&[1], &[4], None, None).unwrap().n_states(), 5);
}

#[test]
fn the_arrays_come_out_as_they_went_in() {
    let rows = [(0, 1, 0.25), (0, 2, 0.75), (1, 1, 1.0), (2, 0, 0.5), (2, 1, 0.5)];
    let chain = of_csr(3, &rows, Meaning::Probabilities).unwrap();
    let (mut indptr, mut probabilities) = ([0; 4], [0.0; 5]);
    chain.export(Some(&mut indptr), Some(&mut probabilities), &Control::default()).unwrap();
    assert_eq!((indptr, probabilities), ([0, 2, 3, 5], [0.25, 0.75, 1.0, 0.5, 0.5]));
    assert_eq!(chain.targets(), [1, 2, 1, 0, 1]);
    let before = chain.bytes();
    chain.tables(&Control::default()).unwrap();
    // The copy of a small chain: a word for each state, to a whole cache line, and two for each slot.
    assert_eq!((before, chain.bytes()), (8 * 3 + 12 * 5, 8 * 3 + 28 * 5 + 8 * (8 + 2 * 5)));
}

#[test]
fn making_a_chain_can_be_stopped() {
    let control = Control::default();
    control.cancel();
    let stopped = |result: Result<MarkovChain>| matches!(result, Err(Error::Interrupted));
    let indptr: Vec<i64> = (0..=10_000).collect();
    let (indices, ones) = (vec![0u32; 10_000], vec![1.0; 10_000]);
    assert!(stopped(MarkovChain::from_csr(&indptr, &indices, None, ERROR, &control)));
    assert!(stopped(MarkovChain::from_csr(&indptr, &indices, Some(&ones), ERROR, &control)));
    let edges = Edges { source: &indices, target: &indices, weight: None, directed: true };
    assert!(stopped(MarkovChain::from_edges(edges, None, Dangling::Absorb, &control)));
    assert!(stopped(MarkovChain::from_dense(&Matrix::new(&[1.0], 1, 1), ERROR, &control)));
}
