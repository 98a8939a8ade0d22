"""A few worker processes, any of which may die without taking the others along.

``concurrent.futures`` gives up on the whole pool when one worker is killed and does not
say which task it had in hand. Here every worker has a pipe of its own and one task at a
time, so a death costs exactly that task, memory stays bounded however long the list of
tasks is, and an interrupted run loses nothing that is finished.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from typing import Any

from forensix.errors import WorkerDied

# Read by the libraries when they are loaded, that is after a worker has set them.
THREAD_LIMITS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
PATIENCE = 2.0


@dataclass
class _Worker:
    process: Any
    pipe: connection.Connection
    task: Any = None


def run_tasks(
    function: Callable[[Any], Any], tasks: Iterable[Any], *, workers: int
) -> Generator[tuple[Any, Any]]:
    """Run ``function(task)`` for every task in worker processes, as they finish.

    Parameters
    ----------
    function : picklable, called in the worker; it should catch its own exceptions,
        for one that escapes ends the worker
    tasks : picklable, taken one by one as workers become free
    workers : number of processes, each with one thread

    Yields
    ------
    (task, outcome)
        The outcome is what the function returned, or a WorkerDied exception where the
        worker died on the task. Workers start in a fresh interpreter ("spawn"), which
        is safe next to threads; a script that calls this needs the usual
        ``if __name__ == "__main__":`` guard.
    """
    waiting = iter(tasks)
    crew: list[_Worker] = []
    try:
        for task in waiting:
            crew.append(_start(function))
            _give(crew[-1], task)
            if len(crew) == workers:
                break
        while crew:
            for worker in _ready(crew):
                task, outcome = worker.task, _collect(worker)
                died = isinstance(outcome, WorkerDied)
                following = next(waiting, _NOTHING)
                if died or following is _NOTHING:
                    crew.remove(worker)
                    _dismiss(worker)
                if following is not _NOTHING:
                    if died:
                        crew.append(_start(function))
                    _give(crew[-1] if died else worker, following)
                yield task, outcome
    finally:
        for worker in crew:
            _kill(worker)


_NOTHING = object()


def _start(function: Callable[[Any], Any]) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _without_interrupts():
        process.start()
    theirs.close()
    worker = _Worker(process, ours)
    _send(worker, function)
    return worker


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Children started inside never see Ctrl-C; who started them decides their end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: connection.Connection) -> None:
    """The worker's loop; ends when the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Before the function arrives, because unpickling it loads the numerical libraries.
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    function = pipe.recv()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(function(task))


def _end_with_parent() -> None:
    """A parent that is killed cannot dismiss its workers: they leave with it, whatever is in hand."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _give(worker: _Worker, task: Any) -> None:
    worker.task = task
    _send(worker, task)


def _send(worker: _Worker, message: Any) -> None:
    # A worker that died idle has its pipe at its end, which _collect then reports.
    with suppress(OSError):
        worker.pipe.send(message)


def _ready(crew: list[_Worker]) -> list[_Worker]:
    readable = connection.wait([worker.pipe for worker in crew])
    return [worker for worker in crew if worker.pipe in readable]


def _collect(worker: _Worker) -> Any:
    try:
        outcome = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(PATIENCE)
        outcome = WorkerDied(_obituary(worker.process.exitcode))
    return outcome


def _obituary(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        memory = ", perhaps for want of memory" if name == "SIGKILL" else ""
        return f"the worker process was killed by {name} while it had this file in hand{memory}"
    return f"the worker process ended (exit code {exitcode}) while it had this file in hand"


def _dismiss(worker: _Worker) -> None:
    """Closing the pipe ends the worker's loop."""
    worker.pipe.close()
    worker.process.join(PATIENCE)
    _kill(worker)


def _kill(worker: _Worker) -> None:
    if not worker.pipe.closed:
        worker.pipe.close()
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()
