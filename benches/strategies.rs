//! Strategies of slow thinking on one thread: reasoning steps a second, on chains of steps and on the Game of 24.
//!
//! The baseline of the Game of 24 walks without the table that an instance is written out to.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::Result;
use slowthink::problems::snowball_chain::profile;
use slowthink::problems::{GameOf24, Problem, Reasoning, SnowballChain};
use slowthink::random::Seed;
use slowthink::run::Control;
use slowthink::strategies::{Generator, Learner, Selector, Strategy, Values, Verifier, compare};
use slowthink::trees::Policy;
use slowthink::trees::config::Puct;

/// Answers that each run may cost.
const ANSWERS: u64 = 1024;

/// The strategies that go on until their budget is spent.
fn strategies() -> Vec<(&'static str, Strategy)> {
    let of = |generator, selector| Strategy { generator, selector, stop: false };
    let tree = |values| Generator::Tree { policy: Policy::Puct(Puct::default()), values, branching: 0 };
    vec![
        ("best-of-n", of(Generator::Walks, Selector::Best)),
        ("majority", of(Generator::Walks, Selector::Majority)),
        ("weighted-vote", of(Generator::Walks, Selector::Weighted)),
        ("beam", of(Generator::Beam { expand: 4 }, Selector::Best)),
        ("dvts", of(Generator::Dvts { expand: 4 }, Selector::Best)),
        ("tree-search", of(tree(Values::Rollout), Selector::Best)),
        ("tree-search-process", of(tree(Values::Process), Selector::Best)),
        ("self-correction", of(Generator::Experts { learner: Learner::Ucb { c: 2.0 } }, Selector::Best)),
    ]
}

fn each<P: Reasoning>(criterion: &mut Criterion, name: &str, problem: &P, n_trials: usize) {
    let budget = ANSWERS * u64::from(problem.max_steps());
    // Noise keeps a search from ending early because all is known.
    let verifier = Verifier { noise: 0.25, process_noise: 0.25, ..Verifier::default() };
    let run = |strategies: &[Strategy]| {
        let seed = Seed::from_u64(1);
        compare(problem, strategies, &[budget], n_trials, 0, &verifier, seed, &Control::new(1)).unwrap_or_default()
    };
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    let everything: Vec<Strategy> = strategies().into_iter().map(|(_, strategy)| strategy).collect();
    let parts = strategies().into_iter().map(|(label, strategy)| (label, vec![strategy]));
    for (label, strategies) in parts.chain([("all", everything)]) {
        let steps: u64 = run(&strategies).iter().map(|outcome| outcome.spent.steps).sum();
        group.throughput(Throughput::Elements(steps));
        group.bench_function(label, |bencher| bencher.iter(|| run(&strategies)));
    }
    group.finish();
}

/// Walks on states made on the way.
fn plain(criterion: &mut Criterion, game: &GameOf24) {
    let mut group = criterion.benchmark_group("game-of-24");
    group.sample_size(10).throughput(Throughput::Elements(3 * ANSWERS));
    group.bench_function("walks without a table", |bencher| {
        bencher.iter_batched_ref(
            || (Seed::from_u64(1).stream(0), Vec::new()),
            |(stream, scratch)| {
                (0..ANSWERS)
                    .filter(|_| {
                        let mut state = game.root(700);
                        while !game.is_terminal(&state) {
                            game.walk(&mut state, 0, stream, scratch);
                        }
                        game.is_correct(&state)
                    })
                    .count()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A search that does not come to its end: of twelve steps each is right with probability 0.3, and almost every simulation
/// finds a state that was not known.
fn hard(criterion: &mut Criterion) -> Result<()> {
    let chain = SnowballChain::new(&[0.3; 12], 12, 4, 1000)?;
    let generator = Generator::Tree { policy: Policy::Puct(Puct::default()), values: Values::Rollout, branching: 0 };
    let search = Strategy { generator, selector: Selector::Best, stop: true };
    let run = || {
        let (seed, verifier) = (Seed::from_u64(1), Verifier::default());
        compare(&chain, &[search], &[ANSWERS * 12], 100, 0, &verifier, seed, &Control::new(1))
    };
    let outcomes = run()?;
    let steps: u64 = outcomes.iter().map(|outcome| outcome.spent.steps).sum();
    let simulations: u64 = outcomes.iter().map(|outcome| outcome.spent.verdicts).sum();
    println!("hard-chain/tree-search: {steps} steps in {simulations} simulations");
    let mut group = criterion.benchmark_group("hard-chain");
    group.sample_size(10).throughput(Throughput::Elements(steps));
    group.bench_function("tree-search", |bencher| bencher.iter(run));
    group.finish();
    Ok(())
}

fn bench(criterion: &mut Criterion) {
    hard(criterion).expect("a valid chain");
    let chain = SnowballChain::new(&profile(50.0, 6), 6, 4, 1).expect("a valid chain");
    each(criterion, "snowball-chain", &chain, 100);
    let game = GameOf24::all();
    plain(criterion, &game);
    each(criterion, "game-of-24", &game, 100);
}

criterion_group!(benches, bench);
criterion_main!(benches);
