//! How a forest searches: its policy and the rules that hold for all policies.

use super::budgets::Budget;
use crate::error::{Result, invalid};

/// What a child that was never asked for is worth to the search, seen from its parent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fpu {
    /// More than any other child: all children are tried, in order, before one is tried again.
    Infinity,
    /// This value.
    Constant(f64),
    /// The parent's value less this.
    ParentMinus(f64),
    /// The child's prior probability.
    Prior,
}

/// How PUCT brings values to the scale of its bonus; names as in mctx.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum QTransform {
    /// Values as they are; children never asked for take the first-play urgency.
    Raw,
    /// The least of the values of the node and its evaluated children becomes 0, the greatest 1.
    ParentAndSiblings,
    /// `min` becomes 0 and `max` 1.
    MinMax {
        /// The value that becomes 0, which children never asked for take.
        min: f64,
        /// The value that becomes 1.
        max: f64,
    },
}

/// UCT (Kocsis and Szepesvari 2006): value + c sqrt(ln N / n).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uct {
    /// Weight of the bonus.
    pub c: f64,
    /// Value of children never asked for.
    pub fpu: Fpu,
}

/// PUCT (Silver et al. 2017, with the logarithm of MuZero): value + prior sqrt(N) / (1 + n) (init + ln((N + base + 1) / base)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Puct {
    /// Weight of the bonus.
    pub pb_c_init: f64,
    /// Visits at which the weight begins to grow.
    pub pb_c_base: f64,
    /// How values are scaled.
    pub q_transform: QTransform,
    /// Value of children never asked for, where the transform leaves values as they are.
    pub fpu: Fpu,
    /// Share of noise in the priors of the root's children.
    pub dirichlet_fraction: f64,
    /// Concentration of that noise.
    pub dirichlet_alpha: f64,
}

impl Default for Puct {
    /// As in mctx, but for noise: none.
    fn default() -> Self {
        Self {
            pb_c_init: 1.25,
            pb_c_base: 19652.0,
            q_transform: QTransform::ParentAndSiblings,
            fpu: Fpu::Constant(0.0),
            dirichlet_fraction: 0.0,
            dirichlet_alpha: 0.3,
        }
    }
}

/// Gumbel MuZero (Danihelka et al. 2022): sequential halving at the root, completed Q-values below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gumbel {
    /// Actions that compete at the root.
    pub max_num_considered_actions: u32,
    /// Scale of the Gumbel noise on the root's logits; 0 for none.
    pub gumbel_scale: f64,
    /// Scale of values against logits.
    pub value_scale: f64,
    /// Visits added to the most visited child's in that scale.
    pub maxvisit_init: f64,
    /// Whether values are brought to 0..1 first.
    pub rescale_values: bool,
}

/// AB-MCTS-A (Inoue et al. 2025): Thompson sampling between generating another child of a node and going on below those
/// there are. What it takes scores to be drawn from, with the prior; names as in Murphy's normal-inverse-chi-squared law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Thompson {
    /// A normal law of unknown mean and variance.
    Gaussian {
        /// Prior mean.
        m: f64,
        /// How many scores the prior mean is worth.
        kappa: f64,
        /// How many scores the prior variance is worth.
        nu: f64,
        /// Prior variance.
        tau_square: f64,
    },
    /// A Bernoulli law whose probability has a beta law; scores lie in 0..1.
    Beta {
        /// Prior successes.
        alpha: f64,
        /// Prior failures.
        beta: f64,
    },
}

impl Thompson {
    /// The normal model, with the prior of the authors' program.
    pub const GAUSSIAN: Self = Self::Gaussian { m: 0.0, kappa: 1.0, nu: 1.0, tau_square: 0.1 };
    /// The beta model, with Jeffreys' prior.
    pub const BETA: Self = Self::Beta { alpha: 0.5, beta: 0.5 };
}

/// Orders in which trees are grown without values of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Children of the best node seen so far.
    BestFirst,
    /// Level by level, keeping the best `width`.
    Beam {
        /// Nodes kept at each level.
        width: u32,
    },
    /// `width` subtrees of the root, each a greedy search of its own (diverse verifier tree search).
    Dvts {
        /// Subtrees.
        width: u32,
    },
    /// All nodes of a level before the next level.
    BreadthFirst,
    /// The first child's subtree before the second child.
    DepthFirst,
    /// `n` chains from the root.
    BestOfN {
        /// Chains.
        n: u32,
    },
}

