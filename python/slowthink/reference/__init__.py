"""Slow twins of the kernels in plain Python and NumPy, written from the papers: what the fast ones are tested against.

They favour being obviously right over being fast: exact rationals and brute force where that is possible.
"""
