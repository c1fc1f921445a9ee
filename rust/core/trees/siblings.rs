//! Children that come one by one: those taken back, which are asked for again, and those that repeat a sibling.

use super::arena::{Arena, FRESH, Span, set};
use super::select::Rules;
use super::tree::Tree;
use crate::error::Result;

impl Tree {
    /// A child of `record` that was never told, and its action: one that was taken back, or a new one.
    pub(super) fn newborn(&mut self, rules: &Rules, record: u32) -> Result<(u32, u32)> {
        if self.returned > 0
            && let Some(child) = self.arena.returned_child(record)
        {
            self.returned -= 1;
            return Ok(child);
        }
        let slot = self.arena.adopt(record, rules.fresh)?;
        let Span::Open(families) = &self.arena.span else { unreachable!("only open trees adopt") };
        Ok((slot, families[record as usize].n - 1))
    }

    /// Notes that `slot` was taken back.
    pub(super) fn give_back(&mut self, slot: u32) {
        if slot > 0 && matches!(self.arena.span, Span::Open(_)) && self.arena.link[slot as usize] == FRESH {
            self.returned += 1;
        }
    }

    /// Compares the text of `slot`, a child of `parent` that was told, with its siblings'.
    ///
    /// A slot that repeats a sibling keeps its visit, so that counts add up; the search does not go below it. The sibling
    /// counts it, and has that much more prior.
    pub(super) fn compare(&mut self, rules: &Rules, parent: u32, slot: u32, text: &str) {
        let arena = &mut self.arena;
        if arena.is_duplicate(slot) {
            return;
        }
        let hash = hash(text);
        let known = arena.extra.as_ref().map_or(&[][..], |extra| &extra.payload[..]);
        let twin = arena.children(arena.link[parent as usize]).find(|&child| {
            child != slot
                && known.get(child as usize) == Some(&hash)
                && self.payloads.get(&child).is_some_and(|other| **other == *text)
                && !arena.is_duplicate(child)
        });
        set(&mut arena.extra().payload, slot as usize, hash);
        let Some(twin) = twin else { return };
        let copies = &mut arena.extra().copies;
        set(copies, slot as usize, DUPLICATE);
        let n = copies.get(twin as usize).copied().unwrap_or(0);
        set(copies, twin as usize, n + 1);
        if let Some(prior) = &mut arena.prior {
            prior[twin as usize] += prior[slot as usize];
            arena.weight[twin as usize] = rules.weight(Some(prior[twin as usize]), arena.traffic(twin));
        }
    }
}

/// FNV-1a: texts whose hashes differ need not be compared.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What stands for a slot that repeats another, where that one's repetitions are counted.
const DUPLICATE: u32 = u32::MAX;

impl Arena {
    /// The first child of `record` that was taken back, and its action.
    pub(super) fn returned_child(&self, record: u32) -> Option<(u32, u32)> {
        let (action, slot) = self.children(record).enumerate().find(|&(_, slot)| self.link[slot as usize] == FRESH)?;
        Some((slot, action as u32))
    }

    /// Whether `slot` repeats a sibling.
    #[inline]
    pub(super) fn is_duplicate(&self, slot: u32) -> bool {
        let copies = self.extra.as_ref().and_then(|extra| extra.copies.get(slot as usize));
        copies.is_some_and(|&copies| copies == DUPLICATE)
    }

    /// How many siblings repeat `slot`.
    pub fn n_duplicates(&self, slot: u32) -> u32 {
        let copies = self.extra.as_ref().and_then(|extra| extra.copies.get(slot as usize)).copied();
        copies.filter(|&copies| copies != DUPLICATE).unwrap_or(0)
    }
}
