"""Type-checked, never run: the public names have the types that users rely on."""

from typing import assert_type

import numpy as np

import forensix
from forensix.result import Conclusion


def library_calls(path: str, content: bytes, picture: np.ndarray) -> None:
    evidence = forensix.open(path)
    assert_type(evidence, forensix.Evidence)
    assert_type(evidence.sha256, str)
    assert_type(evidence.width, int)
    for source in (path, content, picture, evidence):
        result = forensix.scan(source, detectors=["jpeg-ghosts"], device="cpu")
        assert_type(result, forensix.ScanResult)
    assert_type(result.conclusions["integrity"], Conclusion)
    assert_type(result.conclusions["integrity"].score, float | None)
    assert_type(result.findings, tuple[forensix.Finding, ...])
    assert_type(result.to_json(), str)
    assert_type(forensix.ScanResult.from_json("{}"), forensix.ScanResult)
    assert_type(forensix.detectors.names(), tuple[str, ...])
