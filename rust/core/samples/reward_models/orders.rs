//! The best-of-k curve in random orders of the samples, and its maximum.

use super::prompt::Prompt;
use super::same_shape;
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::rows::Rows;
use crate::run::{Control, fill_rows};

/// Fills `out` with the maximum over `k` of the best-of-k curve in one random order of the samples for each element,
/// the same order for all prompts: the curve of an order chooses among its first k samples, the first of equal scores.
/// Order i draws its permutation from stream `first + i`. A prompt with fewer samples uses the order of its own, and
/// counts for its own k only. NaN where no prompt has enough samples for any k. Costs P n for each order.
///
/// # Errors
/// As [`correctness`](super::correctness).
pub fn max_scores(
    scores: &dyn Rows<f64>,
    correct: &dyn Rows<f64>,
    k: &[i64],
    seed: Seed,
    first: u64,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    let (n_prompts, n) = same_shape(scores, correct)?;
    // A sample as one number: 0 where absent, else twice its rank among the prompt's scores (from 1) plus its verdict.
    let mut codes = Vec::<u32>::new();
    let size = n_prompts.saturating_mul(n);
    codes.try_reserve_exact(size).map_err(|_| Error::Memory(size.saturating_mul(4)))?;
    codes.resize(size, 0);
    let mut prompts_with = vec![0u64; n + 1];
    let mut prompt = Prompt::new(n);
    let mut sorted = Vec::with_capacity(n);
    for row in 0..n_prompts {
        control.check()?;
        prompt.read(scores, correct, row)?;
        prompts_with[prompt.samples.len()] += 1;
        sorted.clear();
        sorted.extend(prompt.samples.iter().map(|sample| sample.0));
        sorted.sort_unstable();
        let present = codes[row * n..].iter_mut().zip(&prompt.scores).filter(|(_, score)| !score.is_nan());
        for ((code, _), sample) in present.zip(&prompt.samples) {
            let rank = sorted.partition_point(|&other| other < sample.0) as u32;
            *code = 2 * (rank + 1) + u32::from(sample.1);
        }
    }
    for i in (0..n).rev() {
        prompts_with[i] += prompts_with[i + 1];
    }
    fill_rows(
        out,
        1,
        1,
        control,
        || (vec![0usize; n], vec![0u64; n]),
        |(order, counts), item, out| {
            let mut stream = seed.stream(first.wrapping_add(item as u64));
            for (i, place) in order.iter_mut().enumerate() {
                *place = i;
            }
            for i in (1..n).rev() {
                order.swap(i, stream.below(i as u64 + 1) as usize);
            }
            counts.fill(0);
            for (row, codes) in codes.chunks_exact(n.max(1)).enumerate() {
                if row % 256 == 0 {
                    control.check()?;
                }
                let (mut best, mut taken) = (0, 0);
                for &place in &*order {
                    let code = codes[place];
                    if code >> 1 > best >> 1 {
                        best = code;
                    }
                    // An absent sample adds nothing and is overwritten by the next one.
                    let present = usize::from(code != 0);
                    counts[taken] += u64::from(best & 1) * present as u64;
                    taken += present;
                    if taken == n {
                        break;
                    }
                }
            }
            out[0] = f64::NAN;
            for &k in k {
                let k = usize::try_from(k).unwrap_or(0);
                if (1..=n).contains(&k) && prompts_with[k] > 0 {
                    out[0] = out[0].max(counts[k - 1] as f64 / prompts_with[k] as f64);
                }
            }
            Ok(())
        },
    )
}
