"""Languages by a fastText model: a real one, trained here on a few sentences."""

from collections.abc import Callable
from pathlib import Path

import pytest

from curation import langid_fasttext
from curation.errors import UserError
from tests.curation.sentences import SENTENCES, train_model

Train = Callable[[str], Path]


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Trains a model with labels of a prefix; returns the folder of `model.bin` and `.ftz`."""

    def run(prefix: str) -> Path:
        return train_model(tmp_path_factory.mktemp("model"), prefix)

    return run


@pytest.fixture(scope="module")
def model(train: Train) -> Path:
    return train("__label__") / "model.bin"


def test_fasttext_language_labels_lose_their_prefix(model: Path) -> None:
    assert langid_fasttext.labels(model) == sorted(SENTENCES)


@pytest.mark.parametrize("name", ["model.bin", "model.ftz"])
def test_fasttext_language_of_known_sentences(model: Path, name: str) -> None:
    ranked = langid_fasttext.rank(model.with_name(name), list(SENTENCES.values()), 1)
    assert list(ranked.labels[:, 0]) == list(SENTENCES)
    assert (ranked.scores > 0.2).all()
    assert (ranked.scores <= 1).all()


def test_fasttext_language_ranking_is_sorted_and_bounded_by_the_labels(model: Path) -> None:
    ranked = langid_fasttext.rank(model, [SENTENCES["de"]], 100)
    assert ranked.labels.shape == (1, 100)
    assert sorted(ranked.labels[0, : len(SENTENCES)]) == sorted(SENTENCES)
    assert set(ranked.labels[0, len(SENTENCES) :]) == {""}
    assert list(ranked.scores[0]) == sorted(ranked.scores[0], reverse=True)


def test_fasttext_language_sees_a_text_as_one_line(model: Path) -> None:
    lines = SENTENCES["en"].replace(" ", "\n")
    one, other = langid_fasttext.rank(model, [SENTENCES["en"], lines], 3).scores
    assert list(one) == list(other)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u2028\u00a0"])
def test_fasttext_language_of_white_space_is_none(model: Path, text: str) -> None:
    ranked = langid_fasttext.rank(model, [text], 1)
    assert (ranked.labels[0, 0], ranked.scores[0, 0]) == ("", 0)


def test_fasttext_language_of_no_texts(model: Path) -> None:
    assert langid_fasttext.rank(model, [], 2).labels.shape == (0, 2)


def test_fasttext_language_does_not_depend_on_the_other_texts(model: Path) -> None:
    texts = [*SENTENCES.values(), "x" * 100_000, "a\0b", "__label__en"]
    together = langid_fasttext.rank(model, texts, 2)
    for i, text in enumerate(texts):
        alone = langid_fasttext.rank(model, [text], 2)
        assert list(alone.labels[0]) == list(together.labels[i])
        assert list(alone.scores[0]) == list(together.scores[i])


def test_fasttext_language_file_in_the_place_of_another_is_read(model: Path, train: Train) -> None:
    path = train("__label__x_") / "model.bin"
    assert langid_fasttext.labels(path)[0].startswith("x_")
    path.write_bytes(model.read_bytes())
    assert langid_fasttext.labels(path) == sorted(SENTENCES)


def test_fasttext_language_model_with_other_labels_is_an_error(train: Train) -> None:
    path = train("lang-") / "model.bin"
    with pytest.raises(UserError) as error:
        langid_fasttext.labels(path)
    assert str(path) in str(error.value)
    assert "does not begin with __label__" in str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("name", ["model.bin", "model.ftz"])
def test_fasttext_language_model_cut_short_is_an_error(
    model: Path, tmp_path: Path, name: str, share: float
) -> None:
    whole, path = model.with_name(name).read_bytes(), tmp_path / name
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match=name):
        langid_fasttext.rank(path, ["a text"], 1)


def test_fasttext_language_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("not a model\n" * 100, "utf-8")
    with pytest.raises(UserError, match="is not a fastText model"):
        langid_fasttext.labels(path)


def test_fasttext_language_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        langid_fasttext.labels(tmp_path / "absent.bin")
