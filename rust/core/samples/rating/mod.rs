//! Bradley-Terry ratings from pairwise wins, with sandwich and bootstrap intervals.
//!
//! Player i beats player j with probability `1 / (1 + exp(r_j - r_i))` (Bradley and Terry, Biometrika 1952). A tie
//! counts as half a win for both. The likelihood depends on differences alone; ratings are returned with sum 0, the
//! gauge in which their intervals are narrowest: to subtract the rating of one player adds its noise to all others.
//!
//! A finite maximum exists if and only if a chain of wins leads from every player to every other (Ford, American
//! Mathematical Monthly 1957). Where none does the error names the players; a ridge, the penalty
//! `ridge / 2 * sum r_i^2` on the log-likelihood, makes the ratings finite.
//!
//! [`fit`] is a damped Newton iteration, [`sandwich`] the robust covariance, [`bootstrap`] refits multinomial
//! resamples of the battles. The linear algebra is a dense Cholesky factorisation of a few dozen lines (`linear`): the
//! matrices are small, one or a few are factorised in a call, and the inner loop of the bootstrap is a gradient and a
//! product with an inverse, which a linear-algebra crate would not make faster.

mod alias;
mod bootstrap;
mod fit;
mod linear;
mod resample;

pub use bootstrap::bootstrap;
pub use fit::{Fit, fit, sandwich};

use crate::error::{Result, invalid};

/// Wins and ties between players, checked.
#[derive(Debug, Clone)]
pub struct Battles<'a> {
    n_players: usize,
    wins: &'a [f64],
    ties: &'a [f64],
    names: &'a [String],
}

impl<'a> Battles<'a> {
    /// `wins[i * n_players + j]`: how often i beat j; `ties`, empty or of the same shape and symmetric: how often they
    /// tied. Counts may be fractions. `names` is empty (players are called by number) or has one for each player.
    ///
    /// # Errors
    /// If there are fewer than two players, a shape is wrong, a count is negative or not finite, someone meets
    /// themselves, or `ties` is not symmetric.
    pub fn new(n_players: usize, wins: &'a [f64], ties: &'a [f64], names: &'a [String]) -> Result<Self> {
        let n = n_players;
        if n < 2 {
            return Err(invalid("wins", &[], n, "have at least 2 players"));
        }
        if wins.len() != n * n {
            return Err(invalid("wins", &[], wins.len(), format!("have {} entries", n * n)));
        }
        if !ties.is_empty() && ties.len() != n * n {
            return Err(invalid("ties", &[], ties.len(), format!("have {} entries", n * n)));
        }
        if !names.is_empty() && names.len() != n {
            return Err(invalid("names", &[], names.len(), format!("have {n} entries")));
        }
        for (argument, counts) in [("wins", wins), ("ties", ties)] {
            for (at, &count) in counts.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                if !(count.is_finite() && count >= 0.0) {
                    return Err(invalid(argument, &[i, j], count, "be a finite number of at least 0"));
                }
                if i == j && count != 0.0 {
                    return Err(invalid(argument, &[i, j], count, "be 0: nobody meets themselves"));
                }
                if argument == "ties" && count != counts[j * n + i] {
                    let rule = format!("be symmetric: ties[{j}, {i}] = {}", counts[j * n + i]);
                    return Err(invalid(argument, &[i, j], count, rule));
                }
            }
        }
        Ok(Self { n_players, wins, ties, names })
    }

    fn tie(&self, at: usize) -> f64 {
        self.ties.get(at).copied().unwrap_or(0.0)
    }

    /// The points of every pair i < j, row by row: first all those of i against j, then all those of j against i.
    fn points(&self) -> Vec<f64> {
        let n = self.n_players;
        let mut points = Vec::with_capacity(n * (n - 1));
        points.extend(pairs(n).map(|(i, j)| self.wins[i * n + j] + 0.5 * self.tie(i * n + j)));
        points.extend(pairs(n).map(|(i, j)| self.wins[j * n + i] + 0.5 * self.tie(i * n + j)));
        points
    }

    fn name(&self, player: usize) -> String {
        self.names.get(player).map_or_else(|| player.to_string(), |name| format!("{name:?}"))
    }

    fn list(&self, players: &[usize]) -> String {
        let shown: Vec<String> = players.iter().take(8).map(|&player| self.name(player)).collect();
        let more = if players.len() > 8 { format!(" and {} more", players.len() - 8) } else { String::new() };
        format!("{}{more}", shown.join(", "))
    }

    /// Fails, naming the players, unless a chain of wins leads from everyone to everyone.
    fn connected(&self, points: &[f64]) -> Result<()> {
        let n = self.n_players;
        let component = components(n, points);
        let n_components = component.iter().max().map_or(0, |last| last + 1);
        if n_components == 1 {
            return Ok(());
        }
        let members = |wanted: usize| (0..n).filter(|&i| component[i] == wanted).collect::<Vec<_>>();
        let (mut beats, mut beaten) = (vec![false; n_components], vec![false; n_components]);
        for i in 0..n {
            for j in (0..n).filter(|&j| component[i] != component[j] && beats_one(n, points, i, j)) {
                beats[component[i]] = true;
                beaten[component[j]] = true;
            }
        }
        // Groups that never met: components again, of the graph without directions, in the order of the players.
        let half = points.len() / 2;
        let both: Vec<f64> = (0..points.len()).map(|at| points[at] + points[(at + half) % points.len()]).collect();
        let met = components(n, &both);
        let mut groups: Vec<usize> = Vec::new();
        for &group in &met {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let mut reasons = Vec::new();
        if groups.len() > 1 {
            let group = |g: &usize| self.list(&(0..n).filter(|&i| met[i] == *g).collect::<Vec<_>>());
            let shown: Vec<String> = groups.iter().take(6).map(|g| format!("{{{}}}", group(g))).collect();
            let more = if groups.len() > 6 { format!(" and {} more", groups.len() - 6) } else { String::new() };
            reasons.push(format!("these never met: {}{more}", shown.join(" and ")));
        } else {
            for (what, against, flags) in [("winless", "no win", &beats), ("unbeaten", "no loss", &beaten)] {
                let ends: Vec<Vec<usize>> = (0..n_components).filter(|&c| !flags[c]).map(members).collect();
                let alone: Vec<usize> = ends.iter().filter(|end| end.len() == 1).map(|end| end[0]).collect();
                if !alone.is_empty() {
                    reasons.push(format!("{what}: {}", self.list(&alone)));
                }
                for end in ends.iter().filter(|end| end.len() > 1).take(4) {
                    reasons.push(format!("{against} against the others: {{{}}}", self.list(end)));
                }
            }
        }
        let rule = format!(
            "lead from every player to every other by a chain of wins or ties, or ratings are infinite ({}); leave \
             players out or set ridge > 0",
            reasons.join("; ")
        );
        Err(invalid("wins", &[], "", rule))
    }
}

