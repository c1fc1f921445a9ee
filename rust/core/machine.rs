//! What this machine offers beyond plain Rust: its widest vector instructions, prefetch and huge pages. The wheel itself
//! stays portable.
//!
//! The kernels are plain Rust, vectorised by the compiler once for each instruction set. They multiply and add as
//! two operations and keep the order of each sum, so every form gives the same bits.

use crate::error::{Error, Result};

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

/// Asks for the cache line of `slice[index]` ahead of its use. Any `index` is allowed; one out of range does nothing.
#[inline(always)]
#[allow(unsafe_code, unused_variables)]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and never faults; the address is made without a claim that it is in bounds.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(index).cast()) }
    }
}

/// An empty vector with room for `capacity` elements, on huge pages where the system gives them: random reads over
/// gigabytes are then two to three times faster, since the addresses of their pages stay in the processor.
///
/// # Errors
/// [`Error::Memory`] where there is no room.
#[allow(unsafe_code)]
pub(crate) fn huge_vec<T: Copy>(capacity: usize) -> Result<Vec<T>> {
    let mut vec: Vec<T> = Vec::new();
    vec.try_reserve_exact(capacity).map_err(|_| Error::Memory(capacity.saturating_mul(size_of::<T>())))?;
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        let (start, bytes) = (vec.as_mut_ptr().addr(), vec.capacity() * size_of::<T>());
        let first = start.next_multiple_of(PAGE);
        if bytes >= 1 << 21 {
            // SAFETY: the range lies within memory that this vector owns; the advice changes nothing that it holds.
            unsafe {
                let pages = vec.as_mut_ptr().cast::<u8>().add(first - start);
                // Only advice: where it is refused the pages are ordinary ones.
                let _ = libc::madvise(pages.cast(), (start + bytes - first) / PAGE * PAGE, libc::MADV_HUGEPAGE);
            }
        }
    }
    Ok(vec)
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
