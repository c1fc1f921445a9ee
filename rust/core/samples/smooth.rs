//! Rows that vary smoothly along their columns, as a few coordinates each.

use crate::error::Result;
use crate::machine::{Kernel, widest};
use crate::run::Control;

/// Products summed side by side.
const LANES: usize = 16;

/// Largest entry of a row that its coordinates may miss, as a fraction of the largest entry of all.
const TOLERANCE: f64 = 1e-10;

/// Rows as coordinates in a basis of `rank` directions.
pub(crate) struct Compressed {
    /// (rank, K).
    pub(crate) basis: Vec<f64>,
    /// Of each row; those beyond its length are 0.
    pub(crate) coordinates: Vec<Vec<f64>>,
    width: usize,
}

impl Compressed {
    pub(crate) fn rank(&self) -> usize {
        self.basis.len() / self.width
    }
}

/// Gram-Schmidt over the rows: what is left of a row once its coordinates are taken off becomes a new direction where
/// it is not negligible. None when that takes more than `most` directions.
pub(crate) fn compress<'a>(
    n_rows: usize,
    width: usize,
    most: usize,
    row: impl Fn(usize) -> &'a [f64],
    control: &Control,
) -> Result<Option<Compressed>> {
    let largest = (0..n_rows).flat_map(|i| row(i).iter()).fold(0.0f64, |a, x| a.max(x.abs()));
    let mut space = Compressed { basis: Vec::new(), coordinates: vec![Vec::new(); n_rows], width };
    // Neighbouring rows are alike: a stride near the golden section meets the variety early, and so finds
    // directions that are long.
    let mut stride = ((n_rows as f64 * 0.618) as usize).max(1);
    while gcd(stride, n_rows) != 1 {
        stride += 1;
    }
    let mut rest = vec![0.0; width];
    for i in 0..n_rows {
        control.check()?;
        let place = (i * stride) % n_rows;
        rest.copy_from_slice(row(place));
        let mut coordinates = Vec::with_capacity(space.rank() + 1);
        widest(Project { basis: &space.basis, rest: &mut rest, coordinates: &mut coordinates });
        if rest.iter().any(|x| x.abs() > TOLERANCE * largest) {
            if space.rank() == most {
                return Ok(None);
            }
            let norm = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
            coordinates.push(norm);
            space.basis.extend(rest.iter().map(|x| x / norm));
        }
        space.coordinates[place] = coordinates;
    }
    Ok(Some(space))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Takes off `rest` its component along each direction in turn. The coordinates are exactly what was taken off, so
/// that their error is what is left, however orthogonal the directions are.
struct Project<'a> {
    basis: &'a [f64],
    rest: &'a mut [f64],
    coordinates: &'a mut Vec<f64>,
}

impl Kernel for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for direction in self.basis.chunks_exact(self.rest.len()) {
            let mut lanes = [0.0; LANES];
            let (mut a, mut b) = (self.rest.chunks_exact(LANES), direction.chunks_exact(LANES));
            for (x, y) in (&mut a).zip(&mut b) {
                for j in 0..LANES {
                    lanes[j] += x[j] * y[j];
                }
            }
            let tail: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
            let coordinate = lanes.iter().sum::<f64>() + tail;
            for (x, y) in self.rest.iter_mut().zip(direction) {
                *x -= coordinate * y;
            }
            self.coordinates.push(coordinate);
        }
    }
}
