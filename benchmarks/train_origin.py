"""Train the spectral fingerprint and measure it: camera or generator?

    python benchmarks/train_origin.py --real MANIFEST.csv... --synthetic MANIFEST.csv...
        [--family PREFIX=NAME]... [--made 2] [--judge FOLDER...] [--numbers FILE.npz...] [--write]

With ``--numbers FILE`` the numbers are only gathered into that file; a later run with
``--numbers FILE...`` starts from them.

Manifests have the columns image, label and group (see ``forensix forge``); rows labelled
authentic or resaved are real photos, rows labelled synthetic are generated. Every picture
goes through the same encodings (benchmarks/origin_data.py); photos, in part, through made
generators too. Printed are tables in Markdown: each family of generators left out of the training
in turn, trained on one and tested on another, in domain, and false alarms on photos of cameras
kept out. ``--write`` replaces forensix/models/spectral_origin.npz.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import origin_data as data
import origin_model as fitting

from forensix.detectors.synthetic import _features
from forensix.detectors.synthetic._features import windows_of
from forensix.detectors.synthetic._origin_model import save
from forensix.errors import ForensixError
from forensix.forgery.generators import DECODER, UPSAMPLINGS, generate

MODELS = Path(__file__).parent.parent / "forensix" / "models"
FIELDS = ("synthetic", "family", "group", "set", "before", "after", "factor", "quality")
WINDOWS, FEWEST = 12, 2
# What each picture goes through: before, after.
REAL = [("none", "png"), *[("none", "jpeg")] * 2, *[("resize", "png")] * 2, *[("resize", "jpeg")] * 2]
SYNTHETIC = [*[("none", "png")] * 2, *[("none", "jpeg")] * 4, ("resize", "png"), *[("resize", "jpeg")] * 2,
             ("jpeg", "png"), ("jpeg", "jpeg")]  # fmt: skip
MADE = [("none", "png"), ("none", "jpeg")]


def rows_of(numbered: tuple[int, data.Source], *, made: int, seed: int) -> list[tuple[np.ndarray, dict]]:
    """The numbers of one picture in all encodings, with what is known of each."""
    cv2.setNumThreads(1)
    at, source = numbered
    image = data.pixels(source)
    if image is None or image.ndim != 3:
        return []
    rng = np.random.default_rng([seed, at])
    told = {"synthetic": source.synthetic, "family": source.family, "group": source.group, "set": source.set}
    out = []
    for before, after in SYNTHETIC if source.synthetic else REAL:
        out += one_row(data.crop(image, rng), before, after, rng, told)
    for _ in range(0 if source.synthetic else made):
        for made_by, picture in made_pictures(image, rng):
            for before, after in MADE:
                out += one_row(picture, before, after, rng, {**told, "synthetic": True, "family": made_by})
    return out


def one_row(
    picture: np.ndarray, before: str, after: str, rng: np.random.Generator, told: dict
) -> list[tuple[np.ndarray, dict]]:
    treated, drawn = data.treated(picture, before, after, rng)
    if min(treated.shape[:2]) < 128:
        return []
    windows, corners = windows_of(treated, most=WINDOWS)
    usable = _features.usable(windows)
    if np.count_nonzero(usable) < FEWEST:
        return []
    numbers = _features.picture_numbers(windows[usable], corners[usable])
    return [(numbers, {**told, "before": before, "after": after, **drawn})]


def made_pictures(image: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """The photo, or the photo reduced, rebuilt by a made generator (a plain one or one that mixes colours) and by a decoder."""
    upsampling, stages = UPSAMPLINGS[rng.integers(4)], int(rng.integers(1, 4))
    mixing, model = bool(rng.integers(2)), int(rng.integers(40))
    part = _part(image, rng, 640)
    try:
        if mixing:
            picture = data.decoded(part, rng, upsampling, stages, model)
        else:
            picture = generate(part, rng=rng, upsampling=upsampling, stages=stages, model=model).image
        yield f"made-{'mixing-' if mixing else ''}{upsampling}-{stages}", picture
    except ForensixError:
        pass
    stages, model = int(rng.integers(1, 4)), int(rng.integers(40))
    try:
        picture = generate(
            _part(image, rng, 400), rng=rng, upsampling=DECODER, stages=stages, model=model
        ).image
    except ForensixError:
        return
    yield f"made-decoder-{stages}", picture


def _part(image: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """A crop of the photo, or of the photo reduced."""
    if rng.random() < 0.5 and min(image.shape[:2]) >= 1.25 * size:
        return data.resized(data.crop(image, rng, round(1.6 * size)), 0.6, cv2.INTER_AREA)
    return data.crop(image, rng, size)


def gather(chosen: list[data.Source], *, made: int, seed: int, jobs: int) -> dict[str, np.ndarray]:
    """The table of all rows: one array a field."""
    work = partial(rows_of, made=made, seed=seed)
    with ProcessPoolExecutor(jobs) as pool:
        rows = [row for several in pool.map(work, enumerate(chosen), chunksize=4) for row in several]
    table = {name: np.array([told[name] for _, told in rows]) for name in FIELDS}
    return {"numbers": np.array([numbers for numbers, _ in rows]), **table}


def choices(table: dict[str, np.ndarray], judge: list[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Photos and generated pictures that are compared, by condition."""
    own, png, jpeg = table["before"] == "none", table["after"] == "png", table["after"] == "jpeg"
    middling = jpeg & (table["quality"] >= 75) & (table["quality"] <= 95)
    judged = np.isin(table["set"], judge) if judge else np.ones(len(own), bool)
    reduced = (table["before"] == "resize") & ~table["synthetic"]
    return {
        "PNG": (own & png & judged, own & png),
        "JPEG 75-95": (own & middling & judged, own & middling),
        "PNG, photos reduced": (reduced & png, own & png),
        "JPEG, photos reduced": (reduced & jpeg, own & middling),
    }


