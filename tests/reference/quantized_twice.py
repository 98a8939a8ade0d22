"""Plain NumPy statement of native.quantized_twice. Imports nothing from forensix."""

import numpy as np


def quantized_twice(cumulative, row, first, second, noise, *, bins):
    """Walk over signed cells and signed bins, and add up |level|, with no short cuts."""
    reach = len(noise) // 2

    def below(values, index):  # P(<= index / 2), symmetric density given by P(|u| <= index / 2)
        if index < 0:
            return (1 - values[min(-index, len(values) - 1)]) / 2
        return (1 + values[min(index, len(values) - 1)]) / 2

    def noise_below(index):
        return 0.0 if index < -reach else noise[min(index + reach, len(noise) - 1)]

    out = np.zeros((len(row), bins))
    for case in range(len(row)):
        values, a, b = cumulative[row[case]], int(first[case]), int(second[case])
        for level in range(-bins + 1, bins):
            low, high = (2 * level - 1) * b, (2 * level + 1) * b
            if a == 0:
                mass = below(values, high) - below(values, low)
            else:
                mass = 0.0
                for k in range(-(len(values) // (2 * a)) - 2, len(values) // (2 * a) + 3):
                    cell = below(values, (2 * k + 1) * a) - below(values, (2 * k - 1) * a)
                    mass += cell * (noise_below(high - 2 * k * a) - noise_below(low - 2 * k * a))
            out[case, abs(level)] += mass
    return out
