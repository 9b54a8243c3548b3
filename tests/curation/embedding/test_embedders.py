"""MiniLM and what is distilled from it: vectors of single texts, whatever stands beside them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from curation.embedding import sentence_transformers as real
from curation.embedding.distilled import zipf
from curation.embedding.embedder import Embedder, make_embedder
from curation.embedding.models import find_model
from curation.embedding.stage import Embed
from curation.errors import UserError
from curation.fingerprint import fingerprint
from curation.process import PlannedStage, process
from curation.stage import Scorer
from curation.workshop import describe
from tests.classes import model_cache
from tests.corpora import prose
from tests.topics import TOPICS, topic

FAST = make_embedder(fast=True, cache=model_cache())
MINILM = make_embedder()
SHORT = ["", " \n", "rain", topic("sky", 1), topic("court", 2), "雨が降る", "\u0301"]


@pytest.mark.parametrize("embedder", [FAST, MINILM], ids=["fast", "MiniLM"])
def test_embedder_gives_unit_vectors_and_zeros_for_blank_texts(embedder: Embedder) -> None:
    vectors = embedder.embed(SHORT)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(SHORT), embedder.size)
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[:2].tolist() == [0, 0]
    assert lengths[2:5] == pytest.approx([1, 1, 1], abs=1e-5)


@pytest.mark.parametrize("embedder", [FAST, MINILM], ids=["fast", "MiniLM"])
def test_embedder_gives_the_same_bytes_for_a_text_alone_and_among_others(
    embedder: Embedder,
) -> None:
    texts = [*SHORT, topic("kitchen", 3) * 3, "rain"]
    whole = embedder.embed(texts)
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert whole.tobytes() == alone.tobytes()
    chunked = pa.chunked_array([texts[:2], texts[2:]], pa.string())
    assert embedder.embed(chunked).tobytes() == whole.tobytes()


@pytest.mark.parametrize("embedder", [FAST, MINILM], ids=["fast", "MiniLM"])
def test_embedder_puts_texts_of_a_topic_together(embedder: Embedder) -> None:
    vectors = embedder.embed([topic(name, i) for name in TOPICS for i in range(4)])
    near = vectors @ vectors.T
    same = np.kron(np.eye(4, dtype=bool), np.ones((4, 4), bool))
    assert near[same & ~np.eye(16, dtype=bool)].min() > near[~same].max()


def test_minilm_equals_the_library() -> None:
    texts = [topic("sky", 1), topic("court", 2), "rain"]
    expected = real.load(find_model("all-MiniLM-L6-v2")).encode(texts, show_progress_bar=False)
    assert np.abs(MINILM.embed(texts) - expected).max() < 1e-5


def long_text(parts: int) -> tuple[str, list[str]]:
    """A text of so many model lengths, and each length's part of it."""
    model = find_model("all-MiniLM-L6-v2")
    words = prose(5, 60 * parts).split(" ")
    spans = real.tokenizer(model).encode(" ".join(words), add_special_tokens=False).offsets
    most = real.length(model)
    assert most == 254
    text = " ".join(words)[: spans[parts * most - 1][1]]
    return text, [text[spans[i * most][0] : spans[(i + 1) * most - 1][1]] for i in range(parts)]


@pytest.mark.parametrize(
    ("chunks", "chosen"),
    [("first", [0]), ("mean", [0, 1, 2, 3, 4]), ("top_middle_bottom", [0, 2, 4])],
)
def test_long_documents_are_embedded_in_chunks(chunks: Any, chosen: list[int]) -> None:
    text, parts = long_text(5)
    vectors, covered = make_embedder(chunks=chunks).embed_and_tell([text, parts[0]])
    expected = MINILM.embed([parts[i] for i in chosen]).sum(axis=0)
    assert np.abs(vectors[0] - expected / np.linalg.norm(expected)).max() < 1e-4
    assert covered.tolist() == pytest.approx([len(chosen) / 5, 1.0])


def test_a_book_is_embedded_by_no_more_than_16_chunks() -> None:
    chunks = [real.Chunk(i, i + 1, 254) for i in range(1000)]
    chosen = real._choose(chunks, "mean")
    assert len(chosen) == real.MAX_CHUNKS
    assert (chosen[0], chosen[-1]) == (chunks[0], chunks[-1])


