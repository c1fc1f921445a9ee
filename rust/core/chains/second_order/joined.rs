//! Which pairs of states are joined: a Bloom word that answers most questions with one cache line, and whether the
//! chain can go back wherever it can go.

use crate::chains::matrix::MarkovChain;
use crate::error::{Error, Result};
use crate::machine::{huge_vec, prefetch};
use crate::run::{Control, fill_blocks, map_items};

/// Transitions for each word of 64 bits.
const PER_WORD: usize = 4;

/// States that are read between two looks at the stop flag.
const STATES: usize = 1 << 12;

/// Words that are on their way to the cache while others are written.
const AHEAD: usize = 32;

/// The transitions of a chain as a Bloom filter, 2 bytes for each. All bits of a transition stand in one word.
#[derive(Debug)]
pub(in crate::chains) struct Joined {
    words: Vec<u64>,
    symmetric: bool,
}

/// A bijection of 64-bit words whose output looks random.
#[inline(always)]
const fn scramble(x: u64) -> u64 {
    let x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

impl Joined {
    /// Reads the chain twice, and once more for each thread. Cost: O(transitions).
    pub(in crate::chains) fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        let n_words = (chain.n_transitions() / PER_WORD).clamp(1, u32::MAX as usize);
        let mut words = huge_vec(n_words)?;
        words.resize(n_words, 0);
        let mut joined = Self { words: Vec::new(), symmetric: is_symmetric(chain, control)? };
        let places = Places { n_words: n_words as u64, turned: u64::from(joined.symmetric).wrapping_neg() };
        let block = n_words.div_ceil(control.threads());
        // Each thread reads all transitions and writes those whose words are its own.
        fill_blocks(&mut words, 1, block, control, || (), |(), first, part| fill(chain, places, first, part, control))?;
        joined.words = words;
        Ok(joined)
    }

    /// Whether there is a transition back for each transition.
    pub(super) fn symmetric(&self) -> bool {
        self.symmetric
    }

    /// Where the transitions stand.
    pub(super) fn places(&self) -> Places {
        Places { n_words: self.words.len() as u64, turned: u64::from(self.symmetric).wrapping_neg() }
    }

    /// The words that [`place`](Self::place) names: that of a transition has all of its bits, another word seldom.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(in crate::chains) fn bytes(&self) -> usize {
        8 * self.words.len()
    }
}

/// Sets the bits of all transitions whose words are those of `part`, the first of them number `first`.
fn fill(chain: &MarkovChain, places: Places, first: usize, part: &mut [u64], control: &Control) -> Result<()> {
    let mut waiting = [(0usize, 0u64); AHEAD];
    let mut turn = 0;
    for from in 0..chain.n_states() {
        if from % STATES == 0 {
            control.check()?;
        }
        for &to in chain.row(from as u32).targets {
            if places.turned != 0 && to < from as u32 {
                continue;
            }
            let (word, bits) = places.of(from as u64, u64::from(to));
            let word = (word as usize).wrapping_sub(first);
            if word < part.len() {
                prefetch(part, word);
                let (word, bits) = std::mem::replace(&mut waiting[turn % AHEAD], (word, bits));
                part[word] |= bits;
                turn += 1;
            }
        }
    }
    for (word, bits) in waiting {
        part[word] |= bits;
    }
    Ok(())
}

/// Where transitions stand in so many words; all bits of `turned` are set if both directions are one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    n_words: u64,
    turned: u64,
}

impl Places {
    /// The word of the transition `from -> to`, and four bits of it. Adds, multiplications and shifts of words alone: a
    /// vector unit does several at once.
    #[inline(always)]
    pub(super) fn of(self, from: u64, to: u64) -> (u64, u64) {
        let swap = (from ^ to) & self.turned & u64::from(to < from).wrapping_neg();
        let hash = scramble((from ^ swap) << 32 | (to ^ swap));
        let bits = 1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63);
        (((hash >> 32) * self.n_words) >> 32, bits)
    }
}

