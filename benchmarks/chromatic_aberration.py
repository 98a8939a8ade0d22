"""Measure the chromatic-aberration method on untouched photos and on pastes made of them.

    python benchmarks/chromatic_aberration.py PHOTO... [--files-from LIST] [--pastes] [--crops] [--lenses] [--seed 11]

For photos as they are: how many are silent and why, how many are said to be cropped, and what
the farthest area of each reaches. With ``--pastes``, a disc (radius 16 % of the shorter side, about 5 %
of the picture) comes into every photo from the opposite side of the same photo, through the middle, not turned: the
same camera, noise and processing, so that only the lens can tell. Forged pictures and their twins
are measured without compression (PNG) and as JPEG 95 with colours at half size. With
``--crops``, a corner of 60 % of either side is cut out of every photo, and how far the centre found lies from
the photo's middle is told. With ``--lenses``, one line a photo with its coefficients. Splices between photos are measured by
``benchmarks/camera_traces.py measure MANIFEST --method chromatic-aberration``.
"""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from accuracy.formulas import area_between
from PIL import Image

import forensix
from forensix.detectors.camera import chromatic_aberration as method
from forensix.errors import ForensixError, NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding

RADIUS = 0.16  # of the shorter side
CORNER = 0.6  # of either side
AWAY = 0.32  # of either side, from the middle


@dataclass
class Tally:
    """What became of the pictures of one kind."""

    scores: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    silent: dict[str, int] = field(default_factory=dict)
    cropped: int = 0
    cost: list[float] = field(default_factory=list)

    def add(self, evidence: Evidence, mask: np.ndarray | None = None) -> Finding | None:
        evidence.rgb  # noqa: B018  (decoding is not the method's cost)
        begun = time.process_time()
        try:
            finding = method.detect(evidence)
        except NotApplicable as reason:
            self.silent[f"does not apply: {reason}"] = self.silent.get(f"does not apply: {reason}", 0) + 1
            self.scores.append(0.5)
            return None
        self.cost.append((time.process_time() - begun) / (evidence.height * evidence.width / 1e6))
        self.scores.append(0.5 if finding.score is None else finding.score)
        self.cropped += bool(finding.measurements.get("probably_cropped"))
        if finding.score is None:
            why = finding.explanation.split(":")[0]
            self.silent[why] = self.silent.get(why, 0) + 1
        else:
            self.distances.append(finding.measurements["distance"])
        if mask is not None:
            shown = finding.heatmap.full_size(*mask.shape) > 0.5 if finding.heatmap else np.zeros_like(mask)
            self.f1.append(2 * float((shown & mask).sum()) / max(1, int(shown.sum() + mask.sum())))
        return finding

    def line(self, name: str) -> str:
        reached = sorted(self.distances, reverse=True)
        alarms = sum(score > 0.5 for score in self.scores)
        middle = f"{np.median(reached):.2f}" if reached else "-"
        return (
            f"| {name} | {len(self.scores)} | {len(self.scores) - len(reached)} | {self.cropped} | {middle} | "
            f"{', '.join(f'{v:.1f}' for v in reached[:3])} | {alarms} | "
            f"{f'{np.mean(self.f1):.3f}' if self.f1 else '-'} | {np.median(self.cost or [np.nan]):.3f} |"
        )


