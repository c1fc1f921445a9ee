//! A whole forest in one file: a header, the trees, the tickets and the queues, each section behind its length and
//! followed by a checksum.
//!
//! ```text
//! "slowtree"  version u32  then sections: number u32, bytes u64, the bytes, CRC-32 of the three
//! ```

use super::arena::{Arena, Extra, Family, Record, Span};
use super::budgets::Budget;
use super::config::{Backup, Config, Fpu, Gumbel, InFlight, Order, Policy, Puct, QTransform, Thompson, Uct, Widening};
use super::descent::Path;
use super::forest::{Forest, Kind};
use super::frontier::{Frontier, Level, Open, Ranked};
use super::persist::{Input, Persist, columns, fields, variants};
use super::select::Rules;
use super::thompson::Arms;
use super::tickets::{FREE, Ticket, Tickets};
use super::tree::Tree;
use crate::error::{Error, Result, invalid};
use crate::memory::room;
use crate::random::Seed;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path;

const MAGIC: [u8; 8] = *b"slowtree";
/// Raised with every change of what is written.
const VERSION: u32 = 1;
/// Bytes of trees after which a section ends.
const SECTION: usize = 1 << 20;
/// What the numbers of sections stand for.
const SECTIONS: [&str; 4] = ["header", "trees", "tickets", "end"];
const HEADER: u32 = 0;
const TREES: u32 = 1;
const TICKETS: u32 = 2;
const END: u32 = 3;

columns!(Record { mean: f64, visits: u32, in_flight: u32 });
columns!(Family { first: u32, last: u32, n: u32, most: u32 });
variants!(Span { 0 => Uniform(n), 1 => Listed(spans), 2 => Open(families) });
fields!(Arena { value, weight, link, records, span, lists, prior, extra });
fields!(Extra { reward, player, proven, own, spread, arms, payload, copies } not { graph });
columns!(Arms { mean: f64, spread: f64, generated: u32, pending: u32 });
fields!(Tree {
    arena, simulations, in_flight, walks, queued, exhausted, priority, seed, noise, root_logits, cost, limit, payloads, returned,
    frontier,
} not { blocked, scores });

fields!(Frontier { parent, queue, open });
variants!(Open { 0 => Ranked(heap), 1 => Stack(stack), 2 => Levels(levels) });
columns!(Ranked { key: f64, slot: u32 });
fields!(Level { told, waiting });
fields!(Tickets { places, free, issued });
variants!(Kind { 0 => Evaluate, 1 => Widen });

fields!(Config {
    policy,
    discount,
    backup,
    in_flight,
    max_depth,
    n_simulations,
    widening,
    solver,
    deduplicate,
    transpositions,
    budget,
});
fields!(Budget { stop_at, stop_when_settled, total_simulations, max_cost_per_tree, max_cost });
variants!(Policy { 0 => Uct(uct), 1 => Puct(puct), 2 => Gumbel(gumbel), 3 => Thompson(thompson), 4 => Frontier(order) });
fields!(Uct { c, fpu });
fields!(Puct { pb_c_init, pb_c_base, q_transform, fpu, dirichlet_fraction, dirichlet_alpha });
fields!(Gumbel { max_num_considered_actions, gumbel_scale, value_scale, maxvisit_init, rescale_values });
variants!(Thompson { 0 => Gaussian { m, kappa, nu, tau_square }, 1 => Beta { alpha, beta } });
variants!(Order {
    0 => BestFirst, 1 => Beam { width }, 2 => Dvts { width }, 3 => BreadthFirst, 4 => DepthFirst, 5 => BestOfN { n },
});
variants!(Fpu { 0 => Infinity, 1 => Constant(value), 2 => ParentMinus(less), 3 => Prior });
variants!(QTransform { 0 => Raw, 1 => ParentAndSiblings, 2 => MinMax { min, max } });
variants!(Backup { 0 => Mean, 1 => Max, 2 => Min, 3 => Product, 4 => Last });
variants!(InFlight { 0 => Count, 1 => VirtualLoss(value) });
fields!(Widening { k, alpha });

impl Persist for Path {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Vec::take(input).map(Self)
    }
}

