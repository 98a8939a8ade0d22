"""Every JPEG method over the kinds of JPEG there are: it speaks, abstains or refuses, and never breaks."""

import cv2
import numpy as np
import pytest
import skimage.data

import forensix
from forensix.errors import EvidenceError
from forensix.evidence.jpeg_quality import ZIGZAG
from tests.hostile import arithmetic, by_opencv, jpeg, segment

METHODS = [
    name
    for name in forensix.detectors.names()
    if forensix.detectors.method(name).family == "jpeg" or name == "encoder-tables"
]
PHOTO = np.ascontiguousarray(skimage.data.chelsea()[:224, :304])


def with_large_steps(data, factor=40):
    """The file with 16-bit quantization tables, the steps of the high frequencies multiplied."""
    place = 2
    out = [data[:2]]
    while data[place + 1] != 0xDA:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        marker, payload = data[place + 1], data[place + 4 : place + 2 + length]
        if marker == 0xDB:
            again = b""
            for start in range(0, len(payload), 65):
                steps = np.frombuffer(payload[start + 1 : start + 65], np.uint8).astype(np.uint16)
                steps[np.arange(64) > 40] *= factor
                again += bytes([0x10 | payload[start]]) + steps.astype(">u2").tobytes()
            payload = again
        out.append(segment(0xC1 if marker == 0xC0 else marker, payload))
        place += 2 + length
    return b"".join(out) + data[place:]


def of_bits(data, bits):
    """The file with another number of bits a sample in its frame header."""
    frame = data.index(b"\xff\xc0") + 4
    return data[:frame] + bytes([bits]) + data[frame + 1 :]


KINDS = {
    "baseline": lambda: jpeg(PHOTO, quality=90),
    "progressive": lambda: jpeg(PHOTO, quality=90, progressive=True),
    "arithmetic": arithmetic,
    "restarts": lambda: jpeg(PHOTO, quality=90, restart_marker_blocks=3),
    "grey": lambda: jpeg(PHOTO[:, :, 1], quality=90),
    "4:4:4": lambda: by_opencv(PHOTO, ".jpg", (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111)),
    "4:2:2": lambda: by_opencv(PHOTO, ".jpg", (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x211111)),
    "4:4:0": lambda: by_opencv(PHOTO, ".jpg", (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x121111)),
    "4:1:1": lambda: by_opencv(PHOTO, ".jpg", (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111)),
    "steps above 255": lambda: with_large_steps(jpeg(PHOTO, quality=40)),
    "steps of 1": lambda: jpeg(PHOTO, quality=100),
    "quality 1": lambda: jpeg(PHOTO, quality=1),
    "odd size": lambda: jpeg(PHOTO[:211, :301], quality=90),
    "below 64": lambda: jpeg(PHOTO[:63, :200], quality=90),
    "one block": lambda: jpeg(PHOTO[:8, :8], quality=90),
    "one pixel": lambda: jpeg(PHOTO[:1, :1], quality=90),
    "one row": lambda: jpeg(PHOTO[:1, :200], quality=90),
    "flat": lambda: jpeg(np.full_like(PHOTO, 90), quality=90),
    "black": lambda: jpeg(np.zeros_like(PHOTO), quality=90),
    "white": lambda: jpeg(np.full_like(PHOTO, 255), quality=90),
    "half saturated": lambda: jpeg(np.where(np.arange(304)[:, None] < 152, 255, PHOTO).astype(np.uint8)),
    "red": lambda: jpeg(np.full_like(PHOTO, [255, 0, 0]), quality=90),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_method_breaks_or_raises_an_alarm(kind):
    result = forensix.scan(KINDS[kind](), detectors=METHODS)
    for finding in result.findings:
        assert finding.status != "failed", (finding.detector, finding.reason)
        if finding.status == "ran" and finding.detector not in ("encoder-tables", "jpeg-compression-count"):
            assert finding.score is None or finding.score <= 0.5, finding.explanation
            assert finding.explanation
    assert result.conclusions["integrity"].label != "inconsistent"


@pytest.mark.parametrize("kind", ["flat", "black", "white", "red"])
def test_what_shows_nothing_is_not_called_untouched(kind):
    findings = {f.detector: f for f in forensix.scan(KINDS[kind](), detectors=METHODS).findings}
    assert findings["jpeg-double-quantization"].score is None
    assert findings["jpeg-grid"].score is None
    assert findings["jpeg-nonaligned-quantization"].score is None


def test_large_steps_are_read_as_they_stand():
    found = forensix.open(KINDS["steps above 255"]())
    plain = forensix.open(jpeg(PHOTO, quality=40))
    steps, before = found.jpeg.quantization[0].ravel()[ZIGZAG], plain.jpeg.quantization[0].ravel()[ZIGZAG]
    assert steps.max() > 255
    np.testing.assert_array_equal(steps[:41], before[:41])
    np.testing.assert_array_equal(steps[41:], 40 * before[41:])


@pytest.mark.parametrize("bits", [12, 16, 2])
def test_other_depths_are_refused_clearly(bits):
    with pytest.raises(EvidenceError, match=f"{bits} bits per sample is not supported"):
        forensix.scan(of_bits(KINDS["baseline"](), bits))
