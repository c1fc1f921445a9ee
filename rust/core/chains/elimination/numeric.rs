//! The numbers of an elimination: tables are put together front by front, and what their pivots leave goes to the front
//! above (multifrontal elimination, Duff and Reid 1983).

use super::dense::Table;
use super::plan::{Front, NONE, Plan};
use crate::chains::system::System;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::{Control, map_items};
use std::collections::BTreeMap;

/// The work is cut into subtrees of at most this share of the whole, for threads to take.
const SHARE: f64 = 1.0 / 16.0;

/// Fronts of less work in all than this are eliminated on one thread.
const BRIEF: f64 = 1e6;

/// Progress is counted in 2^20 multiplications.
const COUNTED: u32 = 20;

/// The factors of a front.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Rows of the pivots, over the pivots and the border: right of the diagonal the probability that k goes to j next,
    /// left of it the `a_kl` at the time when l went.
    pub(super) pivots: Vec<f64>,
    /// Rows of the border, over the pivots: the `a_ik` at the time when k went.
    pub(super) below: Vec<f64>,
}

/// All factors, by place.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) pieces: Vec<Piece>,
    pub(super) leave: Vec<f64>,
    /// By which power of two the row of each state is multiplied.
    pub(super) scales: Vec<f64>,
}

impl Numbers {
    pub(super) fn underflowed(&self) -> bool {
        self.leave.iter().any(|&leave| leave < f64::MIN_POSITIVE)
    }
}

/// A transition of the system, with places for states.
#[derive(Debug, Clone, Copy)]
struct Entry {
    from: u32,
    to: u32,
    value: f64,
}

/// The entries of the system, front by front: each stands with the first of its states to go.
struct Entries {
    begins: Vec<usize>,
    all: Vec<Entry>,
    exits: Vec<f64>,
}

impl Entries {
    fn new(system: &System, plan: &Plan) -> Result<Self> {
        let n = system.n_states();
        let mut owner: Vec<u32> = room(n)?;
        for (number, front) in plan.fronts.iter().enumerate() {
            owner.resize(front.first + front.n_pivots, number as u32);
        }
        let places = &plan.places;
        let mut begins: Vec<usize> = zeros(plan.fronts.len() + 1)?;
        let mut exits = zeros(n)?;
        for (from, &place) in places.iter().enumerate() {
            exits[place as usize] = system.exits[from];
            for &to in system.row(from).0 {
                begins[owner[place.min(places[to as usize]) as usize] as usize] += 1;
            }
        }
        let mut end = 0;
        for begin in &mut begins {
            end += *begin;
            *begin = end;
        }
        let mut entries = room(end)?;
        entries.resize(end, Entry { from: 0, to: 0, value: 0.0 });
        for (from, &place) in places.iter().enumerate() {
            let (targets, values) = system.row(from);
            for (&to, &value) in targets.iter().zip(values) {
                let to = places[to as usize];
                let begin = &mut begins[owner[place.min(to) as usize] as usize];
                *begin -= 1;
                entries[*begin] = Entry { from: place, to, value };
            }
        }
        Ok(Self { begins, all: entries, exits })
    }

    fn of(&self, front: usize) -> &[Entry] {
        &self.all[self.begins[front]..self.begins[front + 1]]
    }
}

/// What a front leaves to the front above: a table of the states of its border.
struct Rest {
    front: usize,
    table: Table,
}

/// A front that has been eliminated.
struct Done {
    front: usize,
    piece: Piece,
    leave: Vec<f64>,
    /// By which powers of two its rows are multiplied, pivots and border.
    scales: Vec<f64>,
}

/// Eliminates all states of `system`. The numbers are the same for any number of threads.
pub(super) fn eliminate(system: &System, plan: &Plan, control: &Control) -> Result<Numbers> {
    let n = plan.n_states();
    // A single front is filled from the system itself.
    let entries = if plan.fronts.len() > 1 { Some(Entries::new(system, plan)?) } else { None };
    control.check()?;
    let job = Job { plan, system, entries: entries.as_ref(), control };
    control.expect(plan.operations() as u64 >> COUNTED);
    let (tasks, top) = tasks(plan);
    let scratch = || vec![NONE; n];
    let mut done: Vec<Done> = room(plan.fronts.len())?;
    let mut rests = Vec::new();
    for (part, rest) in
        map_items(tasks.len(), 1, control, scratch, |rows, task| job.run(&tasks[task], Vec::new(), rows, false))?
    {
        done.extend(part);
        rests.extend(rest);
    }
    done.extend(job.run(&top, rests, &mut scratch(), true)?.0);

    let (mut leave, mut scales) = (zeros(n)?, zeros(n)?);
    for Done { front, leave: part, scales: lifts, .. } in &done {
        let first = plan.fronts[*front].first;
        leave[first..first + part.len()].copy_from_slice(part);
        scales[first..first + part.len()].copy_from_slice(&lifts[..part.len()]);
    }
    let mut pieces: Vec<Piece> = room(plan.fronts.len())?;
    pieces.resize_with(plan.fronts.len(), Piece::default);
    for Done { front, mut piece, scales: lifts, .. } in done {
        let Front { n_pivots, ref border, .. } = plan.fronts[front];
        // Rows may have been lifted, or brought down to those of larger entries, after their columns in earlier fronts
        // were written down.
        for (index, row) in piece.below.chunks_exact_mut(n_pivots.max(1)).enumerate() {
            let lift = scales[border[index] as usize] / lifts[n_pivots + index];
            if lift != 1.0 {
                for value in row {
                    *value *= lift;
                }
            }
        }
        pieces[front] = piece;
    }
    Ok(Numbers { pieces, leave, scales })
}

