"""How the segments of a JPEG are laid out: what its writer chose, whatever the picture."""

from __future__ import annotations

from dataclasses import dataclass

from forensix.evidence.jpeg_structure import DHT, DQT, DRI, SOS, Segment, Structure

# Annex K.3 of ITU-T T.81: counts of codes by length, then the symbols; DC and AC, luma and chroma.
STANDARD_CODES = {
    0: ("00010501010101010100000000000000", "000102030405060708090a0b"),
    1: ("00030101010101010101010000000000", "000102030405060708090a0b"),
    4: (
        "0002010303020403050504040000017d",
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a"
        "3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a929394"
        "95969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8"
        "e9eaf1f2f3f4f5f6f7f8f9fa",
    ),
    5: (
        "00020102040403040705040400010277",
        "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728"
        "292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92"
        "939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7"
        "e8e9eaf2f3f4f5f6f7f8f9fa",
    ),
}


@dataclass(frozen=True)
class Layout:
    """What the order and the number of segments tell.

    coding : "standard" (the Huffman codes of Annex K), "complete" (others, but for all
        symbols), "optimized" (for those the picture has), "progressive" or "arithmetic"
    tables : "apart" where every table has a segment of its own, "together" otherwise
    libjpeg_order : quantization tables, frame, Huffman tables in libjpeg's order, scan
    restarts : MCUs between restart markers, 0 for none
    sampling : "4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "grey" or "other"
    ids : of the components
    jfif, exif : number of the segment behind SOI, None where there is none
    adobe : True where there is an Adobe APP14 segment
    """

    coding: str
    tables: str
    libjpeg_order: bool
    restarts: int
    sampling: str
    ids: tuple[int, ...]
    jfif: int | None
    exif: int | None
    adobe: bool


def layout(structure: Structure) -> Layout:
    """Describe the layout of a JPEG file; its frame must have been read."""
    head = _head(structure)
    frame = structure.frame
    ids = tuple(part.id for part in frame.components) if frame else ()
    names = {segment.identifier[:5]: nth for nth, segment in reversed(list(enumerate(head[1:])))}
    return Layout(
        _coding(structure), _tables(structure, head), _libjpeg_order(structure, head),
        structure.scans[0].interval if structure.scans else 0, _sampling(structure), ids,
        names.get("JFIF"), names.get("Exif"), "Adobe" in names,
    )  # fmt: skip


def _head(structure: Structure) -> list[Segment]:
    """The segments before the first scan."""
    markers = [segment.marker for segment in structure.segments]
    return structure.segments[: markers.index(SOS)] if SOS in markers else list(structure.segments)


def _coding(structure: Structure) -> str:
    if structure.frame is not None and structure.frame.arithmetic:
        return "arithmetic"
    if structure.frame is not None and structure.frame.progressive:
        return "progressive"
    standard = all(
        number in STANDARD_CODES
        and (counts, symbols) == tuple(bytes.fromhex(text) for text in STANDARD_CODES[number])
        for number, counts, symbols in structure.huffman
    )
    if standard:
        return "standard"
    complete = all(len(symbols) >= (12 if number < 4 else 162) for number, _, symbols in structure.huffman)
    return "complete" if complete else "optimized"


def _tables(structure: Structure, head: list[Segment]) -> str:
    quantization = sum(segment.marker == DQT for segment in head)
    codes = sum(segment.marker == DHT for segment in structure.segments)
    alone = quantization == len(structure.tables) and codes == len(structure.huffman)
    return "apart" if alone and len(structure.tables) > 1 else "together"


def _libjpeg_order(structure: Structure, head: list[Segment]) -> bool:
    """Quantization tables, frame, codes (DC before AC, table by table), restart interval."""
    marks = [s.marker for s in head if s.marker in (DQT, DHT, DRI) or 0xC0 <= s.marker <= 0xCF]
    kinds = ["DQT" if m == DQT else "DHT" if m == DHT else "DRI" if m == DRI else "SOF" for m in marks]
    runs = [kind for nth, kind in enumerate(kinds) if nth == 0 or kinds[nth - 1] != kind]
    numbers = [number for number, _, _ in structure.huffman]
    if structure.frame is not None and structure.frame.progressive:
        return runs[:2] == ["DQT", "SOF"]
    return runs in (["DQT", "SOF", "DHT"], ["DQT", "SOF", "DHT", "DRI"]) and numbers in ([0, 4], [0, 4, 1, 5])


def _sampling(structure: Structure) -> str:
    if structure.frame is None or len(structure.frame.components) < 3:
        return "grey"
    factors = structure.frame.sampling
    if len(set(factors[1:])) > 1:
        return "other"
    (down, across), (chroma_down, chroma_across) = factors[0], factors[1]
    if down % chroma_down or across % chroma_across:
        return "other"
    ratio = (down // chroma_down, across // chroma_across)
    known = {(1, 1): "4:4:4", (1, 2): "4:2:2", (2, 2): "4:2:0", (2, 1): "4:4:0", (1, 4): "4:1:1"}
    return known.get(ratio, "other")
