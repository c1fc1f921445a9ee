//! Walks with their paths written, against the plain loop (one walk after another) in the same process.
//!
//! `cargo bench --bench walks -- [dense] [small] [medium] [large]`: the graphs are made by `benches/graphs.py`, which
//! needs NumPy. Ratio = mean of the plain loop just before and just after, divided by the kernel's time; the median over
//! interleaved repeats, and beside it the ratio of the quickest runs.

use slowthink::chains::matrix::{Dangling, MarkovChain, Meaning};
use slowthink::chains::{Starts, second_order, walk};
use slowthink::random::Seed;
use slowthink::run::Control;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// States of a walk, its start included: a row of the output is five cache lines.
const WIDTH: usize = 80;

const REPEATS: usize = 9;

/// One walk after another on one thread; `out` is (walks, steps + 1), row after row. Its loads are unchecked by
/// definition: checked ones would flatter the ratio.
///
/// # Safety
/// Rows, targets and starts must belong to one graph, and `out` hold the walks.
#[allow(unsafe_code)]
#[inline(never)]
unsafe fn plain(indptr: &[i64], indices: &[i32], start: &[i32], seed: u64, out: &mut [u32]) {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mut s = (z ^ (z >> 31)) | 1;
    for (row, &first) in out.chunks_exact_mut(WIDTH).zip(start) {
        let mut v = first;
        row[0] = v as u32;
        for to in &mut row[1..] {
            // SAFETY: v is a node of the graph, whose row lies within `indices`.
            unsafe {
                let begin = *indptr.get_unchecked(v as usize);
                let degree = (*indptr.get_unchecked(v as usize + 1) - begin) as u64;
                s ^= s << 13;
                s ^= s >> 7;
                s ^= s << 17;
                v = *indices.get_unchecked(begin as usize + (((s >> 32) * degree) >> 32) as usize);
            }
            *to = v as u32;
        }
    }
}

/// A vector on huge pages, as the chains have theirs: on small pages the plain loop would be slower.
fn huge<T: Copy>(values: impl ExactSizeIterator<Item = T>) -> Vec<T> {
    let mut vec = slowthink::huge_vec(values.len()).expect("memory");
    vec.extend(values);
    vec
}

/// The array in a `.npy` file of numbers of `SIZE` bytes.
fn npy<T: Copy, const SIZE: usize>(path: &Path, from: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    let bytes = std::fs::read(path).expect("a graph; see benches/graphs.py");
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    huge(bytes[header..].as_chunks().0.iter().map(|&number| from(number)))
}

struct Graph {
    indptr: Vec<i64>,
    indices: Vec<i32>,
    weights: Vec<f32>,
    start: Vec<i32>,
}

fn graph(name: &str) -> Graph {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder: PathBuf = root.join("target/graphs").join(name);
    if !folder.join("start.npy").exists() {
        let made = Command::new("python3").arg(root.join("benches/graphs.py")).arg(name).status();
        assert!(made.is_ok_and(|status| status.success()), "python3 benches/graphs.py {name} failed: it needs NumPy");
    }
    Graph {
        indptr: npy(&folder.join("indptr.npy"), i64::from_le_bytes),
        indices: npy(&folder.join("indices.npy"), i32::from_le_bytes),
        weights: npy(&folder.join("weights.npy"), f32::from_le_bytes),
        start: npy(&folder.join("start.npy"), i32::from_le_bytes),
    }
}

