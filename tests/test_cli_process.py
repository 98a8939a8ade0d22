"""The command as a process of its own: signals, pipes, terminals, start-up, workers that die."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time

import pytest

from tests import fake_methods
from tests.fake_methods import CALM, FORGED, KILLED, SLOW, picture

FORENSIX = [sys.executable, "-m", "forensix"]


@pytest.fixture
def environment(tmp_path_factory):
    return fake_methods.environment(tmp_path_factory.mktemp("site"))


@pytest.fixture
def files(tmp_path):
    for name, red in {"calm": CALM, "forged": FORGED, "slow": SLOW, "killed": KILLED}.items():
        picture(tmp_path / f"{name}.png", red)
    return tmp_path


def start(words, files, environment, **options):
    # A shell's background job ignores SIGINT, and so would its children; a handler here is
    # the default there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*FORENSIX, *words],
            cwd=files,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_what_is_finished(files, environment, jobs):
    words = ["scan", "calm.png", "forged.png", "slow.png", "slow.png", "--format", "jsonl", "--jobs", jobs]
    # A terminal sends Ctrl-C to the whole process group.
    process = start(words, files, environment, start_new_session=True)
    lines = [process.stdout.readline() for _ in range(2)]
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    documents = [json.loads(line) for line in [*lines, *out.splitlines()]]
    assert sorted(d["evidence"]["path"] for d in documents) == ["calm.png", "forged.png"]
    assert process.returncode == 130
    assert err.decode().splitlines() == [
        "forensix: interrupted after 2 files: 1 inconclusive, 1 inconsistent"
    ] or (
        err.decode().splitlines() == ["forensix: interrupted after 2 files: 1 inconsistent, 1 inconclusive"]
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_a_parent_that_is_killed(files, environment, how):
    words = ["scan", "calm.png", "slow.png", "slow.png", "--format", "jsonl", "--jobs", "2"]
    process = start(words, files, environment)
    assert process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(how)
    # The pipes are at their end only when no worker holds them any more; slow.png takes 30 s.
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (-how, b"")


def test_a_closed_pipe_is_quiet(files, environment):
    process = start(["scan", *["calm.png"] * 9, "--format", "jsonl"], files, environment)
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=20), err) == (141, b"")


def test_a_killed_worker_costs_one_file(files, environment):
    words = [
        "scan",
        "calm.png",
        "killed.png",
        "forged.png",
        "--format",
        "json",
        "-j",
        "2",
        "--fail-on",
        "synthetic",
    ]
    process = start(words, files, environment)
    out, err = process.communicate(timeout=30)
    documents = {d["evidence"]["path"]: d for d in json.loads(out)}
    assert {path: d["status"] for path, d in documents.items()} == {
        "calm.png": "ok", "killed.png": "error", "forged.png": "ok"
    }  # fmt: skip
    assert "SIGKILL" in documents["killed.png"]["error"]["message"]
    assert process.returncode == 3 and b"Traceback" not in err


def on_terminal(words, files, environment):
    """What a terminal shows of a run with stdin, stdout and stderr on it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*FORENSIX, *words], cwd=files, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:
        pass  # Linux ends a terminal that has lost its last writer with EIO.
    finally:
        os.close(ours)
    return process.wait(timeout=20), shown


def test_colours_on_a_terminal_only_and_not_with_no_color(files, environment):
    words = ["scan", "calm.png", "forged.png"]
    environment = {**environment, "TERM": "xterm", "COLUMNS": "70"}
    environment.pop("NO_COLOR", None)
    status, coloured = on_terminal(words, files, environment)
    assert status == 0 and b"\x1b[1;31mINCONSISTENT" in coloured
    status, plain = on_terminal(words, files, {**environment, "NO_COLOR": "1"})
    assert status == 0 and b"INCONSISTENT" in plain and b"\x1b[1;31m" not in plain
    assert max(len(line) for line in plain.decode().splitlines()) <= 70


def test_a_bar_shows_progress_where_nothing_else_does(files, environment):
    environment = {**environment, "TERM": "xterm", "COLUMNS": "70"}
    _, shown = on_terminal(
        ["scan", "calm.png", "forged.png", "--format", "json", "-o", "out.json"], files, environment
    )
    assert b"scanning" in shown and b"0/2" in shown
    assert len(json.loads((files / "out.json").read_text())) == 2
    _, quiet = on_terminal(["scan", "calm.png", "forged.png", "-q", "-o", "out.txt"], files, environment)
    assert quiet == b""


@pytest.mark.parametrize(
    ("words", "seconds"), [(["-c", "import forensix"], 0.2), (["-m", "forensix", "--help"], 0.4)]
)
def test_start_up_is_quick(words, seconds):
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def once():
        before = cpu()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        return cpu() - before

    assert min(once() for _ in range(3)) < seconds


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(environment, files, shell):
    source = subprocess.run(
        FORENSIX,
        env={**environment, "_FORENSIX_COMPLETE": f"{shell}_source"},
        capture_output=True,
        check=False,
    )
    assert b"_FORENSIX_COMPLETE" in source.stdout, source.stderr
    asked = {
        "_FORENSIX_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "forensix scan --detector ",
        "COMP_CWORD": "3",
    }
    asked |= {"COMP_WORDS": "forensix scan --detector un", "COMP_CWORD": "un"} if shell == "fish" else {}
    offered = subprocess.run(FORENSIX, env={**environment, **asked}, capture_output=True, check=True)
    assert b"unsuited" in offered.stdout
