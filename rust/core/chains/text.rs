//! Text from a chain whose states stand for symbols.

use super::alias::Tables;
use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::Walker;
use super::walk::check_starts;
use super::watch::Walks;
use crate::error::{Result, invalid};
use crate::random::draw;
use crate::run::{Control, fill_blocks};

/// Symbols of each text that are gathered before they are written: a cache line of bytes.
const TILE: usize = 64;

/// Symbols of one text between two looks at the stop flag, where there are few texts.
const CHECKED: usize = 1 << 16;

/// As many texts at most are written one after another: fewer do not hide each other's waiting for memory.
const FEW: usize = 4;

/// Fills `out`, a symbol for each step of each of the `walks`, which are texts: `symbols[state]` for the state after
/// the step. The walks are those of [`walk`](super::walk::walk); where they start is not written. Cost: O(walks x
/// steps).
///
/// # Errors
/// If the starts are for another number of walks, or there is not a symbol for each state;
/// [`Error::Memory`](crate::Error::Memory) for the tables; [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have one symbol for each step of each walk.
pub fn generate<T: Copy + Default + Send + Sync>(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    symbols: &[T],
    out: &mut [T],
    control: &Control,
) -> Result<()> {
    let (n_texts, length) = (walks.n_walks, walks.n_steps);
    assert_eq!(out.len(), n_texts * length, "a symbol for each step of each walk");
    if symbols.len() != chain.n_states() {
        let rule = format!("have one symbol for each of the {} states", chain.n_states());
        return Err(invalid("symbols", &[], symbols.len(), rule));
    }
    check_starts(&walks.starts, n_texts)?;
    let tables = chain.tables(control)?;
    control.expect(out.len() as u64);
    let block = n_texts.div_ceil(control.threads()).clamp(1, LANES);
    fill_blocks(
        out,
        length,
        block,
        control,
        || (Ring::new(tables), vec![T::default(); TILE * LANES]),
        |(ring, tile), item, texts| {
            let starts =
                (0..texts.len() / length).map(|text| walks.starts.walker(&walks.seed, walks.first, item + text));
            if texts.len() / length <= FEW {
                for (walker, text) in starts.zip(texts.chunks_mut(length)) {
                    write_one(&tables, walker, symbols, text, control)?;
                }
                return Ok(());
            }
            starts.enumerate().for_each(|(lane, walker)| ring.place(lane, walker));
            write_many(ring, tile, symbols, length, texts, control)
        },
    )
}

/// One text, by a plain loop.
fn write_one<T: Copy>(
    tables: &Tables<'_>,
    mut walker: Walker,
    symbols: &[T],
    text: &mut [T],
    control: &Control,
) -> Result<()> {
    for part in text.chunks_mut(CHECKED) {
        control.check()?;
        for symbol in &mut *part {
            walker.state = tables.next(walker.state, draw(&mut walker.random));
            *symbol = symbols[walker.state as usize];
        }
        control.advance(part.len() as u64);
    }
    Ok(())
}

/// The texts of the walks in `ring`, tile by tile: symbols are gathered step after step, and written text after text.
fn write_many<T: Copy>(
    ring: &mut Ring<'_>,
    tile: &mut [T],
    symbols: &[T],
    length: usize,
    texts: &mut [T],
    control: &Control,
) -> Result<()> {
    let n_texts = texts.len() / length;
    for begin in (0..length).step_by(TILE) {
        control.check()?;
        let size = TILE.min(length - begin);
        for row in tile.chunks_mut(LANES).take(size) {
            ring.step();
            for (symbol, &state) in row.iter_mut().zip(ring.states()) {
                *symbol = symbols[state as usize];
            }
        }
        for (lane, text) in texts.chunks_mut(length).enumerate() {
            for (symbol, row) in text[begin..begin + size].iter_mut().zip(tile.chunks(LANES)) {
                *symbol = row[lane];
            }
        }
        control.advance((size * n_texts) as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::Starts;
    use crate::chains::matrix::Meaning;
    use crate::chains::walk::walk;
    use crate::random::Seed;

    fn chain() -> MarkovChain {
        let (indptr, indices) = ([0, 3, 4, 6], [0u32, 1, 2, 2, 0, 1]);
        let values = [0.5, 0.25, 0.25, 1.0, 0.125, 0.875];
        MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &Control::default()).unwrap()
    }

    #[test]
    fn texts_spell_the_walks_of_the_same_seed() {
        let chain = chain();
        for (n_walks, n_steps, threads) in [(1, 200, 1), (3, 65, 2), (300, 64, 2), (131, 129, 3), (2, 0, 1), (0, 5, 1)]
        {
            let (seed, starts) = (Seed::from_u64(5), Starts::law(&[0.5, 0.25, 0.25], 3).unwrap());
            let (control, width) = (Control::new(threads), n_steps + 1);
            let mut states = vec![0; n_walks * width];
            walk(&chain, &starts, n_steps, &seed, 9, &mut states, &control).unwrap();
            let mut texts = vec![0u8; n_walks * n_steps];
            let walks = Walks { starts, n_walks, n_steps, seed, first: 9 };
            generate(&chain, &walks, b"abc", &mut texts, &control).unwrap();
            for (states, text) in states.chunks(width).zip(texts.chunks(n_steps.max(1))) {
                assert!(states[1..].iter().zip(text).all(|(&state, &symbol)| symbol == b'a' + state as u8));
            }
        }
    }

    #[test]
    fn a_symbol_is_asked_of_every_state() {
        let starts = Starts::one(0, 3).unwrap();
        let walks = Walks { starts, n_walks: 1, n_steps: 4, seed: Seed::from_u64(0), first: 0 };
        let error = generate(&chain(), &walks, b"ab", &mut [0; 4], &Control::default());
        assert_eq!(error.unwrap_err().to_string(), "symbols must have one symbol for each of the 3 states, got 2");
    }
}
