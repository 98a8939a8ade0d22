"""What kind of file it is, by its content; and what its name claims."""

from __future__ import annotations

import os

FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "heic", "bmp", "gif")
# Those whose codecs change pixels, without and with JPEG.
NEWER_LOSSY = ("webp", "avif", "heic")
LOSSY = ("jpeg", *NEWER_LOSSY)

EXTENSIONS = {
    "jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "jif": "jpeg", "mpo": "jpeg",
    "png": "png", "apng": "png", "tif": "tiff", "tiff": "tiff", "webp": "webp",
    "avif": "avif", "avifs": "avif", "heic": "heic", "heif": "heic", "hif": "heic", "heics": "heic",
    "bmp": "bmp", "dib": "bmp", "gif": "gif",
}  # fmt: skip

_HEADS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
)

# What else is met in folders of photos: named in the refusal, so that nobody has to guess.
_OTHERS = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"FUJIFILMCCD-RAW", "Fujifilm raw"),
    (b"IIU\x00", "Panasonic raw"),
    (b"IIRO", "Olympus raw"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"MZ", "Windows program"),
    (b"\x7fELF", "Linux program"),
)

_AVIF = (b"avif", b"avis")
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
_VIDEO = (b"isom", b"mp41", b"mp42", b"qt  ", b"M4V ", b"3gp4", b"3gp5")


def sniff(data: bytes) -> str | None:
    """One of FORMATS, judged by the first bytes alone; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        brands = _brands(data)
        if any(brand in _AVIF for brand in brands):
            return "avif"
        return "heic" if any(brand in _HEIC for brand in brands) else None
    if data[:2] == b"BM" and (len(data) < 18 or data[14:18] not in _DIB_SIZES):
        return None
    return next((name for head, name in _HEADS if data.startswith(head)), None)


_DIB_SIZES = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def _brands(data: bytes) -> list[bytes]:
    """Brands of an ISO media file: the major one, then the compatible ones."""
    end = min(int.from_bytes(data[:4], "big"), 4096, len(data))
    return [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]


def describe(data: bytes) -> str:
    """What a file that is no image appears to be, for the refusal."""
    if not data:
        return "the file is empty"
    if data[4:8] == b"ftyp" and data[8:12] in _VIDEO:
        return "not an image: a video file"
    for head, name in _OTHERS:
        if data.startswith(head):
            return f"not an image forensix reads: {name} data"
    if not data[:4096].strip(b"\x00"):
        return "not an image: the file begins with zeros only"
    if all(byte in b"\t\n\r\x0c\x1b" or byte >= 0x20 for byte in data[:512]):
        return "not an image: the file seems to be text"
    return f"not an image: it begins with {data[:8].hex(' ')}"


def claimed(path: str | None) -> str | None:
    """The extension of a name in lower case without its dot, None where there is none."""
    if not path:
        return None
    extension = os.path.splitext(path)[1][1:].lower()
    return extension or None


def contradiction(found: str, extension: str | None) -> str | None:
    """A sentence when the name claims another format than the content has."""
    named = EXTENSIONS.get(extension or "")
    if named is None or named == found:
        return None
    return f"the name says {extension}, but the content is {found}"
