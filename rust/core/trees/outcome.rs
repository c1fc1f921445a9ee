//! What a searched tree says about the actions at its root.

use super::arena::LEAF;
use super::config::Policy;
use super::forest::Forest;
use super::tree::Tree;
use crate::error::{Result, invalid};

impl Forest {
    /// The action that Gumbel MuZero takes at the root of tree `number`: of the most visited, the one with the greatest
    /// sum of noisy logit and completed value. `None` before any was visited.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) under another policy, or if there is no such tree.
    pub fn gumbel_action(&self, number: usize) -> Result<Option<u32>> {
        let tree = self.tree(number)?;
        let Policy::Gumbel(gumbel) = self.rules.config.policy else {
            return Err(invalid("policy", &[], "another", "be Gumbel"));
        };
        let visits = tree.root_visits();
        let most = visits.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return Ok(None);
        }
        let mut scores = Vec::new();
        tree.complete_values(&self.rules, gumbel, 0, tree.arena.link[0], &mut scores);
        let mut best: Option<(f64, u32)> = None;
        for (action, ((value, logit), n)) in scores.iter().zip(tree.noisy_logits(gumbel)).zip(visits).enumerate() {
            if n == most && best.is_none_or(|(top, _)| value + logit > top) {
                best = Some((value + logit, action as u32));
            }
        }
        Ok(best.map(|(_, action)| action))
    }

    /// Probabilities of the actions at the root of tree `number` after the search, for training a policy: under Gumbel
    /// MuZero the policy improved by completed values, else the shares of completed visits. NaN before there is any.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if there is no such tree.
    pub fn action_weights(&self, number: usize) -> Result<Vec<f64>> {
        let tree = self.tree(number)?;
        match self.rules.config.policy {
            Policy::Gumbel(gumbel) if tree.arena.link[0] < LEAF => {
                let mut policy = Vec::new();
                tree.improve_policy(&self.rules, gumbel, 0, tree.arena.link[0], &mut policy);
                Ok(policy)
            }
            _ => Ok(tree.visit_policy(1.0)),
        }
    }

    /// Probabilities proportional to the completed visits of the root's children to the power of 1 / `temperature`; at 0
    /// the most visited share all. NaN before there is any visit.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if there is no such tree, or for a negative temperature.
    pub fn visit_policy(&self, number: usize, temperature: f64) -> Result<Vec<f64>> {
        super::config::not_negative("temperature", temperature)?;
        Ok(self.tree(number)?.visit_policy(temperature))
    }

    /// The noise that Gumbel MuZero adds to the logits at the root of tree `number`, one number for each action.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) under another policy, or if there is no such tree.
    pub fn root_noise(&self, number: usize) -> Result<Vec<f64>> {
        let tree = self.tree(number)?;
        let Policy::Gumbel(gumbel) = self.rules.config.policy else {
            return Err(invalid("policy", &[], "another", "be Gumbel"));
        };
        Ok(tree.gumbel_noise(gumbel.gumbel_scale, tree.arena.n_children(0) as usize))
    }

    fn tree(&self, number: usize) -> Result<&Tree> {
        let n = self.trees.len();
        self.trees.get(number).ok_or_else(|| invalid("tree", &[], number, format!("be below n_trees = {n}")))
    }
}

impl Tree {
    /// Completed visits of the root's children.
    fn root_visits(&self) -> Vec<u32> {
        match self.arena.link[0] {
            record if record < LEAF => self.arena.children(record).map(|slot| self.arena.visits(slot)).collect(),
            _ => vec![0; self.arena.n_children(0) as usize],
        }
    }

    fn visit_policy(&self, temperature: f64) -> Vec<f64> {
        let visits = self.root_visits();
        let most = f64::from(visits.iter().copied().max().unwrap_or(0));
        let power = |n: u32| {
            let share = f64::from(n) / most;
            if temperature > 0.0 || share.is_nan() { libm::pow(share, 1.0 / temperature) } else { share.floor() }
        };
        let weights: Vec<f64> = visits.into_iter().map(power).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::random::Seed;
    use crate::trees::tell::{PerLeaf, Told};
    use crate::trees::{Config, Forest, Leaves};

    #[test]
    fn visits_become_probabilities() {
        let mut forest = Forest::new(1, Config::default(), Seed::from_u64(1), 0).unwrap();
        let mut leaves = Leaves::default();
        for (value, weights) in
            [(0.0, vec![]), (0.0, vec![f64::NAN; 3]), (1.0, vec![1.0, 0.0, 0.0]), (0.2, vec![0.5, 0.5, 0.0])]
        {
            assert_eq!(format!("{:?}", forest.visit_policy(0, 0.0).unwrap()), format!("{weights:?}"));
            leaves.clear();
            forest.ask(1, None, &mut leaves).unwrap();
            let told = Told { values: PerLeaf::All(value), n_children: PerLeaf::All(3), ..Told::default() };
            forest.tell(&[leaves.leaves[0].ticket], &told).unwrap();
        }
        for value in [0.1, 0.1] {
            leaves.clear();
            forest.ask(1, None, &mut leaves).unwrap();
            let told = Told { values: PerLeaf::All(value), terminal: PerLeaf::All(true), ..Told::default() };
            forest.tell(&[leaves.leaves[0].ticket], &told).unwrap();
        }
        let visits: Vec<f64> = forest.visit_policy(0, 1.0).unwrap();
        assert_eq!(visits.iter().sum::<f64>(), 1.0);
        let sharp = forest.visit_policy(0, 0.5).unwrap();
        let squares: Vec<f64> = visits.iter().map(|p| p * p).collect();
        let total: f64 = squares.iter().sum();
        assert!(sharp.iter().zip(&squares).all(|(a, b)| (a - b / total).abs() < 1e-12));
        assert_eq!(forest.action_weights(0).unwrap(), visits);
        assert!(
            forest.visit_policy(0, -1.0).is_err() && forest.gumbel_action(0).is_err() && forest.root_noise(0).is_err()
        );
    }
}
