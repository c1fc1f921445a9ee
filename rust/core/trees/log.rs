//! A file of records that only grows, and is whole after any death of its process.
//!
//! ```text
//! "slowjrnl"  version u32  then records: bytes u64, CRC-32 of that, the bytes, CRC-32 of those (1 for 0)
//! ```
//!
//! A record is written by one call of the system. One that ends too early, or in a checksum of 0, was being written when
//! its process or machine died: it is dropped if it is the last. All else that does not match is an error.

use super::save::beside;
use crate::error::{Error, Result};
use crate::memory::room;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"slowjrnl";
/// Raised with every change of what is written, or of what a search does.
const VERSION: u32 = 1;
/// Bytes of a record before its contents, and after them.
const FRAME: usize = 12;
const CHECK: usize = 4;

/// A log that is written.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    path: PathBuf,
    fsync: bool,
    /// Bytes of whole records.
    len: u64,
    /// Why nothing more can be written.
    broken: Option<String>,
    buffer: Vec<u8>,
}

impl Log {
    /// A log in the new file `path`, which is there with its first record or not at all.
    pub(super) fn create(path: &Path, fsync: bool, first: &[u8]) -> Result<Self> {
        // An empty file is what programs leave that only wanted the name.
        let empty = path.metadata().is_ok_and(|file| file.len() == 0);
        Self::begin(path, fsync, empty, first)
    }

    /// A log that takes this one's place.
    pub(super) fn anew(&self, first: &[u8]) -> Result<Self> {
        Self::begin(&self.path, self.fsync, true, first)
    }

    fn begin(path: &Path, fsync: bool, replace: bool, first: &[u8]) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::file(path, error);
        let mut temporary = beside(path)?;
        let mut start = MAGIC.to_vec();
        start.extend(VERSION.to_le_bytes());
        start.extend(length(first.len()));
        for bytes in [&start, first, &checksum(first).to_le_bytes()] {
            temporary.write_all(bytes).map_err(|error| failed(&error))?;
        }
        if fsync {
            temporary.as_file().sync_all().map_err(|error| failed(&error))?;
        }
        lock(temporary.as_file(), path)?;
        let kept = if replace { temporary.persist(path) } else { temporary.persist_noclobber(path) };
        let file = kept.map_err(|error| failed(&error.error))?;
        let len = (start.len() + first.len() + CHECK) as u64;
        Ok(Self { file, path: path.to_owned(), fsync, len, broken: None, buffer: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record. After an error the log is as it was, or refuses all that follows.
    pub(super) fn append(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if let Some(message) = &self.broken {
            let path = self.path.display().to_string();
            return Err(Error::File { path, kind: ErrorKind::Other, message: message.clone() });
        }
        self.buffer.clear();
        self.buffer.resize(FRAME, 0);
        put(&mut self.buffer);
        let (frame, contents) = self.buffer.split_at_mut(FRAME);
        frame.copy_from_slice(&length(contents.len()));
        let check = checksum(contents);
        self.buffer.extend(check.to_le_bytes());
        if let Err(error) = self.file.write_all(&self.buffer) {
            if let Err(error) = self.file.set_len(self.len) {
                self.give_up(&error);
            }
            return Err(Error::file(&self.path, &error));
        }
        self.len += self.buffer.len() as u64;
        if self.fsync
            && let Err(error) = self.file.sync_data()
        {
            // Nobody knows what is on the disk now.
            self.give_up(&error);
            return Err(Error::file(&self.path, &error));
        }
        Ok(())
    }

    /// Writes no more, because of `error`.
    pub(super) fn give_up(&mut self, error: &impl std::fmt::Display) {
        self.broken = Some(format!("the journal ended with an error, resume from it: {error}"));
    }
}

/// What stands before the contents of a record: how many bytes they are, with a checksum of its own.
fn length(n: usize) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    let (len, check) = frame.split_at_mut(8);
    len.copy_from_slice(&(n as u64).to_le_bytes());
    check.copy_from_slice(&crc32fast::hash(len).to_le_bytes());
    frame
}

/// The checksum of a record's contents, which is never 0: that is what a disk holds where nothing was written.
fn checksum(contents: &[u8]) -> u32 {
    crc32fast::hash(contents).max(1)
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let message = "another process, or forest, keeps this journal".to_owned();
            Err(Error::File { path: path.display().to_string(), kind: ErrorKind::WouldBlock, message })
        }
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(Error::file(path, &error)),
    }
}

