//! Chain of thought as a metastable process (Kim, Wu, Lee and Suzuki 2025, arXiv 2502.01694): dense clusters of easy
//! steps, joined by sparse edges of probability epsilon.
//!
//! [`family`] makes such chains, [`oracle`] knows their hitting times in closed form.

pub mod family;
pub mod oracle;

mod meta_graph;

pub use meta_graph::MetaGraph;
