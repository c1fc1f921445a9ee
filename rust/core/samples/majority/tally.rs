//! The votes of one problem: how many samples gave the gold answer, each rival answer, or none.

/// The code of a sample without an answer: it may be drawn, and never votes.
pub const SILENT: i64 = -2;

/// Vote counts of one problem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples with the gold answer.
    pub gold: u64,
    /// Samples of each other answer, largest first, all positive.
    pub rivals: Vec<u64>,
    /// Samples without an answer.
    pub silent: u64,
    histogram: Vec<u32>,
    sorted: Vec<i64>,
}

/// How many of the samples a removal stands for, of all so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Multiplicity {
    pub weight: f64,
    pub total: f64,
}

impl Tally {
    /// A tally of given counts.
    pub fn new(gold: u64, rivals: &[u64], silent: u64) -> Self {
        let mut rivals: Vec<u64> = rivals.iter().copied().filter(|&count| count > 0).collect();
        rivals.sort_unstable_by(|a, b| b.cmp(a));
        Self { gold, rivals, silent, ..Self::default() }
    }

    /// Number of samples.
    pub fn n(&self) -> u64 {
        self.gold + self.rivals.iter().sum::<u64>() + self.silent
    }

    /// Counts the `codes` of one problem whose gold answer has code `gold`; -1 is no sample.
    pub fn count(&mut self, codes: &[i64], gold: i64) {
        (self.gold, self.silent) = (0, 0);
        self.rivals.clear();
        let largest = codes.iter().copied().max().unwrap_or(-1);
        self.silent = codes.iter().filter(|&&code| code == SILENT).count() as u64;
        if largest < 4 * codes.len() as i64 + 64 {
            self.histogram.clear();
            self.histogram.resize((largest + 1).max(0) as usize, 0);
            for &code in codes.iter().filter(|&&code| code >= 0) {
                self.histogram[code as usize] += 1;
            }
            for (code, &count) in self.histogram.iter().enumerate() {
                if code as i64 == gold {
                    self.gold = u64::from(count);
                } else if count > 0 {
                    self.rivals.push(u64::from(count));
                }
            }
        } else {
            self.sorted.clear();
            self.sorted.extend(codes.iter().filter(|&&code| code >= 0));
            self.sorted.sort_unstable();
            for run in self.sorted.chunk_by(|a, b| a == b) {
                if run[0] == gold {
                    self.gold = run.len() as u64;
                } else {
                    self.rivals.push(run.len() as u64);
                }
            }
        }
        self.rivals.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The tallies left when one sample is removed, each with the number of samples whose removal leaves it.
    pub(super) fn each_removed(&self) -> Vec<(Multiplicity, Self)> {
        let mut all = Vec::new();
        let mut total = 0.0;
        let mut push = |weight: u64, tally: Self| {
            total += weight as f64;
            all.push((Multiplicity { weight: weight as f64, total }, tally));
        };
        if self.gold > 0 {
            push(self.gold, Self::new(self.gold - 1, &self.rivals, self.silent));
        }
        if self.silent > 0 {
            push(self.silent, Self::new(self.gold, &self.rivals, self.silent - 1));
        }
        let mut at = 0;
        for equal in self.rivals.chunk_by(|a, b| a == b) {
            let mut rivals = self.rivals.clone();
            rivals[at] -= 1;
            push(equal[0] * equal.len() as u64, Self::new(self.gold, &rivals, self.silent));
            at += equal.len();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_and_sparse_codes_count_alike() {
        let (mut dense, mut sparse) = (Tally::default(), Tally::default());
        let codes = [3, 0, 3, -1, 1, SILENT, 3, 0, -1];
        dense.count(&codes, 0);
        sparse.count(&codes.map(|code| if code > 0 { code * 1_000_000 } else { code }), 0);
        for tally in [&dense, &sparse] {
            assert_eq!((tally.gold, &tally.rivals[..], tally.silent, tally.n()), (2, &[3, 1][..], 1, 7));
        }
        dense.count(&[-1, -1], 5);
        assert_eq!(dense.n(), 0);
    }

    #[test]
    fn removals_cover_every_sample_once() {
        let all = Tally::new(2, &[3, 3, 1], 4).each_removed();
        assert_eq!(all.len(), 4);
        assert_eq!(all.last().map(|(m, _)| m.total), Some(13.0));
        assert!(all.iter().all(|(_, tally)| tally.n() == 12));
    }
}
