"""The fingerprint of a generator: what the residuals of its pictures have in common.

A network leaves a pattern of its own in every picture, at the same place, since the pattern
comes from its layers and not from what is shown. Averaged over some pictures of one generator the
contents fade and the pattern remains; a picture whose residual agrees with it, at the same place and
not when shifted, is taken to be from that generator.

References
----------
F. Marra, D. Gragnaniello, L. Verdoliva, G. Poggi, "Do GANs Leave Artificial Fingerprints?",
IEEE Conference on Multimedia Information Processing and Retrieval 2019.
doi:10.1109/MIPR.2019.00103
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from forensix.detectors.fingerprint_file import read_fingerprint, write_fingerprint
from forensix.errors import FingerprintError, ParameterError

SCHEMA = "forensix.generator/1"

NOISE = 3.0  # standard deviation, grey levels: what is taken for noise
WINDOW = 5
LEAST_SIDE = 64
FEWEST = 3
# Times the spread of the correlations at other shifts. At 6 shifted pairs of one million do not.
DECISION = 6.0
FLAT = 1e-3  # grey levels: least spread of a residual
NEAR = 8  # shifts around 0 that do not tell the spread


def residual(image: np.ndarray, *, noise: float = NOISE) -> np.ndarray:
    """What a local Wiener filter takes out of a picture.

    Parameters
    ----------
    image : (rows, cols, 3) or (rows, cols) uint8
    noise : standard deviation of what is taken out, grey levels

    Returns
    -------
    (rows, cols) float32
        Mean of the channels.
    """
    import cv2

    if image.ndim not in (2, 3) or min(image.shape[:2]) < LEAST_SIDE:
        raise ParameterError(
            f"a residual needs a picture of at least {LEAST_SIDE} x {LEAST_SIDE}, got {image.shape}"
        )
    values = image.astype(np.float32)
    mean = cv2.blur(values, (WINDOW, WINDOW))
    variance = np.maximum(cv2.blur(values * values, (WINDOW, WINDOW)) - mean * mean, 0)
    share = noise**2 / np.maximum(variance, noise**2)
    left: np.ndarray = share * (values - mean)
    return left if left.ndim == 2 else left.mean(axis=2)


class GeneratorFingerprint:
    """The average residual of pictures of one generator; pictures of one size.

    Attributes
    ----------
    count_ : int
        Pictures it has seen.
    size_ : (rows, cols)
        Of the pictures.
    fingerprint_ : (rows, cols) float32
        The mean residual, each picture's scaled to unit variance first.
    pictures_ : list of str
        SHA-256 of the pixels of each picture it has seen.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> pattern = rng.normal(0, 2, (96, 96, 1))
    >>> def picture():
    ...     return np.clip(rng.normal(0, 3, (96, 96, 3)) + pattern + 128, 0, 255).astype(np.uint8)
    >>> known = GeneratorFingerprint().fit([picture() for _ in range(5)])
    >>> bool(known.score(picture()) > DECISION)
    True
    """

    def __init__(self) -> None:
        self.count_ = 0
        self.size_: tuple[int, int] | None = None
        self.pictures_: list[str] = []
        self._sum: np.ndarray | None = None

    @property
    def fingerprint_(self) -> np.ndarray:
        if self._sum is None:
            raise ParameterError("the fingerprint has seen no picture yet")
        mean: np.ndarray = self._sum / np.float32(self.count_)
        return mean

    def fit(self, images: Any) -> GeneratorFingerprint:
        """Forget everything and learn from pictures, (rows, cols[, 3]) uint8 each."""
        self.__init__()  # type: ignore[misc]
        for image in images:
            self.partial_fit(image)
        return self

    def partial_fit(self, image: np.ndarray) -> GeneratorFingerprint:
        """Add one picture.

        Raises
        ------
        ParameterError
            When it is of another size than those before, flat, or was seen before: one
            picture twice would pass for the pattern.
        """
        left = _standardized(residual(image))
        digest = hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
        if digest in self.pictures_:
            raise ParameterError("the fingerprint has seen this picture before")
        size = (int(left.shape[0]), int(left.shape[1]))
        if self.size_ is not None and size != self.size_:
            raise ParameterError(f"a fingerprint is of pictures of one size: {self.size_}, not {size}")
        self._sum = left if self._sum is None else self._sum + left
        self.size_ = size
        self.count_ += 1
        self.pictures_.append(digest)
        return self

    def score(self, image: np.ndarray) -> float:
        """How far the correlation in place stands out from that at other shifts, in standard deviations.

        Above DECISION the picture is taken to be from this generator; 0 is what chance gives.
        A picture of another size, or a flat one, gives 0.0: nothing can be said.
        """
        known = self.fingerprint_
        if image.shape[:2] != self.size_:
            return 0.0
        left = _centred(residual(image))
        return agreement(left, known) if float(left.std()) >= FLAT else 0.0

    def save(self, path: str | Path) -> None:
        """Write it to an npz file, whole or not at all."""
        header = {"schema": SCHEMA, "count": self.count_, "pictures": self.pictures_}
        write_fingerprint(path, header, {"fingerprint": self.fingerprint_})

    @classmethod
    def load(cls, path: str | Path) -> GeneratorFingerprint:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FingerprintError
            The file is no fingerprint, of another format, cut short, or changed.
        """
        header, arrays = read_fingerprint(path, schema=SCHEMA, names=("fingerprint",), of="a generator")
        mean, count, pictures = arrays["fingerprint"], header.get("count"), header.get("pictures")
        if mean.ndim != 2 or not isinstance(count, int) or not isinstance(pictures, list) or count < 1:
            raise FingerprintError(f"{path} is no fingerprint of a generator: its header is incomplete")
        self = cls()
        self.count_, self.size_, self._sum = count, (mean.shape[0], mean.shape[1]), mean * np.float32(count)
        self.pictures_ = list(pictures)
        return self


def _centred(left: np.ndarray) -> np.ndarray:
    """Of zero mean along rows and columns."""
    left = left - left.mean(axis=0, keepdims=True)
    centred: np.ndarray = left - left.mean(axis=1, keepdims=True)
    return centred


def _standardized(left: np.ndarray) -> np.ndarray:
    """Centred, of unit variance; ParameterError for a flat picture."""
    left = _centred(left)
    spread = float(left.std())
    if spread < FLAT:
        raise ParameterError("the picture is flat: it has no residual")
    scaled: np.ndarray = (left / spread).astype(np.float32)
    return scaled


def agreement(left: np.ndarray, fingerprint: np.ndarray) -> float:
    """Correlation of two residuals in place, over the spread of the correlations at all other shifts.

    left, fingerprint : (rows, cols) float32
    """
    from scipy.fft import irfft2, rfft2

    flat = fingerprint - fingerprint.mean()
    # The spectrum's magnitude says what the content was like; only phases say where things are.
    product = rfft2(left) * rfft2(flat).conj()
    strength = np.abs(product)
    correlation = irfft2(product / np.maximum(strength, 1e-12 + 1e-3 * float(strength.mean())), s=left.shape)
    here = float(correlation[0, 0])
    others = correlation.copy()
    others[:NEAR, :NEAR] = others[:NEAR, -NEAR:] = others[-NEAR:, :NEAR] = others[-NEAR:, -NEAR:] = 0
    spread = float(np.sqrt(np.mean(others**2)))
    return here / spread if spread > 0 else 0.0
