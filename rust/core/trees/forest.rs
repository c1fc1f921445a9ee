//! Many trees that are searched together: leaves are asked for without barriers, and told in any order.

use super::arena::LEAF;
use super::config::Config;
use super::descent::{End, Path};
use super::select::Rules;
use super::tickets::Tickets;
use super::tree::Tree;
use crate::error::{Result, invalid};
use crate::machine::{Kernel, prefetch_whole, widest};
use crate::memory::room;
use crate::random::Seed;
use std::collections::VecDeque;

/// What a leaf is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Evaluate a node: its action is known.
    Evaluate = 0,
    /// Generate a further child of the parent, and evaluate it.
    Widen = 1,
}

/// A leaf that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaf {
    /// The number under which the answer is told.
    pub ticket: u64,
    /// The tree.
    pub tree: u32,
    /// The node.
    pub node: u32,
    /// Its parent; -1 for the root.
    pub parent: i64,
    /// Its number among its siblings; -1 for the root.
    pub action: i64,
    /// Steps from the root.
    pub depth: u32,
    /// What is asked.
    pub kind: Kind,
}

/// Leaves that were asked for together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leaves {
    /// The leaves, in the order in which they were found.
    pub leaves: Vec<Leaf>,
    /// The actions from the root to each leaf, one after another.
    actions: Vec<u32>,
    /// Where each leaf's actions end.
    ends: Vec<usize>,
}

impl Leaves {
    /// The actions from the root to leaf `i`.
    pub fn path(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.actions[start..self.ends[i]]
    }

    /// Forgets all leaves, and keeps the memory.
    pub fn clear(&mut self) {
        self.leaves.clear();
        self.actions.clear();
        self.ends.clear();
    }

    pub(super) fn push(&mut self, ticket: u64, tree: u32, path: &Path, actions: &[u32], kind: Kind) {
        let parent = path.0.len().checked_sub(2).map_or(-1, |above| path.0[above].into());
        let action = actions.last().map_or(-1, |&action| action.into());
        self.leaves.push(Leaf { ticket, tree, node: path.leaf(), parent, action, depth: path.depth(), kind });
        self.actions.extend_from_slice(actions);
        self.ends.push(self.actions.len());
    }
}

/// Nodes that need no evaluation, visited in a row before an ask gives a tree a rest.
const KNOWN_IN_A_ROW: u32 = 4096;

/// Trees that are searched together.
#[derive(Debug, Clone)]
pub struct Forest {
    pub(super) rules: Rules,
    pub(super) seed: Seed,
    /// The number of the first tree, whose random streams are numbered alike.
    pub(super) first: u64,
    pub(super) trees: Vec<Tree>,
    pub(super) tickets: Tickets,
    /// Trees that may have a leaf to ask for, in turn; those of higher priority in front.
    pub(super) queue: VecDeque<u32>,
    /// Trees that have as many leaves in flight as the last ask allowed.
    pub(super) full: VecDeque<u32>,
    pub(super) path: Path,
    pub(super) actions: Vec<u32>,
}

impl Forest {
    /// A forest of `n_trees` trees whose roots are yet to be evaluated; tree i draws from stream `first + i` of `seed`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a parameter out of range, [`Error::Memory`](crate::Error::Memory).
    pub fn new(n_trees: usize, config: Config, seed: Seed, first: u64) -> Result<Self> {
        config.check()?;
        if n_trees >= LEAF as usize {
            return Err(invalid("n_trees", &[], n_trees, "be below 2^31"));
        }
        let mut trees = room(n_trees)?;
        trees.extend((0..n_trees as u64).map(|number| Tree::new(&config, seed.child(first.wrapping_add(number)))));
        let queue = (0..n_trees as u32).collect();
        let rules = Rules::new(config);
        let (tickets, full, path, actions) = Default::default();
        Ok(Self { rules, seed, first, trees, tickets, queue, full, path, actions })
    }

    /// How the forest searches.
    pub const fn config(&self) -> &Config {
        &self.rules.config
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Leaves asked for and not told.
    pub fn n_in_flight(&self) -> usize {
        self.tickets.open().count()
    }

    /// Lets tree `tree` have up to `limit` simulations in all from now on: none further if it has as many already.
    ///
    /// # Panics
    /// If there is no such tree.
    pub fn set_limit(&mut self, tree: u32, limit: u32) {
        self.trees[tree as usize].limit = limit;
        self.wake(tree);
    }

    /// The tree and the nodes from its root to the leaf of an open ticket.
    pub fn path(&self, ticket: u64) -> Option<(u32, &[u32])> {
        self.tickets.get(ticket).map(|ticket| (ticket.tree, &ticket.path.0[..]))
    }

    /// Adds all leaves in flight to `out`, in the order in which they were asked for.
    pub fn outstanding(&self, out: &mut Leaves) {
        let mut open: Vec<_> = self.tickets.open().collect();
        open.sort_unstable_by_key(|(_, ticket)| ticket.serial);
        for (number, _) in open {
            self.hand_out(number, out);
        }
    }

    /// Adds the leaf of ticket `number` to `out`, if that is open.
    pub(super) fn hand_out(&self, number: u64, out: &mut Leaves) {
        if let Some(ticket) = self.tickets.get(number) {
            let arena = &self.trees[ticket.tree as usize].arena;
            let steps = ticket.path.0.windows(2);
            let actions: Vec<u32> = steps.map(|step| arena.action(arena.link[step[0] as usize], step[1])).collect();
            out.push(number, ticket.tree, &ticket.path, &actions, ticket.kind);
        }
    }

    /// Adds up to `n` leaves to `out`: the trees take turns, and give one at a time. There are fewer where all else is in
    /// flight, known or paid for. With `per_tree`, no tree gets more than that many in flight.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn ask(&mut self, n: usize, per_tree: Option<u32>, out: &mut Leaves) -> Result<()> {
        widest(Ask { forest: self, n, per_tree: per_tree.unwrap_or(u32::MAX), out })
    }

