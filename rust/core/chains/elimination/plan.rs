//! In which order the states go, and in which dense pieces: known from the pattern alone, before any number is looked at.

use crate::chains::system::System;
use crate::error::{Error, Result};
use crate::memory::{filled, room, zeros};
use crate::run::Control;
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholeskyRaw, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::linalg::{SupernodalThreshold, SymbolicSupernodalParams};

/// Systems of so few states are one front: a table of 128 KB.
const FEW: usize = 128;

/// Systems of which this share of all entries is there are one front too.
const FULL: f64 = 0.25;

/// Extra zeros that are worth larger fronts, by number of pivots; the last for all above.
const RELAXED: [(usize, f64); 4] = [(4, 1.0), (16, 0.8), (48, 0.1), (usize::MAX, 0.05)];

/// No other front.
pub(super) const NONE: u32 = u32::MAX;

/// States that go one after another, in one dense table with those that they are joined to by then.
#[derive(Debug, Clone)]
pub(super) struct Front {
    /// Place of the first of its pivots in the order.
    pub(super) first: usize,
    /// How many go.
    pub(super) n_pivots: usize,
    /// Places of the states that stay, ascending.
    pub(super) border: Vec<u32>,
    /// The front in which the first of these goes.
    pub(super) parent: u32,
}

impl Front {
    /// Rows of the table.
    pub(super) fn size(&self) -> usize {
        self.n_pivots + self.border.len()
    }

    /// Multiplications.
    pub(super) fn operations(&self) -> f64 {
        let (all, rest) = (self.size() as f64, self.border.len() as f64);
        (all.powi(3) - rest.powi(3)) / 3.0
    }
}

/// The order of an elimination, and what it will cost.
#[derive(Debug)]
pub struct Plan {
    /// Where each state goes.
    pub(super) places: Vec<u32>,
    pub(super) fronts: Vec<Front>,
}

impl Plan {
    /// A fill-reducing order (approximate minimum degree: Amestoy, Davis and Duff 1996) for `system`, whose pattern is
    /// taken together with its transpose. Cost: about 1 us a transition, and not interrupted within.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Interrupted`].
    pub fn new(system: &System, control: &Control) -> Result<Self> {
        control.check()?;
        let n = system.n_states();
        if n <= FEW || system.n_transitions() as f64 >= FULL * (n as f64).powi(2) {
            return Self::one_front(system);
        }
        let (begins, sources) = pattern(system)?;
        control.check()?;
        let symbolic = factorize_symbolic_cholesky(
            SymbolicSparseColMatRef::new_checked(n, n, &begins, None, &sources),
            faer::Side::Upper,
            SymmetricOrdering::Amd,
            CholeskySymbolicParams {
                supernodal_flop_ratio_threshold: SupernodalThreshold::FORCE_SUPERNODAL,
                supernodal_params: SymbolicSupernodalParams { relax: Some(&RELAXED) },
                ..CholeskySymbolicParams::default()
            },
        )
        .map_err(|_| Error::Memory(16 * sources.len()))?;
        let (SymbolicCholeskyRaw::Supernodal(parts), Some(order)) = (symbolic.raw(), symbolic.perm()) else {
            return Self::one_front(system); // anything else was not asked for
        };
        let places: Vec<u32> = order.arrays().1.iter().map(|&place| place as u32).collect();
        let mut owner = room(n)?;
        for number in 0..parts.n_supernodes() {
            owner.resize(parts.supernode_end()[number], number as u32);
        }
        let spans: Vec<_> = (0..parts.n_supernodes())
            .map(|number| (parts.supernode_begin()[number], parts.supernode_end()[number]))
            .collect();
        let fronts = fronts(&begins, &sources, &places, &owner, &spans)?;
        Ok(Self { places, fronts })
    }

    /// All states in one table, those farthest from the outside first. Then no transition becomes the product of many
    /// small ones: what a state lacks to get out stands in the row of another, which is lifted, to the end.
    pub(super) fn one_front(system: &System) -> Result<Self> {
        let n = system.n_states();
        let (begins, sources) = system.sources()?;
        let mut places: Vec<u32> = filled(n, NONE)?;
        let mut near: Vec<u32> = room(n)?;
        let mut found = |state: u32, near: &mut Vec<u32>| {
            if places[state as usize] == NONE {
                near.push(state);
                places[state as usize] = (n - near.len()) as u32;
            }
        };
        (0..n as u32).filter(|&state| system.exits[state as usize] > 0.0).for_each(|state| found(state, &mut near));
        let mut next = 0;
        while next < near.len() {
            let state = near[next] as usize;
            sources[begins[state]..begins[state + 1]].iter().for_each(|&source| found(source, &mut near));
            next += 1;
        }
        (0..n as u32).for_each(|state| found(state, &mut near)); // those that cannot get out, where there are any
        let front = Front { first: 0, n_pivots: n, border: Vec::new(), parent: NONE };
        Ok(Self { places, fronts: vec![front] })
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.places.len()
    }

