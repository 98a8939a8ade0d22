"""Where kernels run: the only module that decides between CPU and CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from forensix.errors import DeviceError, ParameterError

DEVICES = ("auto", "cpu", "cuda")

_current = ContextVar("forensix_device", default="cpu")


def choose(device: str) -> str:
    """Turn "auto", "cpu" or "cuda" into "cpu" or "cuda".

    Raises ParameterError for any other word, DeviceError when "cuda" is asked for
    and there is none. "auto" takes CUDA where it works and the CPU elsewhere.
    """
    if device not in DEVICES:
        raise ParameterError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cpu":
        return "cpu"
    if cuda_works():
        return "cuda"
    if device == "cuda":
        raise DeviceError("device 'cuda' asked for, but numba finds no CUDA driver")
    return "cpu"


def cuda_works() -> bool:
    """True where numba finds a CUDA driver and a device (or runs its simulator)."""
    from numba import cuda

    return bool(cuda.is_available())


@contextmanager
def using(device: str) -> Iterator[str]:
    """Run the kernels called inside the block on the chosen device."""
    token = _current.set(choose(device))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def on_cuda() -> bool:
    return _current.get() == "cuda"
