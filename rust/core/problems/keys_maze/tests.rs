use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn mazes(rows: usize, columns: usize, n_keys: usize, n_instances: usize, greed: &[f64], seed: u64) -> KeysMaze {
    let parameters = Parameters { rows, columns, n_keys, n_instances, greed, max_steps: None };
    KeysMaze::new(&parameters, &Seed::from_u64(seed), 0, &Control::default()).unwrap()
}

fn pinned() -> KeysMaze {
    mazes(3, 3, 3, 20, &[0.5, 0.0, 1.0], 0)
}

#[test]
fn a_maze_reads_as_people_draw_it() {
    let maze = pinned();
    let root = maze.root(20);
    assert_eq!(root, maze.root(0));
    assert_eq!(maze.describe(&root), DRAWN);
    assert_eq!(maze.solve(&root).join(", "), PLAN);
    let counts: Vec<usize> = (0..3).map(|i| maze.n_worlds(i)).collect();
    assert_eq!(counts, WORLDS);
    assert_eq!(maze.trace(&root, &Control::default()).unwrap().lines().last(), Some(format!("plan: {PLAN}").as_str()));
    assert_eq!(maze.check(&root, PLAN.split(", ")), None);
}
const DRAWN: &str = "\
+-----+-----+-----+
|     |           |
+  G  +     +     +
|  @     g     b  |
+  R  +-----+     +
|     B  *  |  r  |
+-----+-----+-----+
nothing in hand, 32 steps left";
const PLAN: &str = "right, right, down, take red, up, left, left, unlock red, right, right, take blue, left, left, \
                    down, unlock blue, right";
const WORLDS: [usize; 3] = [355, 39, 100];

proptest! {
    #[test]
    fn every_maze_can_be_solved_from_everywhere(
        rows in 1usize..=4, columns in 1usize..=4, n_keys in 0usize..=3, seed: u64, choices: Vec<u32>,
    ) {
        prop_assume!(rows * columns > n_keys.max(1));
        let maze = mazes(rows, columns, n_keys, 2, &[0.5], seed);
        for instance in &maze.instances {
            prop_assert!(instance.space.rows.iter().all(|row| row.distance != u16::MAX));
            prop_assert!(instance.space.rows.iter().all(|row| (row.best == 0) == (row.n_actions == 0)));
            let (start, goal, keys) = instance.maze.places();
            prop_assert!(start != goal && keys.len() == n_keys);
            let doors = instance.maze.doors();
            let mut colors: Vec<_> = doors.iter().filter_map(|door| door.2).collect();
            colors.sort_unstable();
            prop_assert_eq!(colors, (0..n_keys as u8).collect::<Vec<_>>());
            prop_assert!(doors.len() >= rows * columns - 1);
        }
        let mut state = maze.root(1);
        for choice in choices {
            let n = maze.n_actions(&state);
            if n == 0 {
                break;
            }
            let plan = maze.solve(&state);
            prop_assert_eq!(plan.len(), maze.distance(&state) as usize);
            let unbound = Position { left: 1000, ..state };
            prop_assert_eq!(maze.check(&unbound, plan.iter().map(String::as_str)), None);
            maze.step(&mut state, choice % n);
        }
    }
}

/// Plain recursion over the actions, by the policy.
fn success(maze: &KeysMaze, state: &Position, known: &mut HashMap<Position, f64>) -> f64 {
    if maze.n_actions(state) == 0 {
        return f64::from(u8::from(maze.is_correct(state)));
    }
    if let Some(&known) = known.get(state) {
        return known;
    }
    let mut probabilities = Vec::new();
    maze.policy(state, 0, &mut probabilities);
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    let after = probabilities.iter().enumerate().map(|(action, p)| {
        let mut next = *state;
        maze.step(&mut next, action as u32);
        p * success(maze, &next, known)
    });
    let sum = after.sum();
    known.insert(*state, sum);
    sum
}

#[test]
fn the_table_agrees_with_recursion_and_with_walks() {
    for greed in [0.0, 0.3, 1.0] {
        let maze = mazes(2, 3, 2, 3, &[greed], 5);
        for tree in 0..3 {
            let root = maze.root(tree);
            let exact = maze.success_probability(&root).unwrap();
            assert!((success(&maze, &root, &mut HashMap::new()) - exact).abs() < 1e-12);
            assert!(greed < 1.0 || exact == 1.0);
            let n = 4000u32;
            let seed = Seed::from_u64(tree);
            let sum: f64 = (0..n).map(|i| maze.value(&root, &mut seed.stream(i.into()))).sum();
            let sd = (exact * (1.0 - exact) / f64::from(n)).sqrt();
            assert!((sum / f64::from(n) - exact).abs() <= 5.0 * sd, "{greed} {tree}: {exact}");
            let law = maze.answer_law(&root).unwrap();
            assert!((law.iter().map(|answer| answer.probability).sum::<f64>() - 1.0).abs() < 1e-15);
        }
    }
}

