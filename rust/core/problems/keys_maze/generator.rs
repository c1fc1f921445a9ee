//! Random mazes, each of which can be solved.

use super::maze::{Door, Maze};
use crate::random::Stream;

/// A random maze, drawn from `stream`.
///
/// 1. A random spanning tree of the grid: pairs of neighbours in random order, each a door unless it would close a cycle.
/// 2. `n_keys` of its doors, any with equal probability, are to be locked. They cut the rooms into regions.
/// 3. The agent begins in a uniform room. Of the locked doors out of the regions that can be entered so far one is
///    drawn, its key is laid into a uniform room of these regions, and the region behind can be entered too; and so on. Colours
///    are given out in random order.
/// 4. The goal is a uniform room of the region that was entered last, other than the start.
/// 5. Each wall between rooms of the same region becomes an open door with probability 1/2: no way round a locked door.
///
/// However the agent moves the keys, each stays where it can be fetched: no state of these mazes is a dead end.
pub(super) fn generate(rows: usize, columns: usize, n_keys: usize, stream: &mut Stream) -> Maze {
    let rooms = rows * columns;
    let mut walls: Vec<[usize; 2]> = (0..rooms)
        .flat_map(|room| {
            let right = (room % columns + 1 < columns).then_some([room, room + 1]);
            right.into_iter().chain((room + columns < rooms).then_some([room, room + columns]))
        })
        .collect();
    shuffle(&mut walls, stream);
    let mut tree = Vec::new();
    let mut group: Vec<usize> = (0..rooms).collect();
    walls.retain(|&[a, b]| {
        let joins = group[a] != group[b];
        if joins {
            merge(&mut group, a, b);
            tree.push([a, b]);
        }
        !joins
    });
    shuffle(&mut tree, stream);
    let (locked, open) = tree.split_at(n_keys);
    let mut region: Vec<usize> = (0..rooms).collect();
    for &[a, b] in open {
        merge(&mut region, a, b);
    }
    let mut maze =
        Maze { rows, columns, doors: vec![[Door::Wall; 4]; rooms], start: 0, goal: 0, keys: vec![0; n_keys] };
    let start = stream.below(rooms as u64) as usize;
    maze.start = start as u8;
    let mut colors: Vec<u8> = (0..n_keys as u8).collect();
    shuffle(&mut colors, stream);
    let mut entered: Vec<bool> = region.iter().map(|&of| of == region[start]).collect();
    let mut last = region[start];
    for color in colors {
        let ahead: Vec<[usize; 2]> = locked.iter().copied().filter(|&[a, b]| entered[a] != entered[b]).collect();
        let [a, b] = ahead[stream.below(ahead.len() as u64) as usize];
        maze.keys[usize::from(color)] = one_of(&entered, stream);
        maze.put(a, b, Door::Locked(color));
        last = if entered[a] { region[b] } else { region[a] };
        for (room, entered) in entered.iter_mut().enumerate() {
            *entered |= region[room] == last;
        }
    }
    let ends: Vec<bool> = (0..rooms).map(|room| region[room] == last && room != start).collect();
    maze.goal = one_of(&ends, stream);
    for &[a, b] in open {
        maze.put(a, b, Door::Open);
    }
    for [a, b] in walls {
        if region[a] == region[b] && stream.below(2) == 1 {
            maze.put(a, b, Door::Open);
        }
    }
    maze
}

impl Maze {
    /// Puts a door between neighbours, of which `a` comes first.
    fn put(&mut self, a: usize, b: usize, door: Door) {
        let (there, back) = if a / self.columns == b / self.columns { (2, 1) } else { (3, 0) };
        self.doors[a][there] = door;
        self.doors[b][back] = door;
    }
}

/// One of the rooms that are marked, each with equal probability. There is one.
fn one_of(marked: &[bool], stream: &mut Stream) -> u8 {
    let n = marked.iter().filter(|&&marked| marked).count();
    let chosen = stream.below(n as u64) as usize;
    let mut rooms = (0..marked.len()).filter(|&room| marked[room]);
    rooms.nth(chosen).unwrap_or_default() as u8
}

/// Gives the group of `b` the number of the group of `a`.
fn merge(group: &mut [usize], a: usize, b: usize) {
    let (kept, gone) = (group[a], group[b]);
    for of in group {
        if *of == gone {
            *of = kept;
        }
    }
}

/// Any order with equal probability, by one draw an item but the first.
fn shuffle<T>(items: &mut [T], stream: &mut Stream) {
    for i in (1..items.len()).rev() {
        items.swap(i, stream.below(i as u64 + 1) as usize);
    }
}