    /// The front in which the first state of the border goes.
    pub(super) fn parent(&self, front: usize) -> Option<usize> {
        let parent = self.fronts[front].parent;
        (parent != NONE).then_some(parent as usize)
    }

    /// Multiplications that the elimination takes, some 0.1 ns to 0.3 ns each where there are many.
    pub fn operations(&self) -> f64 {
        self.fronts.iter().map(Front::operations).sum()
    }

    /// Bytes of the factors; the elimination itself takes at most about twice as many.
    pub fn bytes(&self) -> usize {
        let numbers = |front: &Front| front.n_pivots * (front.size() + front.border.len());
        8 * self.fronts.iter().map(numbers).sum::<usize>()
    }
}

/// Fronts of the pivots in `spans`, places `owner` of whose numbers they have. The border of a front holds all that its
/// pivots are joined to, at first or through those that went before, whatever the spans are.
fn fronts(
    begins: &[usize],
    sources: &[usize],
    places: &[u32],
    owner: &[u32],
    spans: &[(usize, usize)],
) -> Result<Vec<Front>> {
    // What each front is joined to directly, later in the order.
    let mut joined: Vec<Vec<u32>> = room(spans.len())?;
    joined.resize_with(spans.len(), Vec::new);
    for state in 0..places.len() {
        for &source in &sources[begins[state]..begins[state + 1]] {
            let (first, last) = (places[state].min(places[source]), places[state].max(places[source]));
            if owner[first as usize] != owner[last as usize] {
                joined[owner[first as usize] as usize].push(last);
            }
        }
    }
    let mut fronts: Vec<Front> = room(spans.len())?;
    for (number, &(first, end)) in spans.iter().enumerate() {
        let mut border = std::mem::take(&mut joined[number]);
        border.sort_unstable();
        border.dedup();
        let parent = border.first().map_or(NONE, |&place| owner[place as usize]);
        if parent != NONE {
            let parent_end = spans[parent as usize].1 as u32;
            joined[parent as usize].extend(border.iter().filter(|&&place| place >= parent_end));
        }
        fronts.push(Front { first, n_pivots: end - first, border, parent });
    }
    Ok(fronts)
}

/// How many states remain when those with at most two targets and at most two sources are taken away again and again.
/// An elimination costs next to nothing but among them: it tells at a hundredth of the cost of a [`Plan`] whether a
/// large system may be worth one. Cost: O(states + transitions).
///
/// # Errors
/// [`Error::Memory`].
pub fn core_size(system: &System) -> Result<usize> {
    let n = system.n_states();
    let (begins, sources) = system.sources()?;
    let mut degrees: Vec<[u32; 2]> = room(n)?;
    degrees.extend((0..n).map(|state| [system.row(state).0.len() as u32, (begins[state + 1] - begins[state]) as u32]));
    let few = |degree: &[u32; 2]| degree[0] <= 2 && degree[1] <= 2;
    let mut gone: Vec<u32> = room(n)?;
    gone.extend((0..n as u32).filter(|&state| few(&degrees[state as usize])));
    let mut next = 0;
    while let Some(&state) = gone.get(next) {
        next += 1;
        let state = state as usize;
        let (targets, before) = (system.row(state).0, &sources[begins[state]..begins[state + 1]]);
        for (side, others) in [(1, targets), (0, before)] {
            for &other in others {
                let degree = &mut degrees[other as usize];
                let stayed = !few(degree);
                degree[side] -= 1;
                if stayed && few(degree) {
                    gone.push(other);
                }
            }
        }
    }
    Ok(n - gone.len())
}

/// The pairs of states that are joined, as sources i < j of each state j.
fn pattern(system: &System) -> Result<(Vec<usize>, Vec<usize>)> {
    let n = system.n_states();
    let mut begins: Vec<usize> = zeros(n + 1)?;
    let pairs = || {
        (0..n).flat_map(|from| system.row(from).0.iter().map(move |&to| (from.min(to as usize), from.max(to as usize))))
    };
    for (_, high) in pairs() {
        begins[high] += 1;
    }
    let mut end = 0;
    for begin in &mut begins {
        end += *begin;
        *begin = end;
    }
    let mut sources: Vec<usize> = zeros(end)?;
    for (low, high) in pairs() {
        begins[high] -= 1;
        sources[begins[high]] = low;
    }
    // Sorted and without duplicates, moved together.
    let mut kept = 0;
    for state in 0..n {
        let range = begins[state]..begins[state + 1];
        sources[range.clone()].sort_unstable();
        begins[state] = kept;
        for index in range {
            let source = sources[index];
            if kept == begins[state] || sources[kept - 1] != source {
                sources[kept] = source;
                kept += 1;
            }
        }
    }
    begins[n] = kept;
    sources.truncate(kept);
    Ok((begins, sources))
}
