"""Makes labelled forgeries: exact masks, known histories, fair twins.

Pure functions on arrays, each with its own random generator, return an
:class:`~forensix.forgery.edit.Edit` (picture, mask, margin):
``copy_move``, ``splice``, ``remove``, ``change_trace``, ``generate``. A
:class:`~forensix.forgery.recipe.Recipe` says which photos and which chain of encodings go
around an edit; ``make`` turns it into files, ``plan`` draws many, ``produce`` makes them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensix.forgery.chain import parse_chain
    from forensix.forgery.copying import copy_move
    from forensix.forgery.edit import Edit
    from forensix.forgery.generators import generate
    from forensix.forgery.making import make
    from forensix.forgery.planning import plan, plan_set
    from forensix.forgery.production import claim, produce
    from forensix.forgery.recipe import Recipe, read_recipe
    from forensix.forgery.remaking import remake
    from forensix.forgery.removal import fill, remove
    from forensix.forgery.seeds import stream
    from forensix.forgery.splicing import splice
    from forensix.forgery.traces import change_trace

_HOMES = {
    "Edit": "edit",
    "Recipe": "recipe",
    "change_trace": "traces",
    "claim": "production",
    "copy_move": "copying",
    "fill": "removal",
    "generate": "generators",
    "make": "making",
    "parse_chain": "chain",
    "plan": "planning",
    "plan_set": "planning",
    "produce": "production",
    "read_recipe": "recipe",
    "remake": "remaking",
    "remove": "removal",
    "splice": "splicing",
    "stream": "seeds",
}

__all__ = [
    "Edit",
    "Recipe",
    "change_trace",
    "claim",
    "copy_move",
    "fill",
    "generate",
    "make",
    "parse_chain",
    "plan",
    "plan_set",
    "produce",
    "read_recipe",
    "remake",
    "remove",
    "splice",
    "stream",
]


def __getattr__(name: str) -> Any:
    """Public names load on first use: the parts need OpenCV, SciPy and Numba."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
