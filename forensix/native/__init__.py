"""Kernels that must be fast, each a Numba CPU twin and, where it pays, a CUDA twin."""
