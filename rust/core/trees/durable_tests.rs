//! What survives: saved forests, journals and moved roots, after any sequence of asks, tells and cancels.

use super::arena::{LEAF, PENDING, Span};
use super::config::{Backup, Config, Fpu, Gumbel, InFlight, Order, Policy, Puct, Thompson, Uct, Widening};
use super::forest::{Forest, Leaves};
use super::journal::Journaled;
use super::tell::{PerLeaf, Priors, Told};
use crate::error::Error;
use crate::random::Seed;
use proptest::prelude::*;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What a search is put through.
#[derive(Debug, Clone)]
enum Step {
    Ask(usize, Option<u32>),
    Tell(u64, usize),
    /// Children first.
    Half(u64),
    Cancel(u64),
    Reroot(u32, u32),
    Stop(u32),
    Rank(u32, i64),
}

fn steps(n: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0usize..6, prop::option::of(1u32..4)).prop_map(|(n, most)| Step::Ask(n, most)),
        5 => (any::<u64>(), 1usize..5).prop_map(|(at, n)| Step::Tell(at, n)),
        1 => any::<u64>().prop_map(Step::Half),
        1 => any::<u64>().prop_map(Step::Cancel),
        1 => (any::<u32>(), any::<u32>()).prop_map(|(tree, node)| Step::Reroot(tree, node)),
        1 => (0u32..40).prop_map(Step::Stop),
        1 => (any::<u32>(), -1i64..2).prop_map(|(tree, priority)| Step::Rank(tree, priority)),
    ];
    prop::collection::vec(step, 0..n)
}

fn configs() -> impl Strategy<Value = Config> {
    let policy = prop_oneof![
        Just(Policy::Uct(Uct { c: 1.0, fpu: Fpu::Infinity })),
        Just(Policy::Thompson(Thompson::GAUSSIAN)),
        prop::sample::select(vec![
            Order::BestFirst,
            Order::Beam { width: 2 },
            Order::Dvts { width: 2 },
            Order::BreadthFirst,
            Order::DepthFirst,
            Order::BestOfN { n: 3 },
        ])
        .prop_map(Policy::Frontier),
        Just(Policy::Gumbel(Gumbel {
            max_num_considered_actions: 2,
            gumbel_scale: 1.0,
            value_scale: 0.1,
            maxvisit_init: 50.0,
            rescale_values: true,
        })),
        Just(Policy::Puct(Puct::default())),
    ];
    let backup = prop::sample::select(vec![Backup::Mean, Backup::Max, Backup::Min]);
    let in_flight = prop::sample::select(vec![InFlight::Count, InFlight::VirtualLoss(0.0)]);
    let widening = prop::sample::select(vec![None, Some(Widening { k: 1.0, alpha: 0.5 })]);
    let solver = prop::sample::select(vec![None, Some((0.0, 1.0))]);
    (policy, backup, in_flight, widening, solver, 2u32..5).prop_map(
        |(policy, backup, in_flight, widening, solver, max_depth)| {
            let free = matches!(policy, Policy::Uct(_) | Policy::Puct(_));
            let generates = matches!(policy, Policy::Thompson(_));
            Config {
                policy,
                backup: if generates { Backup::Mean } else { backup },
                in_flight,
                widening: widening.filter(|_| free),
                solver: solver.filter(|_| !generates),
                max_depth,
                n_simulations: Some(60),
                deduplicate: generates || (free && widening.is_some()),
                ..Config::default()
            }
        },
    )
}

/// A search as a caller sees it: what it holds in flight, and what it was handed so far.
struct Caller {
    forest: Journaled,
    held: Vec<(u64, u32, u32)>,
    seen: Vec<Leaves>,
    maps: Vec<Vec<i64>>,
    uneven: bool,
}

impl Caller {
    fn new(config: Config, n_trees: usize, uneven: bool) -> Self {
        let forest = Forest::new(n_trees, config, Seed::from_u64(5), 3).unwrap();
        let forest = Journaled::new(forest, "a note".to_owned());
        Self { forest, held: vec![], seen: vec![], maps: vec![], uneven }
    }

