//! The Bigram-Backcopy task: tokens follow a bigram law, but after a trigger the token before it is copied.

use crate::chains::Tables;
use crate::chains::matrix::{MarkovChain, Meaning};
use crate::error::{Result, invalid};
use crate::random::{Seed, draw};
use crate::run::{Control, fill_blocks};

/// Tokens at most, the one that begins a sequence included.
pub const MOST_TOKENS: usize = 256;

/// How a token came about: it begins a sequence.
pub const STARTS: u8 = 0;
/// It was drawn by the bigram law.
pub const BIGRAM: u8 = 1;
/// It was copied from two places before.
pub const COPY: u8 = 2;

/// Sequences in flight on a thread: a step waits for memory, and others use the time.
const LANES: usize = 16;

/// Sequences of a block, and steps between two looks at the stop flag.
const BLOCK: usize = 4 * LANES;
const CHECKED: usize = 4096;

/// A law of sequences.
///
/// Token 0 is a mark of the beginning, whose number is that of the tokens of the bigram law; token 1 has a law of its own;
/// after a trigger comes, with some probability, the token before the trigger, else what the bigram law says. It is a
/// Markov chain of the second order, drawn from the tables of one of the first: its rows are the bigram law, that of the
/// triggers with one more target, which means a copy.
#[derive(Debug)]
pub struct Backcopy {
    chain: MarkovChain,
    n_tokens: usize,
}

impl Backcopy {
    /// Sequences of the tokens `0..first.len()`: `bigram` has a row of probabilities for each token, `first` is the law
    /// of token 1.
    ///
    /// # Errors
    /// Laws that are none, numbers of tokens that differ or are too many.
    pub fn new(
        bigram: &[f64],
        first: &[f64],
        triggers: &[bool],
        copy_probability: f64,
        control: &Control,
    ) -> Result<Self> {
        let n = first.len();
        if !(1..MOST_TOKENS).contains(&n) {
            return Err(invalid("first_law", &[], n, format!("have from 1 to {} numbers", MOST_TOKENS - 1)));
        }
        for (argument, length, wanted) in [("bigram", bigram.len(), n * n), ("triggers", triggers.len(), n)] {
            if length != wanted {
                return Err(invalid(argument, &[], length, format!("have {wanted} numbers, for {n} tokens")));
            }
        }
        if !(0.0..=1.0).contains(&copy_probability) {
            return Err(invalid("copy_probability", &[], copy_probability, "be from 0 to 1"));
        }
        check_law(first, "first_law", &[])?;
        let (mut indptr, mut targets, mut probabilities) = (vec![0i64], Vec::new(), Vec::new());
        let mut add = |row: &[f64], share: f64, copied: f64| {
            for (target, &p) in row.iter().enumerate().filter(|(_, p)| **p * share > 0.0) {
                targets.push(target as u32);
                probabilities.push(p * share);
            }
            if copied > 0.0 {
                targets.push(n as u32 + 1);
                probabilities.push(copied);
            }
            indptr.push(targets.len() as i64);
        };
        for (token, row) in bigram.chunks(n).enumerate() {
            check_law(row, "bigram", &[token])?;
            let copied = if triggers[token] { copy_probability } else { 0.0 };
            add(row, 1.0 - copied, copied);
        }
        add(first, 1.0, 0.0);
        add(&[], 0.0, 1.0); // what a copy is followed by is never asked
        let chain = MarkovChain::from_csr(&indptr, &targets, Some(&probabilities), Meaning::Probabilities, control)?;
        Ok(Self { chain, n_tokens: n })
    }

    /// Fills `out`, `2 length` bytes a sequence: its tokens, then [how](STARTS) each came about. Sequence `i` draws from
    /// stream `first + i` of `seed`, a word for each token but the first.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) for the tables; [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If `length` is 0, or `out` not a whole number of sequences.
    pub fn sample(&self, seed: &Seed, first: u64, length: usize, out: &mut [u8], control: &Control) -> Result<()> {
        let tables = self.chain.tables(control)?;
        control.expect((out.len() / (2 * length)) as u64);
        fill_blocks(
            out,
            2 * length,
            BLOCK,
            control,
            || (),
            |(), item, rows| {
                let mut number = first.wrapping_add(item as u64);
                let mut lanes = rows.chunks_exact_mut(2 * length * LANES);
                for group in lanes.by_ref() {
                    self.fill::<LANES>(tables, seed, number, length, group, control)?;
                    number = number.wrapping_add(LANES as u64);
                }
                for row in lanes.into_remainder().chunks_mut(2 * length) {
                    self.fill::<1>(tables, seed, number, length, row, control)?;
                    number = number.wrapping_add(1);
                }
                control.advance((rows.len() / (2 * length)) as u64);
                Ok(())
            },
        )
    }