/// All pairs i < j, row by row.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

/// Where the points of `i` against `j` are kept.
fn place(n: usize, i: usize, j: usize) -> usize {
    let row = |i: usize| i * (2 * n - i - 1) / 2;
    if i < j { row(i) + j - i - 1 } else { n * (n - 1) / 2 + row(j) + i - j - 1 }
}

fn beats_one(n: usize, points: &[f64], i: usize, j: usize) -> bool {
    i != j && points[place(n, i, j)] > 0.0
}

/// The strongly connected component of each player (Kosaraju's two searches), O(n^2).
fn components(n: usize, points: &[f64]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut order = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    for root in 0..n {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        let mut stack = vec![(root, 0)];
        while let Some((i, next)) = stack.last_mut() {
            let i = *i;
            match (*next..n).find(|&j| !seen[j] && beats_one(n, points, i, j)) {
                Some(j) => {
                    *next = j + 1;
                    seen[j] = true;
                    stack.push((j, 0));
                }
                None => order.extend(stack.pop().map(|(i, _)| i)),
            }
        }
    }
    let mut component = vec![NONE; n];
    let mut number = 0;
    for &root in order.iter().rev() {
        if component[root] != NONE {
            continue;
        }
        component[root] = number;
        let mut stack = vec![root];
        while let Some(j) = stack.pop() {
            for (i, found) in component.iter_mut().enumerate() {
                if *found == NONE && beats_one(n, points, i, j) {
                    *found = number;
                    stack.push(i);
                }
            }
        }
        number += 1;
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Control;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| ["ann", "bob", "cid", "dee"][i].to_owned()).collect()
    }

    fn refusal(n: usize, wins: &[f64]) -> String {
        let names = names(n);
        let battles = Battles::new(n, wins, &[], &names).unwrap();
        fit(&battles, 0.0, &Control::default()).unwrap_err().to_string()
    }

    #[test]
    fn players_without_a_finite_rating_are_named() {
        let winless = refusal(3, &[0., 2., 1., 1., 0., 1., 0., 0., 0.]);
        assert!(winless.contains("winless: \"cid\"") && !winless.contains("unbeaten"), "{winless}");
        let unbeaten = refusal(3, &[0., 2., 1., 0., 0., 1., 0., 1., 0.]);
        assert!(unbeaten.contains("unbeaten: \"ann\""), "{unbeaten}");
        let apart = refusal(4, &[0., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0., 1., 0., 0., 1., 0.]);
        assert!(apart.contains("these never met: {\"ann\", \"bob\"} and {\"cid\", \"dee\"}"), "{apart}");
        let above = refusal(4, &[0., 1., 1., 0., 1., 0., 0., 0., 0., 0., 0., 1., 0., 0., 1., 0.]);
        assert!(above.contains("no win against the others: {\"cid\", \"dee\"}"), "{above}");
        assert!(above.contains("no loss against the others: {\"ann\", \"bob\"}"), "{above}");
    }

    #[test]
    fn bad_counts_are_named() {
        let error = |wins: &[f64], ties: &[f64]| Battles::new(2, wins, ties, &[]).unwrap_err().to_string();
        assert!(error(&[0., -1., 1., 0.], &[]).contains("wins[0, 1] must be a finite number of at least 0, got -1"));
        assert!(error(&[0., 1., f64::NAN, 0.], &[]).contains("wins[1, 0]"));
        assert!(error(&[1., 1., 1., 0.], &[]).contains("wins[0, 0] must be 0: nobody meets themselves, got 1"));
        assert!(error(&[0., 1., 1., 0.], &[0., 1., 2., 0.]).contains("ties[0, 1] must be symmetric: ties[1, 0] = 2"));
        assert!(error(&[0., 1.], &[]).contains("wins must have 4 entries, got 2"));
        assert!(Battles::new(1, &[0.], &[], &[]).is_err());
    }

    #[test]
    fn places_follow_the_order_of_pairs() {
        let n = 5;
        let listed: Vec<usize> =
            pairs(n).map(|(i, j)| place(n, i, j)).chain(pairs(n).map(|(i, j)| place(n, j, i))).collect();
        assert_eq!(listed, (0..n * (n - 1)).collect::<Vec<_>>());
    }
}