impl Persist for Seed {
    const LEAST: usize = 32;

    fn put(&self, out: &mut Vec<u8>) {
        self.words().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Persist::take(input).map(Self::of_words)
    }
}

impl Persist for Ticket {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        let Self { generation, tree, kind, serial, path } = self;
        generation.put(out);
        tree.put(out);
        // What a closed ticket stood for is no more than memory for the next one.
        if *tree != FREE {
            kind.put(out);
            serial.put(out);
            path.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        let (generation, tree) = Persist::take(input)?;
        if tree == FREE {
            return Ok(Self { generation, ..Self::default() });
        }
        let (kind, serial) = Persist::take(input)?;
        Ok(Self { generation, tree, kind, serial, path: Path::take(input)? })
    }
}

/// What stands before the trees.
pub(super) struct Header {
    pub config: Config,
    pub seed: Seed,
    pub first: u64,
    pub n_trees: usize,
    /// Whatever the caller wants to find again.
    pub note: String,
}
fields!(Header { config, seed, first, n_trees, note });

impl Forest {
    /// Refuses what files and moved roots know nothing of yet: nodes that are shared.
    pub(super) fn check_durable(&self, what: &str) -> Result<()> {
        if self.rules.config.transpositions {
            return Err(invalid("transpositions", &[], true, format!("be False for a forest that is {what}")));
        }
        Ok(())
    }

    /// Writes the whole forest to the file `path`, tickets in flight included, and `note` with it. The file is there with
    /// all of its contents or, after an error, as it was before; with `fsync` that holds even if the machine loses power.
    /// 1 M nodes take about 17 MB.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Memory`].
    pub fn save(&self, path: &path::Path, note: &str, fsync: bool) -> Result<()> {
        self.check_durable("saved")?;
        let mut file = beside(path)?;
        self.write(file.as_file_mut(), note).map_err(|error| Error::file(path, &error))?;
        let synced = if fsync { file.as_file().sync_all() } else { Ok(()) };
        synced.map_err(|error| Error::file(path, &error))?;
        file.persist(path).map_err(|error| Error::file(path, &error.error))?;
        Ok(())
    }

    /// The forest in the file `path`, and the note that was saved with it. It goes on as the one that was saved would
    /// have, to the last bit; tickets that were in flight then still are.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Damaged`] says what is wrong with the file: no part of a damaged one is loaded;
    /// [`Error::Memory`].
    pub fn load(path: &path::Path) -> Result<(Self, String)> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = opened.map_err(|error| Error::file(path, &error))?;
        Self::read(file, size, path).map_err(|error| match error {
            Error::Damaged(what) => Error::Damaged(format!("{}: {what}", path.display())),
            other => other,
        })
    }

    /// Writes the forest to `out`.
    pub(super) fn write(&self, out: &mut impl Write, note: &str) -> io::Result<()> {
        let Self { rules, seed, first, trees, tickets, queue, full, path: _, actions: _ } = self;
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let mut body = Vec::new();
        let header = Header {
            config: rules.config.clone(),
            seed: *seed,
            first: *first,
            n_trees: trees.len(),
            note: note.to_owned(),
        };
        header.put(&mut body);
        section(out, HEADER, &mut body)?;
        for tree in trees {
            tree.put(&mut body);
            if body.len() >= SECTION {
                section(out, TREES, &mut body)?;
            }
        }
        if !body.is_empty() {
            section(out, TREES, &mut body)?;
        }
        tickets.put(&mut body);
        queue.put(&mut body);
        full.put(&mut body);
        section(out, TICKETS, &mut body)?;
        section(out, END, &mut body)
    }

    /// Reads a forest that takes `size` bytes.
    pub(super) fn read(input: impl Read, size: u64, path: &path::Path) -> Result<(Self, String)> {
        let mut sections = Sections { input, at: 0, size, path };
        let body = sections.next(HEADER)?;
        let mut input = Input::new(&body);
        let header = Header::take(&mut input)?;
        input.end()?;
        let Header { config, seed, first, n_trees, note } = header;
        config.check().map_err(|error| Error::Damaged(format!("the configuration cannot be: {error}")))?;
        let mut trees = Vec::new();
        while trees.len() < n_trees {
            let body = sections.next(TREES)?;
            let mut input = Input::new(&body);
            while input.end().is_err() {
                trees.push(Tree::take(&mut input)?);
            }
        }
        let body = sections.next(TICKETS)?;
        let mut input = Input::new(&body);
        let tickets = Tickets::take(&mut input)?;
        input.field = "queue";
        let (queue, full) = Persist::take(&mut input)?;
        input.end()?;
        sections.next(END)?;
        sections.end()?;
        if trees.len() != n_trees {
            return Err(Error::Damaged(format!("there are {} trees, not {n_trees}", trees.len())));
        }
        let forest = Self {
            rules: Rules::new(config),
            seed,
            first,
            trees,
            tickets,
            queue,
            full,
            path: Path::default(),
            actions: Vec::new(),
        };
        forest.check()?;
        Ok((forest, note))
    }
}

