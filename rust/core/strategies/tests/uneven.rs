//! Walks of different lengths, some of which are cut off, on a problem that counts what it is asked.

use super::*;
use crate::problems::reasoning::drawn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Each step ends the walk with a right answer, ends it with a wrong one, or does not end it; what it would come to is
/// not known but from its `value`.
pub(super) struct Uneven {
    pub(super) right: f64,
    pub(super) wrong: f64,
    pub(super) longest: u32,
    /// Whether walks end where they begin.
    pub(super) is_done: bool,
    /// A control that is cancelled after so many steps.
    pub(super) stop: Option<(Arc<Control>, u64)>,
    /// Whether a wrong end is no answer.
    pub(super) is_silent: bool,
    /// Whether walks that would be cut off end with a wrong answer instead.
    pub(super) is_closed: bool,
    /// Steps taken from each depth, and those of them that ended the walk.
    pub(super) taken: [AtomicU64; 8],
    pub(super) ended: [AtomicU64; 8],
}

/// How deep, and how it ended.
pub(super) type Place = (u32, Option<bool>);

impl Uneven {
    pub(super) fn new(right: f64, wrong: f64, longest: u32) -> Self {
        let none = || std::array::from_fn(|_| AtomicU64::new(0));
        let (is_done, is_silent, is_closed, stop) = (false, false, false, None);
        Self { right, wrong, longest, is_done, stop, is_silent, is_closed, taken: none(), ended: none() }
    }

    pub(super) fn n_taken(&self, depth: usize) -> u64 {
        self.taken[depth].load(Relaxed)
    }

    pub(super) fn n_ended(&self, depth: usize) -> u64 {
        self.ended[depth].load(Relaxed)
    }

    /// All steps that were drawn.
    pub(super) fn n_steps(&self) -> u64 {
        (0..8).map(|depth| self.n_taken(depth)).sum()
    }

    /// Draws from the policy until the walk ends or is cut off: its length, its answer and whether that is right.
    pub(super) fn walked(&self, stream: &mut Stream) -> (u64, Option<u64>, bool) {
        let mut state = self.root(0);
        for n in 1..=u64::from(self.longest) {
            self.walk(&mut state, 0, stream, &mut Vec::new());
            if let Some(right) = state.1 {
                return (n, self.answer(&state), right);
            }
        }
        (self.longest.into(), None, false)
    }
}

impl Problem for Uneven {
    type State = Place;

    fn root(&self, _tree: u64) -> Place {
        (0, self.is_done.then_some(true))
    }

    fn n_actions(&self, state: &Place) -> u32 {
        if state.1.is_some() || self.is_closed && state.0 == self.longest { 0 } else { 3 }
    }

    fn step(&self, state: &mut Place, action: u32) -> f64 {
        state.0 += 1;
        state.1 = [Some(true), Some(false), None][action as usize];
        0.0
    }

    fn value(&self, state: &Place, _stream: &mut Stream) -> f64 {
        let again = 1.0 - self.right - self.wrong;
        let soon: f64 = (0..self.longest.saturating_sub(state.0)).map(|n| self.right * again.powi(n as i32)).sum();
        state.1.map_or(soon, |right| f64::from(u8::from(right)))
    }
}

impl Reasoning for Uneven {
    fn max_steps(&self) -> u32 {
        self.longest
    }

    fn policy(&self, _state: &Place, _expert: u32, probabilities: &mut Vec<f64>) {
        probabilities.extend([self.right, self.wrong, 1.0 - self.right - self.wrong]);
    }

    fn walk(&self, state: &mut Place, expert: u32, stream: &mut Stream, scratch: &mut Vec<f64>) -> u32 {
        scratch.clear();
        self.policy(state, expert, scratch);
        let action = drawn(scratch, stream);
        self.taken[state.0 as usize].fetch_add(1, Relaxed);
        self.ended[state.0 as usize].fetch_add(u64::from(action < 2), Relaxed);
        self.step(state, action);
        if let Some((control, n)) = self.stop.as_ref().filter(|(_, n)| self.n_steps() >= *n) {
            control.cancel();
            assert!(self.n_steps() < n + (1 << 17), "nobody looks at the stop flag");
        }
        action
    }

    fn has_fixed_length(&self) -> bool {
        self.longest == 1
    }

    fn answer_law(&self, _state: &Place) -> Option<Vec<Answer>> {
        let law =
            [(Some(0), self.wrong, false), (Some(1), self.right, true), (None, 1.0 - self.right - self.wrong, false)];
        let law = law.map(|(answer, probability, is_correct)| Answer { answer, probability, is_correct });
        (self.longest == 1 && !self.is_silent).then(|| law.to_vec())
    }

    /// Of a state that is not terminal it would be 1.
    fn answer(&self, state: &Place) -> Option<u64> {
        (state.1 != Some(false) || !self.is_silent).then(|| u64::from(state.1 != Some(false)))
    }

    fn is_correct(&self, state: &Place) -> bool {
        state.1.unwrap_or(!self.is_closed)
    }
}
