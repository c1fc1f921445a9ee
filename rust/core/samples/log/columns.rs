//! The columns that the lines of a log are gathered into: labels as codes of a dictionary, and numbers.

use super::json::{elements, string};
use super::{Field, Role};
use crate::error::{Result, invalid};
use std::borrow::Cow;
use std::collections::HashMap;

/// A gathered column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Codes into `values`, which stand in order of first appearance; -1 where there is no value.
    Labels {
        /// The code of each sample.
        codes: Vec<i32>,
        /// The distinct values.
        values: Vec<Label>,
    },
    /// Numbers, and verdicts as numbers from 0 to 1; NaN where there is none.
    Numbers(Vec<f64>),
}

/// A distinct value of a column of labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Label {
    /// A string, in UTF-8 except for lone surrogates.
    Text(Box<[u8]>),
    /// Any other JSON value, as the log spells it.
    Json(Box<[u8]>),
}

/// One value on its way into a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Missing,
    Raw(&'a str),
    Number(f64),
}

/// The values of `field` in one row, from the JSON text found for it: one cell, or one for each element of an array.
/// Returns whether it was an array.
pub(super) fn cells<'a>(
    field: &Field,
    raw: Option<&'a str>,
    out: &mut Vec<Cell<'a>>,
) -> std::result::Result<bool, String> {
    out.clear();
    match raw {
        Some(array) if array.starts_with('[') && field.role != Role::Raw => {
            for element in elements(array)? {
                out.push(cell(field, Some(element))?);
            }
            Ok(true)
        }
        _ => {
            out.push(cell(field, raw)?);
            Ok(false)
        }
    }
}

fn cell<'a>(field: &Field, raw: Option<&'a str>) -> std::result::Result<Cell<'a>, String> {
    let raw = match raw {
        None if field.required => return Err(format!("there is no field {field}")),
        Some(raw @ ("null" | "NaN")) if field.required => return Err(format!("field {field} is {raw}")),
        None | Some("null") if matches!(field.role, Role::Label | Role::Raw) => return Ok(Cell::Missing),
        None | Some("null") => return Ok(Cell::Number(f64::NAN)),
        Some(raw) => raw,
    };
    match field.role {
        Role::Label | Role::Raw => Ok(Cell::Raw(raw)),
        Role::Verdict => verdict(raw).map(Cell::Number).ok_or_else(|| {
            format!("field {field} must be true or false, or a number from 0 to 1, got {}", preview(raw))
        }),
        Role::Number => {
            number(raw).map(Cell::Number).ok_or_else(|| format!("field {field} must be a number, got {}", preview(raw)))
        }
    }
}

fn verdict(raw: &str) -> Option<f64> {
    if raw.starts_with('"') {
        match string(raw).trim_ascii().to_ascii_lowercase().as_slice() {
            b"true" | b"correct" | b"c" | b"passed" | b"pass" | b"yes" => return Some(1.0),
            b"false" | b"incorrect" | b"i" | b"failed" | b"fail" | b"no" => return Some(0.0),
            _ => {}
        }
    }
    number(raw).filter(|number| !(*number < 0.0 || *number > 1.0))
}

fn number(raw: &str) -> Option<f64> {
    match raw {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ if raw.starts_with('"') => std::str::from_utf8(&string(raw)).ok()?.trim().parse().ok(),
        _ => raw.parse().ok(),
    }
}

/// The beginning of a value, for an error text.
pub(super) fn preview(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { short + "..." } else { short }
}

/// The column of one block of lines; its labels are coded within the block.
pub(super) enum BlockColumn<'a> {
    Labels { codes: Vec<i32>, index: HashMap<LabelKey<'a>, i32>, last: (&'a str, i32) },
    Numbers(Vec<f64>),
}

/// A label that borrows from the block where it can.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LabelKey<'a> {
    is_text: bool,
    bytes: Cow<'a, [u8]>,
}

impl<'a> BlockColumn<'a> {
    pub fn new(role: Role) -> Self {
        match role {
            Role::Label | Role::Raw => Self::Labels { codes: Vec::new(), index: HashMap::new(), last: ("", -1) },
            Role::Verdict | Role::Number => Self::Numbers(Vec::new()),
        }
    }

    /// Appends `cell` `times` times.
    pub fn push(&mut self, cell: Cell<'a>, times: usize) {
        match (self, cell) {
            (Self::Labels { codes, index, last }, Cell::Raw(raw)) => {
                // The rows of one problem mostly follow each other.
                if last.0 != raw {
                    let is_text = raw.starts_with('"');
                    let bytes = if is_text { string(raw) } else { Cow::Borrowed(raw.as_bytes()) };
                    let key = LabelKey { is_text, bytes };
                    let next = index.len() as i32;
                    *last = (raw, *index.entry(key).or_insert(next));
                }
                codes.extend(std::iter::repeat_n(last.1, times));
            }
            (Self::Labels { codes, .. }, _) => codes.extend(std::iter::repeat_n(-1, times)),
            (Self::Numbers(numbers), Cell::Number(number)) => numbers.extend(std::iter::repeat_n(number, times)),
            // `cell` makes a missing number NaN.
            (Self::Numbers(_), _) => {}
        }
    }
}

/// A column over all blocks so far.
pub(super) enum Gathered {
    Labels { codes: Vec<i32>, texts: HashMap<Box<[u8]>, i32>, others: HashMap<Box<[u8]>, i32> },
    Numbers(Vec<f64>),
}

impl Gathered {
    pub fn new(role: Role) -> Self {
        match role {
            Role::Label | Role::Raw => {
                Self::Labels { codes: Vec::new(), texts: HashMap::new(), others: HashMap::new() }
            }
            Role::Verdict | Role::Number => Self::Numbers(Vec::new()),
        }
    }

    /// Appends the column of the next block, whose labels get their codes for the whole log here: in order, so that
    /// they do not depend on which thread parsed the block.
    pub fn append(&mut self, block: BlockColumn) -> Result<()> {
        match (self, block) {
            (Self::Labels { codes, texts, others }, BlockColumn::Labels { codes: block_codes, index, .. }) => {
                let mut labels: Vec<_> = index.into_iter().collect();
                labels.sort_unstable_by_key(|(_, code)| *code);
                let mut global = Vec::with_capacity(labels.len());
                for (LabelKey { is_text, bytes }, _) in labels {
                    let next = texts.len() + others.len();
                    let known = if is_text { &mut *texts } else { &mut *others };
                    let code = if let Some(code) = known.get(bytes.as_ref()) {
                        *code
                    } else {
                        let code = i32::try_from(next)
                            .map_err(|_| invalid("the log", &[], "", "hold fewer than 2^31 different values"))?;
                        known.insert(bytes.into_owned().into_boxed_slice(), code);
                        code
                    };
                    global.push(code);
                }
                codes.extend(block_codes.iter().map(|&code| usize::try_from(code).map_or(-1, |code| global[code])));
            }
            (Self::Numbers(all), BlockColumn::Numbers(block)) => all.extend(block),
            _ => {}
        }
        Ok(())
    }

    pub fn finish(self) -> Column {
        match self {
            Self::Labels { codes, texts, others } => {
                let mut values: Vec<(i32, Label)> =
                    texts.into_iter().map(|(text, code)| (code, Label::Text(text))).collect();
                values.extend(others.into_iter().map(|(json, code)| (code, Label::Json(json))));
                values.sort_unstable_by_key(|(code, _)| *code);
                Column::Labels { codes, values: values.into_iter().map(|(_, label)| label).collect() }
            }
            Self::Numbers(numbers) => Column::Numbers(numbers),
        }
    }
}
