"""Oracles for native.two_label_field. Import nothing from forensix."""

import itertools

import numpy as np


def cost(labels, evidence, coupling):
    differ = np.count_nonzero(labels[1:] != labels[:-1]) + np.count_nonzero(labels[:, 1:] != labels[:, :-1])
    return -evidence[labels].sum() + coupling * differ


def best_labels(evidence, coupling):
    """Every labelling tried: fields of up to about 14 cells."""
    best = None
    for bits in itertools.product((False, True), repeat=evidence.size):
        labels = np.array(bits).reshape(evidence.shape)
        value = cost(labels, evidence, coupling)
        if best is None or value < best[0]:
            best = value, labels
    return best


def min_marginals(evidence, coupling):
    """Lowest cost with the cell at 0 less lowest cost with it at 1, for every cell."""
    lowest = np.full((2, *evidence.shape), np.inf)
    for bits in itertools.product((0, 1), repeat=evidence.size):
        labels = np.array(bits).reshape(evidence.shape)
        value = cost(labels.astype(bool), evidence, coupling)
        for value_of in (0, 1):
            chosen = lowest[value_of]
            chosen[labels == value_of] = np.minimum(chosen[labels == value_of], value)
    return lowest[0] - lowest[1]
