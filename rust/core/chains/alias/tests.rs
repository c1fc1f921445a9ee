use super::*;
use crate::chains::matrix::{Dangling, Meaning};
use proptest::prelude::*;

/// How many of the 2^64 draws give each target of `row`: added up from the slots in integers, nothing sampled.
fn draws(row: Row<'_>, slots: &[Slot]) -> Vec<u128> {
    let degree = slots.len() as u128;
    // Draws whose product with the degree is below `bound`, a place and a threshold within it.
    let below = |place: usize, threshold: u64| (((place as u128) << 64) + u128::from(threshold)).div_ceil(degree);
    let mut out = vec![0; row.targets.len()];
    for (place, slot) in slots.iter().enumerate() {
        let index = |target| row.targets.binary_search(&target).unwrap();
        let (begin, middle) = (below(place, 0), below(place, slot.threshold));
        let end = (((place as u128) + 1) << 64).div_ceil(degree);
        out[index(slot.below())] += middle - begin;
        out[index(slot.above())] += end - middle;
    }
    out
}

/// Whether the draws follow the probabilities: to one draw of 2^64 for each place that a target has (a probability of
/// 1e-15 is 18,447 draws), and to the rounding of sums of doubles.
fn follows_the_law(row: Row<'_>, slots: &[Slot]) -> bool {
    let total = crate::chains::matrix::sum(row.iter().map(|(_, p)| p));
    let found = draws(row, slots);
    assert_eq!(found.iter().sum::<u128>(), 1 << 64);
    row.iter().zip(&found).all(|((target, p), &draws)| {
        let wanted = p / total * WHOLE;
        let places = slots.iter().filter(|slot| slot.below() == target || slot.above() == target).count() as f64;
        let rounding = if p * (slots.len() as f64) < total { 1e-15 } else { 1e-15 * slots.len() as f64 };
        (draws as f64 - wanted).abs() <= places + wanted * rounding
    })
}

fn table(row: Row<'_>) -> Vec<Slot> {
    let mut slots = vec![Slot::default(); row.targets.len()];
    fill(row, &mut slots, &mut Work::default());
    slots
}

fn normalised(weights: &[f64]) -> Vec<f64> {
    let total = crate::chains::matrix::sum(weights.iter().copied());
    weights.iter().map(|weight| weight / total).collect()
}

fn check(probabilities: &[f64]) {
    let targets: Vec<u32> = (0..probabilities.len() as u32).map(|target| 3 * target).collect();
    let row = Row { targets: &targets, probabilities };
    assert!(follows_the_law(row, &table(row)), "{probabilities:?}");
}

proptest! {
    #[test]
    fn any_row_is_drawn_by_its_law(exponents in prop::collection::vec(-40.0..0.0f64, 1..80)) {
        check(&normalised(&exponents.iter().map(|x| 10f64.powf(*x)).collect::<Vec<_>>()));
    }

    #[test]
    fn a_row_of_nearly_equal_probabilities_is_drawn_by_its_law(weights in prop::collection::vec(1.0..1.000_000_1f64, 1..80)) {
        check(&normalised(&weights));
    }

    #[test]
    fn rare_transitions_among_many_are_drawn_at_their_rate(degree in 2usize..3000, rare in -17.0..-9.0f64, seed: u64) {
        let rare = 10f64.powf(rare);
        let at = seed as usize % degree;
        let mut weights = vec![1.0; degree];
        weights[at] = rare * (degree as f64 - 1.0);
        let probabilities = normalised(&weights);
        let targets: Vec<u32> = (0..degree as u32).collect();
        let row = Row { targets: &targets, probabilities: &probabilities };
        let found = draws(row, &table(row))[at] as f64;
        prop_assert!((found - probabilities[at] * WHOLE).abs() <= 1.0 + 1e-14 * found);
    }
}

#[test]
fn rows_at_the_limits_are_drawn_by_their_law() {
    check(&[1.0]);
    check(&[0.5, 0.5]);
    check(&[1e-300, 1.0]);
    check(&[f64::from_bits(1), 1.0]);
    check(&[1.0 - f64::EPSILON / 2.0, f64::EPSILON / 2.0]);
    check(&[0.5 + 9e-10, 0.5]); // sums to 1 within the tolerance only
    check(&normalised(&(0..400).map(|i| 0.5f64.powi(i)).collect::<Vec<_>>()));
    let mut one_in_many = vec![1e-15; 5000];
    one_in_many[1234] = 1.0 - 4999.0 * 1e-15;
    check(&one_in_many);
}

