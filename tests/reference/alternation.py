"""How deep a sequence alternates, stated plainly; imports nothing from forensix."""

import numpy as np


def alternating_depth(steps):
    """Half the difference between the mean logarithms of odd and even members."""
    logs = np.log(np.asarray(steps, float))
    return (logs[1::2].mean() - logs[::2].mean()) / 2
