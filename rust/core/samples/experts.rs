//! Online learning over experts: Hedge and its regret.
