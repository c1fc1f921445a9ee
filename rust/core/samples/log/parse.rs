//! JSON as Python's `json` reads it: RFC 8259 with `NaN`, `Infinity` and `-Infinity`, and lone surrogates in strings.
//!
//! Most of a log is text nobody asked for, so a value is first *skipped* (and validated) and only the slices of the
//! wanted fields are looked at again. Logs written by Python hold `NaN` and `-Infinity` (log-probabilities do), which
//! is why this is not a parser for strict JSON.

use std::borrow::Cow;

/// Where a text stopped being JSON, and what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub at: usize,
    pub expected: &'static str,
}

type Parsed<T> = Result<T, Fault>;

/// A position in a text.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The open brackets of the value being skipped; kept to spare allocations.
    open: Vec<u8>,
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// The high bit of each byte of `word` that is zero; of the flagged bytes the lowest is always right.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: Vec::new() }
    }

    /// Moves to the beginning of another text.
    pub fn restart(&mut self, bytes: &'a [u8]) {
        (self.bytes, self.at) = (bytes, 0);
    }

    fn fault<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(Fault { at: self.at, expected })
    }

    /// The next byte that is no white space; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Passes `byte` if it comes next.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == byte && self.at < self.bytes.len();
        self.at += usize::from(taken);
        taken
    }

    pub fn expect(&mut self, byte: u8, expected: &'static str) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { self.fault(expected) }
    }

    /// Passes white space up to the end of the text.
    pub fn end(&mut self) -> Parsed<()> {
        self.peek();
        if self.at == self.bytes.len() { Ok(()) } else { self.fault("the end of the line") }
    }

    /// A key of an object and its colon: the bytes between the quotes.
    #[inline]
    pub fn key(&mut self) -> Parsed<&'a [u8]> {
        if self.peek() != b'"' {
            return self.fault("a key in double quotes");
        }
        let from = self.at + 1;
        self.skip_string()?;
        let key = &self.bytes[from..self.at - 1];
        self.expect(b':', "':'")?;
        Ok(key)
    }

    /// The bytes of the next value, validated.
    #[inline]
    pub fn value(&mut self) -> Parsed<&'a [u8]> {
        let first = self.peek();
        let from = self.at;
        match first {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_nested()?,
            _ => self.skip_plain()?,
        }
        Ok(&self.bytes[from..self.at])
    }

    /// Passes an object or array of any depth without recursion.
    fn skip_nested(&mut self) -> Parsed<()> {
        self.open.clear();
        loop {
            // A value begins here.
            match self.peek() {
                b'{' => {
                    self.at += 1;
                    if !self.take(b'}') {
                        self.open.push(b'{');
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if !self.take(b']') {
                        self.open.push(b'[');
                        continue;
                    }
                }
                b'"' => self.skip_string()?,
                _ => self.skip_plain()?,
            }
            // A value ended here.
            loop {
                match self.open.last().copied() {
                    None => return Ok(()),
                    Some(b'{') if self.take(b',') => {
                        self.key()?;
                        break;
                    }
                    Some(b'{') => self.expect(b'}', "',' or '}'")?,
                    Some(_) if self.take(b',') => break,
                    Some(_) => self.expect(b']', "',' or ']'")?,
                }
                self.open.pop();
            }
        }
    }

    /// Passes a string, from quote to quote.
    #[inline]
    fn skip_string(&mut self) -> Parsed<()> {
        self.at += 1;
        loop {
            // Eight bytes at a time: a quote, a backslash or a control character stops.
            while let Some(word) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()) {
                let word = u64::from_le_bytes(*word);
                let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
                let stops = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\'))) | control;
                if stops != 0 {
                    self.at += (stops.trailing_zeros() / 8) as usize;
                    break;
                }
                self.at += 8;
            }
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.skip_escape()?,
                Some(0x20..) => self.at += 1,
                Some(_) => return self.fault("no control character in a string"),
                None => return self.fault("the closing quote of a string"),
            }
        }
    }

    fn skip_escape(&mut self) -> Parsed<()> {
        self.at += 1;
        match self.bytes.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return self.fault("four hexadecimal digits after \\u");
                }
                self.at += 5;
            }
            _ => return self.fault("an escape such as \\n"),
        }
        Ok(())
    }

    /// Passes a number or a word.
    fn skip_plain(&mut self) -> Parsed<()> {
        let rest = &self.bytes[self.at..];
        let word: &[u8] = match rest {
            [b't', ..] => b"true",
            [b'f', ..] => b"false",
            [b'n', ..] => b"null",
            [b'N', ..] => b"NaN",
            [b'I', ..] => b"Infinity",
            [b'-', b'I', ..] => b"-Infinity",
            _ => b"",
        };
        if !word.is_empty() && rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        let start = self.at;
        let negative = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => {
                self.at = start;
                return self.fault("a value");
            }
        }
        // As in Python, a point or exponent without digits ends the number before it.
        let whole = self.at;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.skip_digits();
            if self.at == whole + 1 {
                self.at = whole;
                return Ok(());
            }
        }
        let mantissa = self.at;
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            let digits = self.at;
            self.skip_digits();
            if self.at == digits {
                self.at = mantissa;
            }
        }
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }
}

