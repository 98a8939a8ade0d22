"""Matrix products on one thread: on small matrices BLAS threads mostly wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class _OneThread:
    """The limit of the whole process: set by the first block that opens, lifted by the last that closes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0
        self.limiter: Any = None

    def enter(self) -> None:
        with self.lock:
            self.open += 1
            if self.open == 1:
                self.limiter = _controller().limit(limits=1, user_api="blas")

    def leave(self) -> None:
        with self.lock:
            self.open -= 1
            if self.open == 0:
                self.limiter.restore_original_limits()


_one_thread = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run NumPy's matrix products inside the block on one thread, then restore what was set.

    Blocks may nest and may be open in several threads at once.
    """
    _one_thread.enter()
    try:
        yield
    finally:
        _one_thread.leave()
