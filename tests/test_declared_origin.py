"""What a file says of its origin, and a watermark written independently of the reader."""

import io
import json

import numpy as np
import piexif
import pytest
import skimage.data
from PIL import Image, PngImagePlugin

import forensix
from forensix.detectors.provenance import _watermark, declared_origin
from tests import hostile
from tests.reference.dwt_dct_watermark import write_watermark

PARAMETERS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64"
GRAPH = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 1}}})
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.coffee()[:256, :320])


def png(pixels, **texts):
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_itxt(key.replace("_", ":"), value) if key.startswith("XML") else info.add_text(key, value)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def jpeg(pixels, **options):
    return hostile.saved(pixels, "JPEG", **options)


def finding(data):
    return declared_origin.detect(forensix.open(data))


@pytest.mark.parametrize(
    "texts, program",
    [
        ({"parameters": PARAMETERS}, "Stable Diffusion"),
        ({"prompt": GRAPH}, "ComfyUI"),
        ({"workflow": json.dumps({"nodes": [{"type": "KSampler"}]})}, "ComfyUI"),
        ({"invokeai_metadata": '{"app_version": "3"}'}, "InvokeAI"),
        ({"Software": "NovelAI", "Description": "a cat"}, "NovelAI"),
        ({"Description": "a cat --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef"}, "Midjourney"),
        ({"Comment": '{"prompt": "a cat", "steps": 28, "sampler": "k_euler"}'}, "NovelAI"),
    ],
)
def test_texts_of_generators_are_claims(scene, texts, program):
    found = finding(png(scene, **texts))
    assert found.score > 0.9 and program in found.explanation and "claims" in found.explanation


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"parameters": "width and height"},
        {"prompt": "Enter your name"},
        {"prompt": "[" * 100_000},
        {"workflow": '{"nodes": null}'},
        {"workflow": '{"nodes": 3}'},
        {"prompt": '{"a": 1}'},
        {"Comment": "a photo of a cat"},
        {"Description": "not from Midjourney"},
        {"Software": "Visor de imagenes 2"},
        {"Software": "Firefly 8SE camera"},
        {"Author": "Beatrice Dalle"},
    ],
)
def test_other_texts_are_none(scene, texts):
    found = finding(png(scene, **texts))
    assert found.score is None and found.measurements["claims"] == []


def packet(name):
    return f'<x xmlns:Iptc4xmpExt="u"><rdf:D Iptc4xmpExt:DigitalSourceType="{TYPES}{name}"/></x>'


def test_source_types_in_xmp(scene):
    assert finding(jpeg(scene, xmp=packet("trainedAlgorithmicMedia").encode())).score > 0.9
    assert finding(png(scene, **{"XML_com.adobe.xmp": packet("trainedAlgorithmicMedia")})).score > 0.9
    assert 0.4 < finding(jpeg(scene, xmp=packet("digitalCapture").encode())).score < 0.5
    partly = finding(jpeg(scene, xmp=packet("compositeWithTrainedAlgorithmicMedia").encode()))
    assert partly.score is None and "parts" in partly.explanation
    both = packet("trainedAlgorithmicMedia") + packet("digitalCapture")
    assert finding(jpeg(scene, xmp=both.encode())).score is None
    assert finding(jpeg(scene, xmp=packet("somethingElse").encode())).score is None


def test_settings_in_exif_and_comment(scene):
    comment = b"UNICODE\x00" + PARAMETERS.encode("utf-16-be")
    block = piexif.dump({"Exif": {piexif.ExifIFD.UserComment: comment}})
    assert finding(jpeg(scene, exif=block)).score > 0.9
    assert finding(jpeg(scene, exif=piexif.dump({"0th": {305: b"Midjourney 6"}}))).score > 0.9
    assert finding(jpeg(scene, exif=piexif.dump({"0th": {305: b"GIMP 2.10"}}))).score is None
    assert finding(jpeg(scene, comment=PARAMETERS)).score > 0.9


def test_content_credentials(scene):
    manifest = b"JP\x00\x00jumbc2pa" + f"digitalSourceType x{TYPES}trainedAlgorithmicMedia".encode()
    data = jpeg(scene)
    segment = b"\xff\xeb" + (len(manifest) + 2).to_bytes(2, "big") + manifest
    found = finding(data[:2] + segment + data[2:])
    assert found.score > 0.9 and "signature not checked" in found.explanation


@pytest.mark.parametrize("program", list(_watermark.MESSAGES))
def test_reads_a_watermark_written_by_the_reference(scene, program):
    message = _watermark.MESSAGES[program]
    found = finding(png(write_watermark(scene, message)))
    assert found.score > 0.95 and program in found.explanation
    assert found.measurements["watermark"]["agreeing"] >= 0.85 * message.size


def test_other_messages_and_none_are_not_read(scene):
    rng = np.random.default_rng(5)
    for pixels in (
        scene,
        write_watermark(scene, rng.random(48) < 0.5),
        rng.integers(0, 256, scene.shape, np.uint8),
        np.full_like(scene, 77),
        np.zeros((256, 256, 3), np.uint8),
    ):
        assert finding(png(pixels)).score is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (64, 64, 3), (64, 64)])
def test_little_pictures(shape):
    found = finding(png(np.full(shape, 90, np.uint8)))
    assert found.score is None


def test_messages_are_those_published():
    assert np.packbits(_watermark.MESSAGES["Stable Diffusion"]).tobytes() == b"StableDiffusionV1"
    bits = "".join(str(int(b)) for b in _watermark.MESSAGES["FLUX"])
    assert bits == "001010101111111010000111100111001111010100101110"
    bits = "".join(str(int(b)) for b in _watermark.MESSAGES["Stable Diffusion XL"])
    assert bits == "101100111110110010010000011110111011000110011110"