#[test]
fn rare_transitions_are_drawn_at_their_rate_and_not_by_half_as_many_bits() {
    // To 5e-5 at 1e-15, to half a percent at 1e-17. Thresholds of 32 bits lose them, or make them 2^-32.
    for (p, error) in [(1e-9, 1e-9), (1e-12, 1e-7), (1e-15, 5.5e-5), (1e-17, 5.5e-3)] {
        for degree in [2, 3, 10, 1000] {
            let mut probabilities = vec![(1.0 - p) / (degree as f64 - 1.0); degree];
            probabilities[degree / 2] = p;
            let targets: Vec<u32> = (0..degree as u32).collect();
            let row = Row { targets: &targets, probabilities: &probabilities };
            let slots = table(row);
            let rate = draws(row, &slots)[degree / 2] as f64 / WHOLE;
            assert!((rate / p - 1.0).abs() < error, "{degree} transitions, {p}: {rate}");
            assert!(follows_the_law(row, &slots));
            for up in [0, 1] {
                let short = |slot: &Slot| Slot::new(((slot.threshold >> 32) + up) << 32, slot.below(), slot.above());
                let short: Vec<Slot> = slots.iter().map(short).collect();
                assert!(!follows_the_law(row, &short), "32 bits would do for {degree} transitions, {p}");
            }
        }
    }
}

#[test]
fn draws_next_to_a_threshold_fall_on_its_two_sides() {
    let control = Control::default();
    let rows = [vec![0.1, 0.2, 0.7], vec![1e-15, 1.0 - 2e-15, 1e-15], vec![0.25, 0.25, 0.5]];
    let indptr = [0, 3, 6, 9];
    let (indices, values) = ([0u32, 1, 2].repeat(3), rows.concat());
    let chain =
        MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Weights(Dangling::Error), &control).unwrap();
    let tables = chain.tables(&control).unwrap();
    for state in 0..3u32 {
        let slots = table(chain.row(state));
        for (place, slot) in slots.iter().enumerate() {
            let first = ((place as u128) << 64).div_ceil(3);
            let middle = (((place as u128) << 64) + u128::from(slot.threshold)).div_ceil(3);
            let end = (((place as u128) + 1) << 64).div_ceil(3);
            let next = |draw: u128| tables.next(state, draw as u64);
            for draw in [first, middle - 1, middle, end - 1] {
                if (first..end).contains(&draw) {
                    let wanted = if draw < middle { slot.below() } else { slot.above() };
                    assert_eq!(next(draw), wanted, "state {state}, place {place}, draw {draw}");
                }
            }
        }
    }
    assert!((0..3).all(|state| tables.next(state, 0) < 3 && tables.next(state, u64::MAX) < 3));
}

#[test]
fn uniform_rows_divide_the_draws_evenly() {
    let (indptr, indices) = ([0i64, 3, 4, 5], [0u32, 1, 2, 2, 0]);
    let control = Control::default();
    let chain = MarkovChain::from_csr(&indptr, &indices, None, Meaning::Probabilities, &control).unwrap();
    let tables = chain.tables(&control).unwrap();
    let third = u64::MAX / 3;
    let draws = [0, third, third + 1, 2 * third, 2 * third + 1, u64::MAX];
    assert_eq!(draws.map(|draw| tables.next(0, draw)), [0, 0, 1, 1, 2, 2]);
    assert!(draws.iter().all(|&draw| tables.next(1, draw) == 2 && tables.next(2, draw) == 0));
    assert_eq!(chain.bytes(), 8 * 3 + 4 * 5 + 8 * 5, "no slots are made, and a copy of one word a transition");
}

#[test]
fn tables_are_the_same_for_any_threads() {
    let n = 3000u32;
    let indptr: Vec<i64> = (0..=i64::from(n)).map(|row| row * 70).collect();
    let indices: Vec<u32> = (0..n).flat_map(|row| (0..70).map(move |i| (row + i * i) % n)).collect();
    let values: Vec<f64> = (0..indices.len()).map(|i| 1.0 + (i * 7919 % 1013) as f64).collect();
    let made = |threads| {
        let meaning = Meaning::Weights(Dangling::Error);
        let chain = MarkovChain::from_csr(&indptr, &indices, Some(&values), meaning, &Control::default()).unwrap();
        slots(&chain, &Control::new(threads)).unwrap()
    };
    let first = made(1);
    assert!(first.len() > 2 * BLOCK);
    assert!([2, 7].into_iter().all(|threads| made(threads) == first));
}
