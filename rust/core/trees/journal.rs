//! An append-only log of what was done to a forest, so that a process that is killed at any instant loses no more than
//! what was in flight.
//!
//! A search is deterministic, so the log holds what it was asked and told, after the forest as it was when the log began;
//! doing that again makes the forest again. A record is written before the forest changes: what a caller has seen is in
//! the file.

use super::forest::{Forest, Leaf, Leaves};
use super::log::{Log, Reader};
use super::persist::{Input, Persist};
use super::retold::{put_column, with_told};
use super::tell::Told;
use crate::error::{Error, Result, invalid};
use std::collections::VecDeque;
use std::ops::Deref;
use std::path::Path;

// What was done, as each further record begins.
const ASK: u8 = 0;
const TELL: u8 = 1;
const CANCEL: u8 = 2;
const REROOT: u8 = 3;
const LIMIT: u8 = 4;
const STOP: u8 = 5;
const PRIORITY: u8 = 6;

/// A forest that may keep a journal. All that changes it goes through here; what only reads it is the [`Forest`]'s.
#[derive(Debug)]
pub struct Journaled {
    forest: Forest,
    note: String,
    log: Option<Log>,
    /// Checksum of all leaves found since the journal began. Each record holds it, so that a search that goes another way
    /// than it did is found out.
    found: crc32fast::Hasher,
    /// Leaves that a lost process had in flight and nobody has been handed since, oldest first.
    lost: VecDeque<u64>,
}

impl Deref for Journaled {
    type Target = Forest;

    fn deref(&self) -> &Forest {
        &self.forest
    }
}

impl Journaled {
    /// `forest` without a journal; `note` is saved with it.
    pub fn new(forest: Forest, note: String) -> Self {
        let (found, lost) = Default::default();
        Self { forest, note, log: None, found, lost }
    }

    /// Begins a journal in the new file `path`, and notes `note` there. With `fsync` a record is on the disk, and not only with the operating
    /// system, before its effect is seen.
    ///
    /// # Errors
    /// [`Error::File`] if the file is there already, or cannot be written; [`Error::Invalid`] if there is a journal.
    pub fn keep(&mut self, path: &Path, note: &str, fsync: bool) -> Result<()> {
        if let Some(log) = &self.log {
            return Err(invalid("journal", &[], log.path().display(), "be None where one is begun"));
        }
        self.forest.check_durable("kept in a journal")?;
        note.clone_into(&mut self.note);
        self.log = Some(Log::create(path, fsync, &self.start(path)?)?);
        self.found = crc32fast::Hasher::new();
        Ok(())
    }

    /// The first record: the forest as [`Forest::save`] writes it.
    fn start(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.forest.write(&mut bytes, &self.note).map_err(|error| Error::file(path, &error))?;
        Ok(bytes)
    }

