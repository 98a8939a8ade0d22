"""The registry: every method, by name.

A detector is one module with ``METHOD`` (a :class:`~forensix.detectors.method.Method`),
the method itself as functions on arrays, and ``detect(evidence, *, preset) -> Finding``,
which raises NotApplicable with a reason where the method cannot be used. Adding one
is that file and one line here. Modules are imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from forensix.detectors.method import PRESETS, Method
from forensix.errors import ParameterError

REGISTRY: dict[str, str] = {
    "jpeg-double-quantization": "jpeg.double_quantization",
    "jpeg-convergence": "jpeg.convergence",
    "jpeg-ghosts": "jpeg.ghosts",
    "jpeg-grid": "jpeg.grid",
    "jpeg-nonaligned-quantization": "jpeg.nonaligned_quantization",
    "jpeg-compression-count": "jpeg.compression_count",
    "png-was-jpeg": "jpeg.was_jpeg",
    "error-levels": "jpeg.error_levels",
    "encoder-tables": "provenance.encoder",
    "declared-origin": "provenance.declared_origin",
    "camera-file": "provenance.camera_file",
    "resized": "splicing.resized",
    "prnu-local": "camera.prnu",
    "residual-cooccurrence": "camera.residual_cooccurrence",
    "noise-level": "camera.noise_level",
    "demosaicing": "camera.demosaicing",
    "chromatic-aberration": "camera.chromatic_aberration",
    "cut-rectangles": "splicing.cut_rectangles",
    "filtering": "splicing.filtering",
    "edge-blur": "splicing.edge_blur",
    "contrast": "splicing.contrast",
    "illuminants": "splicing.illuminants",
    "resampling": "splicing.resampling",
    "copy-move-blocks": "copy_move.blocks",
    "copy-move-keypoints": "copy_move.keypoints",
    "copy-move-surf": "copy_move.surf",
    "copy-move-dense": "copy_move.dense",
    # After all its paths, which it sums up.
    "copy-move": "copy_move.combined",
    "grid-peaks": "synthetic.grid_peaks",
    "spectral-fingerprint": "synthetic.spectral_fingerprint",
    "synthetic-part": "synthetic.part",
    "inpainting-diffusion": "removal.inpainting_diffusion",
    "exemplar-fill": "removal.exemplar_fill",
}


def names() -> tuple[str, ...]:
    """The names of all methods, in the order in which a scan runs them."""
    return tuple(REGISTRY)


def load(name: str) -> ModuleType:
    """The module of a method; ParameterError when there is none of that name."""
    if name not in REGISTRY:
        raise ParameterError(f"no method is called {name!r}; there are: {', '.join(REGISTRY)}")
    return import_module(f"{__name__}.{REGISTRY[name]}")


def method(name: str) -> Method:
    """What is known of a method: question, paper, applicability."""
    described: Method = load(name).METHOD
    return described


def in_preset(preset: str) -> tuple[str, ...]:
    """The names of the methods a preset runs."""
    if preset not in PRESETS:
        raise ParameterError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    return tuple(n for n in REGISTRY if PRESETS.index(method(n).preset) <= PRESETS.index(preset))
