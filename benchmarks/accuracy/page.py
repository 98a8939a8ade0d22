"""The tables as files: csv for machines, a page for people, plots where matplotlib is there."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.figures import COLUMNS, EVERYTHING, all_figures, question_of, score_of, subjects
from benchmarks.accuracy.labelled import CONCLUSIONS

IMAGE_COLUMNS = ("collection", "name", "group", "subject", "positive", "score", "decided", "f1", "best_f1",
                 "best_level", "iou", "mcc", "alarm", "mpx", "seconds", "error")  # fmt: skip
HEADINGS = ("AUC", "TPR", "FPR", "TPR at 1 %", "F1", "best F1", "MCC", "alarm area", "silent", "s/Mpx")


def write_all(
    lines: Sequence[dict[str, Any]], out: Path, *, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Write ``images.csv``, ``figures.csv``, ``report.md`` and the plots; returns the figures."""
    lines = sorted(lines, key=lambda line: (line["collection"], line["name"]))
    rows = list(all_figures(lines))
    _write_csv(out / "images.csv", IMAGE_COLUMNS, _image_rows(lines))
    _write_csv(out / "figures.csv", COLUMNS, rows)
    plots = _plots(lines, rows, out)
    (out / "report.md").write_text(report(rows, lines, settings=settings, plots=plots), "utf-8")
    return rows


def _plots(lines: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], out: Path) -> list[str]:
    try:
        from benchmarks.accuracy.plots import draw_all
    except ImportError:  # matplotlib comes with the extra "bench"
        return []
    return draw_all(lines, rows, out)


def _image_rows(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for line in lines:
        for subject in subjects(lines):
            entry = line["subjects"].get(subject, {})
            positive = line["positive"][question_of(subject)]
            common = {k: line[k] for k in ("collection", "name", "group", "mpx", "error")}
            rows.append(
                {
                    **common,
                    **entry,
                    "subject": subject,
                    "positive": int(positive),
                    "score": score_of(line, subject),
                }
            )
    return rows


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(row.get(name)) for name in columns})


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else value


def report(
    rows: Sequence[Mapping[str, Any]],
    lines: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
    plots: Sequence[str] = (),
) -> str:
    """The page, in Markdown."""
    text = ["# Accuracy", "", f"forensix {settings['version']}, preset {settings['preset']}. Rates are at each "
            "method's own decision, with 95 % Wilson intervals; the interval of the AUC is a bootstrap over "
            "scenes. Pixel figures are means over tampered images with a mask: F1 and MCC of the method's own "
            "mask, best F1 at each image's best threshold. Alarm area is the mean share of an untouched image "
            "inside the mask. Silence counts as a score of 0.5.", ""]  # fmt: skip
    for collection in dict.fromkeys(row["collection"] for row in rows):
        own = [row for row in rows if row["collection"] == collection and informative(row)]
        errors = [line for line in lines if line["collection"] == collection and line["error"]]
        count = sum(line["collection"] == collection for line in lines)
        text += [f"## {collection}", "", f"{count} images, {len(errors)} could not be read.", ""]
        text += [f"- `{line['name']}`: {line['error']}" for line in errors[:10]] + ([""] if errors else [])
        text += _table([row for row in own if row["by"] == EVERYTHING])
        text += [f"![{plot}]({plot})\n" for plot in plots if plot.split("/")[-1].startswith(f"{collection}.")]
        for by in dict.fromkeys(row["by"] for row in own if row["by"] != EVERYTHING):
            text += [f"### By {by.removeprefix('cell.')}", "", *_by_table([r for r in own if r["by"] == by])]
    return "\n".join(text) + "\n"


def informative(row: Mapping[str, Any]) -> bool:
    """Whether a row says anything: its method spoke at least once, or it is a conclusion asked for."""
    if row["positives"] + row["negatives"] == row["silent"]:
        return False
    return row["subject"] not in CONCLUSIONS or row["by"] == EVERYTHING or row["subject"] == "integrity"


def _by_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One row a value, one column a subject: AUC, TPR and F1."""
    names = list(dict.fromkeys(row["subject"] for row in rows))
    text = ["AUC / TPR / F1 of each, the last two at its own decision.", ""]
    text += ["| value | n+ / n- | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for value in dict.fromkeys(row["value"] for row in rows):
        here = {row["subject"]: row for row in rows if row["value"] == value}
        counts = next(iter(here.values()))
        cells = [
            " / ".join(_number(here[name][figure]) or "-" for figure in ("auc", "tpr", "f1"))
            if name in here
            else ""
            for name in names
        ]
        text.append(
            f"| {value or 'none'} | {counts['positives']} / {counts['negatives']} | "
            + " | ".join(cells)
            + " |"
        )
    return [*text, ""]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    text = ["| subject | n+ / n- | " + " | ".join(HEADINGS) + " |", "|---" * (2 + len(HEADINGS)) + "|"]
    for row in rows:
        cells = [
            _number(row["auc"]) + _span(row["auc_low"], row["auc_high"]),
            _number(row["tpr"]) + _span(row["tpr_low"], row["tpr_high"]),
            _number(row["fpr"]) + _span(row["fpr_low"], row["fpr_high"]),
            *(_number(row[name]) for name in ("tpr_at_1", "f1", "best_f1", "mcc", "alarm")),
            str(row["silent"]),
            _number(row["seconds_per_mpx"]),
        ]
        text.append(
            f"| {row['subject']} | {row['positives']} / {row['negatives']} | " + " | ".join(cells) + " |"
        )
    return [*text, ""]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def _span(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" ({low:.2f} to {high:.2f})"
