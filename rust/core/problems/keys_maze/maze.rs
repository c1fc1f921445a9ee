//! One maze: its rooms, doors and keys, and what the agent may do in it.

use crate::error::{Error, invalid};
use std::fmt::{self, Display, Write as _};

/// Rows and columns of a maze at most.
pub const LONGEST: usize = 10;

/// Keys at most: as many as there are colours.
pub const MOST_KEYS: usize = 6;

/// Colours of keys and doors, whose first letters differ.
pub const COLORS: [&str; MOST_KEYS] = ["red", "blue", "green", "yellow", "purple", "orange"];

/// Where a key is that the agent carries, and one that is in its door; any other number is a room.
const HELD: u8 = 254;
const USED: u8 = 255;

/// Sides of a room, in the order of actions.
pub(super) const SIDES: [(&str, isize, isize); 4] = [("up", -1, 0), ("left", 0, -1), ("right", 0, 1), ("down", 1, 0)];

/// What is between a room and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Nothing to go through.
    Wall,
    /// A door that stands open.
    Open,
    /// A door that the key of this colour opens.
    Locked(u8),
}

/// Where everything is: the agent and the keys. Doors whose key is used are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    pub(super) room: u8,
    keys: [u8; MOST_KEYS],
}

impl World {
    /// The key in the agent's hand.
    pub fn held(&self) -> Option<usize> {
        self.keys.iter().position(|&place| place == HELD)
    }
}

/// What the agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Goes to the next room on this side.
    Move(usize),
    /// Opens the door of this colour with its key, which stays in it.
    Unlock(usize),
    /// Takes the key of this colour, and puts down the one in hand if there is one.
    Take(usize),
}

impl Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Move(side) => f.write_str(SIDES[side].0),
            Self::Unlock(key) => write!(f, "unlock {}", COLORS[key]),
            Self::Take(key) => write!(f, "take {}", COLORS[key]),
        }
    }
}

/// Why an action cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Wall(usize),
    Locked(usize, usize),
    NotHere(usize),
    InHand(usize),
    NotHeld(usize),
    NoDoor(usize),
}

impl Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Wall(side) => write!(f, "there is no door on the side {}", SIDES[side].0),
            Self::Locked(side, key) => write!(f, "the {} door on the side {} is locked", COLORS[key], SIDES[side].0),
            Self::NotHere(key) => write!(f, "the {} key is not in this room", COLORS[key]),
            Self::InHand(key) => write!(f, "the {} key is in hand already", COLORS[key]),
            Self::NotHeld(key) => write!(f, "the {} key is not in hand", COLORS[key]),
            Self::NoDoor(key) => write!(f, "there is no {} door in this room", COLORS[key]),
        }
    }
}

/// Rooms in a grid, numbered in the order of reading, and what lies between and in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maze {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// What is on each side of each room.
    pub(super) doors: Vec<[Door; 4]>,
    pub(super) start: u8,
    pub(super) goal: u8,
    /// The room of the key of each colour.
    pub(super) keys: Vec<u8>,
}

impl Maze {
    /// How the maze begins.
    pub fn root(&self) -> World {
        let mut keys = [USED; MOST_KEYS];
        keys[..self.keys.len()].copy_from_slice(&self.keys);
        World { room: self.start, keys }
    }

    /// Number of keys, and of locked doors.
    pub fn n_keys(&self) -> usize {
        self.keys.len()
    }

    /// Room in which the agent begins, room to be reached, and the room of the key of each colour.
    pub fn places(&self) -> (u8, u8, &[u8]) {
        (self.start, self.goal, &self.keys)
    }

    /// All doors: the rooms on both sides, the lower number first, and the colour of those that are locked at first.
    pub fn doors(&self) -> Vec<(usize, usize, Option<u8>)> {
        let mut found = Vec::new();
        for (room, sides) in self.doors.iter().enumerate() {
            for (side, next) in [(2, room + 1), (3, room + self.columns)] {
                match sides[side] {
                    Door::Wall => {}
                    Door::Open => found.push((room, next, None)),
                    Door::Locked(key) => found.push((room, next, Some(key))),
                }
            }
        }
        found
    }

    /// A number of `world` below [`index_bound`].
    pub(super) fn index(&self, world: World) -> usize {
        let rooms = self.doors.len();
        world.keys[..self.n_keys()].iter().fold(usize::from(world.room), |index, &place| {
            let digit = match place {
                HELD => rooms,
                USED => rooms + 1,
                room => usize::from(room),
            };
            index * (rooms + 2) + digit
        })
    }

    /// Why `action` cannot be done in `world`, if so.
    pub(super) fn obstacle(&self, world: World, action: Action) -> Option<Obstacle> {
        let sides = &self.doors[usize::from(world.room)];
        let is = |blocked: bool, obstacle| blocked.then_some(obstacle);
        match action {
            Action::Move(side) => match sides[side] {
                Door::Wall => Some(Obstacle::Wall(side)),
                Door::Open => None,
                Door::Locked(key) => is(world.keys[usize::from(key)] != USED, Obstacle::Locked(side, usize::from(key))),
            },
            Action::Unlock(key) => is(world.keys[key] != HELD, Obstacle::NotHeld(key))
                .or_else(|| is(!sides.contains(&Door::Locked(key as u8)), Obstacle::NoDoor(key))),
            Action::Take(key) => is(world.keys[key] == HELD, Obstacle::InHand(key))
                .or_else(|| is(world.keys[key] != world.room, Obstacle::NotHere(key))),
        }
    }

