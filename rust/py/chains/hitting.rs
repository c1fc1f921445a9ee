//! Wrappers of `slowthink::chains::hitting`.

use crate::chains::matrix::Chain;
use crate::chains::starts::WalksArgument;
use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::chains::hitting::{self, Jumping, StateSet};
use slowthink::error::invalid;

/// What is jumped: whether to look for it, or the labels of the sets.
#[derive(FromPyObject)]
pub enum JumpsArgument<'py> {
    Auto(bool),
    Labels(PyReadonlyArray1<'py, i64>),
}

/// Fills `out` (W, 2) with the time at which each walk first is in one of `targets`, and that state; -1 where it is not.
/// The steps of the walks are the most that they take.
#[pyfunction]
pub fn sample_hitting_times(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    targets: PyReadonlyArray1<'_, u32>,
    jumps: JumpsArgument<'_>,
    mut out: PyReadwriteArray2<'_, i64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain) + 30.0 * chain.n_transitions() as f64);
    let mut set = StateSet::new(chain.n_states());
    for (index, &state) in targets.as_slice()?.iter().enumerate() {
        if state as usize >= chain.n_states() {
            let rule = format!("be below the number of states, {}", chain.n_states());
            return Err(to_python(invalid("targets", &[index], state, rule)));
        }
        set.insert(state);
    }
    let jumping = match &jumps {
        JumpsArgument::Labels(labels) => Jumping::Labels(labels.as_slice()?),
        JumpsArgument::Auto(true) => Jumping::Auto,
        JumpsArgument::Auto(false) => Jumping::Never,
    };
    let out = out.as_slice_mut()?;
    run(py, &options, work, |control| hitting::sample_hitting_times(chain, &walks, &set, jumping, out, control))
}
