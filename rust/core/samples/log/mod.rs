//! Sample logs: the columns of JSON lines, read in parallel.
//!
//! A log holds one JSON object a line, of which a few fields matter and most bytes do not. A [`Reader`] is fed pieces
//! of whole lines; each piece is cut into blocks that threads scan at once, and the columns of the blocks are joined
//! in order, so the result does not depend on threads or pieces. A row whose wanted fields are arrays of equal length
//! becomes one sample for each element; fields that are no arrays repeat.
//!
//! ```
//! use slowthink::run::Control;
//! use slowthink::samples::log::{Column, Field, Label, Reader, Role};
//! let mut reader = Reader::new(
//!     vec![Field::new("problem", &["id"], Role::Label, true), Field::new("correct", &["eval", "ok"], Role::Verdict, true)],
//!     false,
//! );
//! let flaw = reader.feed(b"{\"id\": \"a\", \"eval\": {\"ok\": [true, false]}, \"text\": \"...\"}\n", &Control::default())?;
//! assert_eq!((flaw, reader.n_samples()), (None, 2));
//! let columns = reader.finish();
//! assert_eq!(columns[0], Column::Labels { codes: vec![0, 0], values: vec![Label::Text(b"a".as_slice().into())] });
//! assert_eq!(columns[1], Column::Numbers(vec![1.0, 0.0]));
//! # Ok::<(), slowthink::Error>(())
//! ```

mod columns;
mod json;

pub use columns::{Column, Label};

use crate::error::Result;
use crate::run::{Control, map_items};
use columns::{BlockColumn, Cell, Gathered, cells, preview};
use std::fmt::{self, Display};

/// What a column means, and so which values it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A name: any JSON value. `null` is no value.
    Label,
    /// `true` or `false` (or a word for them such as `"correct"`), or a number from 0 to 1; `null` is NaN.
    Verdict,
    /// A number, or a string that is one; `null` is NaN.
    Number,
    /// Any JSON value, kept as the text it is; arrays are not taken apart.
    Raw,
}

/// A wanted field of the objects of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    name: String,
    path: Vec<String>,
    role: Role,
    required: bool,
}

impl Field {
    /// The field at `path` (the keys from the outermost object inwards), called `name` in errors. A `required` field
    /// must be there in every row, and not `null`.
    pub fn new<S: AsRef<str>>(name: &str, path: &[S], role: Role, required: bool) -> Self {
        let path = path.iter().map(|key| key.as_ref().to_owned()).collect();
        Self { name: name.to_owned(), path, role, required }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.join(".");
        if path == self.name { write!(f, "{path:?}") } else { write!(f, "{path:?} ({})", self.name) }
    }
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The line, counted from 0 over everything fed.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Gathers the columns of a log; see the [module](self).
pub struct Reader {
    fields: Vec<Field>,
    tree: Node,
    skip: bool,
    columns: Vec<Gathered>,
    n_lines: u64,
    n_rows: u64,
    n_samples: u64,
    n_flaws: u64,
    first_flaw: Option<Flaw>,
}

/// The wanted fields as a tree of keys.
#[derive(Default)]
struct Node {
    key: String,
    columns: Vec<usize>,
    children: Vec<Node>,
}

/// What one block of lines gave.
struct Block<'a> {
    columns: Vec<BlockColumn<'a>>,
    n_lines: u64,
    n_rows: u64,
    n_samples: u64,
    n_flaws: u64,
    first_flaw: Option<Flaw>,
}

/// Lines are shared out to threads in blocks of about this many bytes, a millisecond of work.
const BLOCK: usize = 1 << 18;