    #[inline(always)]
    fn ask_in_turn(&mut self, n: usize, per_tree: u32, out: &mut Leaves) -> Result<()> {
        let mut left = self.left(true);
        let mut wanted = n;
        for _ in 0..self.full.len() {
            let Some(number) = self.full.pop_front() else { break };
            if self.trees[number as usize].in_flight < per_tree {
                self.enqueue(number);
            } else {
                self.full.push_back(number);
            }
        }
        while wanted > 0 && left > 0 {
            let Some(number) = self.queue.pop_front() else { break };
            // Many trees do not fit into the cache: the next ones are on their way while this one is searched.
            if let Some(&later) = self.queue.get(5) {
                prefetch_whole(&self.trees, later as usize);
            }
            if let Some(&next) = self.queue.get(1) {
                self.trees[next as usize].arena.prefetch_root();
            }
            let tree = &mut self.trees[number as usize];
            if !tree.may_ask() {
                tree.queued = false;
                continue;
            }
            if tree.in_flight >= per_tree {
                self.full.push_back(number);
                continue;
            }
            // Nodes that need no evaluation are visited on the way: of what trees share, only what is left.
            let (limit, before) = (tree.limit, tree.simulations);
            let most = u64::from(before) + u64::from(tree.in_flight);
            tree.limit = most.saturating_add(left).min(limit.into()) as u32;
            let next = tree.next(&self.rules, &mut self.path, &mut self.actions);
            tree.limit = limit;
            left -= u64::from(tree.simulations - before);
            let kind = match next {
                Ok(Some(kind)) => kind,
                // It may have more to ask for once others give something back.
                Ok(None) if left == 0 && tree.may_ask() => {
                    self.queue.push_front(number);
                    break;
                }
                Ok(None) => {
                    tree.queued = false;
                    continue;
                }
                Err(error) => {
                    self.queue.push_front(number);
                    return Err(error);
                }
            };
            tree.send(&self.rules, &self.path.0);
            tree.in_flight += 1;
            left -= 1;
            self.enqueue(number);
            let at = out.leaves.len();
            out.push(0, number, &self.path, &self.actions, kind);
            out.leaves[at].ticket = self.tickets.issue(number, kind, &mut self.path);
            wanted -= 1;
        }
        Ok(())
    }

    /// Takes leaves back that will never be told, and with them every count they left. Returns how many were in flight.
    pub fn cancel(&mut self, tickets: &[u64]) -> usize {
        let mut n = 0;
        for &number in tickets {
            let Some(ticket) = self.tickets.get(number) else { continue };
            let tree = &mut self.trees[ticket.tree as usize];
            tree.recall(&self.rules, &ticket.path.0);
            tree.put_back(ticket.path.leaf());
            tree.in_flight -= 1;
            let tree = ticket.tree;
            self.tickets.close(number);
            self.wake(tree);
            n += 1;
        }
        n
    }

    /// Puts a tree back in the queue: something changed in it.
    pub(super) fn wake(&mut self, number: u32) {
        let tree = &mut self.trees[number as usize];
        if !tree.queued {
            tree.queued = true;
            self.enqueue(number);
        }
    }
}

/// [`Forest::ask`] in the widest form that the machine has.
struct Ask<'a> {
    forest: &'a mut Forest,
    n: usize,
    per_tree: u32,
    out: &'a mut Leaves,
}

impl Kernel for Ask<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        self.forest.ask_in_turn(self.n, self.per_tree, self.out)
    }
}

impl Tree {
    /// Walks to the next leaf that must be evaluated, and visits those on the way that need not be.
    #[inline(always)]
    fn next(&mut self, rules: &Rules, path: &mut Path, actions: &mut Vec<u32>) -> Result<Option<Kind>> {
        for _ in 0..KNOWN_IN_A_ROW {
            self.walks += 1;
            let end = if self.is_plain(rules) {
                self.descend::<true>(rules, path, actions)?
            } else {
                self.descend::<false>(rules, path, actions)?
            };
            match end {
                End::Leaf(kind) => return Ok(Some(kind)),
                End::Blocked => {
                    // The next walk draws the same numbers, and with nothing in flight there will be none.
                    self.walks -= 1;
                    self.exhausted = self.in_flight == 0;
                    return Ok(None);
                }
                End::Known => self.revisit(rules, path)?,
            }
            if !self.may_ask() {
                return Ok(None);
            }
        }
        self.exhausted = rules.config.n_simulations.is_none() && self.in_flight == 0;
        Ok(None)
    }

    /// Visits the node at the end of `path` again, whose value is known.
    #[inline(never)]
    pub(super) fn revisit(&mut self, rules: &Rules, path: &Path) -> Result<()> {
        let leaf = path.leaf();
        let value = f64::from(self.arena.value[leaf as usize]);
        if !rules.config.transpositions {
            self.close_off(rules, leaf)?;
        }
        self.visit(rules, &path.0, value);
        self.simulations += 1;
        self.end_early(rules, &path.0);
        Ok(())
    }

    /// Gives a node that never has children a record, to count its visits.
    pub(super) fn close_off(&mut self, rules: &Rules, node: u32) -> Result<()> {
        if self.arena.link[node as usize] >= LEAF { self.make_room(rules, node, 0) } else { Ok(()) }
    }
}
