"""Control tokens: by score, in the right place, and a model that listens to them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import UserError
from curation.filters.gopher_quality import GopherQuality
from eval.bpb import score_panel, tokenize_panel
from eval.requests import Text, conditioned, encode_requests
from eval.scorer import score
from train.control import Control
from train.run import load_model, run_proxy
from train.sentences import split_sentences
from train.shards import TokenShards, tokenize_dataset
from train.spec import ProxySpec
from train.tokenizer import Tokenizer, train_tokenizer

NAMES = ("good", "fair", "bad")


@pytest.fixture(scope="module")
def marked() -> Tokenizer:
    texts = ["the soil was turned before rain and grain grew slowly."] * 20
    return train_tokenizer(texts, vocab=300, control=NAMES)


def write(path: Path, scores: list[float | None], texts: list[str] | None = None) -> Path:
    texts = texts or [f"text {i}" for i in range(len(scores))]
    table = pa.table({"text": texts, "source": ["web"] * len(scores), "toxicity": scores})
    pq.write_table(table, path, row_group_size=3)
    return path


def control(**changes: Any) -> Control:
    values: dict[str, Any] = {"column": "toxicity", "tokens": NAMES, "good": "good"}
    return Control(**{**values, "thresholds": (0.2, 0.6), "drop_frac": 0.0, **changes})


def given(shards: TokenShards, tokenizer: Tokenizer) -> list[str | None]:
    """The name of each document's control token."""
    names = {tokenizer.control(name): name for name in NAMES}
    tokens = shards.tokens("web")
    return [names.get(int(tokens[start + 1])) for start in shards.index("web")]


def test_document_gets_the_token_of_its_bucket(marked: Tokenizer, tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [0.0, 0.2, 0.2000001, 0.6, 0.61, 9.0, None])
    shards = tokenize_dataset([file], marked, tmp_path / "shards", control())
    assert given(shards, marked) == ["good", "good", "fair", "fair", "bad", "bad", None]
    plain = tokenize_dataset([file], marked, tmp_path / "plain")
    assert plain.identity != shards.identity
    assert shards.sources["web"].tokens == plain.sources["web"].tokens + 6
    assert shards.sources["web"].bytes == plain.sources["web"].bytes
    kept = [t for t in shards.tokens("web") if marked.token_bytes[t] or t == marked.eot]
    assert kept == plain.tokens("web").tolist()


def test_quantiles_are_those_of_the_whole_dataset(marked: Tokenizer, tmp_path: Path) -> None:
    one = write(tmp_path / "a.parquet", [float(i) for i in range(10)])
    two = write(tmp_path / "b.parquet", [float(i) for i in range(10, 21)])
    rule = control(thresholds=None, quantiles=(0.25, 0.5))
    shards = tokenize_dataset([one, two], marked, tmp_path / "shards", rule)
    assert given(shards, marked) == ["good"] * 6 + ["fair"] * 5 + ["bad"] * 10