def pasted(rgb: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The photo with a disc from its opposite side, and the disc's mask."""
    rows, cols = rgb.shape[:2]
    radius = int(RADIUS * min(rows, cols))
    angle = rng.uniform(0, 2 * np.pi)
    row = int(np.clip(rows / 2 + AWAY * rows * np.sin(angle), radius, rows - radius - 1))
    col = int(np.clip(cols / 2 + AWAY * cols * np.cos(angle), radius, cols - radius - 1))
    down, right = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = down**2 + right**2 <= radius**2
    forged, mask = rgb.copy(), np.zeros((rows, cols), bool)
    target, source = (
        (slice(r - radius, r + radius + 1), slice(c - radius, c + radius + 1))
        for r, c in ((row, col), (rows - 1 - row, cols - 1 - col))
    )
    forged[target][disc] = rgb[source][disc]
    mask[target] = disc
    return forged, mask


def corner(rgb: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A corner of the photo, and where the photo's middle lies from its top left pixel."""
    rows, cols = (int(CORNER * side) for side in rgb.shape[:2])
    top, left = (
        rng.integers(0, 2) * (whole - part) for whole, part in zip(rgb.shape, (rows, cols), strict=False)
    )
    middle = np.array([rgb.shape[0] / 2 - top, rgb.shape[1] / 2 - left])
    return np.ascontiguousarray(rgb[top : top + rows, left : left + cols]), middle


def centre_error(finding: Finding | None, middle: np.ndarray, rgb: np.ndarray) -> float | None:
    """Distance of the centre found from the photo's middle, in half diagonals of the crop."""
    if finding is None or not finding.measurements.get("probably_cropped"):
        return None
    return float(np.linalg.norm(finding.measurements["centre"] - middle) / np.hypot(*rgb.shape[:2]) * 2)


def encoded(rgb: np.ndarray, kind: str) -> Evidence:
    if kind == "PNG":
        return forensix.open(rgb)
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=95, subsampling=2)
    return forensix.open(stream.getvalue())


def lens_line(path: str, finding: Finding | None) -> str:
    stated = {} if finding is None else finding.measurements
    if "red_linear" not in stated:
        return f"| {Path(path).name} | - | - | - | - |"
    told = [
        f"{stated[f'{c}_{k}']:+.2f} ({stated[f'{c}_{k}_interval'][0]:+.2f} to {stated[f'{c}_{k}_interval'][1]:+.2f})"
        for c in ("red", "blue")
        for k in ("linear", "cubic")
    ]
    return f"| {Path(path).name} | {', '.join(told)} | {stated['largest_shift']:.2f} | {stated.get('centre')} | {finding.score} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="*")
    parser.add_argument("--files-from", type=Path)
    parser.add_argument("--pastes", action="store_true")
    parser.add_argument("--crops", action="store_true")
    parser.add_argument("--lenses", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    paths = arguments.photos + (arguments.files_from.read_text().split("\n") if arguments.files_from else [])
    rng = np.random.default_rng(arguments.seed)
    tallies: dict[str, Tally] = {"untouched": Tally()}
    errors: list[float] = []
    for path in filter(None, paths):
        try:
            evidence = forensix.open(path)
            rgb = evidence.rgb
        except ForensixError as error:
            print(path, error)
            continue
        finding = tallies["untouched"].add(evidence)
        if arguments.lenses:
            print(lens_line(path, finding), flush=True)
        if arguments.crops:
            part, middle = corner(rgb, rng)
            error = centre_error(
                tallies.setdefault("corner crop", Tally()).add(encoded(part, "PNG")), middle, part
            )
            errors += [] if error is None else [error]
        if arguments.pastes and finding is not None:
            forged, mask = pasted(rgb, rng)
            for kind in ("PNG", "JPEG 95"):
                tallies.setdefault(f"{kind}, twin", Tally()).add(encoded(rgb, kind))
                tallies.setdefault(f"{kind}, forged", Tally()).add(encoded(forged, kind), mask)
    print(
        "\n| pictures | number | silent | said to be cropped | median distance | highest | alarms | own F1 | CPU s/Mpx |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, tally in tallies.items():
        print(tally.line(name))
    for kind in ("PNG", "JPEG 95"):
        if f"{kind}, forged" in tallies:
            forged_scores, twin_scores = (tallies[f"{kind}, {what}"].scores for what in ("forged", "twin"))
            print(f"\n{kind}: image AUC {area_between(forged_scores, twin_scores):.3f}")
    if errors:
        told = ", ".join(f"{error:.2f}" for error in sorted(errors))
        print(f"\ncorner crops: centre away from the photo's middle by {told} half diagonals")
    print("\nSilent, untouched:")
    for why, number in sorted(tallies["untouched"].silent.items(), key=lambda item: -item[1]):
        print(f"- {number}: {why}")


if __name__ == "__main__":
    main()