    /// The forest whose journal is in the file `path`, as it was when its process ended; the journal goes on.
    ///
    /// Leaves that were in flight still are: [`ask`](Self::ask) hands them out again before it looks for others.
    ///
    /// # Errors
    /// [`Error::File`], also where another process keeps the journal; [`Error::Damaged`] says at which byte it is not what
    /// was written.
    pub fn resume(path: &Path, fsync: bool) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let Some(start) = reader.next()? else { return Err(reader.flaw("holds no forest")) };
        let (forest, note) =
            Forest::read(&start[..], start.len() as u64, path).map_err(|error| reader.within(error))?;
        drop(start);
        let mut made = Self::new(forest, note);
        while let Some(record) = reader.next()? {
            made.again(&record).map_err(|error| reader.within(error))?;
        }
        made.log = Some(reader.into_log(fsync)?);
        let mut open = Leaves::default();
        made.forest.outstanding(&mut open);
        made.lost = open.leaves.iter().map(|leaf| leaf.ticket).collect();
        Ok(made)
    }

    /// Begins the journal anew with the forest as it is: its file is replaced by a shorter one, or after an error by none.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Invalid`] where there is no journal.
    pub fn compact(&mut self) -> Result<()> {
        let Some(log) = &self.log else { return Err(invalid("journal", &[], "None", "be kept to be compacted")) };
        let start = self.start(log.path())?;
        self.log = Some(log.anew(&start)?);
        self.found = crc32fast::Hasher::new();
        Ok(())
    }

    /// Fails unless the forest searches as `other` does; `seed` says whether they must share it.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what differs.
    pub fn agrees(&self, other: &Forest, seed: bool) -> Result<()> {
        let config = |forest: &Forest| {
            let mut out = Vec::new();
            forest.config().put(&mut out);
            out
        };
        let forest = &self.forest;
        let differs = if forest.trees.len() != other.trees.len() {
            format!("n_trees = {} after {}", other.trees.len(), forest.trees.len())
        } else if forest.first != other.first {
            format!("first = {} after {}", other.first, forest.first)
        } else if config(forest) != config(other) {
            format!("{:?} after {:?}", other.config(), forest.config())
        } else if seed && forest.seed != other.seed {
            "another rng".to_owned()
        } else {
            return Ok(());
        };
        Err(invalid("journal", &[], differs, "be of the same search"))
    }

    /// What was noted when the forest was made.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Whether a journal is kept.
    pub const fn is_journaled(&self) -> bool {
        self.log.is_some()
    }

    /// The forest, to do with it what no journal holds.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a journal is kept: `what` would be lost with the process.
    pub fn unrecorded(&mut self, what: &str) -> Result<&mut Forest> {
        match &self.log {
            None => Ok(&mut self.forest),
            Some(log) => Err(invalid(
                "journal",
                &[],
                log.path().display(),
                format!("be None for {what}, which no journal holds"),
            )),
        }
    }

    /// [`Forest::ask`]. After [`resume`](Self::resume), as long as there are leaves that the lost process had in flight,
    /// they alone are handed out, with the tickets they had: a loop that asks and tells goes on as if nothing had happened.
    ///
    /// # Errors
    /// As [`Forest::ask`], and [`Error::File`], with the forest as it was.
    pub fn ask(&mut self, n: usize, per_tree: Option<u32>, out: &mut Leaves) -> Result<()> {
        let before = out.leaves.len();
        while out.leaves.len() - before < n
            && let Some(number) = self.lost.pop_front()
        {
            self.forest.hand_out(number, out);
        }
        if out.leaves.len() > before || n == 0 {
            return Ok(());
        }
        self.record(ASK, |out| {
            n.put(out);
            per_tree.put(out);
        })?;
        let asked = self.forest.ask(n, per_tree, out);
        if self.log.is_some() {
            self.count(&out.leaves[before..]);
        }
        self.done(asked)
    }

    /// [`Forest::outstanding`]; the caller has seen the leaves then, and [`ask`](Self::ask) does not hand them out again.
    pub fn outstanding(&mut self, out: &mut Leaves) {
        self.forest.outstanding(out);
        self.lost.clear();
    }

    /// [`Forest::tell`].
    ///
    /// # Errors
    /// As [`Forest::tell`], and [`Error::File`], with the forest as it was.
    pub fn tell(&mut self, tickets: &[u64], told: &Told<'_>) -> Result<usize> {
        if self.log.is_some() {
            self.forest.check_told(tickets, told)?;
            self.record(TELL, |out| {
                put_column(tickets, out);
                told.put(out);
            })?;
        }
        let told = self.forest.tell(tickets, told);
        self.done(told)
    }

    /// [`Forest::cancel`].
    ///
    /// # Errors
    /// [`Error::File`], with the forest as it was.
    pub fn cancel(&mut self, tickets: &[u64]) -> Result<usize> {
        self.record(CANCEL, |out| put_column(tickets, out))?;
        Ok(self.forest.cancel(tickets))
    }

    /// [`Forest::reroot`].
    ///
    /// # Errors
    /// As [`Forest::reroot`], and [`Error::File`], with the forest as it was.
    pub fn reroot(&mut self, tree: u32, node: u32) -> Result<Vec<i64>> {
        self.forest.check_reroot(tree, node)?;
        self.record(REROOT, |out| (tree, node).put(out))?;
        let map = self.forest.reroot(tree, node);
        self.done(map)
    }

    /// [`Forest::set_limit`].
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no such tree; [`Error::File`], with the forest as it was.
    pub fn set_limit(&mut self, tree: u32, limit: u32) -> Result<()> {
        self.forest.check_node(tree, 0)?;
        self.record(LIMIT, |out| (tree, limit).put(out))?;
        self.forest.set_limit(tree, limit);
        Ok(())
    }

    /// [`Forest::stop`].
    ///
    /// # Errors
    /// As [`set_limit`](Self::set_limit).
    pub fn stop(&mut self, tree: u32) -> Result<()> {
        self.forest.check_node(tree, 0)?;
        self.record(STOP, |out| tree.put(out))?;
        self.forest.stop(tree);
        Ok(())
    }

    /// [`Forest::set_priority`].
    ///
    /// # Errors
    /// As [`set_limit`](Self::set_limit).
    pub fn set_priority(&mut self, trees: &[u32], priority: i64) -> Result<()> {
        trees.iter().try_for_each(|&tree| self.forest.check_node(tree, 0))?;
        self.record(PRIORITY, |out| {
            put_column(trees, out);
            priority.put(out);
        })?;
        self.forest.set_priority(trees, priority);
        Ok(())
    }

    fn record(&mut self, what: u8, put: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let found = self.found.clone().finalize();
        log.append(|out| {
            (what, found).put(out);
            put(out);
        })
    }

    /// What was recorded and then failed half-way is not what doing it again would make.
    fn done<T>(&mut self, result: Result<T>) -> Result<T> {
        if let (Err(error), Some(log)) = (&result, &mut self.log) {
            log.give_up(error);
        }
        result
    }

    /// Adds leaves to the checksum of what was found.
    fn count(&mut self, leaves: &[Leaf]) {
        for leaf in leaves {
            self.found.update(&leaf.tree.to_le_bytes());
            self.found.update(&leaf.node.to_le_bytes());
        }
    }

    /// Does again what `record` says.
    fn again(&mut self, record: &[u8]) -> Result<()> {
        let mut input = Input::new(record);
        let (what, found) = <(u8, u32)>::take(&mut input)?;
        if found != self.found.clone().finalize() {
            return Err(Error::Damaged(
                "comes after other leaves than are found now: another version wrote it".to_owned(),
            ));
        }
        match what {
            ASK => {
                let (n, per_tree) = Persist::take(&mut input)?;
                let mut out = Leaves::default();
                self.forest.ask(n, per_tree, &mut out)?;
                self.count(&out.leaves);
            }
            TELL => {
                let tickets: Vec<u64> = Persist::take(&mut input)?;
                with_told(&mut input, |told| self.forest.tell(&tickets, told))?;
            }
            CANCEL => {
                let tickets: Vec<u64> = Persist::take(&mut input)?;
                self.forest.cancel(&tickets);
            }
            REROOT => {
                let (tree, node) = Persist::take(&mut input)?;
                self.forest.reroot(tree, node)?;
            }
            LIMIT => {
                let (tree, limit) = Persist::take(&mut input)?;
                self.forest.check_node(tree, 0)?;
                self.forest.set_limit(tree, limit);
            }
            STOP => {
                let tree = Persist::take(&mut input)?;
                self.forest.check_node(tree, 0)?;
                self.forest.stop(tree);
            }
            PRIORITY => {
                let (trees, priority): (Vec<u32>, i64) = Persist::take(&mut input)?;
                trees.iter().try_for_each(|&tree| self.forest.check_node(tree, 0))?;
                self.forest.set_priority(&trees, priority);
            }
            other => return Err(Error::Damaged(format!("is of unknown kind {other}"))),
        }
        input.end()
    }
}
