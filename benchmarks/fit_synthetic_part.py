"""Fit the method synthetic-part and measure it: generated parts pasted into photos.

    python benchmarks/fit_synthetic_part.py --real MANIFEST.csv... --synthetic MANIFEST.csv...
        [--hosts FOLDER...] [--family PREFIX=NAME]... [--windows FILE.npz...] [--write]

With ``--windows FILE`` the windows are only gathered into that file; a later run with ``--windows
FILE...`` starts from them. Photos are looked at as they are, cropped, reduced, and as they come back from a
JPEG; into photos of the host folders go parts of generated pictures and parts rebuilt by made generators
and made decoders, all stored without loss. Half of the cameras and scenes measure what the other half fitted, and a family of
generators is measured by a sum that never saw it. Printed are tables in Markdown. ``--write``
replaces forensix/models/synthetic_part.npz, fitted on everything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import origin_data as data

from forensix.detectors.synthetic import part as method
from forensix.detectors.synthetic._part_region import PartRegion
from forensix.errors import ForensixError
from forensix.forgery.generators import UPSAMPLINGS, generate
from forensix.forgery.shapes import draw_region

MODELS = Path(__file__).parent.parent / "forensix" / "models"
LARGEST, REDUCED = 2600, 1600
RIDGE, BETWEEN, PHOTOS = 0.1, 0.3, 1.0  # as in origin_model; weight of the scatter between photos
MADE_SHARE = 0.4
MOST = 80  # windows of one photo that take part in the fit
INSIDE = 0.9  # of a window lies in the part
FIELDS = ("kind", "family", "form", "set", "group", "stride", "rows", "cols", "cells_down", "cells_across")


def forms(image: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """A photo in the forms in which it may be stored without loss."""
    size = max(image.shape[:2])
    yield "as it is", data.crop(image, rng, LARGEST)
    if size > REDUCED:
        small = data.resized(image, REDUCED / size, cv2.INTER_AREA)
        yield "reduced", small
        yield "reduced, was JPEG 80", data.jpeg(small, 80)
    if size > 1000:
        yield "crop", data.crop(image, rng, 1000)
    yield "was JPEG 90", data.jpeg(data.crop(image, rng, 1200), 90)


def composites(
    image: np.ndarray, generated: list[tuple[str, np.ndarray]], rng: np.random.Generator, number: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(family, picture, mask): a part of a generated picture, a part rebuilt by a made generator and by a made decoder."""
    if rng.random() < 0.5 and max(image.shape[:2]) > REDUCED:
        image = data.resized(image, max(0.4, REDUCED / max(image.shape[:2])), cv2.INTER_AREA)
    image = data.crop(image, rng, 1200)
    for kind in ("generated", "made", "decoder"):
        area = float(rng.uniform(0.04, 0.2))
        try:
            if kind == "generated":
                mask = draw_region(image, rng=rng, shape="object", area=area).full(*image.shape[:2])
                family, source = generated[rng.integers(len(generated))]
                yield family, *_pasted(image, source, mask)
                continue
            how = "decoder" if kind == "decoder" else UPSAMPLINGS[rng.integers(len(UPSAMPLINGS))]
            stages = int(rng.integers(1, 4))
            edit = generate(
                image, rng=rng, upsampling=how, stages=stages, model=100 + number, whole=False, area=area
            )
            yield kind, edit.image, edit.mask
        except ForensixError:
            continue