/// Which leaf is asked for next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// Upper confidence bounds.
    Uct(Uct),
    /// The same with priors.
    Puct(Puct),
    /// Sequential halving and completed values.
    Gumbel(Gumbel),
    /// Thompson sampling with an arm that generates.
    Thompson(Thompson),
    /// An order of growth.
    Frontier(Order),
}

/// What a node is worth, given what was found below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// The mean over its own evaluation and all returns from below.
    Mean,
    /// The best evaluated child's; its own evaluation where there is none.
    Max,
    /// The mean over simulations of the least evaluation between the node and the leaf.
    Min,
    /// The geometric mean over simulations of the product of evaluations between the node and the leaf, kept in logs.
    Product,
    /// The mean over simulations of the leaf's evaluation: rewards do not count.
    Last,
}

/// How evaluations in flight weigh on the choice of the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InFlight {
    /// They count as visits, and leave values alone (WU-UCT: Liu et al. 2020).
    Count,
    /// They count as visits of this value, seen from the parent.
    VirtualLoss(f64),
}

/// Progressive widening: a node has at most `k n^alpha` children, pending ones counted, n visits with those in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Widening {
    /// Children at the first visit.
    pub k: f64,
    /// Exponent of the visits.
    pub alpha: f64,
}

/// How a forest searches.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which leaf is asked for next.
    pub policy: Policy,
    /// Multiplies a value at each step up; -1 where two players alternate and gains sum to zero.
    pub discount: f64,
    /// What a node is worth.
    pub backup: Backup,
    /// How evaluations in flight weigh.
    pub in_flight: InFlight,
    /// Nodes at this depth have no children.
    pub max_depth: u32,
    /// Simulations of a tree.
    pub n_simulations: Option<u32>,
    /// Children come one by one, as this rule allows; `None` where all are known when a node is told.
    pub widening: Option<Widening>,
    /// Proven nodes: the least and the greatest value there is, for whoever is to move.
    pub solver: Option<(f64, f64)>,
    /// Where children come one by one, one whose payload a sibling told before is kept but never gone below: it counts for
    /// the sibling's prior.
    pub deduplicate: bool,
    /// Whether states of the same key are one node.
    pub transpositions: bool,
    /// What ends a search.
    pub budget: Budget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policy: Policy::Uct(Uct { c: 1.0, fpu: Fpu::Infinity }),
            discount: 1.0,
            backup: Backup::Mean,
            in_flight: InFlight::Count,
            max_depth: u32::MAX,
            n_simulations: None,
            widening: None,
            solver: None,
            deduplicate: false,
            transpositions: false,
            budget: Budget::default(),
        }
    }
}

impl Config {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) names the parameter and its rule.
    pub fn check(&self) -> Result<()> {
        if !(self.discount.abs() <= 1.0 && self.discount != 0.0) {
            return Err(invalid("discount", &[], self.discount, "be between -1 and 1, and not 0"));
        }
        if let Some(Widening { k, alpha }) = self.widening {
            positive("widening k", k)?;
            if !(0.0..=1.0).contains(&alpha) {
                return Err(invalid("widening alpha", &[], alpha, "be between 0 and 1"));
            }
        }
        if let InFlight::VirtualLoss(value) = self.in_flight {
            finite("in_flight", value)?;
        }
        if let Some((low, high)) = self.solver {
            finite("value_bounds", low)?;
            finite("value_bounds", high)?;
            if low >= high {
                return Err(invalid("value_bounds", &[], format!("({low}, {high})"), "be in increasing order"));
            }
        }
        if self.n_simulations == Some(0) {
            return Err(invalid("n_simulations", &[], 0, "be at least 1"));
        }
        if let Policy::Gumbel(_) = self.policy {
            if self.n_simulations.is_none() {
                let rule = "be given to Gumbel, whose sequential halving shares it out among actions";
                return Err(invalid("n_simulations", &[], "None", rule));
            }
            if self.widening.is_some() {
                return Err(invalid("widening", &[], "a rule", "be None with Gumbel, which compares all actions"));
            }
        }
        if let (Policy::Puct(Puct { dirichlet_fraction, .. }), Some(_)) = (self.policy, self.widening)
            && dirichlet_fraction > 0.0
        {
            return Err(invalid("dirichlet_fraction", &[], dirichlet_fraction, "be 0 with widening"));
        }
        if self.transpositions {
            super::graph::check(self)?;
        }
        self.budget.check(self)?;
        if self.deduplicate && !self.is_open() {
            return Err(invalid("deduplicate", &[], true, "be false where the number of children is told"));
        }
        if let Policy::Thompson(model) = self.policy {
            self.check_thompson(model)?;
        }
        if let (Policy::Frontier(_), Some(_)) = (self.policy, self.widening) {
            return Err(invalid("widening", &[], "a rule", "be none: this order asks for all children of a node"));
        }
        self.policy.check()
    }

    fn check_thompson(&self, model: Thompson) -> Result<()> {
        if self.backup != Backup::Mean {
            return Err(invalid("backup", &[], format!("{:?}", self.backup), "be \"mean\" with Thompson sampling"));
        }
        if self.widening.is_some() {
            return Err(invalid("widening", &[], "a rule", "be none: Thompson sampling decides when to generate"));
        }
        if matches!(model, Thompson::Beta { .. }) {
            if self.discount < 0.0 {
                return Err(invalid("discount", &[], self.discount, "be positive with the beta model"));
            }
            if let InFlight::VirtualLoss(value) = self.in_flight
                && !(0.0..=1.0).contains(&value)
            {
                return Err(invalid("in_flight", &[], value, "be between 0 and 1 with the beta model"));
            }
        }
        Ok(())
    }

    /// Whether children come one by one.
    pub const fn is_open(&self) -> bool {
        self.widening.is_some() || matches!(self.policy, Policy::Thompson(_))
    }
}

