//! What this machine offers beyond plain Rust: its widest vector instructions, prefetch and huge pages. The wheel itself
//! stays portable.
//!
//! The kernels are plain Rust, vectorised by the compiler once for each instruction set. They multiply and add as
//! two operations and keep the order of each sum, so every form gives the same bits.

use crate::error::{Error, Result};
use std::alloc::{Layout, alloc, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A piece of work whose `run` is inlined into each of the compiled forms. Mark `run`, and what it calls in its inner
/// loops, `#[inline(always)]`.
pub(crate) trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// The array of `f(lane)`. A step of arithmetic over lanes is best written as a few of these: small enough to be
/// unrolled, each becomes vector instructions on registers, where one long loop would go through memory.
#[inline(always)]
#[allow(clippy::inline_always, clippy::needless_range_loop)]
pub(crate) fn each<T: Copy + Default, const N: usize>(f: impl Fn(usize) -> T) -> [T; N] {
    let mut out = [T::default(); N];
    for l in 0..N {
        out[l] = f(l);
    }
    out
}

/// Asks for the cache line of `slice[index]` ahead of its use, into the second level of cache, which can wait for twice
/// as many lines at once as the first: a random line then costs 4 ns, not 11. Any `index` is allowed; one out of range does nothing.
#[inline(always)]
#[allow(unsafe_code, unused_variables)]
pub fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and never faults; the address is made without a claim that it is in bounds.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(slice.as_ptr().wrapping_add(index).cast()) }
    }
}

/// [`prefetch`] for all cache lines of a large element.
#[inline(always)]
#[allow(unsafe_code, unused_variables)]
pub(crate) fn prefetch_whole<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = slice.as_ptr().wrapping_add(index).cast::<i8>();
        for line in (0..size_of::<T>()).step_by(64) {
            // SAFETY: as for `prefetch`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line)) }
        }
    }
}

const HUGE_PAGE: usize = 2 << 20;

/// Asks the system for huge pages under a block that the caller owns. Only advice: without it the pages are ordinary.
#[allow(unsafe_code, unused_variables)]
fn advise_huge(start: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        let lost = start.addr().next_multiple_of(PAGE) - start.addr();
        if bytes >= HUGE_PAGE {
            // SAFETY: the range lies within the caller's block; the advice changes nothing that it holds.
            unsafe {
                libc::madvise(start.add(lost).cast(), (bytes - lost) / PAGE * PAGE, libc::MADV_HUGEPAGE);
            }
        }
    }
}

/// An empty vector with room for `capacity` elements, on huge pages where the system gives them: random reads over
/// gigabytes are then two to three times faster, since the addresses of their pages stay in the processor.
///
/// # Errors
/// [`Error::Memory`] where there is no room.
pub fn huge_vec<T: Copy>(capacity: usize) -> Result<Vec<T>> {
    let mut vec: Vec<T> = Vec::new();
    vec.try_reserve_exact(capacity).map_err(|_| Error::Memory(capacity.saturating_mul(size_of::<T>())))?;
    advise_huge(vec.as_mut_ptr().cast(), vec.capacity() * size_of::<T>());
    Ok(vec)
}

/// Makes room for `more` elements, at least doubling what there is, as [`huge_vec`] does.
///
/// # Errors
/// [`Error::Memory`] where there is no room.
#[inline]
pub(crate) fn reserve_huge<T: Copy>(vec: &mut Vec<T>, more: usize) -> Result<()> {
    #[cold]
    fn grow<T: Copy>(vec: &mut Vec<T>, more: usize) -> Result<()> {
        let mut larger = huge_vec((vec.len().saturating_add(more)).max(2 * vec.capacity()).max(8))?;
        larger.extend_from_slice(vec);
        *vec = larger;
        Ok(())
    }
    if vec.capacity() - vec.len() < more { grow(vec, more) } else { Ok(()) }
}

/// Zeroed words that begin at a huge page, and lie on huge pages where the system gives them: the addresses of a table
/// of 2 MB are then one entry of the processor's translations, not five hundred.
#[derive(Debug)]
pub(crate) struct HugeWords {
    start: NonNull<u64>,
    n_words: usize,
}

// SAFETY: the words are owned, and plain numbers.
#[allow(unsafe_code)]
unsafe impl Send for HugeWords {}
// SAFETY: likewise; shared access only reads.
#[allow(unsafe_code)]
unsafe impl Sync for HugeWords {}

#[allow(unsafe_code, clippy::cast_ptr_alignment)] // the layout is aligned to 64 bytes at least
impl HugeWords {
    /// `n_words` zeros, or `None` where there is no room for them.
    pub(crate) fn zeroed(n_words: usize) -> Option<Self> {
        let layout = Self::layout(n_words)?;
        // SAFETY: the layout has a positive size.
        let start = NonNull::new(unsafe { alloc(layout) }.cast::<u64>())?;
        advise_huge(start.as_ptr().cast(), layout.size());
        // SAFETY: the block holds at least that many words, and zeros are words.
        unsafe { start.write_bytes(0, n_words) };
        Some(Self { start, n_words })
    }

    /// Whole huge pages for what fills an eighth of one; less memory needs none.
    fn layout(n_words: usize) -> Option<Layout> {
        let bytes = n_words.checked_mul(size_of::<u64>())?.max(64);
        let align = if bytes < HUGE_PAGE / 8 { 64 } else { HUGE_PAGE };
        Layout::from_size_align(bytes.checked_next_multiple_of(align)?, align).ok()
    }
}

