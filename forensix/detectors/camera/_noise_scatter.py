"""How much noise at equal brightness scatters within untouched photos; see benchmarks/noise_level.py.

Mean over 136 untouched photos and crops of 23 camera models (half of those at hand), of the
covariance of the window means of each, and a hundredth of its mean variance on the diagonal.
"""

from __future__ import annotations

import numpy as np

# fmt: off
SCATTER = np.array(
    [
        [463.9, 479.5, 490.5, 88.9, 83.3, 134.1, 96.7, 89.0, 151.5, 442.1],
        [479.5, 600.4, 636.5, 106.3, 99.5, 167.9, 114.6, 107.6, 191.7, 459.3],
        [490.5, 636.5, 815.8, 123.7, 118.4, 212.0, 142.7, 142.1, 266.5, 458.6],
        [88.9, 106.3, 123.7, 139.6, 93.8, 137.0, 83.3, 52.9, 80.9, 83.6],
        [83.3, 99.5, 118.4, 93.8, 121.3, 128.8, 51.4, 63.1, 69.5, 79.1],
        [134.1, 167.9, 212.0, 137.0, 128.8, 258.5, 80.7, 75.4, 143.0, 124.1],
        [96.7, 114.6, 142.7, 83.3, 51.4, 80.7, 117.7, 84.1, 125.6, 89.4],
        [89.0, 107.6, 142.1, 52.9, 63.1, 75.4, 84.1, 114.7, 133.9, 82.0],
        [151.5, 191.7, 266.5, 80.9, 69.5, 143.0, 125.6, 133.9, 278.2, 136.0],
        [442.1, 459.3, 458.6, 83.6, 79.1, 124.1, 89.4, 82.0, 136.0, 443.5]
    ]
) / 1e4
# fmt: on
