//! How things become bytes and are made again: numbers little-endian, vectors behind their lengths.
//!
//! A struct is written and read from one list of its fields, so that a field that is forgotten is an error of the
//! compiler and never a file that lacks something.

use crate::error::{Error, Result};
use crate::memory::room;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Bytes that are read from front to back. Whatever is in them, reading ends with a value or with an error.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    /// Bytes read so far.
    at: usize,
    /// The field that is being read.
    pub field: &'static str,
}

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, field: "" }
    }

    /// The next `n` bytes.
    fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some(bytes) = self.bytes.get(self.at..).and_then(|rest| rest.get(..n)) else {
            return Err(self.flaw("is cut short"));
        };
        self.at += n;
        Ok(bytes)
    }

    /// An error in the field that is being read.
    pub(super) fn flaw(&self, what: &str) -> Error {
        Error::Damaged(format!("{:?} {what}", self.field))
    }

    /// Fails unless all was read.
    pub(super) fn end(&self) -> Result<()> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.flaw("is followed by bytes that belong to nothing")) }
    }
}

/// What can be written as bytes and made again from them.
pub(super) trait Persist: Sized {
    /// Bytes that each value takes at least: no length that is read may promise more than there is.
    const LEAST: usize;

    fn put(&self, out: &mut Vec<u8>);

    fn take(input: &mut Input<'_>) -> Result<Self>;

    /// Writes a whole column.
    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        for item in items {
            item.put(out);
        }
    }

    /// Reads a whole column of `n`.
    fn take_all(n: usize, input: &mut Input<'_>) -> Result<Vec<Self>> {
        let mut items = room(n)?;
        for _ in 0..n {
            items.push(Self::take(input)?);
        }
        Ok(items)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Persist for $number {
            const LEAST: usize = size_of::<Self>();

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut Input<'_>) -> Result<Self> {
                Ok(Self::take_all(1, input)?[0])
            }

            fn put_all(items: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + size_of_val(items), 0);
                let (chunks, _) = out[start..].as_chunks_mut::<{ size_of::<Self>() }>();
                for (chunk, item) in chunks.iter_mut().zip(items) {
                    *chunk = item.to_le_bytes();
                }
            }

            fn take_all(n: usize, input: &mut Input<'_>) -> Result<Vec<Self>> {
                let bytes = input.bytes(n.saturating_mul(size_of::<Self>()))?;
                let mut items = room(n)?;
                let (chunks, _) = bytes.as_chunks::<{ size_of::<Self>() }>();
                items.extend(chunks.iter().map(|&chunk| Self::from_le_bytes(chunk)));
                Ok(items)
            }
        }
    )*};
}
numbers!(u8, u32, u64, i64, f32, f64);

impl Persist for usize {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Self::try_from(u64::take(input)?).map_err(|_| input.flaw("does not fit this machine"))
    }
}

impl Persist for bool {
    const LEAST: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        match u8::take(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(input.flaw("is neither true nor false")),
        }
    }
}

impl<T: Persist> Persist for Vec<T> {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        T::put_all(self, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        let n = usize::take(input)?;
        if n.saturating_mul(T::LEAST) > input.bytes.len() - input.at {
            return Err(input.flaw("is cut short"));
        }
        T::take_all(n, input)
    }
}

impl<T: Persist + Clone> Persist for VecDeque<T> {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        let (front, back) = self.as_slices();
        self.len().put(out);
        T::put_all(front, out);
        T::put_all(back, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Ok(Vec::take(input)?.into())
    }
}

impl<T: Persist + Ord> Persist for BinaryHeap<T> {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        T::put_all(self.as_slice(), out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        // What is a heap already keeps its order.
        Ok(Vec::take(input)?.into())
    }
}

impl Persist for String {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Self::from_utf8(Vec::take(input)?).map_err(|_| input.flaw("is not UTF-8"))
    }
}

impl Persist for BTreeMap<u32, Box<str>> {
    const LEAST: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for (number, text) in self {
            number.put(out);
            text.len().put(out);
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        let texts: Vec<(u32, String)> = Persist::take(input)?;
        Ok(texts.into_iter().map(|(number, text)| (number, text.into())).collect())
    }
}

impl<T: Persist> Persist for Option<T> {
    const LEAST: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Ok(if bool::take(input)? { Some(T::take(input)?) } else { None })
    }
}

impl<T: Persist> Persist for Box<T> {
    const LEAST: usize = T::LEAST;

    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        T::take(input).map(Self::new)
    }
}

impl<A: Persist, B: Persist> Persist for (A, B) {
    const LEAST: usize = A::LEAST + B::LEAST;

    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        Ok((A::take(input)?, B::take(input)?))
    }
}

