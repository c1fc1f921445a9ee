//! Score and value in one number, and a sorting network over such numbers.
//!
//! Most values are verdicts and most scores are of moderate size. Then one number holds both, in the order of the
//! scores: a comparison is one minimum and one maximum, and a sample half as much to move. Tied samples come in some
//! order of their values, which small whole numbers do not show: their sums are exact.

use super::{LANES, Lane, PADDING};
use crate::machine::each;

/// Bits for the value, which is a whole number below 2 to their number.
const BITS: u32 = 3;
const LARGEST: f64 = ((1_u64 << BITS) - 1) as f64;

/// The magnitudes of scores that fit, beside zero: from 2^-127 to below 2^127.
const LOW: u64 = 896 << 52;
const HIGH: u64 = 1150 << 52;

/// Where the last bit of a float is 1.
const UNITS: f64 = (1_u64 << 52) as f64;

/// Rows that a network holds in registers.
const ROWS: usize = 16;

/// The rows that [`sort`] wants for `n` of them.
pub(super) const fn padded(n: usize) -> usize {
    n.next_multiple_of(ROWS)
}

/// Packs a row of samples, scores times `sign`; the number of those with a score, or none where one does not fit.
#[inline(always)]
pub(super) fn pack(scores: &[f64], values: &[f64], sign: f64, keys: &mut [f64]) -> Option<usize> {
    let (mut bad, mut missing) = (0_u64, 0_u64);
    for ((&score, &value), key) in scores.iter().zip(values).zip(keys) {
        let bits = (sign * score).to_bits();
        let size = bits & (u64::MAX >> 1);
        let code = value + UNITS;
        let fits = ((size == 0) | ((size >= LOW) & (size < HIGH)))
            & (value >= 0.0)
            & (value <= LARGEST)
            & (code - UNITS == value);
        // Shifted by its bits the value leaves the exponent below that of infinity.
        let place = if size == 0 { 0 } else { (size.wrapping_sub(LOW) + 1) << BITS };
        let turned = if size == 0 { 0 } else { bits & (1 << 63) };
        let packed = f64::from_bits(turned | place | (code.to_bits() & ((1 << BITS) - 1)));
        let none = score.is_nan();
        *key = if none { PADDING } else { packed };
        bad |= u64::from(!(fits | none));
        missing += u64::from(none);
    }
    (bad == 0).then_some(scores.len() - missing as usize)
}

/// Whether two packed samples have the same score.
#[inline(always)]
pub(super) fn tied(a: f64, b: f64) -> bool {
    (a.to_bits() ^ b.to_bits()) >> BITS == 0
}

/// The value of a packed sample.
#[inline(always)]
pub(super) fn value(key: f64) -> f64 {
    f64::from_bits(UNITS.to_bits() | (key.to_bits() & ((1 << BITS) - 1))) - UNITS
}

/// Sorts each lane downwards: bitonic merges of 16 sorted rows, of 32 and so on (Batcher 1968), up to four layers of
/// a merge on 16 rows in registers. The number of rows is a multiple of 16; rows beyond the last count as padding,
/// which no comparison moves.
#[inline(always)]
pub(super) fn sort(keys: &mut [Lane]) {
    for rows in keys.as_chunks_mut::<ROWS>().0 {
        network::<16, Sort16>(rows);
    }
    let mut half = ROWS;
    while half < keys.len() {
        // The layers at distances of 16 rows and more; the one that mirrors comes first.
        let mut far = half.ilog2() - 3;
        let first = if far.is_multiple_of(4) { 4 } else { far % 4 };
        for start in (0..keys.len() - half).step_by(2 * half) {
            match first {
                1 => pass::<2, true, Mirror2>(keys, start, half),
                2 => pass::<4, true, Mirror4>(keys, start, half),
                3 => pass::<8, true, Mirror8>(keys, start, half),
                _ => pass::<16, true, Mirror16>(keys, start, half),
            }
        }
        far -= first;
        let mut distance = half >> first;
        while far > 0 {
            for start in (0..keys.len()).step_by(2 * distance) {
                pass::<16, false, Merge16>(keys, start, distance);
            }
            (far, distance) = (far - 4, distance >> 4);
        }
        for rows in keys.as_chunks_mut::<ROWS>().0 {
            network::<16, Merge16>(rows);
        }
        half *= 2;
    }
}

/// As many layers as fit R rows, from the one at `distance` on, over the 2 `distance` rows from `start`. With
/// `MIRROR` the first layer compares the first row with the last, the second with the last but one, and so on.
#[inline(always)]
fn pass<const R: usize, const MIRROR: bool, L: Layers<R>>(keys: &mut [Lane], start: usize, distance: usize) {
    let step = 2 * distance / R;
    for i in 0..step {
        let mut index = [0; R];
        for q in 0..R {
            let upper = MIRROR & (q >= R / 2);
            index[q] = start + q * step + if upper { step - 1 - i } else { i };
        }
        let mut rows = [[PADDING; LANES]; R];
        for q in 0..R {
            if let Some(row) = keys.get(index[q]) {
                rows[q] = *row;
            }
        }
        network::<R, L>(&mut rows);
        for q in 0..R {
            if let Some(row) = keys.get_mut(index[q]) {
                *row = rows[q];
            }
        }
    }
}

/// Applies the layers to the rows, lane by lane.
#[inline(always)]
fn network<const R: usize, L: Layers<R>>(rows: &mut [Lane; R]) {
    for l in 0..LANES {
        let mut a = each(|i| rows[i][l]);
        L::apply(&mut a);
        for i in 0..R {
            rows[i][l] = a[i];
        }
    }
}

/// Layers of comparisons over R elements. A trait, since a function handed over is not inlined for certain.
trait Layers<const R: usize> {
    fn apply(a: &mut [f64; R]);
}

macro_rules! layers {
    ($($name:ident: $rows:literal [$($mask:literal)+],)+) => {
        $(struct $name;
        impl Layers<$rows> for $name {
            #[inline(always)]
            fn apply(a: &mut [f64; $rows]) {
                $(layer::<$rows, $mask>(a);)+
            }
        })+
    };
}

layers! {
    Sort16: 16 [1 3 1 7 2 1 15 4 2 1],
    Merge16: 16 [8 4 2 1],
    Mirror16: 16 [15 4 2 1],
    Mirror8: 8 [7 2 1],
    Mirror4: 4 [3 1],
    Mirror2: 2 [1],
}

/// Puts elements `i` and `i ^ MASK` in order, for every i.
#[inline(always)]
fn layer<const R: usize, const MASK: usize>(a: &mut [f64; R]) {
    for i in 0..R {
        let j = i ^ MASK;
        if i < j {
            let (x, y) = (a[i], a[j]);
            a[i] = if x < y { y } else { x };
            a[j] = if x < y { x } else { y };
        }
    }
}