impl Policy {
    fn check(&self) -> Result<()> {
        match *self {
            Self::Uct(Uct { c, fpu }) => {
                not_negative("c", c)?;
                fpu.check()
            }
            Self::Puct(puct) => {
                not_negative("pb_c_init", puct.pb_c_init)?;
                positive("pb_c_base", puct.pb_c_base)?;
                if let QTransform::MinMax { min, max } = puct.q_transform {
                    finite("min_value", min)?;
                    finite("max_value", max)?;
                    if min >= max {
                        return Err(invalid("max_value", &[], max, format!("be above min_value = {min}")));
                    }
                }
                if !(0.0..=1.0).contains(&puct.dirichlet_fraction) {
                    return Err(invalid("dirichlet_fraction", &[], puct.dirichlet_fraction, "be between 0 and 1"));
                }
                positive("dirichlet_alpha", puct.dirichlet_alpha)?;
                puct.fpu.check()
            }
            Self::Gumbel(gumbel) => {
                if gumbel.max_num_considered_actions == 0 {
                    return Err(invalid("max_num_considered_actions", &[], 0, "be at least 1"));
                }
                not_negative("gumbel_scale", gumbel.gumbel_scale)?;
                not_negative("value_scale", gumbel.value_scale)?;
                not_negative("maxvisit_init", gumbel.maxvisit_init)
            }
            Self::Thompson(Thompson::Gaussian { m, kappa, nu, tau_square }) => {
                finite("m", m)?;
                positive("kappa", kappa)?;
                positive("nu", nu)?;
                positive("tau_square", tau_square)
            }
            Self::Thompson(Thompson::Beta { alpha, beta }) => {
                positive("alpha", alpha)?;
                positive("beta", beta)
            }
            Self::Frontier(Order::Beam { width: 0 } | Order::Dvts { width: 0 }) => {
                Err(invalid("width", &[], 0, "be at least 1"))
            }
            Self::Frontier(Order::BestOfN { n: 0 }) => Err(invalid("n", &[], 0, "be at least 1")),
            Self::Frontier(_) => Ok(()),
        }
    }

    /// Whether the policy reads priors.
    pub const fn needs_priors(&self) -> bool {
        matches!(self, Self::Puct(_) | Self::Gumbel(_) | Self::Uct(Uct { fpu: Fpu::Prior, .. }))
    }
}

impl Fpu {
    fn check(self) -> Result<()> {
        match self {
            Self::Constant(value) | Self::ParentMinus(value) => finite("fpu", value),
            Self::Infinity | Self::Prior => Ok(()),
        }
    }
}

pub(super) fn finite(argument: &str, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(invalid(argument, &[], value, "be finite")) }
}

pub(super) fn not_negative(argument: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() { Ok(()) } else { Err(invalid(argument, &[], value, "be at least 0")) }
}

pub(super) fn positive(argument: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(invalid(argument, &[], value, "be above 0")) }
}
