//! A task that local information cannot solve: compose the group actions along the rare transitions between two states.
//!
//! Each of the n transitions of a hidden path carries an action drawn from the elements of a group other than the
//! identity. A learner reads some of them and guesses the product of all. The law of a product of u unread actions is,
//! with m elements and c = -1 / (m - 1),
//!
//! ```text
//! P(product = g) = 1/m + c^u ([g = identity] - 1/m),
//! ```
//!
//! since the law of one of them is a mixture, with a negative weight, of the uniform law and the identity, which both
//! are the same from all sides: in a group that does not commute, too, only the order of those read matters. So the
//! best guess is the product of those read for even u, anything else for odd u, and gains |c|^u at most over chance.

use crate::chains::matrix::MarkovChain;
use crate::error::{Result, invalid};
use crate::random::Seed;
use crate::run::{Control, fill_rows};

/// Steps between two looks at the stop flag.
const CHECKED: usize = 1024;

/// No distance, no hidden transition.
const NONE: u32 = u32::MAX;

/// Numbers for each world: unread actions and whether the guess was right (0 or 1), for a learner who reads nothing, the
/// path, its neighbourhood, and what a search found.
pub const WIDTH: usize = 8;

/// A finite group by its table: the product of `i` and `j` at `i * order + j`.
#[derive(Debug, Clone)]
pub struct Group {
    table: Vec<u32>,
    order: usize,
    identity: u32,
}

impl Group {
    /// The group of a table; that its products are associative is left to the caller.
    ///
    /// # Errors
    /// Of a table that is no square of elements with an identity, or has fewer than 3 of them: with 2 there is only one
    /// action.
    pub fn new(table: Vec<u32>, order: usize) -> Result<Self> {
        if order < 3 || table.len() != order * order {
            return Err(invalid("group", &[], order, "have at least 3 elements, and a square table"));
        }
        if let Some(place) = table.iter().position(|&element| element as usize >= order) {
            let index = [place / order, place % order];
            return Err(invalid("group", &index, table[place], format!("be below the number of elements, {order}")));
        }
        let of = |i: usize, j: usize| table[i * order + j] as usize;
        let Some(identity) = (0..order).find(|&e| (0..order).all(|i| of(e, i) == i && of(i, e) == i)) else {
            return Err(invalid("group", &[], "", "be a table with an identity"));
        };
        Ok(Self { table, order, identity: identity as u32 })
    }

    /// Number of elements.
    pub fn order(&self) -> usize {
        self.order
    }

    fn times(&self, left: u32, right: u32) -> u32 {
        self.table[left as usize * self.order + right as usize]
    }

    /// An element other than the identity, by one draw.
    fn action(&self, draw: u64) -> u32 {
        let element = draw as u32;
        element + u32::from(element >= self.identity)
    }

    /// The best guess of the product of `actions`, the last on the left, for one who reads those that are `read`.
    fn guess(&self, actions: &[u32], read: &[bool]) -> u32 {
        let known = actions.iter().zip(read).filter(|(_, read)| **read);
        let product = known.fold(self.identity, |product, (&action, _)| self.times(action, product));
        let n_unread = read.iter().filter(|read| !**read).count();
        if n_unread.is_multiple_of(2) { product } else { self.times(self.action(0), product) }
    }
}

/// Where the worlds are alike.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The chain that generates paths.
    pub chain: &'a MarkovChain,
    /// Source and target of the transitions of the hidden path, in its order.
    pub hidden: &'a [[u32; 2]],
    /// Where paths begin.
    pub start: u32,
    /// How long they are.
    pub n_steps: usize,
    /// The neighbourhood of a path: states within so many steps of one on it, whose transitions can be read.
    pub radius: usize,
    /// What the actions are of.
    pub group: &'a Group,
}