    fn take(&mut self, leaves: Leaves) {
        self.held.extend(leaves.leaves.iter().map(|leaf| (leaf.ticket, leaf.tree, leaf.node)));
        self.seen.push(leaves);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Ask(n, per_tree) => {
                let mut leaves = Leaves::default();
                self.forest.ask(n, per_tree, &mut leaves).unwrap();
                self.take(leaves);
            }
            Step::Tell(at, n) => {
                for _ in 0..n.min(self.held.len()) {
                    let one = self.held.remove(at as usize % self.held.len());
                    self.tell(&[one], true);
                }
            }
            Step::Half(at) if !self.held.is_empty() => {
                let one = self.held[at as usize % self.held.len()];
                self.tell(&[one], false);
            }
            Step::Cancel(at) if !self.held.is_empty() => {
                let (ticket, ..) = self.held.remove(at as usize % self.held.len());
                self.forest.cancel(&[ticket, 77 << 32]).unwrap();
            }
            Step::Reroot(tree, node) => {
                let tree = tree % self.forest.trees().len() as u32;
                // Seldom deep: most nodes are leaves.
                let node = node % (self.forest.trees()[tree as usize].arena().len() as u32).min(9);
                if !matches!(self.forest.config().policy, Policy::Frontier(_)) {
                    self.maps.push(self.forest.reroot(tree, node).unwrap());
                }
            }
            Step::Stop(tree) if tree < self.forest.trees().len() as u32 => self.forest.stop(tree).unwrap(),
            Step::Rank(tree, priority) => {
                let tree = tree % self.forest.trees().len() as u32;
                self.forest.set_priority(&[tree], priority).unwrap();
            }
            _ => {}
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn tell(&mut self, told: &[(u64, u32, u32)], values: bool) {
        let tickets: Vec<u64> = told.iter().map(|&(ticket, ..)| ticket).collect();
        let mixed =
            |salt: u64| told.iter().map(move |&(ticket, ..)| Seed::from_u64(ticket ^ salt).stream(0).next_u64());
        let worth: Vec<f64> = mixed(1).map(|bits| (bits >> 40) as f64 / f64::from(1 << 24)).collect();
        let counts: Vec<i64> = mixed(2).map(|bits| if self.uneven { (bits % 4) as i64 } else { 3 }).collect();
        let priors: Vec<f32> = (0..counts.iter().sum()).map(|i| 0.1 + 0.2 * i as f32).collect();
        let told = Told {
            values: if values { PerLeaf::Each(&worth) } else { PerLeaf::None },
            rewards: if self.uneven { PerLeaf::All(0.25) } else { PerLeaf::None },
            n_children: PerLeaf::Each(&counts),
            costs: PerLeaf::All(1.5),
            payloads: &vec![Some("text"); if self.uneven { told.len() } else { 0 }],
            priors: if self.uneven { Priors::Flat(&priors) } else { Priors::None },
            ..Told::default()
        };
        self.forest.tell(&tickets, &told).unwrap();
    }
}

fn bytes(forest: &Journaled) -> Vec<u8> {
    let mut bytes = Vec::new();
    forest.write(&mut bytes, forest.note()).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<(Forest, String), Error> {
    Forest::read(bytes, bytes.len() as u64, &PathBuf::from("memory"))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_loaded_forest_goes_on_as_the_saved_one(config in configs(), before in steps(40), after in steps(20), n_trees in 1usize..4, uneven: bool) {
        let mut caller = Caller::new(config.clone(), n_trees, uneven);
        caller.steps(&before);
        let saved = bytes(&caller.forest);
        let (forest, note) = read(&saved).unwrap();
        prop_assert_eq!(note, "a note");
        let mut other = Caller::new(config, n_trees, uneven);
        other.forest = Journaled::new(forest, "a note".to_owned());
        other.held.clone_from(&caller.held);
        prop_assert!(bytes(&other.forest) == saved);
        caller.seen.clear();
        caller.maps.clear();
        for step in &after {
            caller.step(step);
            other.step(step);
        }
        prop_assert_eq!(&caller.seen, &other.seen);
        prop_assert_eq!(&caller.maps, &other.maps);
        prop_assert!(bytes(&caller.forest) == bytes(&other.forest));
    }

    #[test]
    fn a_resumed_forest_is_the_one_that_was_lost(config in configs(), before in steps(30), compact in 0usize..60, after in steps(20), uneven: bool) {
        let folder = folder();
        let path = folder.path().join("journal");
        let mut caller = Caller::new(config, 2, uneven);
        caller.forest.keep(&path, "a note", false).unwrap();
        for (i, step) in before.iter().enumerate() {
            caller.step(step);
            if i == compact {
                caller.forest.compact().unwrap();
            }
        }
        let mut open = Leaves::default();
        Forest::outstanding(&caller.forest, &mut open);
        let expected = bytes(&caller.forest);
        // Another caller, which was never there before, knows no tickets.
        let Caller { forest, seen: _, .. } = caller;
        drop(forest);
        let mut forest = Journaled::resume(&path, false).unwrap();
        prop_assert!(bytes(&forest) == expected);
        let mut leaves = Leaves::default();
        forest.ask(usize::MAX, None, &mut leaves).unwrap();
        if !open.leaves.is_empty() {
            prop_assert_eq!(&leaves, &open);
            prop_assert!(bytes(&forest) == expected);
        }
        let mut caller = Caller { forest, held: vec![], seen: vec![], maps: vec![], uneven };
        caller.take(leaves);
        caller.steps(&after);
        let expected = bytes(&caller.forest);
        drop(caller);
        prop_assert!(bytes(&Journaled::resume(&path, true).unwrap()) == expected);
    }

    #[test]
    fn a_moved_root_keeps_what_is_below_it(config in configs(), before in steps(60), tree: u32, node: u32, uneven: bool) {
        let mut caller = Caller::new(config.clone(), 2, uneven);
        caller.steps(&before);
        let tree = tree % 2;
        let node = node % caller.forest.trees()[tree as usize].arena().len() as u32;
        let old = caller.forest.trees()[tree as usize].columns(&config);
        let moved = caller.forest.reroot(tree, node);
        if matches!(config.policy, Policy::Frontier(_)) {
            prop_assert!(matches!(moved, Err(Error::Invalid(_))));
            return Ok(());
        }
        let map = moved.unwrap();
        let searched = &caller.forest.trees()[tree as usize];
        let new = searched.columns(&config);
        prop_assert_eq!(map.len(), old.parent.len());
        prop_assert_eq!(map[node as usize], 0);
        for (i, &to) in map.iter().enumerate() {
            let below = i as u32 == node || old.parent[i] >= 0 && map[old.parent[i] as usize] >= 0;
            prop_assert_eq!(to >= 0, below);
            if to < 0 {
                continue;
            }
            let to = to as usize;
            prop_assert_eq!(
                (old.visits[i], old.in_flight[i], old.value[i].to_bits(), old.reward[i], old.prior[i].to_bits(), old.n_children[i]),
                (new.visits[to], new.in_flight[to], new.value[to].to_bits(), new.reward[to], new.prior[to].to_bits(), new.n_children[to])
            );
            if to > 0 {
                prop_assert_eq!((map[old.parent[i] as usize], old.action[i]), (new.parent[to], new.action[to]));
                prop_assert_eq!(old.depth[i] - old.depth[node as usize], new.depth[to]);
            }
        }
        prop_assert_eq!(new.parent.len(), map.iter().filter(|&&to| to >= 0).count());
        prop_assert_eq!(i64::from(searched.n_simulations()), new.visits[0]);
        caller.forest.check().unwrap();
    }
}

/// A caller in the midst of a search, with leaves in flight.
fn busy(widening: Option<Widening>) -> Caller {
    busy_with(Config { widening, ..Config::default() })
}

fn busy_with(config: Config) -> Caller {
    let mut caller = Caller::new(config, 2, true);
    for i in 0..9 {
        caller.step(&Step::Ask(3, None));
        caller.step(&Step::Tell(i, 2));
    }
    caller.step(&Step::Cancel(0));
    caller
}

const WIDE: Option<Widening> = Some(Widening { k: 2.0, alpha: 0.5 });

#[test]
fn a_saved_file_that_is_cut_or_changed_anywhere_is_refused() {
    for widening in [None, WIDE] {
        let saved = bytes(&busy(widening).forest);
        assert!(read(&saved).is_ok());
        for n in 0..saved.len() {
            assert!(matches!(read(&saved[..n]), Err(Error::Damaged(_))), "{n} bytes");
        }
        for at in 0..saved.len() {
            let mut changed = saved.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(matches!(read(&changed), Err(Error::Damaged(_))), "byte {at}");
        }
        assert!(read(&[saved, vec![0]].concat()).is_err());
    }
}

/// `saved` with the checksums that its sections should have.
fn sealed(mut saved: Vec<u8>) -> Vec<u8> {
    let mut at = 12;
    while let Some(length) = saved.get(at + 4..at + 12) {
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        let Some(section) = saved.get(at..at.saturating_add(12).saturating_add(length)) else { break };
        let check = crc32fast::hash(section).to_le_bytes();
        at += 12 + length + 4;
        if let Some(old) = saved.get_mut(at - 4..at) {
            old.copy_from_slice(&check);
        }
    }
    saved
}

#[test]
fn whatever_a_file_holds_under_a_right_checksum_a_search_goes_on() {
    let (mut loaded, mut refused) = (0, 0);
    let growth = [Order::BestFirst, Order::DepthFirst, Order::Dvts { width: 2 }].map(Policy::Frontier);
    let policies = growth.into_iter().chain([Policy::Thompson(Thompson::GAUSSIAN)]);
    let configs = policies.map(|policy| Config { policy, ..Config::default() });
    let wide = Config { widening: WIDE, ..Config::default() };
    for config in configs.chain([Config::default(), wide]) {
        let caller = busy_with(config);
        let saved = bytes(&caller.forest);
        assert_eq!(sealed(saved.clone()), saved);
        // Searches without an end, and trees that take all memory, are what some configurations ask for.
        let header = 12 + 12 + u64::from_le_bytes(saved[16..24].try_into().unwrap()) as usize + 4;
        for at in header..saved.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = saved.clone();
                changed[at] ^= change;
                let Ok((forest, _)) = read(&sealed(changed)) else {
                    refused += 1;
                    continue;
                };
                loaded += 1;
                let mut other = Caller::new(Config::default(), 1, true);
                other.forest = Journaled::new(forest, String::new());
                other.held.clone_from(&caller.held);
                // A node of millions of children is one that might have been told.
                if other
                    .forest
                    .trees()
                    .iter()
                    .any(|tree| tree.arena().link.iter().any(|link| (LEAF + 99..PENDING).contains(link)))
                {
                    continue;
                }
                let mut leaves = Leaves::default();
                other.forest.ask(4, None, &mut leaves).unwrap();
                other.take(leaves);
                other.step(&Step::Tell(1, 3));
                other.step(&Step::Cancel(0));
                for tree in 0..other.forest.trees().len() as u32 {
                    other.step(&Step::Reroot(tree, 1));
                }
            }
        }
    }
    assert!(loaded > 100 && refused > 1000, "{loaded} {refused}");
}

