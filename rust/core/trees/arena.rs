//! The memory of one tree: what is known of every node, and where its children are.
//!
//! A node is a number, its *slot*; the root is 0. A slot takes 12 bytes. A node whose children were made room for has a
//! *record* of 16 bytes beside it, where its visits and its mean are kept; so a child of a tree with b actions everywhere
//! takes 12 + 16 / b bytes, and most children, which are never visited twice, need no record.

use super::graph::Graph;
use super::thompson::Arms;
use crate::error::{Error, Result};
use crate::machine::{prefetch, reserve_huge};

/// The link of a slot that was never asked for.
pub(super) const FRESH: u32 = u32::MAX;
/// The link of a slot that was asked for and not told yet.
pub(super) const PENDING: u32 = u32::MAX - 1;
/// `LEAF + n` is the link of a slot that was told and has n children for which there is no room yet; none if n is 0.
pub(super) const LEAF: u32 = 1 << 31;
/// The greatest number of children that a link can hold.
pub(super) const MOST_CHILDREN: u32 = PENDING - LEAF - 1;
/// Slots of the first chunk of a list of children, doubled up to [`LARGEST_CHUNK`].
pub(super) const SMALLEST_CHUNK: u32 = 4;
pub(super) const LARGEST_CHUNK: u32 = 64;

/// What is known of a node with children: of a slot whose link is this record's number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Record {
    /// The node's value, seen from the node, over the completed visits.
    pub mean: f64,
    /// Visits, those in flight included.
    pub visits: u32,
    /// Visits in flight.
    pub in_flight: u32,
}

/// The children of a node that come one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    /// Where the first chunk of the list begins in [`Arena::lists`].
    pub first: u32,
    /// Where the last one begins.
    pub last: u32,
    /// Children.
    pub n: u32,
    /// Children it may have.
    pub most: u32,
}

impl Family {
    /// Adds `slot` to the list, whose chunks are in `lists`.
    pub(super) fn add(&mut self, lists: &mut Vec<u32>, slot: u32) {
        let (mut capacity, mut used) = (SMALLEST_CHUNK, self.n);
        while used >= capacity {
            used -= capacity;
            capacity = (2 * capacity).min(LARGEST_CHUNK);
        }
        if used == 0 {
            let place = lists.len() as u32;
            lists.resize(lists.len() + 1 + capacity as usize, u32::MAX);
            if self.n == 0 {
                self.first = place;
            } else {
                lists[self.last as usize] = place;
            }
            self.last = place;
        }
        lists[(self.last + 1 + used) as usize] = slot;
        self.n += 1;
    }
}

/// Where the children of each record are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    /// Record r has this many children, from slot 1 + r times that many on; 0 as long as the number is not known.
    Uniform(u32),
    /// First slot and number of children of each record.
    Listed(Vec<[u32; 2]>),
    /// Lists of slots that grow.
    Open(Vec<Family>),
}

/// One tree's nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Arena {
    /// The value of each slot seen from itself, as the search reads it. Before a slot was told: what the search takes it for.
    pub(super) value: Vec<f32>,
    /// How much of the parent's bonus each slot gets: a function of its visits, and its prior.
    pub(super) weight: Vec<f32>,
    /// The record of each slot, or its state.
    pub(super) link: Vec<u32>,
    /// Records of the slots that have children.
    pub(super) records: Vec<Record>,
    pub(super) span: Span,
    /// Chunks of child lists: the next chunk's place, then slots.
    pub(super) lists: Vec<u32>,
    /// Prior probability of each slot, for policies that read it.
    pub(super) prior: Option<Vec<f32>>,
    /// What is stored only where it is used.
    pub(super) extra: Option<Box<Extra>>,
}

/// Columns that only some searches need; each is empty until it is used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extra {
    /// Reward of the step into each slot, for whoever took it.
    pub(super) reward: Vec<f32>,
    /// The player to move in each slot.
    pub(super) player: Vec<u8>,
    /// Which slots are proven.
    pub(super) proven: Vec<bool>,
    /// The node's own evaluation, of each record.
    pub(super) own: Vec<f32>,
    /// Sum of squared deviations from the mean, of each record.
    pub(super) spread: Vec<f64>,
    /// Scores of the children of each record.
    pub(super) arms: Vec<Arms>,
    /// Hash of each slot's payload, 0 where there is none.
    pub(super) payload: Vec<u64>,
    /// How many siblings repeat each slot.
    pub(super) copies: Vec<u32>,
    /// Where states are shared: which, and the counts of edges.
    pub(super) graph: Option<Box<Graph>>,
}

