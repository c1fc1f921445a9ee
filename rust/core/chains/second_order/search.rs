//! Exact search in a sorted row, one read of memory at a time, so that many searches wait together.

use crate::machine::prefetch;

/// Targets that are compared at once: those of one cache line, if they are aligned.
const WINDOW: usize = 16;

/// A search of `key` in a part of the targets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Search {
    low: usize,
    len: usize,
    key: u32,
}

impl Search {
    /// A search in the row `targets[begin..begin + degree]`, whose first read is asked for.
    #[inline(always)]
    pub(super) fn new(targets: &[u32], (begin, degree): (usize, usize), key: u32) -> Self {
        let search = Self { low: begin, len: degree, key };
        search.prefetch(targets);
        search
    }

    #[inline(always)]
    fn prefetch(&self, targets: &[u32]) {
        if self.len > WINDOW {
            prefetch(targets, self.low + self.len / 2);
        } else {
            prefetch(targets, self.low);
            prefetch(targets, self.low + self.len - 1);
        }
    }

    /// Halves what is left, and says whether that is small enough for [`find`](Self::find).
    #[inline(always)]
    pub(super) fn narrow(&mut self, targets: &[u32]) -> bool {
        if self.len <= WINDOW {
            return true;
        }
        let half = self.len / 2;
        if targets[self.low + half] <= self.key {
            self.low += half;
        }
        self.len -= half;
        self.prefetch(targets);
        false
    }

    /// Where the key stands among the targets, if it does.
    #[inline(always)]
    pub(super) fn find(&self, targets: &[u32]) -> Option<usize> {
        let row = &targets[self.low..self.low + self.len];
        let mut found = WINDOW;
        // No way out of the loop: the comparisons go side by side.
        for (index, &target) in row.iter().enumerate() {
            found = if target == self.key { index } else { found };
        }
        (found < WINDOW).then_some(self.low + found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(
            row in prop::collection::btree_set(0u32..300, 1..200), before in 0usize..20, after in 0usize..20
        ) {
            let row: Vec<u32> = row.into_iter().collect();
            // The other rows hold every key.
            let targets = [&vec![7; before][..], &row, &vec![8; after]].concat();
            for key in 0..310 {
                let mut search = Search::new(&targets, (before, row.len()), key);
                let mut probes = 0;
                while !search.narrow(&targets) {
                    probes += 1;
                }
                prop_assert!(probes < 6);
                prop_assert_eq!(search.find(&targets), row.binary_search(&key).ok().map(|index| before + index));
            }
        }
    }
}