/// The fronts of subtrees that threads may take, and those above all of them; the same for any number of threads.
fn tasks(plan: &Plan) -> (Vec<Vec<usize>>, Vec<usize>) {
    let n = plan.fronts.len();
    let mut work: Vec<f64> = plan.fronts.iter().map(Front::operations).collect();
    for front in 0..n {
        if let Some(parent) = plan.parent(front) {
            work[parent] += work[front];
        }
    }
    let whole = plan.operations();
    let most = if whole < BRIEF { 0.0 } else { whole * SHARE };
    let (mut tasks, mut top, mut task) = (Vec::new(), Vec::new(), vec![NONE; n]);
    for front in (0..n).rev() {
        task[front] = match plan.parent(front) {
            Some(parent) if task[parent] != NONE => task[parent],
            _ if work[front] <= most => {
                tasks.push(Vec::new());
                tasks.len() as u32 - 1
            }
            _ => NONE,
        };
    }
    for (front, &task) in task.iter().enumerate() {
        if task == NONE { top.push(front) } else { tasks[task as usize].push(front) }
    }
    (tasks, top)
}

struct Job<'a> {
    plan: &'a Plan,
    system: &'a System,
    entries: Option<&'a Entries>,
    control: &'a Control,
}

impl Job<'_> {
    /// Eliminates some fronts, children before their parents, given what others have left to them; `rows` is working
    /// memory, a number for each place.
    fn run(
        &self,
        fronts: &[usize],
        rests: Vec<Rest>,
        rows: &mut [u32],
        threaded: bool,
    ) -> Result<(Vec<Done>, Vec<Rest>)> {
        let mut done = room(fronts.len())?;
        let mut left: BTreeMap<usize, Vec<Rest>> = BTreeMap::new();
        let leave_to = |rest: Rest, left: &mut BTreeMap<usize, Vec<Rest>>| {
            let parent = self.plan.parent(rest.front).unwrap_or(usize::MAX);
            left.entry(parent).or_default().push(rest);
        };
        for rest in rests {
            leave_to(rest, &mut left);
        }
        for &number in fronts {
            self.control.check()?;
            let front = &self.plan.fronts[number];
            let mut table = self.table(number, rows)?;
            for child in left.remove(&number).unwrap_or_default() {
                let border = self.plan.fronts[child.front].border.iter();
                let places: Vec<usize> = border.map(|&place| rows[place as usize] as usize).collect();
                table.add(&child.table, &places);
            }
            let mut leave = zeros(front.n_pivots)?;
            table.eliminate(&mut leave, threaded, self.control)?;
            self.control.advance(front.operations() as u64 >> COUNTED);
            let (piece, rest) = split(&table, front.n_pivots)?;
            if !front.border.is_empty() {
                leave_to(Rest { front: number, table: rest }, &mut left);
            }
            done.push(Done { front: number, piece, leave, scales: table.scales });
        }
        Ok((done, left.into_values().flatten().collect()))
    }

    /// The table of a front before anything is added to it.
    fn table(&self, number: usize, rows: &mut [u32]) -> Result<Table> {
        let front = &self.plan.fronts[number];
        let size = front.size();
        let width = size + 1;
        let mut table = Table { size, values: zeros(size * width)?, scales: vec![1.0; size] };
        let Some(entries) = self.entries else {
            let places = &self.plan.places;
            for (state, &place) in places.iter().enumerate() {
                let row = &mut table.values[place as usize * width..][..width];
                let (targets, values) = self.system.row(state);
                for (&target, &value) in targets.iter().zip(values) {
                    row[places[target as usize] as usize] = value;
                }
                row[size] = self.system.exits[state];
            }
            return Ok(table);
        };
        let places =
            (front.first..front.first + front.n_pivots).chain(front.border.iter().map(|&place| place as usize));
        for (row, place) in places.enumerate() {
            rows[place] = row as u32;
        }
        for entry in entries.of(number) {
            table.values[rows[entry.from as usize] as usize * width + rows[entry.to as usize] as usize] = entry.value;
        }
        for row in 0..front.n_pivots {
            table.values[row * width + size] = entries.exits[front.first + row];
        }
        Ok(table)
    }
}

/// The factors of an eliminated table, and the table of what remains.
fn split(table: &Table, n_pivots: usize) -> Result<(Piece, Table)> {
    let width = table.width();
    let size = table.size - n_pivots;
    let (pivots, border) = table.values.split_at(n_pivots * width);
    let mut piece = Piece { pivots: room(n_pivots * table.size)?, below: room(size * n_pivots)? };
    for row in pivots.chunks_exact(width) {
        piece.pivots.extend_from_slice(&row[..table.size]);
    }
    let mut values = room(size * (size + 1))?;
    for row in border.chunks_exact(width) {
        piece.below.extend_from_slice(&row[..n_pivots]);
        values.extend_from_slice(&row[n_pivots..]);
    }
    Ok((piece, Table { size, values, scales: table.scales[n_pivots..].to_vec() }))
}
