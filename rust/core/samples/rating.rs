//! Bradley-Terry ratings from pairwise wins, with sandwich and bootstrap intervals.
