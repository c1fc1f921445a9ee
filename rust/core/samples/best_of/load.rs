//! From rows of scores and values to a block of problems side by side.

use super::{Block, Form, LANES, NETWORK, PADDING, Sample, Source, packed, sort};
use crate::error::{Result, invalid};

/// Reads the scored samples of one problem at a time.
pub(super) struct Reader {
    scores: Vec<f64>,
    values: Vec<f64>,
    keys: Vec<f64>,
    samples: Vec<Sample>,
}

impl Reader {
    pub(super) fn new(n_columns: usize) -> Self {
        let zeros = || vec![0.0; n_columns];
        Self { scores: zeros(), values: zeros(), keys: zeros(), samples: Vec::with_capacity(n_columns) }
    }

    /// Reads a row of scores and of values as they are, and checks them.
    fn fetch(&mut self, source: &Source, problem: usize) -> Result<()> {
        source.scores.read(problem, &mut self.scores);
        source.values.read(problem, &mut self.values);
        let bad = |(score, value): (&f64, &f64)| !score.is_nan() & !value.is_finite();
        // Without a way out of the loop it becomes vectors.
        if self.scores.iter().zip(&self.values).fold(false, |any, sample| any | bad(sample)) {
            let column = self.scores.iter().zip(&self.values).position(bad).unwrap_or(0);
            let rule = "be finite where the score is a number";
            return Err(invalid("values", &[problem, column], self.values[column], rule));
        }
        Ok(())
    }

    /// The scored samples of a row, the score turned so that the best is the highest.
    pub(super) fn read(&mut self, source: &Source, problem: usize) -> Result<&mut [Sample]> {
        self.fetch(source, problem)?;
        let samples = self.scores.iter().zip(&self.values).map(|(score, value)| (source.sign() * score, *value));
        self.samples.clear();
        self.samples.extend(samples.filter(|sample| !sample.0.is_nan()));
        Ok(&mut self.samples)
    }
}

impl Block {
    /// Reads `used` problems from `first` on.
    #[inline(always)]
    pub(super) fn load(&mut self, source: &Source, first: usize, used: usize) -> Result<()> {
        if source.scores.n_columns() > NETWORK {
            return self.load_sorted(source, first, used);
        }
        if self.load_packed(source, first, used)? {
            return Ok(());
        }
        self.load_pairs(source, first, used)
    }

    /// Sorts each problem by itself, best sample first.
    fn load_sorted(&mut self, source: &Source, first: usize, used: usize) -> Result<()> {
        (self.form, self.longest) = (Form::Sorted, 0);
        for lane in 0..LANES {
            let mut n = 0;
            if lane < used {
                let samples = self.reader.read(source, first + lane)?;
                sort(samples);
                n = samples.len();
                for ((score, value), sample) in self.score.iter_mut().zip(&mut self.value).zip(samples) {
                    (score[lane], value[lane]) = *sample;
                }
            }
            self.pad(lane, n);
            self.n[lane] = n as f64;
            self.longest = self.longest.max(n);
        }
        Ok(())
    }

    /// Score and value in one number; false where a sample does not fit.
    #[inline(always)]
    fn load_packed(&mut self, source: &Source, first: usize, used: usize) -> Result<bool> {
        let columns = source.scores.n_columns();
        (self.form, self.longest) = (Form::Packed, 0);
        self.score[columns..].fill([PADDING; LANES]);
        for lane in 0..LANES {
            let mut n = 0;
            if lane < used {
                self.reader.fetch(source, first + lane)?;
                let Reader { scores, values, keys, .. } = &mut self.reader;
                match packed::pack(scores, values, source.sign(), keys) {
                    Some(count) => n = count,
                    None => return Ok(false),
                }
                let end = if n == columns { n } else { scores.iter().rposition(|x| !x.is_nan()).map_or(0, |t| t + 1) };
                self.longest = self.longest.max(end);
            } else {
                self.reader.keys.fill(PADDING);
            }
            for (score, key) in self.score.iter_mut().zip(&self.reader.keys) {
                score[lane] = *key;
            }
            self.n[lane] = n as f64;
        }
        Ok(true)
    }

    fn load_pairs(&mut self, source: &Source, first: usize, used: usize) -> Result<()> {
        (self.form, self.longest) = (Form::Pairs, 0);
        for lane in 0..LANES {
            if lane >= used {
                self.n[lane] = 0.0;
                self.pad(lane, 0);
                continue;
            }
            self.reader.fetch(source, first + lane)?;
            let (mut n, mut end) = (0, 0);
            let rows = self.reader.scores.iter().zip(&self.reader.values);
            for (t, ((to_score, to_value), (score, value))) in
                self.score.iter_mut().zip(&mut self.value).zip(rows).enumerate()
            {
                let missing = score.is_nan();
                to_score[lane] = if missing { PADDING } else { source.sign() * score };
                to_value[lane] = if missing { PADDING } else { *value };
                n += usize::from(!missing);
                end = if missing { end } else { t + 1 };
            }
            self.n[lane] = n as f64;
            self.longest = self.longest.max(end);
        }
        Ok(())
    }

    /// Fills a lane from sample `start` on with what sorts behind every sample.
    fn pad(&mut self, lane: usize, start: usize) {
        for (score, value) in self.score[start..].iter_mut().zip(&mut self.value[start..]) {
            (score[lane], value[lane]) = (PADDING, PADDING);
        }
    }
}