def families(table: dict[str, np.ndarray]) -> list[str]:
    real_ones = sorted(
        {str(f) for f in table["family"][table["synthetic"]] if not str(f).startswith("made-")}
    )
    return real_ones


def left_out_table(names: list[str], table: dict[str, np.ndarray], judge: list[str]) -> Iterator[str]:
    """AUC of each family by models that never saw it, with and without made generators, and in domain."""
    conditions = choices(table, judge)
    made = np.char.startswith(table["family"].astype(str), "made-")
    yield "| left out | made generators | " + " | ".join(conditions) + " |"
    yield "|---|---|" + "---|" * len(conditions)
    for title, usable in (("with", np.ones(len(made), bool)), ("without", ~made)):
        means = []
        for family in families(table):
            sums, _ = fitting.held_out_sums(names, table, usable, without=family)
            values = [
                fitting.auc(sums, r & ~table["synthetic"], s & (table["family"] == family))
                for r, s in conditions.values()
            ]
            means.append(values)
            yield f"| {family} | {title} | " + " | ".join(f"{v:.3f}" for v in values) + " |"
        yield f"| mean | {title} | " + " | ".join(f"{v:.3f}" for v in np.mean(means, axis=0)) + " |"
    for title, only in (("all real generators", ~made), ("made generators", made)):
        sums, _ = fitting.held_out_sums(names, table, np.ones(len(made), bool))
        values = [
            fitting.auc(sums, r & ~table["synthetic"], s & table["synthetic"] & only)
            for r, s in conditions.values()
        ]
        yield f"| none: {title}, scenes kept out | with | " + " | ".join(f"{v:.3f}" for v in values) + " |"


def crossed_table(names: list[str], table: dict[str, np.ndarray], judge: list[str]) -> Iterator[str]:
    """AUC when trained on one family of generators (and photos) and tested on another, PNG / JPEG 75-95."""
    made = np.char.startswith(table["family"].astype(str), "made-")
    kinds = {family: table["family"] == family for family in families(table)} | {"made generators": made}
    conditions = list(choices(table, judge).values())[:2]
    yield "| trained on | " + " | ".join(kinds) + " |"
    yield "|---|" + "---|" * len(kinds)
    for title, trained in kinds.items():
        sums, _ = fitting.held_out_sums(names, table, ~table["synthetic"] | trained)
        told = []
        for tested in kinds.values():
            values = [fitting.auc(sums, r & ~table["synthetic"], s & tested) for r, s in conditions]
            told.append(" / ".join(f"{v:.2f}" for v in values))
        yield f"| {title} | " + " | ".join(told) + " |"


def alarms_table(names: list[str], table: dict[str, np.ndarray]) -> Iterator[str]:
    """At the shipped threshold: photos called synthetic and generated pictures found, whole sets of photos kept out."""
    sums, _ = fitting.held_out_sums(names, table, np.ones(len(table["set"]), bool), sets=True)
    limits = {after: fitting.limit(sums, table, after) for after in fitting.AFTER}
    above = sums > np.array([limits[str(after)] for after in table["after"]])
    yield "| pictures | encoding | number | called synthetic |"
    yield "|---|---|---|---|"
    for synthetic, field in ((False, "set"), (True, "family")):
        for name in sorted(set(table[field][table["synthetic"] == synthetic])):
            for before, after in sorted(set(zip(table["before"], table["after"], strict=True))):
                inside = (table["synthetic"] == synthetic) & (table[field] == name)
                inside &= (table["before"] == before) & (table["after"] == after)
                if inside.any():
                    share = float(above[inside].mean())
                    yield f"| {name} | {before}, {after} | {inside.sum()} | {share:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", nargs="+", type=Path, default=[])
    parser.add_argument("--synthetic", nargs="+", type=Path, default=[])
    parser.add_argument(
        "--family", action="append", default=[], help="PREFIX=NAME: groups that are one family"
    )
    parser.add_argument("--made", type=int, default=2, help="made generators a photo")
    parser.add_argument(
        "--judge", nargs="*", default=[], help="folders of the photos that AUC is measured on"
    )
    parser.add_argument(
        "--numbers",
        nargs="*",
        type=Path,
        default=[],
        help="start from these; the first is written if none exists",
    )
    parser.add_argument("--most", type=int, default=10_000, help="photos of one manifest, spread over it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quiet", action="store_true", help="no tables")
    parser.add_argument("--write", action="store_true", help="replace the shipped model")
    args = parser.parse_args()
    named = dict(pair.split("=", 1) for pair in args.family)
    kept = [dict(np.load(path)) for path in args.numbers if path.exists()]
    if kept:
        table = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    else:
        chosen = data.sources(args.synthetic, synthetic=True, families=named, most=args.most)
        chosen += data.sources(args.real, synthetic=False, most=args.most)
        table = gather(chosen, made=args.made, seed=args.seed, jobs=args.jobs)
        if args.numbers:
            np.savez_compressed(args.numbers[0], **table)
            return
    names = _features.names()
    parts = (
        left_out_table(names, table, args.judge),
        crossed_table(names, table, args.judge),
        alarms_table(names, table),
    )
    for part in () if args.quiet else parts:
        print("\n".join(part), flush=True)
        print()
    everything = np.ones(len(table["set"]), bool)
    sums, far = fitting.held_out_sums(names, table, everything, sets=True)
    if args.write:
        (MODELS / "spectral_origin.npz").write_bytes(save(fitting.models(names, table, sums, far)))


if __name__ == "__main__":
    main()
