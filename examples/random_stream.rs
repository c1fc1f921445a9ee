//! Writes the raw 64-bit words of slowthink's streams to standard output, for a statistical battery to read:
//!
//! ```text
//! cargo run --release --example random_stream -- streams | dieharder -g 200 -a
//! ```
//!
//! `one`: one stream. The others interleave: `streams` takes one word from each of 2^20 consecutive streams of a seed
//! in turn, round after round; `seeds` from the same stream of 2^20 seeds made of consecutive numbers; `words` of 2^20
//! seeds whose first words are consecutive and whose other words are zero. `starts`: the first word of stream 0, 1, 2
//! and so on without end, which tests the hash that starts a stream and nothing else. A number after the mode gives
//! other seeds, for a second look.

use slowthink::random::{Seed, Stream};
use std::io::{self, Write};

/// How many streams are interleaved.
const WIDTH: u64 = 1 << 20;

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let number: u64 = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    let seed = Seed::from_u64(2026 + number);
    let consecutive = number * WIDTH..(number + 1) * WIDTH;
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let ended = match mode.as_str() {
        "one" => interleave(vec![seed.stream(0)], &mut out),
        "streams" => interleave((0..WIDTH).map(|i| seed.stream(i)).collect(), &mut out),
        "seeds" => interleave(consecutive.map(|i| Seed::from_u64(i).stream(0)).collect(), &mut out),
        "words" => interleave(consecutive.map(|i| Seed::from_words([i, 0, 0, 0]).stream(0)).collect(), &mut out),
        "starts" => (0..).try_for_each(|i| out.write_all(&seed.stream(i).next_u64().to_le_bytes())),
        _ => {
            eprintln!("usage: random_stream one|streams|seeds|words|starts [NUMBER]");
            std::process::exit(2);
        }
    };
    // The reader closes the pipe when it has enough: the ordinary end.
    drop((ended, out.into_parts()));
}

fn interleave(mut streams: Vec<Stream>, out: &mut impl Write) -> io::Result<()> {
    loop {
        for stream in &mut streams {
            out.write_all(&stream.next_u64().to_le_bytes())?;
        }
    }
}