/// Nanoseconds to read one random line of `bytes` on huge pages, asked for 128 ahead, on each of `threads` threads.
fn probe(bytes: usize, threads: usize) -> f64 {
    const LINE: usize = 8;
    const READS: usize = 1 << 23;
    let memory = huge((0..bytes / 8).map(|i| i as u64));
    let lines = (memory.len() / LINE) as u64;
    let one = |thread: u64| {
        let (mut stream, mut ahead, mut sum) = (Seed::from_u64(1).stream(thread), [0usize; 128], 0u64);
        for read in 0..READS {
            let next = stream.below(lines) as usize * LINE;
            let lane = read % 128;
            sum = sum.wrapping_add(memory[ahead[lane]]);
            slowthink::prefetch(&memory, next);
            ahead[lane] = next;
        }
        black_box(sum);
    };
    let quickest = (0..5).map(|_| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 1..threads as u64 {
                scope.spawn(move || one(thread));
            }
            one(0);
        });
        start.elapsed().as_secs_f64()
    });
    quickest.fold(f64::INFINITY, f64::min) / READS as f64 * 1e9
}

/// Seconds that `work` takes.
fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The output: whole cache lines.
fn aligned(memory: &mut [u32], n_walks: usize) -> &mut [u32] {
    let skipped = memory.as_ptr().align_offset(64);
    &mut memory[skipped..][..n_walks * WIDTH]
}

struct Bench<'a> {
    graph: &'a Graph,
    n_walks: usize,
    out: Vec<u32>,
}

impl Bench<'_> {
    fn plain(&mut self) -> f64 {
        let Graph { indptr, indices, start, .. } = self.graph;
        let out = aligned(&mut self.out, self.n_walks);
        #[allow(unsafe_code)]
        // SAFETY: the arrays are those of one graph.
        seconds(|| unsafe { plain(indptr, indices, start, 1, out) })
    }

    /// Prints plain time, time and ratio of `kernel`, which fills the output.
    fn compare(&mut self, name: &str, mut kernel: impl FnMut(&mut [u32])) {
        let per_step = 1e9 / (self.n_walks * (WIDTH - 1)) as f64;
        let (mut ratios, mut least) = (Vec::new(), [f64::INFINITY; 2]);
        kernel(aligned(&mut self.out, self.n_walks));
        let mut before = self.plain();
        for _ in 0..REPEATS {
            let time = seconds(|| kernel(aligned(&mut self.out, self.n_walks)));
            let after = self.plain();
            ratios.push(f64::midpoint(before, after) / time);
            least = [least[0].min(before).min(after), least[1].min(time)];
            before = after;
        }
        ratios.sort_by(f64::total_cmp);
        let [plain, time] = least.map(|t| t * per_step);
        println!(
            "  {name:<28} {time:7.2} ns a step, plain {plain:6.1}; ratio {:5.1}, quiet {:5.1}",
            ratios[REPEATS / 2],
            plain / time
        );
    }
}

/// A dense chain of 100 states, 1e7 steps, one thread.
fn dense() {
    const STATES: usize = 100;
    const WALKS: usize = 126_582;
    const STEPS: usize = WIDTH - 1;
    let mut stream = Seed::from_u64(4).stream(0);
    let weights: Vec<f64> = (0..STATES * STATES).map(|_| stream.uniform()).collect();
    let control = Control::new(1);
    let matrix = slowthink::rows::Matrix::new(&weights, STATES, STATES);
    let chain = MarkovChain::from_dense(&matrix, Meaning::Weights(Dangling::Error), &control).expect("a chain");
    let starts = Starts::one(0, STATES).expect("a state");
    let mut memory = huge(vec![0; WALKS * WIDTH + 16].into_iter());
    let out = aligned(&mut memory, WALKS);
    let mut walk =
        || seconds(|| walk::walk(&chain, &starts, STEPS, &Seed::from_u64(1), 0, out, &control).expect("walks"));
    let least = (0..REPEATS).map(|_| walk()).fold(f64::INFINITY, f64::min);
    println!("dense chain of 100 states: {:.2} ns a step", least / (WALKS * STEPS) as f64 * 1e9);
}

/// How much more two threads do than one: the work that each does, over the time of both.
fn gain(mut seconds: impl FnMut(usize) -> f64) -> f64 {
    let mut least = |threads| (0..5).map(|_| seconds(threads)).fold(f64::INFINITY, f64::min);
    2.0 * least(1) / least(2)
}

