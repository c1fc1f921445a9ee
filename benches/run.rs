//! What it costs to start a stream, to draw, and to share out items; each beside the plain form.
//!
//! Read the figures as time for one element (a stream, a draw, an item).

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::{Seed, Stream};
use slowthink::run::{Control, fill_rows};
use std::hint::black_box;

/// `SplitMix64`, about the cheapest generator there is: the baseline of a draw.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("random");
    let n = 4096u64;
    group.throughput(Throughput::Elements(n));
    let seed = black_box(Seed::from_u64(1));
    group.bench_function("splitmix64, one state", |b| {
        let mut state = 1;
        b.iter(|| (0..n).fold(0, |sum: u64, _| sum ^ splitmix(&mut state)));
    });
    group.bench_function("draw from one stream", |b| {
        let mut stream = seed.stream(0);
        b.iter(|| (0..n).fold(0, |sum: u64, _| sum ^ stream.next_u64()));
    });
    group.bench_function("draw from 64 streams in turn", |b| {
        let mut streams: Vec<Stream> = (0..64).map(|i| seed.stream(i)).collect();
        b.iter(|| {
            (0..n / 64).fold(0, |sum: u64, _| streams.iter_mut().fold(sum, |sum, stream| sum ^ stream.next_u64()))
        });
    });
    group.bench_function("below(1000) from one stream", |b| {
        let mut stream = seed.stream(0);
        b.iter(|| (0..n).fold(0, |sum: u64, _| sum ^ stream.below(1000)));
    });
    group.bench_function("start a stream and draw once", |b| {
        b.iter(|| (0..n).fold(0, |sum: u64, i| sum ^ seed.stream(i).next_u64()));
    });
    group.bench_function("start a child seed, a stream of it, and draw once", |b| {
        b.iter(|| (0..n).fold(0, |sum: u64, i| sum ^ seed.child(i).stream(0).next_u64()));
    });
    group.finish();
}

fn items(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("items");
    let mut out = vec![0u64; 1 << 20];
    group.throughput(Throughput::Elements(out.len() as u64));
    group.bench_function("plain loop", |b| {
        b.iter(|| {
            for (i, x) in black_box(&mut out).iter_mut().enumerate() {
                *x = black_box(i as u64);
            }
        });
    });
    for (threads, block) in [(1, 1), (1, 256), (2, 1), (2, 16), (2, 256)] {
        group.bench_function(format!("fill_rows, {threads} threads, blocks of {block}"), |b| {
            b.iter(|| {
                let control = Control::new(threads);
                fill_rows(
                    &mut out,
                    1,
                    block,
                    &control,
                    || (),
                    |(), item, row| {
                        row[0] = black_box(item as u64);
                        Ok(())
                    },
                )
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = streams, items }
criterion_main!(benches);
