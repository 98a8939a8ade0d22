"""Mean power in rings of frequency, coefficient by coefficient; imports nothing from forensix."""

import numpy as np


def ring_power(window, taper, edges):
    """(side, side) -> (len(edges) - 1,): the full spectrum, mean removed and tapered."""
    side = len(window)
    spectrum = np.fft.fft2((window.astype(float) - window.mean()) * taper) / side
    frequency = np.fft.fftfreq(side)
    sums, counts = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for row in range(side):
        for col in range(side):
            away = np.hypot(frequency[row], frequency[col])
            for ring in range(len(edges) - 1):
                if edges[ring] <= away < edges[ring + 1]:
                    sums[ring] += abs(spectrum[row, col]) ** 2
                    counts[ring] += 1
    return sums / counts
