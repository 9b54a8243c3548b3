"""Domains: token shards by the values of any column."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import UserError
from train.domains import read_domains
from train.shards import MANIFEST, tokenize_dataset
from train.tokenizer import Tokenizer

TEXTS = ["the soil", "was turned", "before rain", "and grain", "grew slowly"]


def parquet(path: Path, **columns: Any) -> Path:
    table = {"text": TEXTS, "source": ["web"] * 5, **columns}
    pq.write_table(pa.table(table), path, row_group_size=2)
    return path


def test_shards_follow_the_column_and_null_is_a_domain(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    file = parquet(tmp_path / "in.parquet", topic=["law", None, "law", "art", None])
    shards = tokenize_dataset([file], tokenizer, tmp_path / "out", by="topic")
    found = {
        name: [
            tokenizer.decode(part[1:])
            for part in np.split(np.asarray(shards.tokens(name)), shards.index(name)[1:])
        ]
        for name in shards.sources
    }
    assert found == {
        "law": ["the soil", "before rain"],
        "art": ["and grain"],
        "none": ["was turned", "grew slowly"],
    }


@pytest.mark.parametrize(
    ("column", "domains"),
    [
        ([3, 1, 3, None, 1], {"3", "1", "none"}),
        ([True, False, True, None, False], {"true", "false", "none"}),
        (pa.array(["x", "y", "x", "x", None]).dictionary_encode(), {"x", "y", "none"}),
    ],
)
def test_whole_numbers_booleans_and_dictionaries_are_domains(
    tokenizer: Tokenizer, tmp_path: Path, column: Any, domains: set[str]
) -> None:
    file = parquet(tmp_path / "in.parquet", label=column)
    assert set(tokenize_dataset([file], tokenizer, tmp_path / "o", by="label").sources) == domains


def test_sources_by_name_are_the_default_to_the_byte(tokenizer: Tokenizer, tmp_path: Path) -> None:
    file = parquet(tmp_path / "in.parquet")
    tokenize_dataset([file], tokenizer, tmp_path / "one")
    tokenize_dataset([file], tokenizer, tmp_path / "two", by="source")
    for one in (tmp_path / "one").iterdir():
        assert one.read_bytes() == (tmp_path / "two" / one.name).read_bytes()


def test_another_column_replaces_the_shards(tokenizer: Tokenizer, tmp_path: Path) -> None:
    file = parquet(tmp_path / "in.parquet", topic=["a", "b", "a", "b", "b"], form=["c"] * 5)
    first = tokenize_dataset([file], tokenizer, tmp_path / "out", by="topic")
    stamp = (tmp_path / "out" / MANIFEST).stat().st_mtime_ns
    assert tokenize_dataset([file], tokenizer, tmp_path / "out", by="topic") == first
    assert (tmp_path / "out" / MANIFEST).stat().st_mtime_ns == stamp
    assert set(tokenize_dataset([file], tokenizer, tmp_path / "out", by="form").sources) == {"c"}


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("topics", "no column 'topics'.*Did you mean 'topic'"),
        ("score", "holds double, whose values are no domains"),
        ("tags", "holds list"),
    ],
)
def test_columns_that_name_no_domains_are_refused(tmp_path: Path, by: str, message: str) -> None:
    file = parquet(
        tmp_path / "in.parquet", topic=["a"] * 5, score=[0.5] * 5, tags=[["a"], [], [], [], []]
    )
    with pytest.raises(UserError, match=message) as caught:
        list(read_domains([file], by))
    assert str(file) in str(caught.value)


def test_column_of_too_many_values_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.domains.MAX_DOMAINS", 4)
    file = parquet(tmp_path / "in.parquet", four=list("abcda"), five=list("abcde"))
    assert len(list(read_domains([file], "four"))) == 1
    with pytest.raises(UserError, match="more than 4 values"):
        list(read_domains([file], "five"))
