use slowthink::problems::Problem;
use slowthink::random::{Seed, Stream};
use slowthink::run::Control;
use slowthink::trees::{Config, Forest};
use std::time::Instant;

fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
fn u01(h: u64) -> f32 {
    (h >> 40) as f32 * (1.0 / (1u32 << 24) as f32)
}

struct Syn(u32);
impl Problem for Syn {
    type State = u64;
    fn root(&self, tree: u64) -> u64 {
        mix(tree + 1)
    }
    fn n_actions(&self, _: &u64) -> u32 {
        self.0
    }
    #[inline(always)]
    fn step(&self, h: &mut u64, a: u32) -> f64 {
        *h = mix(*h ^ (u64::from(a) + 1));
        0.0
    }
    #[inline(always)]
    fn value(&self, h: &u64, _: &mut Stream) -> f64 {
        u01(mix(*h)).into()
    }
    #[inline(always)]
    fn branching(&self) -> Option<u32> {
        Some(self.0)
    }
}

struct Plain {
    n: Vec<u32>,
    w: Vec<f32>,
    first: Vec<u32>,
    path: Vec<u32>,
}
impl Plain {
    fn new() -> Self {
        Self { n: vec![], w: vec![], first: vec![], path: vec![] }
    }
    #[inline(never)]
    fn search(&mut self, key: u64, b: usize, s: usize) -> usize {
        self.n.clear();
        self.w.clear();
        self.first.clear();
        self.n.push(0);
        self.w.push(0.0);
        self.first.push(0);
        let c = 1.0f32;
        for _ in 0..s {
            let (mut u, mut d) = (0usize, 0);
            let mut h = mix(key);
            self.path.clear();
            loop {
                self.path.push(u as u32);
                if d >= 20 || self.n[u] == 0 {
                    break;
                }
                if self.first[u] == 0 {
                    self.first[u] = self.n.len() as u32;
                    let len = self.n.len() + b;
                    self.n.resize(len, 0);
                    self.w.resize(len, 0.0);
                    self.first.resize(len, 0);
                }
                let f = self.first[u] as usize;
                let l = (self.n[u] as f32).ln();
                let (n, w) = (&self.n[f..f + b], &self.w[f..f + b]);
                let (mut best, mut at) = (-1.0f32, 0);
                for i in 0..b {
                    let ni = n[i] as f32;
                    let score = if n[i] == 0 { 1e20 } else { w[i] / ni + c * (l / ni).sqrt() };
                    if score > best {
                        best = score;
                        at = i;
                    }
                }
                h = mix(h ^ (at as u64 + 1));
                u = f + at;
                d += 1;
            }
            let v = u01(mix(h));
            for &u in &self.path {
                self.n[u as usize] += 1;
                self.w[u as usize] += v;
            }
        }
        self.n.len()
    }
}

fn main() {
    for b in std::env::args().nth(1).map_or(vec![4u32, 32], |b| vec![b.parse().unwrap()]) {
        for s in std::env::args().nth(2).map_or(vec![1000u32, 100_000, 1_000_000], |s| vec![s.parse().unwrap()]) {
            let trees = (100_000 / s).max(1) as usize;
            let (mut best, mut ratio) = ([f64::MAX; 2], vec![]);
            let mut nodes = [0usize; 2];
            for _ in 0..7 {
                let t = Instant::now();
                let mut plain = Plain::new();
                nodes[0] = 0;
                for k in 1..=trees as u64 {
                    nodes[0] += plain.search(k, b as usize, s as usize);
                }
                let a = t.elapsed().as_secs_f64();
                let t = Instant::now();
                let config = Config { max_depth: 20, ..Config::default() };
                let mut forest = Forest::new(trees, config, Seed::from_u64(0), 0).unwrap();
                forest.run(&Syn(b), s, &Control::new(1)).unwrap();
                let z = t.elapsed().as_secs_f64();
                nodes[1] = forest.trees().iter().map(|t| t.arena().len()).sum();
                best[0] = best[0].min(a);
                best[1] = best[1].min(z);
                ratio.push(a / z);
                if ratio.len() == 7 {
                    println!(
                        "   bytes/slot {:.2}",
                        forest.trees().iter().map(|t| t.arena().n_bytes()).sum::<usize>() as f64 / nodes[1] as f64
                    );
                }
            }
            ratio.sort_by(f64::total_cmp);
            let sims = f64::from(s) * trees as f64 / 1e6;
            println!(
                "b={b} s={s}: plain {:.2} M/s, ours {:.2} M/s, ratio {:.2}, nodes {nodes:?}",
                sims / best[0],
                sims / best[1],
                ratio[3]
            );
        }
    }
}