/// Fills `out`, [`WIDTH`] numbers a world; `found` tells which of the hidden transitions the search of each world found.
/// World `i` draws from stream `first + i`: a word for each action, then one for each step.
///
/// Cost of a world: a walk, and the transitions out of its neighbourhood.
///
/// # Errors
/// A state that is none, hidden transitions out of the same state; [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `found` does not have a number for each world and hidden transition, or `out` `WIDTH` for each world.
pub fn guess(
    task: &Task<'_>,
    found: &[bool],
    seed: &Seed,
    first: u64,
    out: &mut [i64],
    control: &Control,
) -> Result<()> {
    let (n_states, n_hidden) = (task.chain.n_states(), task.hidden.len());
    assert_eq!(found.len(), out.len() / WIDTH * n_hidden, "a row of finds for each world");
    for &state in task.hidden.iter().flatten().chain([&task.start]) {
        if state as usize >= n_states {
            return Err(invalid("start", &[], state, format!("be below the number of states, {n_states}")));
        }
    }
    let mut leaving = vec![NONE; n_states];
    for (number, edge) in task.hidden.iter().enumerate() {
        if leaving[edge[0] as usize] != NONE {
            return Err(invalid("hidden", &[number], edge[0], "begin at another state than the others"));
        }
        leaving[edge[0] as usize] = number as u32;
    }
    let tables = task.chain.tables(control)?;
    let scratch = || Reader { distance: vec![NONE; n_states], reached: Vec::new() };
    fill_rows(out, WIDTH, 1, control, scratch, |reader, world, out| {
        let mut stream = seed.stream(first.wrapping_add(world as u64));
        let below = task.group.order as u64 - 1;
        let actions: Vec<u32> = task.hidden.iter().map(|_| task.group.action(stream.below(below))).collect();
        let (mut state, mut taken) = (task.start, vec![false; n_hidden]);
        reader.reach(state, 0);
        for step in 0..task.n_steps {
            if step % CHECKED == 0 {
                control.check()?;
            }
            let next = tables.next(state, stream.next_u64());
            let number = leaving[state as usize] as usize;
            if number < n_hidden && task.hidden[number][1] == next {
                taken[number] = true;
            }
            reader.reach(next, 0);
            state = next;
        }
        reader.read(task.chain, task.radius);
        let near: Vec<bool> = task.hidden.iter().map(|edge| reader.distance[edge[0] as usize] != NONE).collect();
        reader.forget();
        let whole = vec![true; n_hidden];
        let answer = task.group.guess(&actions, &whole);
        let levels = [&vec![false; n_hidden][..], &taken, &near, &found[world * n_hidden..(world + 1) * n_hidden]];
        for (level, read) in levels.into_iter().enumerate() {
            out[2 * level] = read.iter().filter(|read| !**read).count() as i64;
            out[2 * level + 1] = i64::from(task.group.guess(&actions, read) == answer);
        }
        Ok(())
    })
}

/// Who reads the neighbourhood of a path.
struct Reader {
    /// Steps from the path, or the largest number where it was not read.
    distance: Vec<u32>,
    reached: Vec<u32>,
}

impl Reader {
    /// Reads the neighbourhood of what was reached.
    fn read(&mut self, chain: &MarkovChain, radius: usize) {
        let mut next = 0;
        while next < self.reached.len() {
            let state = self.reached[next];
            let distance = self.distance[state as usize] + 1;
            if distance as usize > radius {
                return;
            }
            for &target in chain.row(state).targets {
                self.reach(target, distance);
            }
            next += 1;
        }
    }

    fn reach(&mut self, state: u32, distance: u32) {
        if self.distance[state as usize] == NONE {
            self.distance[state as usize] = distance;
            self.reached.push(state);
        }
    }

    fn forget(&mut self) {
        for state in self.reached.drain(..) {
            self.distance[state as usize] = NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cyclic(order: usize) -> Group {
        let table = (0..order * order).map(|k| ((k / order + k % order) % order) as u32).collect();
        Group::new(table, order).unwrap()
    }

    /// Permutations of three things.
    fn symmetric() -> Group {
        let all = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let after = |p: [usize; 3], q: [usize; 3]| [p[q[0]], p[q[1]], p[q[2]]];
        let number = |p: [usize; 3]| all.iter().position(|other| *other == p).unwrap() as u32;
        Group::new(all.iter().flat_map(|&p| all.map(|q| number(after(p, q)))).collect(), 6).unwrap()
    }

    /// How often the guess is right over all actions there are.
    fn share(group: &Group, read: &[bool]) -> f64 {
        let (n, m) = (read.len(), group.order - 1);
        let total = m.pow(n as u32);
        let right = (0..total).filter(|&code| {
            let actions: Vec<u32> = (0..n).map(|place| group.action((code / m.pow(place as u32) % m) as u64)).collect();
            group.guess(&actions, read) == group.guess(&actions, &vec![true; n])
        });
        right.count() as f64 / total as f64
    }

    #[test]
    fn the_gain_over_chance_falls_by_a_factor_with_each_unread_action() {
        for group in [cyclic(3), cyclic(5), symmetric()] {
            let m = group.order as f64;
            for code in 0..16 {
                let read: Vec<bool> = (0..4).map(|place| code >> place & 1 == 1).collect();
                let unread = read.iter().filter(|read| !**read).count() as i32;
                let gain = (m - 1.0).powi(-unread) * if unread % 2 == 0 { 1.0 - 1.0 / m } else { 1.0 / m };
                assert!((share(&group, &read) - 1.0 / m - gain).abs() < 1e-12, "{m} {read:?}");
            }
        }
    }

    #[test]
    fn what_is_no_group_is_named() {
        let said = |table: &[u32], order: usize| Group::new(table.to_vec(), order).unwrap_err().to_string();
        assert_eq!(said(&[0, 1, 1, 0], 2), "group must have at least 3 elements, and a square table, got 2");
        assert_eq!(said(&[0, 1, 2, 1, 2, 0, 2, 0, 3], 3), "group[2, 2] must be below the number of elements, 3, got 3");
        assert_eq!(said(&[1; 9], 3), "group must be a table with an identity");
    }
}
