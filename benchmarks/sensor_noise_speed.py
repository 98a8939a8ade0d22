"""CPU seconds and memory of the sensor-noise methods, beside the usual Python recipe.

    python -m benchmarks.sensor_noise_speed [MEGAPIXELS...]

The recipe is what public code does: PyWavelets' wavedec2 and SciPy's uniform_filter, here on
one channel (public code takes three). Pictures are made in code. Run with one thread
(OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1).
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np
import pywt
from scipy.ndimage import uniform_filter

from forensix.detectors.camera.prnu import missing_pattern
from forensix.native.wavelet_noise import wavelet_noise
from forensix.signal.peak_energy import cross_correlation
from forensix.signal.sensor_noise import evened, sensor_noise, weighted_light, without_periods


def recipe(luma: np.ndarray, sigma: float = 5.0) -> np.ndarray:
    parts = pywt.wavedec2(luma, "db4", mode="symmetric", level=4)
    parts[0] = np.zeros_like(parts[0])
    for level in range(1, 5):
        kept = []
        for band in parts[level]:
            least = np.min([uniform_filter(band * band, size) for size in (3, 5, 7, 9)], axis=0)
            kept.append(band * sigma**2 / np.maximum(least, sigma**2))
        parts[level] = tuple(kept)
    return pywt.waverec2(parts, "db4", mode="symmetric")


def measured(call) -> tuple[float, float]:
    """CPU seconds of the better of two runs, and the peak of what was allocated in MB."""
    seconds = []
    for _ in range(2):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(seconds), peak


def main() -> None:
    print("| Mpx | step | CPU s | MB |\n|---|---|---|---|")
    for megapixels in map(float, sys.argv[1:] or ("1", "4", "12")):
        rows, cols = (8 * round(side * megapixels**0.5 / 8) for side in (866, 1155))
        luma = np.random.default_rng(0).normal(128, 3, (rows, cols)).astype(np.float32)
        noise, light = sensor_noise(luma), weighted_light(luma)
        steps = {
            "the usual recipe, one channel": lambda luma=luma: recipe(luma),
            "wavelet_noise": lambda luma=luma: wavelet_noise(luma),
            "sensor_noise (and zero mean)": lambda luma=luma: sensor_noise(luma),
            "a photo made ready (noise, weights, spectrum)": lambda luma=luma, light=light: without_periods(
                evened(sensor_noise(luma)) * light
            ),
            "correlation at every shift": lambda noise=noise: cross_correlation(noise, noise),
            "prnu-local, without matching": lambda luma=luma, noise=noise: missing_pattern(luma, noise),
        }
        for name, call in steps.items():
            seconds, peak = measured(call)
            print(f"| {megapixels:g} | {name} | {seconds:.2f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
