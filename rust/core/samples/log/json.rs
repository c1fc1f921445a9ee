//! JSON as Python's `json` reads it: `serde_json`, with `NaN`, `Infinity` and `-Infinity`, and lone surrogates in strings.
//!
//! Most of a log is text nobody asked for. `serde_json` validates it and passes over it, at any depth of nesting; of the
//! wanted fields it gives the text they are, so that numbers of any size keep their digits.

use super::Node;
use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A text as it is, and as `serde_json` reads it: of the same length, see [`masked`].
#[derive(Clone, Copy)]
struct Text<'a, 's> {
    original: &'a str,
    strict: &'s str,
}

impl<'a> Text<'a, '_> {
    /// The original of `part`, which is a slice of `strict`.
    fn original(self, part: &RawValue) -> &'a str {
        let part = part.get();
        let from = part.as_ptr().addr() - self.strict.as_ptr().addr();
        self.original.get(from..from + part.len()).unwrap_or_default()
    }
}

/// Finds the fields of `node` in the object that `text` is. As in Python the last of several equal keys counts.
///
/// # Errors
/// Why `text` is no JSON object.
pub(super) fn find<'a>(text: &'a str, node: &Node, found: &mut [Option<&'a str>]) -> Result<(), String> {
    read(text, |text| {
        found.fill(None);
        let mut json = Deserializer::from_str(text.strict);
        json.deserialize_map(Object { text, node, found })?;
        json.end()
    })
}

/// The elements of the array that `text` is.
///
/// # Errors
/// Why `text` is no JSON array.
pub(super) fn elements(text: &str) -> Result<Vec<&str>, String> {
    let mut elements = Vec::new();
    read(text, |text| {
        let parts: Vec<&RawValue> = serde_json::from_str(text.strict)?;
        elements = parts.into_iter().map(|part| text.original(part)).collect();
        Ok(())
    })?;
    Ok(elements)
}

/// Whether `text` is JSON.
///
/// # Errors
/// Why it is not.
pub(super) fn check(text: &str) -> Result<(), String> {
    read(text, |text| serde_json::from_str(text.strict).map(|IgnoredAny| ()))
}

/// Lets `read` read `text`, and if it is refused once more without the words of Python.
fn read<'a>(text: &'a str, mut read: impl FnMut(Text<'a, '_>) -> serde_json::Result<()>) -> Result<(), String> {
    let first = read(Text { original: text, strict: text });
    let second = first.or_else(|error| match masked(text) {
        Some(strict) => read(Text { original: text, strict: &strict }),
        None => Err(error),
    });
    second.map_err(|error| reason(&error))
}

/// What `serde_json` has to say; the line it counts is the line of the log, unless a document has many.
fn reason(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    match text.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(text) if line == 1 => format!("{text} at column {column}"),
        _ => text,
    }
}

/// `text` with an empty array for each `NaN`, `Infinity` and `-Infinity` outside its strings; None if there are none.
///
/// The array is filled with blanks to the length of the word, so that every place in the text stays what it was. It is an
/// array since that is nothing else together with what may stand beside it: `1NaN`, `-NaN` and `{NaN: 1}` stay wrong.
fn masked(text: &str) -> Option<String> {
    let mut strict = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr::memchr3(b'"', b'N', b'I', &text.as_bytes()[at..]) {
        at += found;
        let rest = &text.as_bytes()[at..];
        let word = if rest.starts_with(b"NaN") {
            at..at + 3
        } else if rest.starts_with(b"Infinity") {
            at - usize::from(text.as_bytes()[copied..at].ends_with(b"-"))..at + 8
        } else {
            at += if rest[0] == b'"' { string_length(rest) } else { 1 };
            continue;
        };
        strict.push_str(&text[copied..word.start]);
        strict.push('[');
        strict.extend(std::iter::repeat_n(' ', word.len() - 2));
        strict.push(']');
        (copied, at) = (word.end, word.end);
    }
    (copied > 0).then(|| strict + &text[copied..])
}