    /// What follows `world` after `action`, to which there is no obstacle.
    pub(super) fn after(&self, world: World, action: Action) -> World {
        let mut next = world;
        match action {
            Action::Move(side) => {
                let (_, down, right) = SIDES[side];
                next.room = (isize::from(world.room) + down * self.columns as isize + right) as u8;
            }
            Action::Unlock(key) => next.keys[key] = USED,
            Action::Take(key) => {
                if let Some(held) = world.held() {
                    next.keys[held] = world.room;
                }
                next.keys[key] = HELD;
            }
        }
        next
    }

    /// Whether the agent is at the goal.
    pub fn is_solved(&self, world: World) -> bool {
        world.room == self.goal
    }

    /// What can be done in `world`, in order: moves by side, the door that the key in hand opens, the keys of the room.
    pub(super) fn actions(&self, world: World) -> impl Iterator<Item = Action> {
        let keys = 0..self.n_keys();
        let all = (0..4).map(Action::Move).chain(keys.clone().map(Action::Unlock)).chain(keys.map(Action::Take));
        all.filter(move |&action| self.obstacle(world, action).is_none())
    }

    /// The action that a text means.
    pub(super) fn parse(&self, text: &str) -> Option<Action> {
        let key = |name| COLORS[..self.n_keys()].iter().position(|&color| color == name);
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            [side] => SIDES.iter().position(|&(name, ..)| name == side).map(Action::Move),
            ["take", color] => key(color).map(Action::Take),
            ["unlock", color] => key(color).map(Action::Unlock),
            _ => None,
        }
    }

    /// A room as it is called: its column as a letter and its row as a number.
    pub fn name(&self, room: u8) -> String {
        let (row, column) = (usize::from(room) / self.columns, usize::from(room) % self.columns);
        format!("{}{}", char::from(b'A' + column as u8), row + 1)
    }

    /// `world` in a line, as in "A1 with red, green at C3, blue used".
    pub fn line(&self, world: World) -> String {
        let mut text = self.name(world.room);
        if let Some(held) = world.held() {
            text = text + " with " + COLORS[held];
        }
        for (key, &place) in world.keys[..self.n_keys()].iter().enumerate() {
            match place {
                HELD => {}
                USED => text = text + ", " + COLORS[key] + " used",
                room => text = text + ", " + COLORS[key] + " at " + &self.name(room),
            }
        }
        text
    }

    /// `world` as a plan of the rooms: @ is the agent, * the goal, a small letter a key and a capital a locked door.
    pub fn draw(&self, world: World) -> String {
        let width = self.n_keys() + 2;
        let mut text = String::new();
        let lock = |door: Door, wall: char| match door {
            Door::Wall => wall,
            Door::Locked(key) if world.keys[usize::from(key)] != USED => letter(key.into()).to_ascii_uppercase(),
            _ => ' ',
        };
        for row in 0..=self.rows {
            let rooms = |row: usize| row * self.columns..(row + 1) * self.columns;
            for column in 0..self.columns {
                // The walls above this row; below the last there is nothing but wall.
                let above = if row < self.rows { self.doors[row * self.columns + column][0] } else { Door::Wall };
                let side = if above == Door::Wall { '-' } else { ' ' };
                let half = (width - 1) / 2;
                text.push('+');
                text.extend(std::iter::repeat_n(side, half));
                text.push(lock(above, '-'));
                text.extend(std::iter::repeat_n(side, width - 1 - half));
            }
            text += "+\n";
            if row == self.rows {
                break;
            }
            for room in rooms(row) {
                text.push(lock(self.doors[room][1], '|'));
                let mut inside = String::new();
                inside.extend((usize::from(world.room) == room).then_some('@'));
                inside.extend((usize::from(self.goal) == room).then_some('*'));
                let here = (0..self.n_keys()).filter(|&key| usize::from(world.keys[key]) == room);
                inside.extend(here.map(letter));
                // Writing to a String never fails.
                let _ = write!(text, "{inside:^width$}");
            }
            text += "|\n";
        }
        text += &world.held().map_or_else(|| "nothing in hand".to_owned(), |key| format!("{} in hand", COLORS[key]));
        text
    }
}

fn letter(key: usize) -> char {
    char::from(COLORS[key].as_bytes()[0])
}

/// What [`Maze::index`] is below, or an error where that is more than `most`.
pub(super) fn index_bound(rooms: usize, n_keys: usize, most: usize) -> Result<usize, Error> {
    let bound = (0..n_keys).try_fold(rooms, |bound, _| bound.checked_mul(rooms + 2).filter(|&bound| bound <= most));
    bound.ok_or_else(|| {
        let rule =
            format!("leave at most {most} worlds, rows columns (rows columns + 2)^n_keys; rows columns = {rooms}");
        invalid("n_keys", &[], n_keys, rule)
    })
}
