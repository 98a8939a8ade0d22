"""The lens as a whole: how red and blue are magnified against green, about which centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.camera._lens_cells import Shifts

DEGREE = 3
PASSES = 8  # of the reweighting
STEPS = 40  # of the radial fit
OUTLYING = 2.5  # standard deviations, from which on a cell counts less
PRIOR = (
    0.25  # pixels to the -2: that no term is beyond some pixels; without it, places without edges run wild
)
TOGETHER = 4  # cells, side of the squares within which errors are taken as tied
FARTHEST_CENTRE = 3.0  # half diagonals
START_CENTRES = [
    (down, right) for down in (0.0, -0.5, 0.5, -1.2, 1.2) for right in (0.0, -0.5, 0.5, -1.2, 1.2)
]


@dataclass(frozen=True, eq=False)
class SmoothField:
    """What a lens of free centre could do to one channel, fitted to its shifts.

    expected : (rows, cols, 2) float64, pixels
    weights : (rows, cols) float64, 0 to 1, of each cell in the fit
    scale : variance of the cells' shifts over what their information states
    """

    expected: np.ndarray
    weights: np.ndarray
    scale: float


@dataclass(frozen=True, eq=False)
class _Gathered:
    """Cells of one channel in squares: where, how far shifted, roots of their information, and which square."""

    places: np.ndarray
    shift: np.ndarray
    roots: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, eq=False)
class RadialLens:
    """Red and blue magnified against green about one centre.

    With p a place, c the centre (both from the picture's centre, in half diagonals), a shift is
    (p - c) * (linear + cubic * |p - c|**2) pixels.

    coefficients : (2, 2) float64, (linear, cubic) of red and of blue, pixels at half a diagonal
        from the centre
    centre : (2,) float64, row and column, half diagonals
    covariance : (6, 6) float64, of centre and coefficients in this order, with regard to tied errors
    """

    coefficients: np.ndarray
    centre: np.ndarray
    covariance: np.ndarray

    def significance(self, channel: int) -> float:
        """Wald statistic of a channel's two coefficients, chi-squared with two degrees of freedom."""
        part = slice(2 + 2 * channel, 4 + 2 * channel)
        values = self.coefficients[channel]
        return float(values @ np.linalg.solve(self.covariance[part, part], values))

    @property
    def off_centre(self) -> float:
        """Wald statistic of the centre's distance from the picture's."""
        return float(self.centre @ np.linalg.solve(self.covariance[:2, :2], self.centre))


def smooth_field(shifts: Shifts, places: np.ndarray) -> SmoothField:
    """Fit a polynomial of the third degree to the shifts, robustly.

    It holds all that a radial lens of free centre does up to there, and what real lenses add:
    elements out of place, and colours set off against each other. Linear, so that it needs no start.
    """
    terms = _terms(places)
    known = shifts.known
    terms_known, shift, information = terms[known], shifts.shift[known], shifts.information[known]
    weights: np.ndarray = np.ones(len(shift))
    factors: np.ndarray = np.zeros(terms.shape[-1])
    scale = 1.0
    columns = terms_known.transpose(0, 2, 1)
    for _ in range(PASSES):
        weighted = columns @ (information * weights[:, None, None])
        normal = np.tensordot(weighted, terms_known, axes=([0, 2], [0, 1])) + PRIOR * np.eye(terms.shape[-1])
        factors = np.linalg.solve(normal, np.tensordot(weighted, shift, axes=([0, 2], [0, 1])))
        away = _squared(shift - terms_known @ factors, information)
        scale = max(float(np.median(away)) / 1.386, 1e-3)
        weights = 1 / np.maximum(away / scale / OUTLYING**2, 1)
    full = np.zeros(known.shape)
    full[known] = weights
    return SmoothField(terms @ factors, full, scale)


def _squared(residual: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Chi-squared of each, with two degrees of freedom if information were all."""
    squared: np.ndarray = np.einsum("ni,nij,nj->n", residual, information, residual)
    return squared


def _terms(places: np.ndarray) -> np.ndarray:
    """(rows, cols, 2, 20) float64."""
    down, right = places[..., 0], places[..., 1]
    powers = np.stack([down**i * right**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)], axis=-1)
    none = np.zeros_like(powers)
    return np.stack([np.concatenate([powers, none], -1), np.concatenate([none, powers], -1)], -2)


def radial_lens(
    shifts: tuple[Shifts, Shifts], fields: tuple[SmoothField, SmoothField], places: np.ndarray
) -> RadialLens:
    """Fit one centre and two coefficients a channel to the cells, with the weights of the smooth fields.

    With the centre given the rest is linear; from the best of some centres on by damped least
    squares (Levenberg and Marquardt's).
    """
    parts = [_gathered(*both, places) for both in zip(shifts, fields, strict=True)]
    values = min((_start(centre, parts) for centre in START_CENTRES), key=lambda tried: tried[0])[1]
    missing, slopes = _all_misses(values, parts)
    damping = 1e-3
    for _ in range(STEPS):
        normal = slopes.T @ slopes
        damped = normal + np.diag(damping * np.diag(normal) + 1e-9)
        tried = values - np.linalg.solve(damped, slopes.T @ missing)
        tried[:2] = np.clip(tried[:2], -FARTHEST_CENTRE, FARTHEST_CENTRE)
        again, slopes_again = _all_misses(tried, parts)
        gained = float(missing @ missing - again @ again)
        if gained > 0:
            values, missing, slopes = tried, again, slopes_again
        damping *= 0.2 if gained > 0 else 10
        if abs(gained) <= 1e-7 * float(again @ again):
            break
    groups = np.concatenate([part.groups for part in parts]).repeat(2)
    return RadialLens(values[2:].reshape(2, 2), values[:2], _tied_covariance(slopes, missing, groups))


def _all_misses(values: np.ndarray, parts: list[_Gathered]) -> tuple[np.ndarray, np.ndarray]:
    missing, slopes = zip(
        *(_misses(values, channel, part) for channel, part in enumerate(parts)), strict=True
    )
    return np.concatenate(missing), np.concatenate(slopes)


def _start(centre: tuple[float, float], parts: list[_Gathered]) -> tuple[float, np.ndarray]:
    """With the centre given the rest is linear: the squares left over, and all six values."""
    values, left_over = [*centre], 0.0
    for part in parts:
        arm = part.places - np.array(centre)
        arms = np.stack([arm, arm * (arm**2).sum(axis=1)[:, None]], -1)
        slopes = (part.roots @ arms).reshape(-1, 2)
        wanted = (part.roots @ part.shift[..., None]).ravel()
        normal = slopes.T @ slopes
        both = np.linalg.solve(normal + 1e-9 * (1 + np.trace(normal)) * np.eye(2), slopes.T @ wanted)
        left_over += float(((wanted - slopes @ both) ** 2).sum())
        values += [*both]
    return left_over, np.array(values)


def _gathered(shifts: Shifts, field: SmoothField, places: np.ndarray) -> _Gathered:
    """The known cells in squares of some: errors within one are tied, and there are fewer of them."""
    information = shifts.information * (field.weights / field.scale)[..., None, None]
    weights = np.trace(information, axis1=-2, axis2=-1)
    total = _squares(information)
    pulled = _squares((information @ shifts.shift[..., None])[..., 0])
    weight = _squares(weights)
    used = weight > 0
    centres = _squares(places * weights[..., None])[used] / weight[used][:, None]
    total = total[used] + 1e-6 * weight[used][:, None, None] * np.eye(2)
    shift = np.linalg.solve(total, pulled[used][..., None])[..., 0]
    roots = np.linalg.cholesky(total).transpose(0, 2, 1)
    return _Gathered(centres, shift, roots, np.flatnonzero(used))


def _squares(values: np.ndarray) -> np.ndarray:
    """Sums over squares of cells; the last ones may be smaller."""
    for axis in (0, 1):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], TOGETHER), axis=axis)
    return values


def _misses(values: np.ndarray, channel: int, part: _Gathered) -> tuple[np.ndarray, np.ndarray]:
    """What the lens leaves of the shifts, in standard deviations, and its derivatives by the six values."""
    linear, cubic = values[2 + 2 * channel : 4 + 2 * channel]
    arm = part.places - values[:2]
    square = (arm**2).sum(axis=1)
    growth = linear + cubic * square
    slopes = np.zeros((len(arm), 2, 6))
    slopes[:, :, :2] = -growth[:, None, None] * np.eye(2) - 2 * cubic * arm[:, :, None] * arm[:, None, :]
    slopes[:, :, 2 + 2 * channel] = arm
    slopes[:, :, 3 + 2 * channel] = arm * square[:, None]
    missing = part.roots @ (growth[:, None] * arm - part.shift)[..., None]
    return missing.ravel(), (part.roots @ slopes).reshape(-1, 6)


def _tied_covariance(slopes: np.ndarray, residuals: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Covariance of the estimate where errors within a group are tied (the sandwich estimate).

    References
    ----------
    K.-Y. Liang, S. L. Zeger, "Longitudinal data analysis using generalized linear models",
    Biometrika 73(1), 1986, doi 10.1093/biomet/73.1.13.
    """
    normal = slopes.T @ slopes
    inverse = np.linalg.inv(normal + 1e-9 * (1 + np.trace(normal)) * np.eye(len(normal)))
    names, place = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), slopes.shape[1]))
    np.add.at(sums, place, slopes * residuals[:, None])
    few = len(names) / max(1, len(names) - slopes.shape[1])
    covariance: np.ndarray = inverse @ (few * sums.T @ sums) @ inverse
    return covariance + 1e-12 * np.eye(len(covariance))