def test_embed_leaves_the_threads_of_torch_as_they_were() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        MINILM.embed(["rain"])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_zipf_falls_with_the_rank_and_knows_special_tokens() -> None:
    frequency = zipf(30_522)
    assert (np.diff(frequency[999:]) < 0).all()
    assert frequency[:999].max() < frequency[-1]
    assert frequency.sum() == pytest.approx(1, abs=0.1)


def model_copy(folder: Path) -> Path:
    """MiniLM in a folder of its own."""
    return Path(shutil.copytree(find_model("all-MiniLM-L6-v2").folder, folder))


def test_a_model_in_a_folder_is_the_same_model(tmp_path: Path) -> None:
    there = make_embedder(str(model_copy(tmp_path / "model")))
    assert there.fingerprint == MINILM.fingerprint
    assert there.embed(["rain"]).tobytes() == MINILM.embed(["rain"]).tobytes()
    stages = [Embed(model=str(tmp_path / "model")), Embed().at(tmp_path)]
    found = [fingerprint(describe(PlannedStage("embed", stage))) for stage in stages]
    assert found[0] == found[1]
    assert Embed(model="model").at(tmp_path).model == str(tmp_path / "model")


def test_another_model_is_another_identity(tmp_path: Path) -> None:
    folder = model_copy(tmp_path / "model")
    settings = folder / "sentence_bert_config.json"
    settings.write_text(settings.read_text().replace("256", "128"))
    assert make_embedder(str(folder)).fingerprint != MINILM.fingerprint
    assert make_embedder(chunks="mean").fingerprint != MINILM.fingerprint
    assert FAST.fingerprint != MINILM.fingerprint


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("modules.json", "there is no modules.json"),
        ("model.safetensors", "there is no model.safetensors or pytorch_model.bin"),
    ],
)
def test_a_folder_that_is_no_model_is_said_to_be_none(
    broken: str, what: str, tmp_path: Path
) -> None:
    folder = model_copy(tmp_path / "model")
    (folder / broken).unlink()
    with pytest.raises(UserError, match=what):
        Embed(model=str(folder)).check()


def test_a_damaged_model_is_a_mistake_that_names_its_folder(tmp_path: Path) -> None:
    folder = model_copy(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="holds no sentence-transformers model"):
        make_embedder(str(folder)).embed(["rain"])


def test_parameters_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="'chunks' is for 'fast: false'"):
        Embed(fast=True, chunks="mean")
    with pytest.raises(ValueError, match="'cache' is for 'fast: true'"):
        Embed(cache=Path("cache"))


class Broken(Embed):
    """A model that fails on one text, as a half-precision one does that overflows."""

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        if "overflow" in table["text"].to_pylist():
            raise ValueError("the model gives a vector that is not finite")
        return super().measure(table)


def test_a_text_that_gives_no_finite_vector_goes_as_an_error(documents: Any) -> None:
    stage = Broken(fast=True, cache=model_cache())
    assert isinstance(stage, Scorer)
    table = documents(["rain", "overflow", "sun", "snow"])
    kept, dropped, _ = process(table, [PlannedStage("embed", stage)])
    assert kept["text"].to_pylist() == ["rain", "sun", "snow"]
    assert dropped["drop_reason"].to_pylist() == ["error"]
    assert "not finite" in dropped["drop_value"][0].as_py()


def test_minilm_with_nan_in_its_weights_is_told(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = model_copy(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("LayerNorm.weight"))
    weights[name] = np.full_like(weights[name], np.nan)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ValueError, match="not finite"):
        make_embedder(str(folder)).embed(["rain"])


def test_what_is_distilled_is_kept_and_found_again(tmp_path: Path) -> None:
    name = f"distilled-{FAST.fingerprint}.npy"
    assert np.load(model_cache() / name).shape == (30_522, FAST.size)
    ready = Embed(fast=True, cache=model_cache()).prepared(tmp_path)
    assert ready.cache == model_cache()
    assert not list(tmp_path.iterdir())
