//! Tickets: who was asked for what. A ticket is a place in a table and the generation of that place, so that a late or
//! double answer finds its ticket gone.

use super::descent::Path;
use super::forest::Kind;
use crate::machine::prefetch_whole;

/// What a ticket stands for.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub generation: u32,
    /// The tree, or `FREE`.
    pub tree: u32,
    /// What is asked.
    pub kind: Kind,
    /// How many tickets were issued before this one.
    pub serial: u64,
    /// The walk to the leaf.
    pub path: Path,
}

/// The tree of a place that no open ticket has.
pub(super) const FREE: u32 = u32::MAX;

impl Default for Ticket {
    fn default() -> Self {
        Self { generation: 0, tree: FREE, kind: Kind::Evaluate, serial: 0, path: Path::default() }
    }
}

/// All tickets of a forest.
#[derive(Debug, Clone, Default)]
pub(super) struct Tickets {
    pub places: Vec<Ticket>,
    /// Places for the next tickets, the last first.
    pub free: Vec<u32>,
    /// Tickets issued so far.
    pub issued: u64,
}

impl Tickets {
    /// A ticket for the end of `path`, which is left with the memory of an older one.
    pub(super) fn issue(&mut self, tree: u32, kind: Kind, path: &mut Path) -> u64 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Ticket::default());
            self.places.len() as u32 - 1
        });
        let ticket = &mut self.places[place as usize];
        (ticket.tree, ticket.kind, ticket.serial) = (tree, kind, self.issued);
        self.issued += 1;
        std::mem::swap(&mut ticket.path, path);
        u64::from(ticket.generation) << 32 | u64::from(place)
    }

    /// The ticket numbered `number`, if it is still open.
    #[inline]
    pub(super) fn get(&self, number: u64) -> Option<&Ticket> {
        let ticket = self.places.get(number as u32 as usize)?;
        (ticket.tree != FREE && u64::from(ticket.generation) == number >> 32).then_some(ticket)
    }

    /// Asks for the place of ticket `number`.
    #[inline(always)]
    pub(super) fn prefetch(&self, number: u64) {
        prefetch_whole(&self.places, number as u32 as usize);
    }

    /// Closes an open ticket.
    pub(super) fn close(&mut self, number: u64) {
        let place = number as u32;
        let ticket = &mut self.places[place as usize];
        ticket.tree = FREE;
        // A place whose generations are used up is never used again.
        if let Some(next) = ticket.generation.checked_add(1) {
            ticket.generation = next;
            self.free.push(place);
        }
    }

    /// Numbers of all open tickets, in the order of their places.
    pub(super) fn open(&self) -> impl Iterator<Item = (u64, &Ticket)> {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, ticket)| ticket.tree != FREE)
            .map(|(place, ticket)| (u64::from(ticket.generation) << 32 | place as u64, ticket))
    }
}