impl Reader {
    /// A reader of `fields`. With `skip` it counts and passes over rows that it cannot read; otherwise the first one
    /// ends the reading.
    pub fn new(fields: Vec<Field>, skip: bool) -> Self {
        let mut tree = Node::default();
        for (column, field) in fields.iter().enumerate() {
            let mut node = &mut tree;
            for key in &field.path {
                let place = node.children.iter().position(|child| child.key == *key).unwrap_or_else(|| {
                    node.children.push(Node { key: key.clone(), ..Node::default() });
                    node.children.len() - 1
                });
                node = &mut node.children[place];
            }
            node.columns.push(column);
        }
        let columns = fields.iter().map(|field| Gathered::new(field.role)).collect();
        Self { fields, tree, skip, columns, n_lines: 0, n_rows: 0, n_samples: 0, n_flaws: 0, first_flaw: None }
    }

    /// Reads whole lines; blank ones are passed over. Cost: one pass over the bytes, about 1 ns each for a thread, and
    /// two over lines with `NaN` or `Infinity`, which strict JSON lacks; memory: the columns.
    ///
    /// Returns the first row that cannot be read, unless such rows are to be skipped. The reader is then at its end.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn feed(&mut self, lines: &[u8], control: &Control) -> Result<Option<Flaw>> {
        let mut blocks = Vec::new();
        let mut rest = lines;
        while !rest.is_empty() {
            let least = rest.len().min(BLOCK);
            let cut = memchr::memchr(b'\n', &rest[least - 1..]).map_or(rest.len(), |end| least + end);
            let (block, tail) = rest.split_at(cut);
            blocks.push(block);
            rest = tail;
        }
        let parsed = map_items(blocks.len(), 1, control, || (), |(), i| Ok(self.block(lines_of(blocks[i]))))?;
        self.append(parsed)
    }

    /// Reads whole documents, each of them one object that may stretch over many lines; a document counts as a line.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub fn feed_documents(&mut self, documents: &[&[u8]], control: &Control) -> Result<Option<Flaw>> {
        let parsed =
            map_items(documents.len(), 1, control, || (), |(), i| Ok(self.block(std::iter::once(documents[i]))))?;
        self.append(parsed)
    }

    /// Rows read, before arrays were taken apart.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Samples read: the length of the columns.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// How many rows were skipped, and the first of them.
    pub fn skipped(&self) -> (u64, Option<&Flaw>) {
        (self.n_flaws, self.first_flaw.as_ref())
    }

    /// The columns, in the order of the fields.
    pub fn finish(self) -> Vec<Column> {
        self.columns.into_iter().map(Gathered::finish).collect()
    }

    fn append(&mut self, blocks: Vec<Block>) -> Result<Option<Flaw>> {
        for block in blocks {
            let flaw = block.first_flaw.map(|flaw| Flaw { line: flaw.line + self.n_lines, ..flaw });
            if flaw.is_some() && !self.skip {
                return Ok(flaw);
            }
            self.first_flaw = self.first_flaw.take().or(flaw);
            self.n_lines += block.n_lines;
            self.n_rows += block.n_rows;
            self.n_samples += block.n_samples;
            self.n_flaws += block.n_flaws;
            for (column, more) in self.columns.iter_mut().zip(block.columns) {
                column.append(more)?;
            }
        }
        Ok(None)
    }

    fn block<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) -> Block<'a> {
        let columns = self.fields.iter().map(|field| BlockColumn::new(field.role)).collect();
        let mut block = Block { columns, n_lines: 0, n_rows: 0, n_samples: 0, n_flaws: 0, first_flaw: None };
        let mut row = Row { found: vec![None; self.fields.len()], cells: vec![Vec::new(); self.fields.len()] };
        for line in lines {
            if !line.trim_ascii().is_empty() {
                match row.read(self, line) {
                    Ok(n_samples) => {
                        for (column, cells) in block.columns.iter_mut().zip(&row.cells) {
                            match cells.as_slice() {
                                [cell] => column.push(*cell, n_samples),
                                cells => cells.iter().for_each(|cell| column.push(*cell, 1)),
                            }
                        }
                        block.n_rows += 1;
                        block.n_samples += n_samples as u64;
                    }
                    Err(reason) => {
                        block.n_flaws += 1;
                        block.first_flaw.get_or_insert(Flaw { line: block.n_lines, reason });
                        if !self.skip {
                            break;
                        }
                    }
                }
            }
            block.n_lines += 1;
        }
        block
    }
}