/// A log that is read from its beginning.
pub(super) struct Reader {
    input: BufReader<File>,
    path: PathBuf,
    size: u64,
    /// Where the record that was read last begins, and where the next one does.
    last: u64,
    at: u64,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().read(true).append(true).open(path);
        let file = opened.map_err(|error| Error::file(path, &error))?;
        lock(&file, path)?;
        let size = file.metadata().map_err(|error| Error::file(path, &error))?.len();
        let mut reader = Self { input: BufReader::new(file), path: path.to_owned(), size, last: 0, at: 0 };
        if size < 12 {
            return Err(reader.flaw("is too short to be a journal"));
        }
        let start = reader.bytes(12)?;
        if start[..8] != MAGIC {
            return Err(reader.flaw("is not a journal"));
        }
        if start[8..] != VERSION.to_le_bytes() {
            return Err(reader.flaw(&format!("was written by another version, and version {VERSION} is read here")));
        }
        Ok(reader)
    }

    /// The contents of the next record, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        self.last = self.at;
        let left = self.size - self.at;
        if left < FRAME as u64 {
            return Ok(None);
        }
        let frame = self.bytes(FRAME)?;
        let (len, check) = frame.split_at(8);
        if crc32fast::hash(len).to_le_bytes() != check {
            if frame.iter().all(|&byte| byte == 0) && self.only_zeros()? {
                return Ok(self.torn());
            }
            return Err(self.flaw("does not match the checksum of its length"));
        }
        let len = len.iter().rev().fold(0, |len, &byte| len << 8 | u64::from(byte));
        if len > left - FRAME as u64 || left - FRAME as u64 - len < CHECK as u64 {
            return Ok(self.torn());
        }
        let contents = self.bytes(len as usize)?;
        let check = self.bytes(CHECK)?;
        if check == checksum(&contents).to_le_bytes() {
            Ok(Some(contents))
        } else if check == [0; CHECK] && self.only_zeros()? {
            Ok(self.torn())
        } else {
            Err(self.flaw("does not match its checksum"))
        }
    }

    /// The last record was not written to its end: it is as if it had never begun.
    fn torn<T>(&mut self) -> Option<T> {
        self.at = self.last;
        None
    }

    /// Whether nothing was ever written from here on.
    fn only_zeros(&mut self) -> Result<bool> {
        let rest = self.bytes((self.size - self.at) as usize)?;
        Ok(rest.iter().all(|&byte| byte == 0))
    }

    fn bytes(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut bytes = room(n)?;
        let read = (&mut self.input).take(n as u64).read_to_end(&mut bytes);
        let read = read.map_err(|error| Error::file(&self.path, &error))?;
        if read < n {
            return Err(self.flaw("was cut short while it was read"));
        }
        self.at += n as u64;
        Ok(bytes)
    }

    /// An error of the record that was read last.
    pub(super) fn flaw(&self, what: &str) -> Error {
        let path = self.path.display();
        if self.last == 0 {
            return Error::Damaged(format!("{path}: the file {what}"));
        }
        Error::Damaged(format!("{path}: the record at byte {} {what}", self.last))
    }

    /// `error` of the record that was read last, but for what has nothing to do with it.
    pub(super) fn within(&self, error: Error) -> Error {
        match error {
            Error::Damaged(what) => self.flaw(&format!("is not what was written: {what}")),
            Error::Invalid(what) => self.flaw(&format!("asks for what cannot be: {what}")),
            other => other,
        }
    }

    /// Goes on writing after the last whole record.
    pub(super) fn into_log(self, fsync: bool) -> Result<Log> {
        let (file, path, len) = (self.input.into_inner(), self.path, self.at);
        if len < self.size {
            file.set_len(len).map_err(|error| Error::file(&path, &error))?;
        }
        Ok(Log { file, path, fsync, len, broken: None, buffer: Vec::new() })
    }
}
