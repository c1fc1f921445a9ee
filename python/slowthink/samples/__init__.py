"""Repeated sampling: what many attempts at each problem say about pass@k, maj@k, best-of-k and their uncertainty."""
