//! Noise at the root of a tree, from a stream of the tree that no walk uses: how often it is drawn, and when, makes no
//! difference.

use super::config::{Policy, Puct};
use super::select::Rules;
use super::tree::Tree;
use crate::random::laws::Draws;

impl Tree {
    /// Gumbel noise for the root's `n` actions, in their order.
    pub(super) fn gumbel_noise(&self, scale: f64, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(self.seed.stream(self.noise));
        (0..n).map(|_| if scale > 0.0 { scale * draws.gumbel() } else { 0.0 }).collect()
    }

    /// Mixes Dirichlet noise into the priors of the root's children, if the policy wants any (Silver et al. 2017).
    pub(super) fn stir(&mut self, rules: &Rules) {
        let Policy::Puct(Puct { dirichlet_fraction, dirichlet_alpha, .. }) = rules.config.policy else { return };
        if dirichlet_fraction == 0.0 {
            return;
        }
        let (first, n) = self.arena.block(self.arena.link[0]);
        let mut noise = vec![0.0; n];
        Draws::new(self.seed.stream(self.noise)).dirichlet(dirichlet_alpha, &mut noise);
        for (slot, noise) in (first..first + n).zip(noise) {
            let traffic = self.arena.traffic(slot as u32);
            let Some(prior) = &mut self.arena.prior else { return };
            let mixed = f64::from(prior[slot]) * (1.0 - dirichlet_fraction) + noise * dirichlet_fraction;
            prior[slot] = mixed as f32;
            self.arena.weight[slot] = rules.weight(Some(mixed as f32), traffic);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::random::Seed;
    use crate::trees::config::{Fpu, Puct, QTransform};
    use crate::trees::tell::{PerLeaf, Priors, Told};
    use crate::trees::{Config, Forest, Leaves, Policy};

    const PUCT: Puct = Puct {
        pb_c_init: 1.25,
        pb_c_base: 19652.0,
        q_transform: QTransform::ParentAndSiblings,
        fpu: Fpu::Constant(0.0),
        dirichlet_fraction: 0.25,
        dirichlet_alpha: 0.3,
    };

    /// Searches two trees numbered from `first`, all of whose nodes are alike, and returns the priors of the nodes.
    fn priors(puct: Puct, first: u64, told: &[f32]) -> Vec<Vec<f64>> {
        let config = Config { policy: Policy::Puct(puct), n_simulations: Some(20), ..Config::default() };
        let mut forest = Forest::new(2, config, Seed::from_u64(1), first).unwrap();
        let mut leaves = Leaves::default();
        loop {
            leaves.clear();
            forest.ask(2, None, &mut leaves).unwrap();
            let tickets: Vec<u64> = leaves.leaves.iter().map(|leaf| leaf.ticket).collect();
            if tickets.is_empty() {
                break;
            }
            let rows = told.repeat(tickets.len());
            let told = Told {
                values: PerLeaf::All(0.5),
                n_children: PerLeaf::All(4),
                priors: if told.is_empty() { Priors::None } else { Priors::Flat(&rows) },
                ..Told::default()
            };
            forest.tell(&tickets, &told).unwrap();
        }
        forest.trees().iter().map(|tree| tree.columns(forest.config()).prior).collect()
    }

    #[test]
    fn noise_is_mixed_into_the_priors_of_the_root_alone() {
        let found = priors(PUCT, 3, &[]);
        for prior in &found {
            assert!((prior[1..5].iter().sum::<f64>() - 1.0).abs() < 1e-6);
            assert!(prior[1..5].iter().all(|&p| p >= 0.75 * 0.25 - 1e-7) && prior[1..5].iter().any(|&p| p > 0.26));
            assert!(prior[5..].iter().all(|&p| (p - 0.25).abs() < 1e-7));
        }
        assert_ne!(found[0][1..5], found[1][1..5], "trees have noise of their own");
        assert_eq!(found[1][..5], priors(PUCT, 4, &[])[0][..5], "which follows from the number of the tree");
        assert_eq!(found[0][..5], priors(PUCT, 3, &[0.25; 4])[0][..5], "however the priors are told");
        assert_eq!(priors(Puct { dirichlet_fraction: 0.0, ..PUCT }, 3, &[])[0][1..5], [0.25; 4]);
        let most: f64 =
            priors(Puct { dirichlet_fraction: 1.0, ..PUCT }, 3, &[1.0, 0.0, 0.0, 0.0])[0][2..5].iter().sum();
        assert!(most > 0.0);
    }

    #[test]
    fn children_of_equal_values_are_visited_by_prior() {
        // All values are alike: a scale from the least to the greatest has no length.
        let visits = |told: &[f32]| {
            let config = Config { n_simulations: Some(41), ..Config::default() };
            let policy = Policy::Puct(Puct { dirichlet_fraction: 0.0, ..PUCT });
            let mut forest = Forest::new(1, Config { policy, ..config }, Seed::from_u64(1), 0).unwrap();
            let mut leaves = Leaves::default();
            for _ in 0..41 {
                leaves.clear();
                forest.ask(1, None, &mut leaves).unwrap();
                let (values, n_children, priors) = (PerLeaf::All(0.5), PerLeaf::All(4), Priors::Flat(told));
                let told = Told { values, n_children, priors, ..Told::default() };
                forest.tell(&[leaves.leaves[0].ticket], &told).unwrap();
            }
            forest.visit_policy(0, 1.0).unwrap()
        };
        assert_eq!(visits(&[0.25; 4]), [0.25; 4]);
        assert!(visits(&[0.7, 0.1, 0.1, 0.1])[0] > 0.6);
    }
}
