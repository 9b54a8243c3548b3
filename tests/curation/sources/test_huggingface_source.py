"""The huggingface source on local paths, offline."""

from __future__ import annotations

import json

import pytest

from curation.errors import UserError
from curation.sources.source import formats

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries below `datasets`


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


def write(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_huggingface_local_file(tmp_path, read):
    write(
        tmp_path / "a.jsonl", [{"body": "one", "id": 1, "k": [1]}, {"body": "", "id": 2, "k": []}]
    )
    got = read("huggingface", "a.jsonl", text="body")
    assert got.column("text") == ["one"]
    assert (got.rows[0]["id"], got.rows[0]["meta"]) == ("1", '{"k":[1]}')
    assert got.errors == [("empty_text", 1)]


def test_huggingface_local_folder_is_read_by_shards(tmp_path, read):
    for name in "ab":
        write(tmp_path / "d" / f"{name}.jsonl", [{"text": f"{name}{i}"} for i in range(3)])
    got = read("huggingface", "d")
    assert sorted(got.column("text")) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert len(set(got.column("offset"))) == 6


def test_huggingface_wrong_columns_are_reported(tmp_path, read):
    write(tmp_path / "a.jsonl", [{"body": "one"}])
    assert read("huggingface", "a.jsonl").errors == [("wrong_columns", 0)]


def test_huggingface_identity_follows_local_content(tmp_path):
    source = formats.get("huggingface")(name="s", path="a.jsonl")
    write(tmp_path / "a.jsonl", [{"text": "one"}])
    file = source.files(tmp_path)[0]
    before = source.identity(file)
    write(tmp_path / "a.jsonl", [{"text": "two"}])
    assert source.identity(file) != before


def test_huggingface_hub_identity_follows_parameters(tmp_path):
    def identity(**params):
        source = formats.get("huggingface")(name="s", path="owner/data", **params)
        return source.identity(source.files(tmp_path)[0])

    assert identity() == identity()
    assert len({identity(), identity(revision="x"), identity(config="c"), identity(split="v")}) == 4


def test_huggingface_absent_path_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        formats.get("huggingface")(name="s", path="./nothing").files(tmp_path)