/// The length of the string at the beginning of `text`, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        // Whatever is escaped does not end the string.
        at += 1;
    }
    text.len()
}

/// The object whose fields are looked for.
struct Object<'a, 's, 'f> {
    text: Text<'a, 's>,
    node: &'f Node,
    found: &'f mut [Option<&'a str>],
}

impl<'s> Visitor<'s> for Object<'_, 's, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'s>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { text, node, found } = self;
        // As a string the key would have to be free of lone surrogates.
        while let Some(key) = map.next_key::<&RawValue>()? {
            if let Some(child) = node.child(key.get()) {
                note(text, child, map.next_value()?, found).map_err(A::Error::custom)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Notes `value` for the columns of `node`, and its fields for those below.
fn note<'a>(
    text: Text<'a, '_>,
    node: &Node,
    value: &RawValue,
    found: &mut [Option<&'a str>],
) -> serde_json::Result<()> {
    for &column in &node.columns {
        found[column] = Some(text.original(value));
    }
    for child in &node.children {
        forget(child, found);
    }
    if !node.children.is_empty() && value.get().starts_with('{') {
        Deserializer::from_str(value.get()).deserialize_map(Object { text, node, found })?;
    }
    Ok(())
}

fn forget(node: &Node, found: &mut [Option<&str>]) {
    for &column in &node.columns {
        found[column] = None;
    }
    for child in &node.children {
        forget(child, found);
    }
}

impl Node {
    /// The child whose key is written as `raw`, in quotes.
    fn child(&self, raw: &str) -> Option<&Self> {
        if raw.contains('\\') {
            let key = string(raw);
            return self.children.iter().find(|child| child.key.as_bytes() == key.as_ref());
        }
        self.children.iter().find(|child| raw.get(1..raw.len() - 1) == Some(&child.key))
    }
}

/// The characters of a string in quotes, in UTF-8; a lone surrogate keeps its three-byte form, which Python reads with
/// `surrogatepass`.
pub(super) fn string(raw: &str) -> Cow<'_, [u8]> {
    // As bytes, not as a string, which would have to be free of lone surrogates. The text has been read before.
    Deserializer::from_str(raw).deserialize_bytes(Bytes).unwrap_or_default()
}

struct Bytes;

impl<'a> Visitor<'a> for Bytes {
    type Value = Cow<'a, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'a [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_what_python_accepts() {
        let texts = r#"
            0 | -0.0 | 1e400 | -1.5E+3 | 12345678901234567890123 | NaN | -Infinity | Infinity | true | null | "" | []
            "a\u00e9\ud800 \\ \" \/" | { } | [1, [2, {"a": [ ]}], "]"] | {"a":{"b":[{}]},"c":null}
            {"\ud800": [NaN,-Infinity,"NaN\"Infinity"]}"#;
        for text in texts.split(['|', '\n']).skip(1) {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        assert_eq!(check(&("[".repeat(100_000) + &"]".repeat(100_000))), Ok(()));
    }

    #[test]
    fn refuses_what_python_refuses() {
        // The last two lines would pass if the words were masked by a number, a string or a word.
        let texts = r#"
            | 01 | 1. | .5 | +1 | - | 1e | nan | inf | True | 'a' | "a | "\x" | "\u12g4" | [1,] | [1 2] | [ | ]
            {"a"} | {"a":1,} | {a:1} | {1:1} | [1} | 1 2 | [NaN,] | "NaN
            -NaN | --Infinity | 1NaN | NaN1 | NaNe5 | 1.NaN | 1eNaN | NaNNaN | 1-Infinity | {NaN:1} | NaN"" | NaN[]
            NaN NaN | "\NaN" | "\uNaN0""#;
        for text in texts.split(['|', '\n']).skip(1) {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("\"tab\t\"").is_err());
    }

    #[test]
    fn says_why_and_where() {
        let reason = |text: &str| check(text).unwrap_err();
        assert_eq!(reason("{\"a\": oops}"), "expected value at column 7");
        assert_eq!(reason("{\"a\": NaN, \"b\": [-Infinity, x]}"), "expected value at column 29");
        assert_eq!(reason("{\"a\": 1,\n \"b\": x}"), "expected value at line 2 column 7");
    }

    #[test]
    fn strings_keep_lone_surrogates() {
        let cases: [(&str, &[u8]); 5] = [
            ("\"plain\"", b"plain"),
            ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", b"\"\\/\x08\x0c\n\r\t"),
            ("\"\\u0041\\u00e9\\u20AC\"", "A\u{e9}\u{20ac}".as_bytes()),
            ("\"\\ud83d\\ude00!\"", "\u{1f600}!".as_bytes()),
            ("\"\\ud83d\\u0041\\ude00\"", b"\xed\xa0\xbdA\xed\xb8\x80"),
        ];
        for (raw, text) in cases {
            assert_eq!(string(raw).as_ref(), text, "{raw}");
        }
    }

    #[test]
    fn elements_are_the_texts_they_are() {
        let array = "[1e400, NaN, 12345678901234567890123 ,-0, \"\\ud800\", {\"a\": [-Infinity]}, []]";
        let parts = ["1e400", "NaN", "12345678901234567890123", "-0", "\"\\ud800\"", "{\"a\": [-Infinity]}", "[]"];
        assert_eq!(elements(array).unwrap(), parts);
    }

    /// JSON of Python, and the same with masks.
    fn pairs() -> impl Strategy<Value = (String, String)> {
        let word = |word: &str| {
            let mask = format!("[{}]", " ".repeat(word.len() - 2));
            Just((word.to_owned(), mask))
        };
        let text =
            r#"([NIa"\\\n-]|NaN|Infinity|-Infinity|é){0,5}"#.prop_map(|text| serde_json::to_string(&text).unwrap());
        let number = any::<f32>().prop_filter_map("finite", |x| x.is_finite().then(|| x.to_string()));
        let same = prop_oneof![text.clone(), number, Just("null".to_owned())].prop_map(|text| (text.clone(), text));
        let leaf = prop_oneof![word("NaN"), word("Infinity"), word("-Infinity"), same];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let blank = "[ \n]{0,2}";
            let list = (prop::collection::vec(inner.clone(), 0..5), blank).prop_map(|(items, blank)| {
                let (one, two): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (format!("[{}{blank}]", one.join(",")), format!("[{}{blank}]", two.join(",")))
            });
            let field = (text.clone(), blank, inner).prop_map(|(key, blank, (one, two))| {
                (format!("{key}:{blank}{one}{blank}"), format!("{key}:{blank}{two}{blank}"))
            });
            let object = prop::collection::vec(field, 0..5).prop_map(|fields| {
                let (one, two): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
                (format!("{{{}}}", one.join(", ")), format!("{{{}}}", two.join(", ")))
            });
            prop_oneof![list, object]
        })
    }

    proptest! {
        #[test]
        fn only_the_words_outside_strings_are_masked((python, strict) in pairs()) {
            prop_assert_eq!(masked(&python).unwrap_or_else(|| python.clone()), strict);
            prop_assert_eq!(check(&python), Ok(()));
        }

        #[test]
        fn masks_keep_every_place_of_any_text(text in r#"(NaN|Infinity|-|"|\\|[\[\]{}:,1e. é]){0,20}"#) {
            let strict = masked(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(strict.len(), text.len());
            for (old, new) in text.bytes().zip(strict.bytes()) {
                prop_assert!(old == new || (b"NaInfity-".contains(&old) && b"[ ]".contains(&new)));
            }
            prop_assert_eq!(masked(&strict), None);
            // No string of a text that is read has changed.
            if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
                prop_assert_eq!(strict, text);
            }
        }
    }
}