    /// `N` sequences, whose steps alternate.
    fn fill<const N: usize>(
        &self,
        tables: Tables<'_>,
        seed: &Seed,
        number: u64,
        length: usize,
        rows: &mut [u8],
        control: &Control,
    ) -> Result<()> {
        let (begin, copy) = (self.n_tokens as u32, self.n_tokens as u32 + 1);
        let mut random: [[u64; 2]; N] = std::array::from_fn(|lane| seed.state(number.wrapping_add(lane as u64)));
        let (mut before, mut last) = ([begin; N], [begin; N]);
        for row in rows.chunks_mut(2 * length) {
            row[0] = begin as u8;
            row[length] = STARTS;
        }
        for place in 1..length {
            if place % CHECKED == 1 {
                control.check()?;
            }
            for lane in 0..N {
                let drawn = tables.next(last[lane], draw(&mut random[lane]));
                let copied = drawn == copy;
                let token = std::hint::select_unpredictable(copied, before[lane], drawn);
                (before[lane], last[lane]) = (last[lane], token);
                let row = 2 * length * lane;
                rows[row + place] = token as u8;
                rows[row + length + place] = if place == 1 { STARTS } else { BIGRAM + u8::from(copied) };
            }
        }
        Ok(())
    }
}

/// Refuses numbers that are no probabilities with sum 1.
fn check_law(law: &[f64], argument: &str, index: &[usize]) -> Result<()> {
    if let Some(i) = law.iter().position(|p| !(0.0..=1.0 + 1e-9).contains(p)) {
        return Err(invalid(argument, &[index, &[i]].concat(), law[i], "be a probability"));
    }
    let sum: f64 = law.iter().sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(invalid(argument, index, sum, "have a sum of 1 within 1e-9"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(copy_probability: f64) -> Backcopy {
        let bigram = [0.5, 0.25, 0.25, 0.125, 0.0, 0.875, 0.25, 0.75, 0.0];
        Backcopy::new(&bigram, &[0.5, 0.0, 0.5], &[false, true, false], copy_probability, &Control::default()).unwrap()
    }

    fn sampled(task: &Backcopy, n: usize, length: usize, first: u64, threads: usize) -> Vec<u8> {
        let mut out = vec![9; 2 * n * length];
        task.sample(&Seed::from_u64(7), first, length, &mut out, &Control::new(threads)).unwrap();
        out
    }

    #[test]
    fn value_stability() {
        let out = sampled(&task(1.0), 1, 16, 0, 1);
        assert_eq!(out[..16], PINNED);
        let all = sampled(&task(0.5), 1000, 20, 0, 1);
        assert_eq!(sampled(&task(0.5), 1000, 20, 0, 7), all);
        assert_eq!(sampled(&task(0.5), 123, 20, 877, 2), all[877 * 40..]);
        assert_eq!(sampled(&task(0.5), 3, 1, 0, 1), [3, 0].repeat(3));
    }
    const PINNED: [u8; 16] = [3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1];

    #[test]
    fn tokens_follow_the_law() {
        for copy_probability in [0.0, 0.5, 1.0] {
            let task = task(copy_probability);
            let mut counts = [[0u32; 3]; 9];
            let length = 200;
            for row in sampled(&task, 2000, length, 0, 2).chunks(2 * length) {
                let (tokens, roles) = row.split_at(length);
                assert!(tokens[0] == 3 && tokens[1] != 1 && roles[..2] == [STARTS; 2]);
                for t in 2..length {
                    let [before, last, token] = [tokens[t - 2], tokens[t - 1], tokens[t]].map(usize::from);
                    assert!(roles[t] != COPY || (last == 1 && token == before));
                    assert!(copy_probability < 1.0 || (roles[t] == COPY) == (last == 1));
                    if before < 3 {
                        counts[3 * before + last][token] += 1;
                    }
                }
            }
            for (pair, counts) in counts.iter().enumerate() {
                let (before, last) = (pair / 3, pair % 3);
                let row = [[0.5, 0.25, 0.25], [0.125, 0.0, 0.875], [0.25, 0.75, 0.0]][last];
                let share = if last == 1 { copy_probability } else { 0.0 };
                let n = f64::from(counts.iter().sum::<u32>());
                for (token, &count) in counts.iter().enumerate() {
                    let p = (1.0 - share) * row[token] + share * f64::from(u8::from(token == before));
                    assert!((f64::from(count) - n * p).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt() + 1e-9);
                }
            }
        }
    }

    #[test]
    fn what_is_no_law_is_named() {
        let error = |bigram: &[f64], first: &[f64], triggers: &[bool], copy| {
            Backcopy::new(bigram, first, triggers, copy, &Control::default()).unwrap_err().to_string()
        };
        let (rows, first, triggers) = ([0.5, 0.5, 1.0, 0.0], [1.0, 0.0], [false, true]);
        assert_eq!(error(&rows, &[], &triggers, 1.0), "first_law must have from 1 to 255 numbers, got 0");
        assert_eq!(error(&rows[..3], &first, &triggers, 1.0), "bigram must have 4 numbers, for 2 tokens, got 3");
        assert_eq!(error(&rows, &first, &[true], 1.0), "triggers must have 2 numbers, for 2 tokens, got 1");
        assert_eq!(error(&rows, &first, &triggers, 1.5), "copy_probability must be from 0 to 1, got 1.5");
        assert_eq!(error(&[0.5, 0.5, 2.0, 0.0], &first, &triggers, 1.0), "bigram[1, 0] must be a probability, got 2");
        let sum = "bigram[1] must have a sum of 1 within 1e-9, got 0.5";
        assert_eq!(error(&[0.5, 0.5, 0.5, 0.0], &first, &triggers, 1.0), sum);
    }
}