#[allow(unsafe_code)]
impl Drop for HugeWords {
    fn drop(&mut self) {
        if let Some(layout) = Self::layout(self.n_words) {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

#[allow(unsafe_code)]
impl Deref for HugeWords {
    type Target = [u64];
    fn deref(&self) -> &[u64] {
        // SAFETY: that many initialised words, owned by `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.n_words) }
    }
}

#[allow(unsafe_code)]
impl DerefMut for HugeWords {
    fn deref_mut(&mut self) -> &mut [u64] {
        // SAFETY: likewise, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.n_words) }
    }
}

/// Steps of a tile: as many numbers as a cache line holds.
pub(crate) const TILE: usize = 16;

/// Writes the first `steps` lines of a tile as columns `column..column + steps` of `rows`, one row of `width` numbers for
/// each lane. With `stream` the numbers go past the caches: whole lines of an output too large for them are then not
/// read before they are written. Such stores need [`streamed`] after the last.
///
/// # Panics
/// If the rows are more than the lanes, or the columns not within them.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn store_tile<const LANES: usize>(
    tile: &[[u32; LANES]; TILE],
    steps: usize,
    rows: &mut [u32],
    width: usize,
    column: usize,
    stream: bool,
) {
    let n_rows = rows.len() / width;
    assert!(n_rows <= LANES && steps <= TILE && column + steps <= width, "a tile lies within its rows");
    let whole = if cfg!(target_arch = "x86_64") { 4 } else { usize::MAX };
    let (whole_rows, whole_steps) = (n_rows / whole * 4, steps / whole * 4);
    #[cfg(target_arch = "x86_64")]
    {
        let (rows, stream) = (&mut rows[..whole_rows * width], stream && steps == TILE);
        // SAFETY: SSE2 is part of the baseline.
        unsafe { store_blocks(tile, whole_steps, rows, width, column, stream) };
    }
    for (lane, row) in rows.chunks_exact_mut(width).enumerate() {
        let done = if lane < whole_rows { whole_steps } else { 0 };
        for step in done..steps {
            row[column + step] = tile[step][lane];
        }
    }
}

/// [`store_tile`] in blocks of four rows and four steps, of which both must be whole.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[allow(unsafe_code, clippy::cast_ptr_alignment)] // aligned where it must be, as tested below
fn store_blocks<const LANES: usize>(
    tile: &[[u32; LANES]; TILE],
    steps: usize,
    rows: &mut [u32],
    width: usize,
    column: usize,
    stream: bool,
) {
    use std::arch::x86_64::{__m128i, _mm_storeu_si128, _mm_stream_si128};
    use std::arch::x86_64::{_mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi32, _mm_unpacklo_epi64};
    let n_rows = rows.len() / width;
    let blocks = n_rows.is_multiple_of(4) && steps.is_multiple_of(4);
    assert!(blocks && n_rows <= LANES && steps <= TILE && column + steps <= width, "whole blocks within the rows");
    let stream = stream && width.is_multiple_of(4) && (rows.as_ptr().addr() + 4 * column).is_multiple_of(16);
    for lane in (0..n_rows).step_by(4) {
        for step in (0..steps).step_by(4) {
            // SAFETY: `lane + 4 <= LANES`, and the load needs no alignment.
            let load = |step: usize| unsafe { tile[step].as_ptr().add(lane).cast::<__m128i>().read_unaligned() };
            let (a, b, c, d) = (load(step), load(step + 1), load(step + 2), load(step + 3));
            let (lower, lower2) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
            let (upper, upper2) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
            let columns = [
                _mm_unpacklo_epi64(lower, lower2),
                _mm_unpackhi_epi64(lower, lower2),
                _mm_unpacklo_epi64(upper, upper2),
                _mm_unpackhi_epi64(upper, upper2),
            ];
            for (row, numbers) in columns.into_iter().enumerate() {
                // SAFETY: row `lane + row` exists and holds the columns. Streaming stores are used only where the
                // first is aligned to 16 bytes and the rows keep it so.
                unsafe {
                    let to = rows.as_mut_ptr().add((lane + row) * width + column + step).cast::<__m128i>();
                    if stream { _mm_stream_si128(to, numbers) } else { _mm_storeu_si128(to, numbers) }
                }
            }
        }
    }
}

/// Makes streamed stores visible to other threads.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn streamed() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a fence touches no memory; SSE is part of the baseline.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Runs `kernel` in the widest form this machine has: AVX-512, AVX2 or the baseline.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(crate) fn widest<K: Kernel>(kernel: K) -> K::Output {
    #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
    match level() {
        // SAFETY: `level` says AVX-512 only where each of the features named above was detected.
        Level::Avx512 => unsafe { avx512(kernel) },
        // SAFETY: likewise for AVX2.
        Level::Avx2 => unsafe { avx2(kernel) },
        Level::Baseline => kernel.run(),
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn widest<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// The instruction sets a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Avx512,
    Avx2,
    Baseline,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Baseline => "baseline",
        }
    }
}

/// The widest level of this machine, or what `SLOWTHINK_SIMD=avx2|baseline` lowers it to.
pub(crate) fn level() -> Level {
    use std::sync::OnceLock;
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let most = std::env::var("SLOWTHINK_SIMD").unwrap_or_default();
        match (detected(), most.as_str()) {
            (_, "baseline") | (Level::Baseline, _) => Level::Baseline,
            (_, "avx2") | (Level::Avx2, _) => Level::Avx2,
            (Level::Avx512, _) => Level::Avx512,
        }
    })
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Level {
    let bits = is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt");
    if !(bits && is_x86_feature_detected!("avx2")) {
        return Level::Baseline;
    }
    let wide = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    if wide { Level::Avx512 } else { Level::Avx2 }
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Level {
    Level::Baseline
}
