"""Which files a path names, in which order, and what identifies their content."""

from __future__ import annotations

import os

import fsspec
import pytest

from curation.errors import MissingPackage, UserError
from curation.sources import files
from curation.sources.files import content_hash, list_files


@pytest.fixture
def tree(tmp_path):
    for name in (
        "b.jsonl",
        "a.jsonl.gz",
        "c.txt",
        ".hidden.jsonl",
        "sub dir/d.jsonl",
        "UP.JSONL",
        "sub dir/.dot/e.jsonl",
        "odd [1] #*.jsonl",
        "ü中文_😀.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(*args):
    return [file.path for file in list_files(*args)]


def test_files_glob_is_sorted_and_leaves_out_hidden(tree):
    assert names("*.jsonl", tree) == ["b.jsonl", "odd [1] #*.jsonl", "ü中文_😀.jsonl"]
    assert names("**/*.jsonl", tree) == [
        "b.jsonl",
        "odd [1] #*.jsonl",
        "sub dir/d.jsonl",
        "ü中文_😀.jsonl",
    ]
    assert names("[bc].*", tree) == ["b.jsonl", "c.txt"]


def test_files_folder_takes_extensions_compressed_and_upper_case_too(tree):
    assert names("", tree, (".jsonl",)) == [
        "UP.JSONL",
        "a.jsonl.gz",
        "b.jsonl",
        "odd [1] #*.jsonl",
        "sub dir/d.jsonl",
        "ü中文_😀.jsonl",
    ]


def test_files_literal_names_win_over_patterns(tree):
    assert names("odd [1] #*.jsonl", tree) == ["odd [1] #*.jsonl"]
    assert names(".hidden.jsonl", tree) == [".hidden.jsonl"]
    assert names("sub dir/.dot/e.jsonl", tree) == ["e.jsonl"]


def test_files_root_with_wildcards_in_its_name_is_literal(tmp_path):
    root = tmp_path / "r[1]*"
    root.mkdir()
    (root / "a.txt").write_text("a")
    assert names("*.txt", root) == ["a.txt"]


def test_files_matched_twice_come_once(tree):
    assert names(("b.jsonl", "b.*"), tree) == ["b.jsonl"]


def test_files_same_name_in_two_folders_keep_apart(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.txt").write_text(folder)
    assert names(("x/*.txt", "y/*.txt"), tmp_path) == ["x/part.txt", "y/part.txt"]
    assert names("x/*.txt", tmp_path) == ["part.txt"]


def test_files_no_match_names_pattern_and_folder(tree):
    with pytest.raises(UserError) as info:
        list_files("nothing/*.x", tree)
    assert "nothing/*.x" in info.value.what
    assert info.value.where == str(tree)


def test_files_urls_of_memory_and_file(tree):
    memory = fsspec.filesystem("memory")
    for name in ("/box/a.jsonl", "/box/in/b.jsonl", "/box/.h.jsonl", "/box/c.txt"):
        memory.pipe_file(name, b"{}")
    try:
        assert names("memory://box/*.jsonl", tree) == ["a.jsonl"]
        assert names("memory://box", tree, (".jsonl",)) == ["a.jsonl", "in/b.jsonl"]
        assert names("memory://box/c.txt", tree) == ["c.txt"]
        first, second = list_files("memory://box/**/*.*", tree)[:2]
        assert content_hash(first) == content_hash(second)
    finally:
        memory.rm("/box", recursive=True)
    assert names(f"file://{tree}/b.jsonl", tree) == ["b.jsonl"]


def test_files_url_without_its_package_says_what_to_install(tmp_path):
    with pytest.raises((MissingPackage, UserError)):
        list_files("nosuchprotocol://x/*", tmp_path)


def test_content_hash_follows_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    os.utime(path, (1e9, 1e9))
    file = list_files("a.txt", tmp_path)[0]
    before = content_hash(file)
    path.write_text("two")
    os.utime(path, (2e9 - 1e9 + 5, 1e9 + 5))
    assert content_hash(file) != before
    path.unlink()
    assert content_hash(file) not in ("", before)


def test_content_hash_is_remembered_on_disk(tmp_path):
    path, store = tmp_path / "a.txt", tmp_path / "hashes.jsonl"
    path.write_text("one")
    os.utime(path, (1e9, 1e9))
    file = list_files("a.txt", tmp_path)[0]
    files.remember_hashes(store)
    try:
        value = content_hash(file)
        store.write_text(store.read_text().replace(value, "0" * 32) + '{"cut')
        files._local_hash.cache_clear()
        files.remember_hashes(store)
        assert content_hash(file) == "0" * 32
    finally:
        files.remember_hashes(None)
        files._local_hash.cache_clear()


def test_content_hash_is_the_same_whether_or_not_it_can_be_remembered(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    os.utime(path, (1e9, 1e9))
    file = list_files("a.txt", tmp_path)[0]
    plain = content_hash(file)
    (tmp_path / "in_the_way").write_text("")
    for store in (tmp_path / "not/yet/there.json", tmp_path / "in_the_way/hashes.json"):
        files._local_hash.cache_clear()
        files.remember_hashes(store)
        try:
            assert content_hash(file) == plain
        finally:
            files.remember_hashes(None)
            files._local_hash.cache_clear()


def test_content_hash_of_a_fresh_file_is_never_stale(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    file = list_files("a.txt", tmp_path)[0]
    before, stat = content_hash(file), path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert content_hash(file) != before