/// The lines of a block.
fn lines_of(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

/// The row being read.
struct Row<'a> {
    /// The JSON text of each field.
    found: Vec<Option<&'a str>>,
    /// The values of each field: one, or one for each sample.
    cells: Vec<Vec<Cell<'a>>>,
}

impl<'a> Row<'a> {
    /// Reads a line into `cells` and returns how many samples it holds, or what is wrong with it.
    fn read(&mut self, reader: &Reader, line: &'a [u8]) -> std::result::Result<usize, String> {
        let line =
            std::str::from_utf8(line).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
        if !line.trim_ascii_start().starts_with('{') {
            let got = preview(line.trim_ascii());
            return Err(match json::check(line) {
                Ok(()) => format!("must be a JSON object, got {got}"),
                Err(reason) => format!("not JSON: {reason}, got {got}"),
            });
        }
        json::find(line, &reader.tree, &mut self.found).map_err(|reason| format!("not JSON: {reason}"))?;
        let mut array: Option<usize> = None;
        for (column, field) in reader.fields.iter().enumerate() {
            let is_array = cells(field, self.found[column], &mut self.cells[column])?;
            if is_array {
                let (first, length) = (*array.get_or_insert(column), self.cells[column].len());
                let expected = self.cells[first].len();
                if length != expected {
                    let first = &reader.fields[first];
                    return Err(format!(
                        "fields {first} and {field} must be arrays of one length, got {expected} and {length} elements"
                    ));
                }
            }
        }
        Ok(array.map_or(1, |column| self.cells[column].len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<Field> {
        vec![
            Field::new("problem", &["id"], Role::Label, true),
            Field::new("correct", &["ok"], Role::Verdict, true),
            Field::new("score", &["eval", "score"], Role::Number, false),
            Field::new("answer", &["answer"], Role::Label, false),
        ]
    }

    fn read(text: &[u8], threads: usize, skip: bool) -> (Option<Flaw>, Reader) {
        let mut reader = Reader::new(fields(), skip);
        let flaw = reader.feed(text, &Control::new(threads)).unwrap();
        (flaw, reader)
    }

    fn reason(line: &str) -> String {
        read(format!("{{\"id\": 0, \"ok\": 1}}\n\n{line}\n").as_bytes(), 1, false).0.map_or_else(String::new, |flaw| {
            assert_eq!(flaw.line, 2);
            flaw.reason
        })
    }

    #[test]
    fn the_columns_do_not_depend_on_threads_or_pieces() {
        let line = |i: usize| {
            let filler = "x".repeat(i * 37 % 900);
            format!(
                "{{\"text\": \"{filler}\", \"id\": \"p\\u00e9{}\", \"ok\": {}, \"eval\": {{\"score\": {}}}, \"answer\": {}}}\r\n",
                i / 7 % 50,
                i % 3 != 1,
                i as f64 / 8.0,
                if i % 5 < 1 { "null".to_owned() } else { (i % 13).to_string() }
            )
        };
        let lines: Vec<String> = (0..5000).map(line).collect();
        let whole = lines.concat();
        assert!(whole.len() > 4 * BLOCK);
        let expected = read(whole.as_bytes(), 1, false).1.finish();
        for threads in [2, 7] {
            assert_eq!(read(whole.as_bytes(), threads, false).1.finish(), expected);
        }
        let mut reader = Reader::new(fields(), false);
        for piece in lines.chunks(333) {
            assert_eq!(reader.feed(piece.concat().as_bytes(), &Control::new(2)), Ok(None));
        }
        assert_eq!((reader.n_rows(), reader.n_samples()), (5000, 5000));
        assert_eq!(reader.finish(), expected);
        let Column::Labels { codes, values } = &expected[0] else { panic!() };
        assert_eq!((codes[..9].to_vec(), values.len()), (vec![0, 0, 0, 0, 0, 0, 0, 1, 1], 50));
        assert_eq!(values[1], Label::Text("p\u{e9}1".as_bytes().into()));
    }

    #[test]
    fn arrays_become_samples_and_scalars_repeat() {
        let text = b"{\"id\": 3, \"ok\": [1, 0, true], \"answer\": [\"a\", null, [1, 2]]}\n{\"id\": [], \"ok\": []}\n";
        let (flaw, reader) = read(text, 1, false);
        assert_eq!((flaw, reader.n_rows(), reader.n_samples()), (None, 2, 3));
        let columns = reader.finish();
        assert_eq!(columns[1], Column::Numbers(vec![1.0, 0.0, 1.0]));
        let values = vec![Label::Text(b"a".as_slice().into()), Label::Json(b"[1, 2]".as_slice().into())];
        assert_eq!(columns[3], Column::Labels { codes: vec![0, -1, 1], values });
        assert!(
            matches!(&columns[2], Column::Numbers(numbers) if numbers.iter().all(|x| x.is_nan()) && numbers.len() == 3)
        );
        assert!(reason("{\"id\": 1, \"ok\": [1, 0], \"answer\": [1]}").contains("got 2 and 1 elements"));
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_keys_may_be_escaped() {
        let text = b"{\"ok\": \"no idea\", \"eval\": {\"score\": 1}, \"\\u0069d\": 1, \"ok\": 0, \"eval\": {\"x\": 2}}";
        let columns = read(text, 1, false).1.finish();
        assert_eq!(columns[1], Column::Numbers(vec![0.0]));
        assert!(matches!(&columns[2], Column::Numbers(numbers) if numbers[0].is_nan()));
    }

    #[test]
    fn flaws_name_the_line_and_the_reason() {
        for (line, says) in [
            (
                "{\"id\": 1, \"ok\": \"maybe\"}",
                "\"ok\" (correct) must be true or false, or a number from 0 to 1, got \"maybe\"",
            ),
            ("{\"id\": 1, \"ok\": 1.5}", "got 1.5"),
            ("{\"id\": 1}", "there is no field \"ok\" (correct)"),
            ("{\"id\": null, \"ok\": 1}", "field \"id\" (problem) is null"),
            ("{\"id\": 1, \"ok\": 1, \"eval\": {\"score\": {}}}", "\"eval.score\" (score) must be a number, got {}"),
            ("[1]", "must be a JSON object, got [1]"),
            ("{\"id\": 1", "not JSON: EOF while parsing an object at column 8"),
            ("{\"id\": 1} x", "not JSON: trailing characters at column 11"),
            ("x", "not JSON: expected value at column 1, got x"),
            ("{\"id\": 1, \"ok\": NaN}", "field \"ok\" (correct) is NaN"),
            ("{\"id\": 1, \"ok\": [Infinity]}", "got Infinity"),
        ] {
            assert!(reason(line).contains(says), "{line}: {}", reason(line));
        }
        let (flaw, _) = read(b"{\"id\": \"\xff\", \"ok\": 1}", 1, false);
        assert_eq!(flaw.unwrap().reason, "not UTF-8 at byte 9");
    }

    #[test]
    fn skipped_rows_are_counted_and_leave_no_labels() {
        let text = b"{\"id\": \"a\", \"ok\": 1}\n{\"id\": \"b\", \"ok\": 7}\noops\n{\"id\": \"c\", \"ok\": 0}";
        let (flaw, reader) = read(text, 2, true);
        assert_eq!((flaw, reader.n_rows()), (None, 2));
        let (n, first) = reader.skipped();
        assert_eq!((n, first.map(|flaw| flaw.line)), (2, Some(1)));
        let Column::Labels { values, .. } = &reader.finish()[0] else { panic!() };
        assert_eq!(values.len(), 2);
    }
}