#[test]
fn a_journal_cut_anywhere_is_what_was_done_before() {
    let folder = folder();
    let (path, copy) = (folder.path().join("a"), folder.path().join("b"));
    let mut caller = Caller::new(Config::default(), 2, true);
    caller.forest.keep(&path, "a note", false).unwrap();
    let mut states = vec![(std::fs::metadata(&path).unwrap().len() as usize, bytes(&caller.forest))];
    for i in 0..3 {
        for step in [Step::Ask(2, None), Step::Tell(i, 1), Step::Cancel(1)] {
            caller.step(&step);
            states.push((std::fs::metadata(&path).unwrap().len() as usize, bytes(&caller.forest)));
        }
    }
    drop(caller);
    let journal = std::fs::read(&path).unwrap();
    let start = states[0].0;
    for n in 0..journal.len() {
        std::fs::write(&copy, &journal[..n]).unwrap();
        let resumed = Journaled::resume(&copy, false);
        if n < start {
            assert!(matches!(resumed, Err(Error::Damaged(_))), "{n} bytes");
            continue;
        }
        let (whole, expected) = states.iter().rev().find(|(len, _)| *len <= n).unwrap();
        assert!(bytes(&resumed.unwrap()) == *expected, "{n} bytes");
        assert_eq!(std::fs::metadata(&copy).unwrap().len() as usize, *whole);
        // What a machine leaves that lost its power: room for a record, and zeros in it.
        std::fs::write(&copy, [&journal[..n], &[0; 40][..]].concat()).unwrap();
        if n == *whole {
            assert!(bytes(&Journaled::resume(&copy, false).unwrap()) == *expected, "{n} bytes, then zeros");
        }
    }
    for at in 0..journal.len() {
        let mut changed = journal.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&copy, &changed).unwrap();
        let error = Journaled::resume(&copy, false).unwrap_err();
        assert!(matches!(&error, Error::Damaged(what) if at < 12 || what.contains("byte")), "byte {at}: {error}");
    }
}

