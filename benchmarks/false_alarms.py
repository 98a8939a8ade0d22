"""How often untouched photos are called changed, generated or saved again, on the ways photos travel.

    python benchmarks/false_alarms.py PHOTO-OR-MANIFEST... [--way "NAME=CHAIN"] [--jobs 2]
        [--preset standard] [--json KEPT] [--limit N]

Every photo is examined as it is and after each way (chains of `forensix.forgery.chain`: sent by
a messenger, made smaller and saved, cropped, saved as PNG). Nothing of its content is changed, so
every "inconsistent" and every method's own decision is a false alarm. "Saved again" is true of
all but the first row. Of a manifest the rows labelled authentic, camera or original count.
With --json the lines are kept, and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from forensix.errors import ForensixError
from forensix.workers import run_tasks

AS_IT_IS = "as it is"
WAYS = {
    AS_IT_IS: "",
    "whatsapp": "whatsapp",
    "facebook": "facebook",
    "1600 px, JPEG 80": "longest:1600, jpeg:80",
    "cropped, JPEG 85": "crop:3:5, jpeg:85",
    "half size, PNG": "resize:0.5, png",
    "saved at JPEG 70": "jpeg:70",
}
UNTOUCHED = {"authentic", "camera", "original"}
Z = 1.96


def photos_of(paths: list[Path], limit: int) -> list[str]:
    found = []
    for path in paths:
        if path.suffix != ".csv":
            found.append(str(path))
            continue
        with open(path, newline="") as handle:
            found += [
                str(path.parent / row["image"])
                for row in csv.DictReader(handle)
                if row["label"].strip().lower() in UNTOUCHED
            ]
    chosen = dict.fromkeys(found)
    step = max(1, len(chosen) / limit) if limit else 1
    return [photo for i, photo in enumerate(chosen) if int(i / step) != int((i - 1) / step) or i == 0]


def travelled(photo: str, chain: str) -> Iterator[Path]:
    """The file that arrives, in a folder that goes when it has been looked at."""
    from forensix.evidence import open_evidence
    from forensix.forgery.chain import Picture, extension, parse_chain
    from forensix.forgery.travel import travel

    rgb = open_evidence(photo).rgb
    steps = [step.strip() for step in chain.split(",")]
    if steps[0].startswith("longest:"):
        factor = min(1.0, int(steps[0].split(":")[1]) / max(rgb.shape[:2]))
        steps[0] = f"resize:{factor:.6f}"
    parsed = parse_chain(", ".join(steps))
    arrived = travel(Picture(rgb), parsed.after, camera={}, seed=0, key=("way",))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"photo.{extension(parsed)}"
        path.write_bytes(arrived.data or b"")
        yield path


def examine(task: tuple[str, str, str], *, preset: str) -> dict[str, Any]:
    photo, way, chain = task
    line: dict[str, Any] = {"photo": photo, "way": way}
    try:
        for path in travelled(photo, chain) if chain else (Path(photo),):
            line |= looked_at(path, preset)
    except (ForensixError, OSError) as error:
        line["error"] = str(error)
    return line


def looked_at(path: Path, preset: str) -> dict[str, Any]:
    import forensix
    from forensix.mapfiles import grey_maps

    result = forensix.scan(path, preset=preset)
    mask = dict(grey_maps(result)).get("mask")
    return {
        "labels": {name: conclusion.label for name, conclusion in result.conclusions.items()},
        "decided": [f.detector for f in result.findings if f.decided],
        "spoke": [f.detector for f in result.findings if f.score is not None],
        "alarm": float((mask > 127).mean()) if mask is not None else 0.0,
        "because": list(result.conclusions["integrity"].because),
    }


def interval(hits: int, of: int) -> str:
    """A rate with its 95 % Wilson interval."""
    rate = hits / of
    centre = (rate + Z * Z / (2 * of)) / (1 + Z * Z / of)
    reach = Z / (1 + Z * Z / of) * (rate * (1 - rate) / of + Z * Z / (4 * of * of)) ** 0.5
    return f"{hits} ({max(0.0, centre - reach):.3f}-{min(1.0, centre + reach):.3f})"


def table(lines: list[dict[str, Any]]) -> str:
    """A row for each way, then one for each method that decided anything."""
    good = [line for line in lines if "error" not in line]
    ways = list(dict.fromkeys(line["way"] for line in good))
    out = [
        "| way | photos | inconsistent (95 %) | synthetic | resaved | mask alarm |",
        "|---|---|---|---|---|---|",
    ]
    for way in ways:
        of = [line for line in good if line["way"] == way]
        labels = Counter(label for line in of for label in line["labels"].values())
        alarm = sum(line["alarm"] for line in of) / len(of)
        out.append(
            f"| {way} | {len(of)} | {interval(labels['inconsistent'], len(of))} | {labels['synthetic']} "
            f"| {labels['resaved']} | {alarm:.5f} |"
        )
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    spoke: dict[str, Counter[str]] = defaultdict(Counter)
    for line in good:
        for counted, names in ((decided, line["decided"]), (spoke, line["spoke"])):
            for name in names:
                counted[name][line["way"]] += 1
    out += [
        "",
        f"| score above .5, of those that spoke | {' | '.join(ways)} |",
        "|---" * (len(ways) + 1) + "|",
    ]
    for name in sorted(decided):
        cells = " | ".join(f"{decided[name][way]} of {spoke[name][way]}" for way in ways)
        out.append(f"| {name} | {cells} |")
    failed = len(lines) - len(good)
    return "\n".join([*out, *([f"\n{failed} could not be examined."] if failed else [])])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--way", action="append", default=[], help="NAME=CHAIN, instead of the usual ones")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--limit", type=int, default=0, help="at most so many photos, evenly spread")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ways = dict(way.split("=", 1) for way in options.way) or WAYS
    lines = []
    if options.json and options.json.exists():
        lines = [json.loads(text) for text in options.json.read_text().splitlines()]
    known = {(line["photo"], line["way"]) for line in lines}
    photos = photos_of(options.photos, options.limit)
    tasks = [(p, way, chain) for p in photos for way, chain in ways.items() if (p, way) not in known]
    for _, outcome in run_tasks(partial(examine, preset=options.preset), tasks, workers=options.jobs):
        died = isinstance(outcome, Exception)
        lines.append({"photo": "?", "way": "?", "error": str(outcome)} if died else outcome)
        if options.json:
            with open(options.json, "a") as handle:
                handle.write(json.dumps(lines[-1]) + "\n")
    sys.stdout.write(table(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