/// Pure arithmetic on each of `threads` threads.
fn arithmetic(threads: usize) -> f64 {
    let one = |thread: u64| {
        let mut stream = Seed::from_u64(2).stream(thread);
        black_box((0..300_000_000u32).fold(0, |sum: u64, _| sum ^ stream.next_u64()));
    };
    seconds(|| {
        std::thread::scope(|scope| {
            for thread in 0..threads as u64 {
                scope.spawn(move || one(thread));
            }
        });
    })
}

fn measure(name: &str) {
    let graph = graph(name);
    let n_walks = if name == "small" { 200_000 } else { 100_000 };
    let (n_nodes, n_entries) = (graph.indptr.len() - 1, graph.indices.len());
    let out = huge(vec![0; n_walks * WIDTH + 16].into_iter());
    let mut bench = Bench { graph: &graph, n_walks, out };
    let starts: Vec<u32> = graph.start[..n_walks].iter().map(|&s| s as u32).collect();
    let starts = Starts::each(&starts, n_nodes).expect("nodes");
    let (seed, control) = (Seed::from_u64(1), Control::new(1));
    let plain = bench.plain().min(bench.plain()) * 1e9 / (n_walks * (WIDTH - 1)) as f64;
    println!("{name}: {n_nodes} nodes, {n_entries} entries");
    for weighted in [false, true] {
        // Where the tables lie in memory a step misses one line, that of the neighbour or of the slot.
        let bytes = 8 * n_nodes + if weighted { 16 } else { 4 } * n_entries;
        let line = probe(bytes, 1);
        println!("  {:.1} MB of tables: a random line {line:.1} ns, limit {:.1} x", bytes as f64 / 1e6, plain / line);
        let weights: Vec<f64> = graph.weights.iter().map(|&w| f64::from(w)).collect();
        let (values, meaning) = (weighted.then_some(&weights[..]), Meaning::Weights(Dangling::Error));
        let chain = MarkovChain::from_csr(&graph.indptr, &graph.indices, values, meaning, &control).expect("a chain");
        drop(weights);
        let kind = if weighted { "weighted" } else { "uniform" };
        let fill = |out: &mut [u32], control: &Control| {
            walk::walk(&chain, &starts, WIDTH - 1, &seed, 0, out, control).expect("walks");
        };
        bench.compare(kind, |out| fill(out, &control));
        let mut fresh = 0.0f64;
        for repeat in 0..REPEATS {
            let time = seconds(|| {
                let mut out = slowthink::huge_vec(n_walks * WIDTH).expect("memory");
                out.resize(n_walks * WIDTH, 0);
                fill(&mut out, &control);
            });
            fresh = if repeat == 0 { time } else { fresh.min(time) };
        }
        let per_step = 1e9 / (n_walks * (WIDTH - 1)) as f64;
        println!("  {:<28} {:7.2} ns a step, into an array that is new and zeroed", "", fresh * per_step);
        if !weighted {
            bench.compare("p = .5, q = 2", |out| {
                second_order::walk(&chain, &starts, WIDTH - 1, 0.5, 2.0, &seed, 0, out, &control).expect("walks");
            });
        }
        let rounds = if name == "small" { 40 } else { 10 };
        let out = aligned(&mut bench.out, n_walks);
        let walks = gain(|threads| {
            let control = Control::new(threads);
            seconds(|| (0..threads * rounds).for_each(|_| fill(out, &control)))
        });
        println!("  {kind} on two threads: {walks:.2} x one; random lines {:.2} x", gain(|t| probe(bytes, t)));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let names = if names.is_empty() { vec!["dense", "small", "medium", "large"] } else { names };
    println!(
        "instruction set: {}; two threads do {:.2} x the arithmetic of one",
        slowthink::instruction_set(),
        gain(arithmetic)
    );
    for name in names {
        if name == "dense" { dense() } else { measure(name) }
    }
}