/// A new file that will take the place of `path`, and is gone if it does not.
pub(super) fn beside(path: &path::Path) -> Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(path::Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".slowthink-").suffix(".tmp").append(true);
    // As any new file, and not for its owner alone as a temporary one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|error| Error::file(path, &error))
}

/// Writes `body` as a section, and empties it.
fn section(out: &mut impl Write, number: u32, body: &mut Vec<u8>) -> io::Result<()> {
    let mut frame = [0; 12];
    frame[..4].copy_from_slice(&number.to_le_bytes());
    frame[4..].copy_from_slice(&(body.len() as u64).to_le_bytes());
    out.write_all(&frame)?;
    out.write_all(body)?;
    out.write_all(&checksum(&frame, body).to_le_bytes())?;
    body.clear();
    Ok(())
}

fn checksum(frame: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(frame);
    hasher.update(body);
    hasher.finalize()
}

/// The sections of a file, one after another.
struct Sections<'a, R> {
    input: R,
    at: u64,
    size: u64,
    path: &'a path::Path,
}

impl<R: Read> Sections<'_, R> {
    fn bytes(&mut self, n: u64, what: &str) -> Result<Vec<u8>> {
        let left = self.size - self.at;
        if n > left {
            let at = self.at;
            return Err(Error::Damaged(format!(
                "the file is cut short: {left} of the {n} bytes of {what} at byte {at}"
            )));
        }
        let mut bytes = room(n as usize)?;
        let read = (&mut self.input).take(n).read_to_end(&mut bytes).map_err(|error| Error::file(self.path, &error))?;
        if read as u64 != n {
            return Err(Error::Damaged(format!("the file was cut short while it was read, at byte {}", self.at)));
        }
        self.at += n;
        Ok(bytes)
    }

    /// The contents of the next section, which should be number `expected`.
    fn next(&mut self, expected: u32) -> Result<Vec<u8>> {
        if self.at == 0 {
            let start = self.bytes(12, "its beginning")?;
            if start[..8] != MAGIC {
                return Err(Error::Damaged("this is not a saved forest".to_owned()));
            }
            let version = u32::take(&mut Input::new(&start[8..]))?;
            if version != VERSION {
                return Err(Error::Damaged(format!(
                    "it was saved as version {version}, and version {VERSION} is read here"
                )));
            }
        }
        let name = SECTIONS[expected as usize];
        let at = self.at;
        let frame = self.bytes(12, "the next section's beginning")?;
        let (number, length) = <(u32, u64)>::take(&mut Input::new(&frame))?;
        if number != expected {
            return Err(Error::Damaged(format!("section {name:?} does not begin at byte {at}, where it should")));
        }
        let body = self.bytes(length, &format!("section {name:?}"))?;
        let sum = self.bytes(4, "a checksum")?;
        if sum != checksum(&frame, &body).to_le_bytes() {
            return Err(Error::Damaged(format!("section {name:?} at byte {at} does not match its checksum")));
        }
        Ok(body)
    }

    fn end(&self) -> Result<()> {
        let left = self.size - self.at;
        if left == 0 { Ok(()) } else { Err(Error::Damaged(format!("{left} bytes follow its end at byte {}", self.at))) }
    }
}
