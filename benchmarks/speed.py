"""How long a scan takes and what it needs, paired with one SIFT pass on the same photo.

    python benchmarks/speed.py PHOTO... [--repeat 3] [--write NAME]

Prints CPU seconds (user and system, all threads and children), wall seconds and peak
memory of whole commands run in fresh processes: the import, ``--help``, a first scan
with empty JIT caches, warm scans, and the reference, one
``cv2.SIFT_create(20000).detectAndCompute`` over the same photo. ``--write NAME`` keeps
the table in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

SIFT = (
    "import sys, time, cv2; grey = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION);"
    "began = time.process_time(); cv2.SIFT_create(20000).detectAndCompute(grey, None);"
    "print(time.process_time() - began)"
)
EMPTY = "pass"


def run(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float, float, str]:
    """CPU seconds, wall seconds, peak MB and stdout of one command in a process of its own."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"failed: {' '.join(command)}")
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, text


def median_run(command: list[str], repeat: int, environment: dict[str, str] | None = None):
    """Medians of CPU, wall and peak memory over several runs."""
    runs = [run(command, environment)[:3] for _ in range(repeat)]
    return tuple(statistics.median(values) for values in zip(*runs, strict=True))


def photo_rows(photo: Path, repeat: int) -> list[tuple[str, float, float, float, str]]:
    """One block of the table: the reference and the scans of one photo."""
    from PIL import Image

    with Image.open(photo) as picture:
        megapixels = picture.width * picture.height / 1e6
    sift = statistics.median(float(run([sys.executable, "-c", SIFT, str(photo)])[3]) for _ in range(repeat))
    rows = [(f"SIFT 20000 pass, {megapixels:.1f} Mpx", sift, float("nan"), float("nan"), "1.00")]
    scan = [sys.executable, "-m", "forensix", "scan", str(photo), "--format", "jsonl", "--device", "cpu"]
    with tempfile.TemporaryDirectory() as cache:
        cold_environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        cold = run(scan, cold_environment)
        warm = median_run(scan, repeat, cold_environment)
        maps = median_run([*scan, "--maps", cache], repeat, cold_environment)
    rows.append((f"first scan, {megapixels:.1f} Mpx", *cold[:3], f"{cold[0] / sift:.2f}"))
    rows.append((f"warm scan, {megapixels:.1f} Mpx", *warm, f"{warm[0] / sift:.2f}"))
    rows.append((f"warm scan with maps, {megapixels:.1f} Mpx", *maps, f"{maps[0] / sift:.2f}"))
    return rows


def table(rows: list[tuple[str, float, float, float, str]]) -> str:
    header = ("what", "CPU s", "wall s", "peak MB", "x SIFT")
    cells = [header] + [
        (name, *("-" if v != v else f"{v:.2f}" for v in (cpu, wall)), "-" if mb != mb else f"{mb:.0f}", ratio)
        for name, cpu, wall, mb, ratio in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    rule = "  ".join("=" * w for w in widths)
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def machine() -> str:
    """Date, commit and machine, for the head of a results file."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True
    ).stdout.strip()
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    day = datetime.now(UTC).date()
    return f"{day}, commit {commit or 'unknown'}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", help="name of a file in benchmarks/results, without suffix")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rows = [
        ("python -c pass", *median_run([sys.executable, "-c", EMPTY], args.repeat), ""),
        ("import forensix", *median_run([sys.executable, "-c", "import forensix"], args.repeat), ""),
        ("forensix --help", *median_run([sys.executable, "-m", "forensix", "--help"], args.repeat), ""),
    ]
    for photo in args.photos:
        rows += photo_rows(photo, args.repeat)
    text = f"{machine()}\n\n{table(rows)}\n"
    print(text)
    if args.write:
        (Path(__file__).parent / "results" / f"{args.write}.rst").write_text(text)


if __name__ == "__main__":
    main()