impl Arena {
    /// A tree of one node that was never asked for.
    pub(super) fn new(open: bool, priors: bool, shared: bool) -> Self {
        Self {
            value: vec![0.0],
            weight: vec![1.0],
            link: vec![FRESH],
            records: Vec::new(),
            span: if open { Span::Open(Vec::new()) } else { Span::Uniform(0) },
            lists: Vec::new(),
            prior: priors.then(|| vec![1.0]),
            extra: shared.then(|| Box::new(Extra { graph: Some(Box::default()), ..Extra::default() })),
        }
    }

    /// Number of slots.
    pub fn len(&self) -> usize {
        self.link.len()
    }

    /// Asks for what the first step of a walk reads.
    #[inline(always)]
    pub(super) fn prefetch_root(&self) {
        prefetch(&self.link, 0);
        prefetch(&self.records, 0);
        prefetch(&self.value, 1);
        prefetch(&self.weight, 1);
    }

    /// Asks for what a value carried up along `path` reads.
    #[inline(always)]
    pub(super) fn prefetch_path(&self, path: &[u32]) {
        for &slot in path {
            prefetch(&self.link, slot as usize);
            prefetch(&self.value, slot as usize);
        }
    }

    /// Asks for the records along `path`, whose links are at hand.
    #[inline(always)]
    pub(super) fn prefetch_records(&self, path: &[u32]) {
        for &slot in path {
            prefetch(&self.records, self.link[slot as usize] as usize);
        }
    }

    /// Never: there is a root.
    pub fn is_empty(&self) -> bool {
        self.link.is_empty()
    }

    /// Bytes in use, without the room that vectors keep for growing.
    pub fn n_bytes(&self) -> usize {
        let span = match &self.span {
            Span::Uniform(_) => 0,
            Span::Listed(spans) => size_of_val(&spans[..]),
            Span::Open(families) => size_of_val(&families[..]),
        };
        let extra = self.extra.as_ref().map_or(0, |extra| {
            size_of_val(&extra.reward[..])
                + extra.player.len()
                + extra.proven.len()
                + size_of_val(&extra.own[..])
                + size_of_val(&extra.spread[..])
                + size_of_val(&extra.arms[..])
                + size_of_val(&extra.payload[..])
                + size_of_val(&extra.copies[..])
                + extra.graph.as_ref().map_or(0, |graph| graph.n_bytes())
        });
        12 * self.len()
            + size_of_val(&self.records[..])
            + span
            + size_of_val(&self.lists[..])
            + self.prior.as_ref().map_or(0, |prior| size_of_val(&prior[..]))
            + extra
    }

    /// First slot and number of the children of record `record`, where they lie side by side.
    #[inline(always)]
    pub(super) fn block(&self, record: u32) -> (usize, usize) {
        match &self.span {
            Span::Uniform(n) => (1 + record as usize * *n as usize, *n as usize),
            Span::Listed(spans) => {
                let [first, n] = spans[record as usize];
                (first as usize, n as usize)
            }
            Span::Open(_) => (0, 0),
        }
    }

