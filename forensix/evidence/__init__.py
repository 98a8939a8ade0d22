"""What is examined: one file, read once, never changed.

:func:`open_evidence` makes an :class:`Evidence` of a path, of bytes or of an array. It
is hashed, its format is judged by content, and its pixels are decoded as stored; all
else (8-bit RGB, luma, JPEG coefficients, metadata, thumbnail) is made when first asked
for, and read-only.
"""

from forensix.evidence.arrays import frozen
from forensix.evidence.evidence import MAX_BYTES, MAX_PIXELS, Evidence, open_evidence
from forensix.evidence.jpeg_data import JpegData

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Evidence", "JpegData", "frozen", "open_evidence"]