#[test]
fn a_step_is_drawn_by_the_policy() {
    let maze = mazes(3, 3, 3, 4, &[0.4, 0.0, 1.0], 2);
    let mut state = maze.root(3);
    let mut stream = Seed::from_u64(9).stream(0);
    for expert in [0, 1, 2, 0, 1, 2] {
        let mut policy = Vec::new();
        maze.policy(&state, expert, &mut policy);
        let mut counts = vec![0; policy.len()];
        for _ in 0..10_000 {
            let mut next = state;
            let action = maze.walk(&mut next, expert, &mut stream, &mut Vec::new());
            let mut stepped = state;
            maze.step(&mut stepped, action);
            assert_eq!(stepped, next);
            counts[action as usize] += 1;
        }
        for (&count, &p) in counts.iter().zip(&policy) {
            assert!((f64::from(count) - 1e4 * p).abs() <= 500.0 * (p * (1.0 - p)).sqrt(), "{counts:?} {policy:?}");
        }
        maze.walk(&mut state, 0, &mut stream, &mut Vec::new());
    }
}

#[test]
fn plans_that_fail_say_where_and_why() {
    let maze = pinned();
    let root = maze.root(0);
    let plan = maze.solve(&root);
    let failure = |plan: &[&str]| {
        let found = maze.check(&root, plan.iter().copied()).unwrap();
        (found.step, found.reason)
    };
    let mut texts: Vec<&str> = plan.iter().map(String::as_str).collect();
    texts.push("up");
    assert_eq!(failure(&texts), (plan.len(), "the goal was reached before".to_owned()));
    assert_eq!(failure(&texts[..3]).0, 3);
    assert!(failure(&texts[..3]).1.starts_with("the plan ends at "));
    assert_eq!(failure(&["fly"]).1, "this is no action: it must be a side, or take or unlock with a colour");
    assert_eq!(failure(&["take pink"]).0, 0);
    assert_eq!(failure(&["unlock red"]).1, "the red key is not in hand");
    let worn = Position { left: 1, ..root };
    assert_eq!(maze.check(&worn, texts.iter().copied()).unwrap().reason, "no steps are left");
}

#[test]
fn keys_of_states_are_their_own() {
    let maze = pinned();
    let mut keys = HashSet::new();
    for instance in 0..20u32 {
        for world in 0..maze.n_worlds(instance.into()) as u32 {
            for left in [0, 1, maze.max_steps] {
                assert!(keys.insert(maze.key(&Position { mark: maze.mark, instance, world, left })));
            }
        }
    }
}

#[test]
fn states_know_their_problem() {
    let (maze, other) = (pinned(), mazes(3, 3, 3, 19, &[0.5, 0.0, 1.0], 0));
    assert!(maze.owns(&maze.root(7)) && pinned().owns(&maze.root(7)));
    assert!(!other.owns(&maze.root(7)));
}

#[test]
fn the_same_mazes_for_any_threads_and_shards() {
    let make = |n_instances, first, threads| {
        let parameters = Parameters { rows: 3, columns: 4, n_keys: 2, n_instances, greed: &[0.5], max_steps: Some(30) };
        KeysMaze::new(&parameters, &Seed::from_u64(4), first, &Control::new(threads)).unwrap()
    };
    let all = make(100, 0, 1);
    let texts = |maze: &KeysMaze, n| (0..n).map(|i| maze.describe(&maze.root(i))).collect::<Vec<_>>();
    assert_eq!(texts(&make(100, 0, 7), 100), texts(&all, 100));
    assert_eq!(texts(&make(30, 70, 2), 30), texts(&all, 100)[70..]);
}

#[test]
fn what_is_out_of_range_is_named() {
    let good = Parameters { rows: 3, columns: 3, n_keys: 3, n_instances: 1, greed: &[0.5], max_steps: None };
    let error = |parameters: Parameters<'_>| {
        KeysMaze::new(&parameters, &Seed::from_u64(0), 0, &Control::default()).unwrap_err().to_string()
    };
    assert_eq!(error(Parameters { rows: 11, ..good }), "rows must be from 1 to 10, got 11");
    assert_eq!(error(Parameters { rows: 1, columns: 1, ..good }), "columns must make at least two rooms, got 1");
    assert_eq!(error(Parameters { rows: 1, n_keys: 3, ..good }), "n_keys must be at most 2, for 3 rooms, got 3");
    assert_eq!(error(Parameters { greed: &[0.5, 1.5], ..good }), "greed[1] must be from 0 to 1, got 1.5");
    assert_eq!(error(Parameters { max_steps: Some(0), ..good }), "max_steps must be from 1 to 65535, got 0");
    assert!(error(Parameters { rows: 9, columns: 9, ..good }).starts_with("n_keys must leave at most 16777216 worlds"));
    assert!(error(Parameters { n_instances: 0, ..good }).starts_with("n_instances must be from 1 to"));
}
