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

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
DEBIAN_PYTHON = Path("/usr/bin/python3")
# The newest that still work with torch 1.13, which is what Debian 12 has.
PACKAGES = ("sentence-transformers==3.4.1", "transformers==4.46.3", "numpy<2", "pyyaml")
TEXTS = ["a pod restarts again and again", "Costs of the cloud rose on Monday.", "x", "disk full " * 200]

PROGRAM = """
import json, sys
from opscrew.memory.embedding import SentenceTransformersModel
model = SentenceTransformersModel(sys.argv[1])
vectors = model.embed(json.loads(sys.stdin.read()))
model.release()
print(json.dumps(vectors.tolist()))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with torch from Debian, and the rest from the registry."""
    found = subprocess.run([DEBIAN_PYTHON, "-c", "import torch"], capture_output=True, check=False, text=True)
    if found.returncode:
        pytest.skip("Debian's torch is not installed (apt-get install python3-torch libopenblas0-pthread)")
    folder = tmp_path_factory.mktemp("torch") / "venv"
    subprocess.run([DEBIAN_PYTHON, "-m", "venv", "--system-site-packages", folder], check=True)
    # --no-deps for what would pull another torch; the rest of its needs is small and named.
    install = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-deps", PACKAGES[0]], check=True)
    subprocess.run([*install, *PACKAGES[1:], "scikit-learn", "scipy", "tqdm", "pillow"], check=True)
    return folder / "bin" / "python"


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