    /// The children of record `record`.
    pub(super) fn children(&self, record: u32) -> Children<'_> {
        if let Span::Open(families) = &self.span {
            let family = families[record as usize];
            if family.n == 0 {
                return Children::Block(0..0);
            }
            let chunk = &self.lists[family.first as usize..];
            Children::List { arena: self, chunk, at: 0, size: SMALLEST_CHUNK, left: family.n }
        } else {
            let (first, n) = self.block(record);
            Children::Block(first as u32..(first + n) as u32)
        }
    }

    /// Visits of `slot`, those in flight included.
    pub(super) fn traffic(&self, slot: u32) -> u32 {
        if let Some(graph) = self.graph() {
            return graph.edge(slot)[0];
        }
        match self.link[slot as usize] {
            FRESH => 0,
            record if record < LEAF => self.records[record as usize].visits,
            _ => 1,
        }
    }

    /// Visits of `slot` that are in flight.
    pub(super) fn in_flight(&self, slot: u32) -> u32 {
        if let Some(graph) = self.graph() {
            return graph.edge(slot)[1];
        }
        match self.link[slot as usize] {
            PENDING => 1,
            record if record < LEAF => self.records[record as usize].in_flight,
            _ => 0,
        }
    }

    /// Completed visits of `slot`.
    pub(super) fn visits(&self, slot: u32) -> u32 {
        self.traffic(slot) - self.in_flight(slot)
    }

    /// The value of `slot` seen from itself, or NaN before it was evaluated.
    pub(super) fn mean(&self, slot: u32) -> f64 {
        match self.link[slot as usize] {
            FRESH | PENDING => f64::NAN,
            _ if self.is_proven(slot) => f64::from(self.value[slot as usize]),
            record if record < LEAF => {
                let record = &self.records[record as usize];
                if record.visits > record.in_flight { record.mean } else { f64::NAN }
            }
            _ => f64::from(self.value[slot as usize]),
        }
    }

    /// Number of children that `slot` has room for, or is known to have.
    pub(super) fn n_children(&self, slot: u32) -> u32 {
        match self.link[slot as usize] {
            FRESH | PENDING => 0,
            record if record < LEAF => match &self.span {
                Span::Open(families) => families[record as usize].n,
                _ => self.block(record).1 as u32,
            },
            _ if matches!(self.span, Span::Open(_)) => 0,
            link => link - LEAF,
        }
    }

    /// The reward of the step into `slot`.
    #[inline]
    pub(super) fn reward(&self, slot: u32) -> f64 {
        let reward = self.extra.as_ref().and_then(|extra| extra.reward.get(slot as usize));
        reward.copied().map_or(0.0, f64::from)
    }

    /// Gives `slot`, which was told (or is pending), a record and room for `n` children, each worth `value` and weighing 1.
    #[inline(always)]
    pub(super) fn expand(&mut self, slot: u32, n: u32, value: f32) -> Result<u32> {
        let number = self.records.len() as u32;
        // Children that come one by one get their room one by one.
        self.grow(if matches!(self.span, Span::Open(_)) { 0 } else { n as usize })?;
        let pending = u32::from(self.link[slot as usize] == PENDING);
        if let Span::Uniform(0) = self.span
            && n > 0
            && number == 0
        {
            self.span = Span::Uniform(n);
        }
        if let Span::Uniform(all) = self.span
            && all != n
        {
            self.span = Span::Listed((0..number).map(|r| [1 + r * all, all]).collect());
        }
        let first = self.len() as u32;
        match &mut self.span {
            Span::Uniform(_) => {}
            Span::Listed(spans) => spans.push([first, n]),
            Span::Open(families) => families.push(Family { first: u32::MAX, last: u32::MAX, n: 0, most: n }),
        }
        self.link[slot as usize] = number;
        let mean = f64::from(self.value[slot as usize]);
        self.records.push(Record { mean, visits: 1, in_flight: pending });
        if !matches!(self.span, Span::Open(_)) {
            self.append(n as usize, value);
        }
        Ok(number)
    }

    #[inline(always)]
    fn append(&mut self, n: usize, value: f32) {
        let len = self.len() + n;
        self.value.resize(len, value);
        self.weight.resize(len, 1.0);
        self.link.resize(len, FRESH);
        if let Some(prior) = &mut self.prior {
            prior.resize(len, 1.0);
        }
    }

    /// Makes room for `n` more slots.
    #[inline]
    fn grow(&mut self, n: usize) -> Result<()> {
        let total = self.len() + n;
        // Numbers of slots end there.
        if total >= PENDING as usize || self.records.len() + 1 >= LEAF as usize {
            return Err(Error::Memory(total.saturating_mul(12)));
        }
        reserve_huge(&mut self.value, n)?;
        reserve_huge(&mut self.weight, n)?;
        reserve_huge(&mut self.link, n)?;
        reserve_huge(&mut self.records, 1)
    }

    /// Makes room for about `n` simulations at once.
    pub(super) fn prepare(&mut self, n: usize) -> Result<()> {
        let n = n.min(1 << 20); // beyond that, doubling costs nothing
        let slots = 2 * n;
        reserve_huge(&mut self.value, slots)?;
        reserve_huge(&mut self.weight, slots)?;
        reserve_huge(&mut self.link, slots)?;
        reserve_huge(&mut self.records, n / 2)
    }

    /// A further child of record `record`, in an open tree.
    pub(super) fn adopt(&mut self, record: u32, value: f32) -> Result<u32> {
        self.grow(1)?;
        let slot = self.len() as u32;
        self.append(1, value);
        let Span::Open(families) = &mut self.span else { unreachable!("only open trees adopt") };
        families[record as usize].add(&mut self.lists, slot);
        Ok(slot)
    }

    /// The columns that only some searches need.
    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

/// Sets `column[index]`, which is taken to be `T::default()` beyond its end.
pub(super) fn set<T: Clone + Default>(column: &mut Vec<T>, index: usize, value: T) {
    if column.len() <= index {
        column.resize(index + 1, T::default());
    }
    column[index] = value;
}

/// Slots of a node's children, in the order of their actions.
pub(super) enum Children<'a> {
    Block(std::ops::Range<u32>),
    List { arena: &'a Arena, chunk: &'a [u32], at: u32, size: u32, left: u32 },
}

impl Iterator for Children<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Block(range) => range.next(),
            Self::List { arena, chunk, at, size, left } => {
                *left = left.checked_sub(1)?;
                if *at == *size {
                    *chunk = &arena.lists[chunk[0] as usize..];
                    *at = 0;
                    *size = (2 * *size).min(LARGEST_CHUNK);
                }
                *at += 1;
                Some(chunk[*at as usize])
            }
        }
    }
}