impl<T: Persist + Copy + Default, const N: usize> Persist for [T; N] {
    const LEAST: usize = N * T::LEAST;

    fn put(&self, out: &mut Vec<u8>) {
        T::put_all(self, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        let mut values = [T::default(); N];
        values.copy_from_slice(&T::take_all(N, input)?);
        Ok(values)
    }

    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        T::put_all(items.as_flattened(), out);
    }

    fn take_all(n: usize, input: &mut Input<'_>) -> Result<Vec<Self>> {
        let flat = T::take_all(n.saturating_mul(N), input)?;
        Ok(flat.as_chunks::<N>().0.to_vec())
    }
}

/// Structs as their fields, one after another. Fields after `not` are working memory: they are not written, and begin
/// empty.
macro_rules! fields {
    ($type:ty { $($field:ident),* $(,)? } $(not { $($skipped:ident),* })?) => {
        impl Persist for $type {
            const LEAST: usize = 1;

            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field,)* $($($skipped: _,)*)? } = self;
                $($field.put(out);)*
            }

            fn take(input: &mut Input<'_>) -> Result<Self> {
                $(
                    input.field = stringify!($field);
                    let $field = Persist::take(input)?;
                )*
                Ok(Self { $($field,)* $($($skipped: Default::default(),)*)? })
            }
        }
    };
}

/// Structs of numbers, of which there are many: written as a column for each field.
macro_rules! columns {
    ($type:ty { $($field:ident: $number:ty),* $(,)? }) => {
        impl Persist for $type {
            const LEAST: usize = 0 $(+ size_of::<$number>())*;

            fn put(&self, out: &mut Vec<u8>) {
                Self::put_all(std::slice::from_ref(self), out);
            }

            fn take(input: &mut Input<'_>) -> Result<Self> {
                Ok(Self::take_all(1, input)?[0])
            }

            fn put_all(items: &[Self], out: &mut Vec<u8>) {
                $(
                    let column: Vec<$number> = items.iter().map(|item| item.$field).collect();
                    Persist::put_all(&column, out);
                )*
            }

            fn take_all(n: usize, input: &mut Input<'_>) -> Result<Vec<Self>> {
                $(let $field = <$number>::take_all(n, input)?;)*
                let mut items = crate::memory::room(n)?;
                items.extend((0..n).map(|i| Self { $($field: $field[i]),* }));
                Ok(items)
            }
        }
    };
}

/// Enums as the number of the variant and its fields.
macro_rules! variants {
    ($type:ty { $($tag:literal => $name:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)? }) => {
        impl Persist for $type {
            const LEAST: usize = 1;

            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name $(($($item),*))? $({ $($field),* })? => {
                        out.push($tag);
                        $($($item.put(out);)*)?
                        $($($field.put(out);)*)?
                    })*
                }
            }

            fn take(input: &mut Input<'_>) -> Result<Self> {
                match u8::take(input)? {
                    $($tag => {
                        $($(let $item = Persist::take(input)?;)*)?
                        $($(let $field = Persist::take(input)?;)*)?
                        Ok(Self::$name $(($($item),*))? $({ $($field),* })?)
                    })*
                    other => Err(input.flaw(&format!("is of unknown kind {other}"))),
                }
            }
        }
    };
}

pub(super) use {columns, fields, variants};

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &impl Persist) -> Vec<u8> {
        let mut out = Vec::new();
        value.put(&mut out);
        out
    }

    #[test]
    fn columns_are_little_endian_behind_their_length() {
        assert_eq!(bytes(&vec![1u32, 0x0102_0304]), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4, 3, 2, 1]);
        let value = (Some(vec![[1u32, 2], [3, 4]]), "é".to_owned());
        let written = bytes(&value);
        let mut input = Input::new(&written);
        assert_eq!(<(Option<Vec<[u32; 2]>>, String)>::take(&mut input), Ok(value));
        assert_eq!(input.end(), Ok(()));
    }

    #[test]
    fn a_length_that_promises_too_much_takes_no_memory() {
        for n in [2, 1 << 40, u64::MAX] {
            let written = [bytes(&n), vec![0; 7]].concat();
            assert!(matches!(Vec::<f64>::take(&mut Input::new(&written)), Err(Error::Damaged(_))));
            assert!(matches!(Vec::<String>::take(&mut Input::new(&written)), Err(Error::Damaged(_))));
        }
    }

    #[test]
    fn what_no_value_is_written_as_is_refused() {
        assert!(bool::take(&mut Input::new(&[2])).is_err());
        assert!(<Option<u8> as Persist>::take(&mut Input::new(&[7, 0])).is_err());
        assert!(String::take(&mut Input::new(&bytes(&vec![0xffu8]))).is_err());
        assert!(Input::new(&[0]).end().is_err());
    }
}