def _pasted(image: np.ndarray, source: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The photo with the part of a generated picture laid over the middle of the mask."""
    rows, cols = (min(a, b) for a, b in zip(source.shape[:2], image.shape[:2], strict=True))
    middle = np.argwhere(mask).mean(axis=0)
    top = int(np.clip(middle[0] - rows // 2, 0, image.shape[0] - rows))
    left = int(np.clip(middle[1] - cols // 2, 0, image.shape[1] - cols))
    place = np.s_[top : top + rows, left : left + cols]
    inside = np.zeros_like(mask)
    inside[place] = mask[place]
    out = image.copy()
    out[place][mask[place]] = source[:rows, :cols][mask[place]]
    return out, inside


def gather(real: list[data.Source], synthetic: list[data.Source], hosts: list[str], seed: int) -> dict:
    """All pictures: their windows, one after the other, and what is known of each."""
    cv2.setNumThreads(1)
    pictures: list[dict] = []
    generated = [(s.family, image) for s in synthetic if (image := data.pixels(s)) is not None]
    for number, source in enumerate([*real, *synthetic]):
        image, rng = data.pixels(source), np.random.default_rng([seed, number])
        if image is None or image.ndim != 3 or min(image.shape[:2]) < method.LEAST_SIDE:
            continue
        told = {"family": source.family, "set": source.set, "group": source.group}
        if source.synthetic:
            small = data.resized(image, float(rng.uniform(0.6, 0.95)), data.INTERPOLATIONS[rng.integers(4)])
            for form, picture in (("as it is", image), ("resized", small)):
                pictures.append(measured(picture, None, kind="generated", form=form, **told))
            continue
        for form, picture in forms(image, rng):
            pictures.append(measured(picture, None, kind="photo", form=form, **told))
        if source.set in hosts:
            for family, picture, mask in composites(image, generated, rng, number):
                told = {"set": source.set, "group": source.group, "family": family}
                pictures.append(measured(picture, mask, kind="part", form="png", **told))
    table = {name: np.array([picture[name] for picture in pictures]) for name in FIELDS}
    for name in ("features", "judged", "share"):
        table[name] = np.concatenate([picture[name] for picture in pictures])
    return table


def measured(picture: np.ndarray, mask: np.ndarray | None, **told: str) -> dict:
    windows = method.windows_of(np.ascontiguousarray(picture))
    rows, cols = windows.judged.shape
    share = np.zeros((rows, cols), np.float32)
    if mask is not None:
        down, across = windows.cells
        cells = mask[: down * 16, : across * 16].reshape(down, 16, across, 16).mean(axis=(1, 3))
        share = method.window_means(cells, stride=windows.stride).astype(np.float32)
    return {
        "features": windows.features.reshape(rows * cols, -1).astype(np.float16),
        "judged": windows.judged.ravel(), "share": share.ravel(), "stride": windows.stride, "rows": rows,
        "cols": cols, "cells_down": windows.cells[0], "cells_across": windows.cells[1], **told,
    }  # fmt: skip


def fit(table: dict, chosen: np.ndarray, *, without: str = "") -> method.PartModel:
    """The sum of the chosen pictures; a discriminant as in origin_model.

    The noise is the scatter of windows within photos, of the means of photos and of the means of generators.
    """
    number = np.repeat(np.arange(len(table["kind"])), table["rows"] * table["cols"])
    rng = np.random.default_rng(0)
    usable = chosen[number] & table["judged"]
    photos = np.flatnonzero(usable & (table["kind"] == "photo")[number])
    photos = rng.permutation(photos)
    counted = np.zeros(len(table["kind"]), int)
    order = np.argsort(number[photos], kind="stable")
    first = np.searchsorted(number[photos][order], np.arange(len(counted)))
    rank = np.arange(len(photos)) - first[number[photos][order]]
    photos = photos[order][rank < MOST]
    values = table["features"][photos].astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-3
    values = (values - mean) / scale
    _, at = np.unique(number[photos], return_inverse=True)
    centres = np.stack([np.bincount(at, column) for column in values.T], axis=1) / np.bincount(at)[:, None]
    within, between = np.cov((values - centres[at]).T), np.cov(centres.T)
    families = [str(f) for f in sorted(set(table["family"][table["kind"] != "photo"])) if f != without]
    made = {"made", "decoder"} & set(families)
    shifts, weights = [], []
    for family in families:
        inside = usable & (table["family"] == family)[number]
        inside &= (table["share"] > INSIDE) if family in made else (table["kind"] == "generated")[number]
        if np.count_nonzero(inside) < 20:
            continue
        shifts.append(((table["features"][inside].astype(np.float64) - mean) / scale).mean(axis=0))
        weights.append(
            MADE_SHARE / len(made) if family in made else (1 - MADE_SHARE) / (len(families) - len(made))
        )
    shifts, shares = np.array(shifts), np.array(weights) / np.sum(weights)
    common = shares @ shifts
    apart = shifts - common
    noise = (
        within + PHOTOS * between + BETWEEN * apart.T @ (shares[:, None] * apart) + RIDGE * np.eye(len(mean))
    )
    direction = np.linalg.solve(noise, common)
    direction /= np.sqrt(direction @ within @ direction)
    return method.PartModel(mean, direction / scale, float(np.quantile(values @ direction, 0.99)))


def pictures_of(table: dict) -> Iterator[tuple[int, method.Windows, np.ndarray]]:
    """Each picture's windows, and how much of each lies in the part."""
    ends = np.cumsum(table["rows"] * table["cols"])
    for at, end in enumerate(ends):
        shape = (int(table["rows"][at]), int(table["cols"][at]))
        place = np.s_[end - shape[0] * shape[1] : end]
        cells = (int(table["cells_down"][at]), int(table["cells_across"][at]))
        features = table["features"][place].reshape(*shape, -1)
        windows = method.Windows(
            features, table["judged"][place].reshape(shape), int(table["stride"][at]), cells
        )
        yield at, windows, table["share"][place].reshape(shape)


def held_out(table: dict, *, seed: int = 0) -> tuple[list[PartRegion], np.ndarray]:
    """What each picture's half and family never taught finds in it; and agreement (IoU) with the truth, of windows."""
    groups = sorted(set(table["group"][table["kind"] != "generated"]))
    half = dict(zip(groups, np.random.default_rng(seed).integers(0, 2, len(groups)), strict=True))
    halves = np.array([half.get(group, at % 2) for at, group in enumerate(table["group"])])
    models: dict[tuple[int, str], method.PartModel] = {}
    found, agreement = [], []
    real_families = set(table["family"][table["kind"] == "generated"])
    for at, windows, share in pictures_of(table):
        family = str(table["family"][at])
        key = (int(halves[at]), family if family in real_families else "")
        if key not in models:
            # Generated pictures have no camera: all of the other families take part.
            models[key] = fit(table, (halves != key[0]) | (table["kind"] == "generated"), without=key[1])
        region = method.synthetic_part(windows, models[key])
        truth = (share > 0.5) & windows.judged
        found.append(region)
        agreement.append((region.region & truth).sum() / max(1, (region.region | truth).sum()))
    return found, np.array(agreement)


def tables(table: dict, found: list[PartRegion], agreement: np.ndarray) -> Iterator[str]:
    heights = np.array([f.distance if f.quarter <= method.PHOTO_LIKE else 0.0 for f in found])
    photos = table["kind"] == "photo"
    yield (
        f"Photos: {photos.sum()}; "
        + ", ".join(
            f"{share:.1%} exceed {np.quantile(heights[photos], 1 - share):.2f}"
            for share in (0.1, 0.02, 0.01, 0.005)
        )
        + f"; largest {heights[photos].max():.2f}\n"
    )
    yield f"| pictures | form | number | distance above {method.DECISION:g} | agreement (IoU) where found |\n|---|---|---|---|---|"
    for kind in ("photo", "generated", "part"):
        for family in sorted(set(table["family"][table["kind"] == kind])):
            for form in sorted(set(table["form"][table["kind"] == kind])):
                inside = (table["kind"] == kind) & (table["family"] == family) & (table["form"] == form)
                if not inside.any():
                    continue
                hits = inside & (heights > method.DECISION)
                iou = f"{agreement[hits].mean():.2f}" if kind == "part" and hits.any() else "--"
                yield f"| {kind} {family} | {form} | {inside.sum()} | {hits.sum() / inside.sum():.3f} | {iou} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", nargs="+", type=Path, default=[])
    parser.add_argument("--synthetic", nargs="+", type=Path, default=[])
    parser.add_argument("--hosts", nargs="*", default=[], help="folders of the photos that parts go into")
    parser.add_argument(
        "--family", action="append", default=[], help="PREFIX=NAME: groups that are one family"
    )
    parser.add_argument(
        "--windows", nargs="*", type=Path, default=[], help="start from these, or write the first"
    )
    parser.add_argument("--most", type=int, default=10_000, help="photos of one manifest, spread over it")
    parser.add_argument("--piece", type=int, nargs=2, default=(0, 1), help="only photos I of every N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="replace the shipped model")
    args = parser.parse_args()
    kept = [dict(np.load(path)) for path in args.windows if path.exists()]
    if kept:
        table = {name: np.concatenate([piece[name] for piece in kept]) for name in kept[0]}
    else:
        named = dict(pair.split("=", 1) for pair in args.family)
        real = data.sources(args.real, synthetic=False, most=args.most)[args.piece[0] :: args.piece[1]]
        synthetic = data.sources(args.synthetic, synthetic=True, families=named)
        table = gather(real, synthetic, args.hosts, args.seed)
        if args.windows:
            np.savez_compressed(args.windows[0], **table)
            return
    print("\n".join(tables(table, *held_out(table))))
    if args.write:
        (MODELS / "synthetic_part.npz").write_bytes(fit(table, np.ones(len(table["kind"]), bool)).save())


if __name__ == "__main__":
    main()