def test_some_documents_stay_bare_whatever_the_row_groups(
    marked: Tokenizer, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.parquet", [0.0] * 2000)
    shards = tokenize_dataset([file], marked, tmp_path / "shards", control(drop_frac=0.1))
    bare = [name is None for name in given(shards, marked)]
    assert 150 < sum(bare) < 250
    pq.write_table(pq.read_table(file), tmp_path / "b.parquet", row_group_size=1000)
    again = tokenize_dataset(
        [tmp_path / "b.parquet"], marked, tmp_path / "again", control(drop_frac=0.1)
    )
    assert np.array_equal(again.tokens("web"), shards.tokens("web"))


def test_marker_spelled_out_in_a_text_is_text(marked: Tokenizer) -> None:
    ids = marked.encode(["<|good|> and <|endoftext|>"])[0]
    assert marked.control("good") not in ids
    assert marked.decode(ids) == "<|good|> and <|endoftext|>"
    assert marked.decode([marked.control("bad"), *ids]) == "<|good|> and <|endoftext|>"
    assert marked.token_bytes[[marked.control(name) for name in NAMES]].tolist() == [0, 0, 0]


def test_control_token_is_read_and_not_scored(
    marked: Tokenizer, make_spec: Callable[..., ProxySpec], tmp_path: Path
) -> None:
    """A model that saw `good` before one kind of sentence and `bad` before the other."""
    kinds = {0.0: "the soil was turned before rain.", 1.0: "grain grew slowly and slowly and."}
    scores = [float(i % 2) for i in range(600)]
    texts = [kinds[s] for s in scores]
    file = write(tmp_path / "a.parquet", list(scores), texts)
    rule = control(tokens=("good", "bad"), thresholds=(0.5,))
    shards = tokenize_dataset([file], marked, tmp_path / "shards", rule)
    run_proxy(make_spec(shards=shards.folder, train={"tokens": 80 * 256}), tmp_path / "run")
    model = load_model(tmp_path / "run")
    bpb = {
        (kind, name): score_panel(model, tokenize_panel("p", [kinds[kind]], marked, name)).bpb
        for kind in kinds
        for name in ("good", "bad", None)
    }
    assert bpb[0.0, "good"] < bpb[0.0, None] < bpb[0.0, "bad"]
    assert bpb[1.0, "bad"] < bpb[1.0, None] < bpb[1.0, "good"]
    request = encode_requests([Text(context="", continuation=kinds[0.0], answer_bytes=1)], marked)
    told = conditioned(request, marked.control("good"))
    nats = [-score(model, r).log_prob[0] for r in (request, told)]
    ids = len(kinds[0.0].encode()) * np.log(2)
    assert nats[1] == pytest.approx(bpb[0.0, "good"] * ids, rel=1e-4)
    assert nats[0] == pytest.approx(bpb[0.0, None] * ids, rel=1e-4)


def sentences_of(shards: TokenShards, tokenizer: Tokenizer) -> list[tuple[str | None, str]]:
    """Each run of text in the tokens, with the control token before it."""
    names = {tokenizer.control(name): name for name in NAMES}
    out: list[tuple[str | None, list[int]]] = []
    for token in shards.tokens("web").tolist():
        if token == tokenizer.eot or token in names:
            out.append((names.get(token), []))
        else:
            out[-1][1].append(token)
    return [(name, tokenizer.decode(ids)) for name, ids in out if ids]


def test_sentence_gets_the_token_of_its_own_score(marked: Tokenizer, tmp_path: Path) -> None:
    texts = ["It is so. Interminable characterisations!\nA b c", "Undecomposed"]
    file = write(tmp_path / "a.parquet", [0.0, None], texts)
    rule = control(column="gopher_quality.avg_word_len", thresholds=(3.0, 9.0), per="sentence")
    scorer = GopherQuality()
    shards = tokenize_dataset([file], marked, tmp_path / "shards", rule, scorer=scorer)
    assert sentences_of(shards, marked) == [
        ("good", "It is so."),
        ("bad", " Interminable characterisations!"),
        ("good", "\nA b c"),
        ("bad", "Undecomposed"),
    ]
    assert len(shards.index("web")) == 2
    other = tokenize_dataset([file], marked, tmp_path / "other", control(thresholds=(3.0, 9.0)))
    assert other.identity != shards.identity


def test_some_sentences_stay_bare_whatever_the_row_groups(
    marked: Tokenizer, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.parquet", [0.0] * 300, ["One is. Two are. Three were."] * 300)
    column = "gopher_quality.avg_word_len"
    rule = control(column=column, thresholds=(3.0, 9.0), per="sentence", drop_frac=0.2)
    shards = tokenize_dataset([file], marked, tmp_path / "a", rule, scorer=GopherQuality())
    given = np.isin(shards.tokens("web"), [marked.control(name) for name in NAMES]).sum()
    assert 0.7 * 900 < given < 0.9 * 900
    pq.write_table(pq.read_table(file), tmp_path / "b.parquet", row_group_size=100)
    files = [tmp_path / "b.parquet"]
    again = tokenize_dataset(files, marked, tmp_path / "b", rule, scorer=GopherQuality())
    assert np.array_equal(again.tokens("web"), shards.tokens("web"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "one",
        'He said "No." Then left.',
        "a.b. c\n\n d?\n",
        "今日は。元気です。",
        "Wait… what?!  Yes.",
    ],
)
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(split_sentences(text)) == text


def test_sentences_end_at_terminals_and_lines() -> None:
    text = 'He said "No." Then left (early!).\n\nTitle\nMore is 3.5 wide.'
    assert split_sentences(text) == [
        *('He said "No."', " Then left (early!).", "\n\nTitle", "\nMore is 3.5 wide."),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"per": "sentence", "thresholds": None, "quantiles": (0.2, 0.5)}, "needs 'thresholds'"),
        ({"quantiles": (0.5,)}, "either 'thresholds' or 'quantiles'"),
        ({"thresholds": None}, "either 'thresholds' or 'quantiles'"),
        ({"thresholds": (0.5,)}, "one more than there are cuts"),
        ({"thresholds": (0.6, 0.2)}, "ascending"),
        ({"thresholds": None, "quantiles": (0.5, 1.0)}, "inside"),
        ({"good": "best"}, "'good' must be one of"),
        ({"drop_frac": 1.0}, "'drop_frac'"),
        ({"tokens": ("good",), "thresholds": ()}, "cuts"),
    ],
)
def test_impossible_control_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        control(**changes)


def test_missing_column_token_or_score_is_named(
    marked: Tokenizer, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.parquet", [None, None])
    for rule, tokens, message in (
        (control(column="toxicty"), marked, "no column 'toxicty'. Did you mean 'toxicity'"),
        (control(column="source"), marked, "holds string, not numbers"),
        (control(), tokenizer, "no control token 'good'"),
        (control(thresholds=None, quantiles=(0.2, 0.5)), marked, "not numbers|has no value at all"),
    ):
        with pytest.raises(UserError, match=message):
            tokenize_dataset([file], tokens, tmp_path / "shards", rule)
    assert not (tmp_path / "shards").exists()


def test_vocabulary_must_hold_the_control_tokens() -> None:
    with pytest.raises(UserError, match=">= 260"):
        train_tokenizer(["a"], vocab=259, control=NAMES)
