"""The pictures that a report shows, handed to it as finished bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pictures:
    """The examined picture and its map layers, ready to embed.

    photo : JPEG bytes of the picture as stored (no rotation applied); None when it
        cannot be shown
    layers : PNG bytes by name ("fused", "mask", then the detectors'), colour with
        transparency, to be laid over the photo; of the photo's shape, not always its size
    width, height : of the photo as shown, pixels; 0 without one
    missing : one sentence for each picture that cannot be shown, saying why
    """

    photo: bytes | None = None
    layers: Mapping[str, bytes] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    missing: tuple[str, ...] = ()