/// Whether the transitions turned round are the same transitions: the sums of a hash over both, of 128 bits in all,
/// are compared, which reads the chain in order where looking each one up would not.
fn is_symmetric(chain: &MarkovChain, control: &Control) -> Result<bool> {
    let sums = map_items(
        chain.n_states().div_ceil(STATES),
        16,
        control,
        || (),
        |(), block| {
            let mut sums = [0u64; 2];
            for from in block * STATES..chain.n_states().min((block + 1) * STATES) {
                for &to in chain.row(from as u32).targets {
                    let (there, back) = ((from as u64) << 32 | u64::from(to), u64::from(to) << 32 | from as u64);
                    for (sum, key) in sums.iter_mut().zip([0, 0x6a09_e667_f3bc_c908]) {
                        *sum = sum
                            .wrapping_add(scramble(scramble(there ^ key)))
                            .wrapping_sub(scramble(scramble(back ^ key)));
                    }
                }
            }
            Ok::<_, Error>(sums)
        },
    )?;
    let add = |sum: u64, part: &u64| sum.wrapping_add(*part);
    Ok(sums.iter().map(|sums| &sums[0]).fold(0, add) == 0 && sums.iter().map(|sums| &sums[1]).fold(0, add) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;
    use proptest::prelude::*;

    fn chain(n: usize, edges: &[(u32, u32)]) -> MarkovChain {
        let mut rows = vec![Vec::new(); n];
        for &(from, to) in edges {
            rows[from as usize].push(to);
        }
        let mut indptr = vec![0i64];
        for (state, row) in rows.iter_mut().enumerate() {
            if row.is_empty() {
                row.push(state as u32);
            }
            row.sort_unstable();
            row.dedup();
            indptr.push(indptr[state] + row.len() as i64);
        }
        let weights = Meaning::Weights(crate::chains::Dangling::Error);
        MarkovChain::from_csr(&indptr, &rows.concat(), None, weights, &Control::default()).unwrap()
    }

    fn maybe(joined: &Joined, from: u32, to: u32) -> bool {
        let (word, bits) = joined.places().of(u64::from(from), u64::from(to));
        joined.words()[word as usize] & bits == bits
    }

    proptest! {
        #[test]
        fn no_transition_is_missed_and_symmetry_is_seen(
            edges in prop::collection::vec((0u32..20, 0u32..20), 0..60), both in any::<bool>(), threads in 1usize..4
        ) {
            let mut edges = edges;
            if both {
                edges.extend(edges.clone().iter().map(|&(a, b)| (b, a)));
            }
            let chain = chain(20, &edges);
            let found = Joined::new(&chain, &Control::new(threads)).unwrap();
            let has = |a: u32, b: u32| chain.row(a).targets.contains(&b);
            let symmetric = (0..20).all(|a| (0..20).all(|b| has(a, b) == has(b, a)));
            prop_assert_eq!(found.symmetric(), symmetric);
            prop_assert_eq!(&found.words, &Joined::new(&chain, &Control::default()).unwrap().words);
            for (a, b) in (0..20).flat_map(|a| (0..20).map(move |b| (a, b))) {
                prop_assert!(maybe(&found, a, b) || !has(a, b));
            }
        }
    }

    #[test]
    fn few_pairs_that_are_no_transitions_pass() {
        // 2 bytes a transition: of 64 bits 16 are set by 4 transitions, at most; 8 where they go both ways.
        let n = 4000u32;
        for (both, most) in [(false, 0.01), (true, 0.002)] {
            let mut stream = crate::random::Seed::from_u64(1).stream(0);
            let mut edges: Vec<(u32, u32)> =
                (0..40_000).map(|_| (stream.below(u64::from(n)) as u32, stream.below(u64::from(n)) as u32)).collect();
            if both {
                edges.extend(edges.clone().iter().map(|&(a, b)| (b, a)));
            }
            let chain = chain(n as usize, &edges);
            let found = Joined::new(&chain, &Control::default()).unwrap();
            assert_eq!(found.symmetric(), both);
            let (mut passed, mut asked) = (0, 0);
            for (a, b) in (0..n).flat_map(|a| (0..n).step_by(7).map(move |b| (a, b))) {
                if chain.row(a).targets.binary_search(&b).is_err() {
                    asked += 1;
                    passed += u32::from(maybe(&found, a, b));
                }
            }
            let share = f64::from(passed) / f64::from(asked);
            assert!(share < most, "{share}");
        }
    }
}
