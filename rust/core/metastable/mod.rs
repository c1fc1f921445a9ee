//! Chain of thought as a metastable process (Kim, Wu, Lee and Suzuki 2025, arXiv 2502.01694): dense clusters of easy
//! steps, joined by sparse edges of probability epsilon.
//!
//! [`family`] makes such chains, and [`oracle`] knows their hitting times in closed form; [`meta_chain`] is the chain of
//! the clusters, [`search`] finds the edges between them. [`pretraining`], [`ppo`] and [`distill`] learn, by the policies of
//! [`softmax`]; [`local`] is a task that shows what a search is needed for.

pub mod distill;
pub mod family;
pub mod local;
pub mod meta_chain;
mod meta_graph;
pub mod oracle;
pub mod ppo;
pub mod pretraining;
pub mod search;
pub mod softmax;

pub use meta_graph::MetaGraph;
