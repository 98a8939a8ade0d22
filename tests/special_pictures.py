"""Made pictures of kinds that cues of splicing mistake: screenshots, drawings, bokeh, night, panoramas."""

import cv2
import numpy as np

SIDE = 512


def screenshot() -> np.ndarray:
    """A page of text with a bar and a window, every edge one pixel sharp."""
    page = np.full((SIDE, SIDE, 3), 250, np.uint8)
    page[:40] = (40, 60, 110)
    page[300:460, 260:480] = (225, 230, 240)
    for row in range(70, SIDE - 20, 22):
        text = f"{row} the quick brown fox jumps over the lazy dog"
        cv2.putText(page, text, (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return page


def drawing(seed: int = 1) -> np.ndarray:
    """Filled shapes with outlines, and a gradient behind."""
    rng = np.random.default_rng(seed)
    sky = np.linspace(150, 230, SIDE)[:, None, None] * np.array([0.8, 0.9, 1.0])
    picture = np.ascontiguousarray(np.rint(np.broadcast_to(sky, (SIDE, SIDE, 3))).astype(np.uint8))
    for _ in range(25):
        at, radius = rng.integers(0, SIDE, 2).tolist(), int(rng.integers(10, 80))
        cv2.circle(picture, at, radius, rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
        cv2.circle(picture, at, radius, (0, 0, 0), 2, cv2.LINE_AA)
    return picture


def photographed(light: np.ndarray, rng: np.random.Generator, *, gain: float = 1.0) -> np.ndarray:
    """Light (rows, cols, 3) from 0 to 255 through a mosaic of filters, with noise that grows with it."""
    noisy = light + gain * rng.normal(0, 1, light.shape) * np.sqrt(2 + light / 20)
    raw = np.rint(np.clip(noisy, 0, 255)).astype(np.uint8)
    mosaic = raw[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = raw[::2, ::2, 0], raw[1::2, 1::2, 2]
    return np.asarray(cv2.demosaicing(mosaic, cv2.COLOR_BayerBG2RGB_EA))


def texture(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """Detail of many scales; (side, side, 3) float32, about 20 to 230."""
    total = np.zeros((side, side, 3), np.float32)
    for sigma, spread in ((1.2, 12), (4.0, 20), (16.0, 35)):
        grain = cv2.GaussianBlur(rng.normal(0, 1, (side, side, 1)).astype(np.float32), (0, 0), sigma)
        total += (spread / grain.std() * grain)[..., None] * np.array([1.0, 0.9, 0.8], np.float32)
    return np.clip(125 + total, 5, 250)


def bokeh(seed: int = 2) -> np.ndarray:
    """A sharp disc before ground far out of focus."""
    rng = np.random.default_rng(seed)
    near, far = texture(rng), cv2.GaussianBlur(texture(rng), (0, 0), 12)
    down, across = np.indices((SIDE, SIDE))
    disc = ((down - 260.0) ** 2 + (across - 240.0) ** 2 < 130**2).astype(np.float32)
    cover = cv2.GaussianBlur(disc, (0, 0), 0.8)[..., None]
    return photographed(cover * near + (1 - cover) * far, rng)


def night(seed: int = 3) -> np.ndarray:
    """Dark, noisy, with a few clipped lamps."""
    rng = np.random.default_rng(seed)
    light = 0.08 * texture(rng)
    for _ in range(15):
        at = rng.integers(0, SIDE, 2).tolist()
        lamp = np.zeros((SIDE, SIDE), np.float32)
        cv2.circle(lamp, at, int(rng.integers(3, 9)), 400.0, -1)
        light += cv2.GaussianBlur(lamp, (0, 0), 3)[..., None] * np.array([1.0, 0.9, 0.6], np.float32)
    return photographed(light, rng, gain=3.0)


def panorama(seed: int = 4) -> np.ndarray:
    """Two exposures of one scene, the second warped and brighter, faded into each other."""
    rng = np.random.default_rng(seed)
    scene = texture(rng, 640)[64:576, 64:576]
    left = photographed(scene, rng)
    turned = cv2.warpAffine(
        photographed(np.clip(1.08 * scene, 0, 255), rng), np.float32([[1.01, 0.02, -3], [-0.02, 1.01, 4]]), (SIDE, SIDE),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    share = np.clip((np.arange(SIDE) - 200) / 112, 0, 1)[None, :, None]
    return np.rint(share * turned + (1 - share) * left).astype(np.uint8)


PICTURES = {
    "text screenshot": screenshot,
    "drawing": drawing,
    "bokeh": bokeh,
    "night": night,
    "panorama": panorama,
}
