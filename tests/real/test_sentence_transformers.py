"""The adapter for sentence-transformers, with Debian's CPU build of torch in an environment of its own.

It also proves the default: the reference implementation and our ONNX conversion must give the same vectors.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from opscrew.memory.bert_onnx import packaged_model
from opscrew.memory.embedding import MiniLm
from tests.support.parts import part

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["a pod restarts again and again", "Costs of the cloud rose on Monday.", "x", "disk full " * 200]

PROGRAM = """
import json, sys
from opscrew.memory.embedding import SentenceTransformersModel
model = SentenceTransformersModel(sys.argv[1])
vectors = model.embed(json.loads(sys.stdin.read()))
model.release()
print(json.dumps(vectors.tolist()))
"""


@pytest.fixture
def environment() -> Path:
    """Python with torch from Debian, and the rest from the registry."""
    python = part("sentence-transformers-3.4.1/bin", "python", "sentence_transformers")
    # The environment may be kept from another machine; torch is of this one.
    if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode:
        pytest.skip("Debian's torch is not installed; run `make parts` as root")
    return python


def test_the_adapter_and_the_default_give_the_same_vectors(environment: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [environment, "-c", PROGRAM, str(packaged_model())],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path)},
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    reference = np.array(json.loads(ran.stdout.splitlines()[-1]), dtype=np.float32)
    ours = MiniLm(tmp_path).embed(TEXTS)
    assert reference.shape == ours.shape
    assert np.abs(reference - ours).max() < 1e-5