#[test]
fn a_journal_has_one_keeper_and_one_search() {
    let folder = folder();
    let path = folder.path().join("journal");
    let mut caller = busy(None);
    caller.forest.keep(&path, "a note", true).unwrap();
    assert!(matches!(Journaled::resume(&path, false), Err(Error::File { kind: ErrorKind::WouldBlock, .. })));
    assert!(matches!(busy(None).forest.keep(&path, "a note", false), Err(Error::File { .. })));
    assert!(caller.forest.unrecorded("run").is_err());
    caller.forest.compact().unwrap();
    assert!(matches!(Journaled::resume(&path, false), Err(Error::File { kind: ErrorKind::WouldBlock, .. })));
    drop(caller);
    let resumed = Journaled::resume(&path, false).unwrap();
    let other = |n_trees, seed, first| Forest::new(n_trees, Config::default(), Seed::from_u64(seed), first).unwrap();
    assert!(resumed.agrees(&other(2, 5, 3), true).is_ok() && resumed.agrees(&other(2, 6, 3), false).is_ok());
    for (n_trees, seed, first) in [(3, 5, 3), (2, 6, 3), (2, 5, 4)] {
        assert!(matches!(resumed.agrees(&other(n_trees, seed, first), true), Err(Error::Invalid(_))));
    }
    let config = Config { discount: 0.5, ..Config::default() };
    assert!(resumed.agrees(&Forest::new(2, config, Seed::from_u64(5), 3).unwrap(), true).is_err());
}

#[test]
fn a_save_replaces_a_file_as_a_whole() {
    let folder = folder();
    let path = folder.path().join("forest");
    let caller = busy(WIDE);
    caller.forest.save(&path, "first", false).unwrap();
    caller.forest.save(&path, "second", true).unwrap();
    let (forest, note) = Forest::load(&path).unwrap();
    assert_eq!(note, "second");
    assert!(matches!(forest.trees()[0].arena().span, Span::Open(_)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let missing = folder.path().join("no").join("such");
    assert!(matches!(caller.forest.save(&missing, "", false), Err(Error::File { kind: ErrorKind::NotFound, .. })));
    assert!(matches!(Forest::load(&missing), Err(Error::File { kind: ErrorKind::NotFound, .. })));
}