/// The characters of a string between its quotes, in UTF-8; a lone surrogate keeps its three-byte form, which Python
/// reads with `surrogatepass`.
pub(super) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else { return Cow::Borrowed(raw) };
    let mut text = raw[..first].to_vec();
    let mut rest = &raw[first..];
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        let [kind, tail @ ..] = rest else { break };
        rest = tail;
        match kind {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let mut code = hexadecimal(rest);
                rest = rest.get(4..).unwrap_or_default();
                if let ([b'\\', b'u', tail @ ..], 0xd800..0xdc00) = (rest, code) {
                    let low = hexadecimal(tail);
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                        rest = tail.get(4..).unwrap_or_default();
                    }
                }
                push_code_point(&mut text, code);
            }
            other => text.push(*other),
        }
    }
    Cow::Owned(text)
}

/// The value of the first four digits, which the scan has seen to be there.
fn hexadecimal(digits: &[u8]) -> u32 {
    digits.iter().take(4).fold(0, |value, &digit| value * 16 + char::from(digit).to_digit(16).unwrap_or(0))
}

fn push_code_point(text: &mut Vec<u8>, code: u32) {
    if let Some(character) = char::from_u32(code) {
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        // A surrogate: the same bit pattern that UTF-8 has for its neighbours.
        text.extend([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)].map(|byte| byte as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(text: &str) -> bool {
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.value().is_ok() && cursor.end().is_ok()
    }

    #[test]
    fn accepts_what_python_accepts() {
        for text in [
            "0",
            "-0.0",
            "1e400",
            "-1.5E+3",
            "12345678901234567890123",
            "NaN",
            "-Infinity",
            "Infinity",
            "true",
            "null",
            "\"\"",
            "\"a\\u00e9\\ud800 \\\\ \\\" \\/\"",
            "[]",
            " { } ",
            "[1, [2, {\"a\": [ ]}], \"]\"]",
            "{\"a\":{\"b\":[{}]},\"c\":null}",
            "\"long enough for a word or two\"",
        ] {
            assert!(skips(text), "{text}");
        }
        assert!(skips(&("[".repeat(100_000) + &"]".repeat(100_000))));
    }

    #[test]
    fn refuses_what_python_refuses() {
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "1e+",
            "nan",
            "inf",
            "True",
            "'a'",
            "\"a",
            "\"a\nb\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "[1,]",
            "[1 2]",
            "[",
            "[1",
            "]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{\"a\":1]",
            "[1}",
            "1 2",
            "\"tab\tinside a longer string\"",
            "\"\\",
        ] {
            assert!(!skips(text), "{text}");
        }
    }

    #[test]
    fn unescapes() {
        let cases: [(&str, &[u8]); 5] = [
            ("plain", b"plain"),
            ("\\\"\\\\\\/\\b\\f\\n\\r\\t", b"\"\\/\x08\x0c\n\r\t"),
            ("\\u0041\\u00e9\\u20AC", "A\u{e9}\u{20ac}".as_bytes()),
            ("\\ud83d\\ude00!", "\u{1f600}!".as_bytes()),
            ("\\ud83d\\u0041\\ude00", b"\xed\xa0\xbdA\xed\xb8\x80"),
        ];
        for (raw, text) in cases {
            assert_eq!(unescape(raw.as_bytes()).as_ref(), text, "{raw}");
        }
    }

    #[test]
    fn a_string_ends_at_its_quote_at_every_offset() {
        for n in 0..40 {
            for stop in ["\"", "\\\"", "\u{1}", "\u{e9}"] {
                let text = format!("\"{}{stop}{}\"", "x".repeat(n), "y".repeat(n % 11));
                let expected = match stop {
                    "\"" => n + 2,
                    "\u{1}" => 0,
                    _ => text.len(),
                };
                let mut cursor = Cursor::new(text.as_bytes());
                assert_eq!(cursor.value().map_or(0, <[u8]>::len), expected, "{text:?}");
            }
        }
    }
}
