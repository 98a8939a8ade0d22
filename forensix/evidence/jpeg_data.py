"""What only JPEG files have: tables, scans, and the quantized coefficients themselves."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from forensix.errors import EvidenceError, EvidenceMissing
from forensix.evidence.arrays import frozen
from forensix.evidence.jpeg_markers import walk
from forensix.evidence.jpeg_scans import Entropy, Trouble, decode_scans
from forensix.evidence.jpeg_structure import DECODABLE, Frame, Structure

_LARGEST = 1280  # of a dequantized coefficient: 1024, and room for encoders that overshoot


class JpegData:
    """Tables, scans and coefficients of a JPEG file.

    Attributes
    ----------
    structure : Structure
        All marker segments, scans and tables, in file order.
    frame : Frame
        Size, components, and the shapes that follow from them.
    sampling : tuple of (down, across)
        Samples of each component per unit, vertically first: 4:2:0 is ((2, 2), (1, 1), (1, 1)).

    Raises
    ------
    EvidenceError
        If the file has no frame, or one of a kind that is not supported.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.structure: Structure = walk(data)
        self.frame = _checked(self.structure.frame)
        self.sampling = self.frame.sampling

    @cached_property
    def quantization(self) -> tuple[np.ndarray, ...]:
        """(8, 8) int32 per component, read-only, vertical frequency first, as in force at its first scan.

        EvidenceMissing when the file lacks a table that a component asks for.
        """
        return tuple(self._table(nth) for nth in range(len(self.frame.components)))

    def _table(self, nth: int) -> np.ndarray:
        number = self.frame.components[nth].table
        for scan in self.structure.scans:
            if number in scan.quantization and any(part == nth for part, _, _ in scan.parts):
                return scan.quantization[number]
        for name, _, table in self.structure.tables:
            if name == number:
                return table
        raise EvidenceMissing(
            f"the file has no quantization table {number}, which component {nth + 1} asks for"
        )

    @property
    def quantization_tables(self) -> dict[int, np.ndarray]:
        """(8, 8) int32 by id, as last defined."""
        return {number: table for number, _, table in self.structure.tables}

    @property
    def colour(self) -> str:
        """What the components are: "grey", "YCbCr", "RGB", "CMYK" or "YCCK", judged as libjpeg does."""
        ids = bytes(part.id for part in self.frame.components)
        adobe = next((s for s in self.structure.of(0xEE, "Adobe") if s.stop - s.start >= 12), None)
        transform = self.data[adobe.start + 11] if adobe else None
        if len(ids) == 1:
            return "grey"
        if len(ids) == 4:
            return "YCCK" if transform == 2 else "CMYK"
        if next(self.structure.of(0xE0, "JFIF"), None):
            return "YCbCr"
        return "RGB" if transform == 0 or (transform is None and ids == b"RGB") else "YCbCr"

    @property
    def coefficients(self) -> tuple[np.ndarray, ...]:
        """Quantized DCT coefficients per component: (block rows, block cols, 8, 8) int16, read-only.

        Vertical frequency first, DC at [..., 0, 0]. Blocks that could not be decoded
        (see ``troubles``) are zero, or as far refined as the scans went. EvidenceError
        where there are none to be had (a damaged arithmetic-coded file).
        """
        return self.entropy.planes

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """Where the entropy-coded data are damaged or cut: the first trouble of each scan."""
        return self.entropy.troubles

    @property
    def decoded(self) -> np.ndarray:
        """(MCU rows, MCU cols) bool, read-only: MCUs whose first component came through its first scan."""
        return self.entropy.decoded

    @cached_property
    def entropy(self) -> Entropy:
        """All that decoding the scans gives; made once."""
        if self.frame.arithmetic:
            from forensix.evidence.jpeg_arithmetic import coefficients

            planes = coefficients(self.data, self.frame.block_shapes)
            return Entropy(planes, (), frozen(np.ones(self.frame.mcu_shape, bool)), frozenset())
        return decode_scans(self.data, self.frame, self.structure)

    @cached_property
    def implausible(self) -> str:
        """A sentence if coefficients are larger than 8-bit samples can make them; empty otherwise.

        Huffman codes fall into step again soon after damage, so that corrupt data often
        decode to the right number of blocks. What they decode to is often impossible:
        the transform of 8-bit samples stays within 1024.
        """
        for nth, (plane, table) in enumerate(zip(self.coefficients, self.quantization, strict=True)):
            limit = ((_LARGEST + table) // np.maximum(table, 1)).ravel()
            flat = plane.reshape(-1, 64)
            if (flat.max(axis=0) <= limit).all() and (flat.min(axis=0) >= -limit).all():
                continue
            blocks = np.flatnonzero((np.abs(flat.astype(np.int32)) > limit).any(axis=1))
            row, col = divmod(int(blocks[0]), plane.shape[1])
            return (
                f"{blocks.size} blocks of component {nth + 1} hold coefficients no 8-bit picture has, "
                f"the first in block row {row}, column {col}: the data are corrupt, or were made by hand"
            )
        return ""


def _checked(frame: Frame | None) -> Frame:
    """The frame, if it is one this code can decode; EvidenceError says what is wrong with it."""
    if frame is None:
        raise EvidenceError("the JPEG file has no frame header: nothing of the picture is left")
    if frame.marker not in DECODABLE:
        raise EvidenceError(f"{frame.kind} JPEG (SOF{frame.marker - 0xC0}) is not supported")
    if frame.precision != 8:
        raise EvidenceError(f"JPEG with {frame.precision} bits per sample is not supported, only 8 bits")
    if not frame.height or not frame.width:
        raise EvidenceError(f"the JPEG header declares a size of {frame.width} x {frame.height} pixels")
    parts = frame.components
    if len(parts) not in (1, 3, 4) or len({part.id for part in parts}) < len(parts):
        raise EvidenceError(f"the JPEG header declares {len(parts)} components that cannot be an image")
    if any(not (1 <= part.down <= 4 and 1 <= part.across <= 4) or part.table > 3 for part in parts):
        raise EvidenceError("the JPEG header declares sampling factors or tables that do not exist")
    return frame
