//! Uncertainty of a mean over problems: bootstrap of whole curves.
