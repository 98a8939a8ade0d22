"""Plain statements of the noise residual, its cleaning and the peak-to-correlation energy."""

import numpy as np

LOW = np.array(
    [
        0.2303778133088964, 0.7148465705529154, 0.6308807679298587, -0.0279837694168599,
        -0.1870348117190931, 0.0308413818355607, 0.0328830116668852, -0.0105974017850690,
    ]
)  # fmt: skip
HIGH = LOW[::-1] * np.array([1, -1, 1, -1, 1, -1, 1, -1])


def split(line):
    """Low and high half of a line: filtered, every second value kept."""
    longer = np.pad(line, 7, mode="symmetric")
    return tuple(np.correlate(longer, taps, "valid")[1::2] for taps in (LOW, HIGH))


def join(low, high, size):
    both = np.zeros(2 * len(low) + 6)
    for part, taps in ((low, LOW), (high, HIGH)):
        for i, value in enumerate(part):
            both[2 * i : 2 * i + 8] += value * taps
    return both[6 : 6 + size]


def split_image(image):
    low, high = (np.array(part) for part in zip(*(split(column) for column in image.T), strict=True))
    return [
        [np.array(half) for half in zip(*(split(row) for row in part.T), strict=True)] for part in (low, high)
    ]


def join_image(parts, shape):
    rows = [
        np.array([join(low, high, shape[1]) for low, high in zip(*halves, strict=True)]) for halves in parts
    ]
    return np.array([join(a, b, shape[0]) for a, b in zip(rows[0].T, rows[1].T, strict=True)]).T


def noise_part(values, variance):
    kept = np.zeros_like(values)
    wide = np.pad(values, 4, mode="symmetric")
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            means = [np.mean(wide[r + 4 - k : r + 5 + k, c + 4 - k : c + 5 + k] ** 2) for k in (1, 2, 3, 4)]
            kept[r, c] = values[r, c] * variance / max(variance, min(means))
    return kept


def wavelet_noise(image, sigma=5.0, levels=4):
    image = np.asarray(image, float)
    (smooth, across), (down, both) = split_image(image)
    deeper = wavelet_noise(smooth, sigma, levels - 1) if levels > 1 else np.zeros_like(smooth)
    kept = [noise_part(band, sigma**2) for band in (across, down, both)]
    return join_image([[deeper, kept[0]], [kept[1], kept[2]]], image.shape)


def zero_mean(noise):
    cleaned = np.array(noise, float)
    for r in (0, 1):
        for c in (0, 1):
            for j in range(c, cleaned.shape[1], 2):
                cleaned[r::2, j] -= cleaned[r::2, j].mean() if cleaned[r::2, j].size else 0
            for i in range(r, cleaned.shape[0], 2):
                cleaned[i, c::2] -= cleaned[i, c::2].mean() if cleaned[i, c::2].size else 0
    return cleaned


def evened(noise):
    noise = np.asarray(noise, float)
    wide = np.pad(noise, 8, mode="symmetric")
    local = np.array(
        [
            [np.mean(wide[r : r + 17, c : c + 17] ** 2) for c in range(noise.shape[1])]
            for r in range(len(noise))
        ]
    )
    return noise / (local + 0.3 * local.mean())


def without_periods(noise):
    noise = np.asarray(noise, float)
    spectrum = np.fft.fft2(noise) / np.sqrt(noise.size)
    size = np.abs(spectrum)
    around = np.pad(size, 4, mode="wrap")
    variance = noise.var()
    kept = np.zeros_like(spectrum)
    for r in range(noise.shape[0]):
        for c in range(noise.shape[1]):
            means = [np.mean(around[r + 4 - k : r + 5 + k, c + 4 - k : c + 5 + k] ** 2) for k in (1, 2, 3, 4)]
            kept[r, c] = spectrum[r, c] * variance / max(variance, min(means))
    return np.fft.ifft2(kept).real * np.sqrt(noise.size)


def correlation(pattern, fingerprint):
    rows, cols = fingerprint.shape
    surface = np.zeros((rows, cols))
    for r in range(rows):
        for c in range(cols):
            moved = np.roll(fingerprint, (-r, -c), axis=(0, 1))[: pattern.shape[0], : pattern.shape[1]]
            surface[r, c] = np.sum(pattern * moved)
    return surface


def pce(surface, row, col):
    rows, cols = surface.shape
    others = [
        surface[r, c] ** 2
        for r in range(rows)
        for c in range(cols)
        if min((r - row) % rows, (row - r) % rows) > 5 or min((c - col) % cols, (col - c) % cols) > 5
    ]
    return np.sign(surface[row, col]) * surface[row, col] ** 2 / np.mean(others)
