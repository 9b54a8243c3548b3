"""Token shards: content, index, safe names, completeness."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import RunError, UserError
from train.shards import MANIFEST, TokenShards, tokenize_dataset
from train.tokenizer import Tokenizer

TEXTS = ["the soil", "", "été and rain", "grain grew slowly"]
SOURCES = ["a", "../../evil", "a", "A"]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": TEXTS, "source": SOURCES}), path, row_group_size=2)
    return path


def test_tokenize_places_end_of_text_before_each_document(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    shards = tokenize_dataset([parquet], tokenizer, tmp_path / "out")
    tokens, index = shards.tokens("a"), shards.index("a")
    assert list(tokens[index]) == [tokenizer.eot] * 2
    documents = [part[1:] for part in np.split(np.asarray(tokens), index[1:])]
    assert [tokenizer.decode(ids) for ids in documents] == ["the soil", "été and rain"]


def test_tokenize_counts_documents_tokens_and_bytes(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    sources = tokenize_dataset([parquet], tokenizer, tmp_path / "out").sources
    assert {name: (s.documents, s.bytes) for name, s in sources.items()} == {
        "a": (2, len("the soil") + len("été and rain".encode())),
        "../../evil": (1, 0),
        "A": (1, len("grain grew slowly")),
    }
    assert sources["../../evil"].tokens == 1  # an empty document is its end-of-text token


def test_tokenize_keeps_files_inside_the_folder_and_apart(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shards = tokenize_dataset([parquet], tokenizer, out)
    files = [entry.file.lower() for entry in shards.sources.values()]
    assert len(set(files)) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet", "out"]
    assert {p.name for p in out.iterdir()} == {
        MANIFEST,
        *(f"{s.file}{end}" for s in shards.sources.values() for end in (".bin", ".index.npy")),
    }


def test_tokenize_again_reuses_and_other_input_replaces(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = tokenize_dataset([parquet], tokenizer, out)
    stamp = (out / MANIFEST).stat().st_mtime_ns
    assert tokenize_dataset([parquet], tokenizer, out) == first
    assert (out / MANIFEST).stat().st_mtime_ns == stamp
    pq.write_table(pa.table({"text": ["rain"], "source": ["new"]}), parquet)
    assert list(tokenize_dataset([parquet], tokenizer, out).sources) == ["new"]


def test_tokenize_leftovers_of_a_crash_do_not_leak_in(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    whole = tokenize_dataset([parquet], tokenizer, tmp_path / "whole")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{whole.sources['a'].file}.bin").write_bytes(b"half a file")
    assert tokenize_dataset([parquet], tokenizer, broken).sources == whole.sources


def test_tokenize_is_independent_of_row_groups(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"text": TEXTS, "source": SOURCES}), other, row_group_size=4)
    one = tokenize_dataset([parquet], tokenizer, tmp_path / "one")
    two = tokenize_dataset([other], tokenizer, tmp_path / "two")
    assert one.sources == two.sources


def test_tokenize_nothing_gives_shards_without_sources(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "empty.parquet"
    schema = pa.schema([("text", pa.string()), ("source", pa.string())])
    pq.write_table(schema.empty_table(), path)
    assert tokenize_dataset([path], tokenizer, tmp_path / "out").sources == {}


def test_tokenize_without_a_needed_column_names_file_and_column(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "bad.parquet"
    pq.write_table(pa.table({"text": ["x"]}), path)
    with pytest.raises(UserError, match="'source'") as caught:
        tokenize_dataset([path], tokenizer, tmp_path / "out")
    assert caught.value.where == str(path)


def test_tokenize_null_text_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "null.parquet"
    pq.write_table(pa.table({"text": ["x", None], "source": ["a", "a"]}), path)
    with pytest.raises(UserError, match="null"):
        tokenize_dataset([path], tokenizer, tmp_path / "out")


def test_open_incomplete_or_changed_folder_is_refused(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"manifest\.json"):
        TokenShards.open(tmp_path)
    shards = tokenize_dataset([parquet], tokenizer, tmp_path / "out")
    with (shards.folder / f"{shards.sources['a'].file}.bin").open("ab") as file:
        file.write(b"xx")
    with pytest.raises(RunError, match="manifest names"):
        TokenShards.open(tmp_path / "out")


def test_manifest_names_tokenizer_and_dtype(
    parquet: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    tokenize_dataset([parquet], tokenizer, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (manifest["tokenizer"], manifest["dtype"]) == (tokenizer.hash, "uint16")
