"""Lists of domains and words: what is an entry, and what is said of a file that is no list."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
import zstandard

from curation.errors import UserError
from curation.url_lists import DOMAIN, WORD, Entries, Kind, read


def listed(*entries: str, kind: Kind = DOMAIN) -> list[int]:
    return list(map(int, read(entries, kind, "block_domains").hashes))


def from_file(path: Path, content: str | bytes, kind: Kind = DOMAIN) -> Entries:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path, kind, "block_domains")


def error_of(path: Path, content: str | bytes, kind: Kind = DOMAIN) -> str:
    with pytest.raises(UserError) as error:
        from_file(path, content, kind)
    return str(error.value)


def test_url_list_of_nothing_is_empty() -> None:
    assert listed() == []


def test_url_list_is_sorted_and_tells_the_lengths() -> None:
    entries = read(("b.org", "a.com", "a.co.uk"), DOMAIN, "block_domains")
    assert entries.hashes.tolist() == sorted(entries.hashes.tolist())
    assert entries.lengths.tolist() == [5, 7]


@pytest.mark.parametrize(
    "entry",
    [
        "EXAMPLE.com",
        "  example.com\t",
        "*.example.com",
        ".example.com",
        "example.com.",
        "\ufeffexample.com",
    ],
)
def test_url_list_domain_is_the_same_in_other_spellings(entry: str, tmp_path: Path) -> None:
    assert from_file(tmp_path / "list", f"{entry}\n").hashes.tolist() == listed("example.com")


def test_url_list_domain_beyond_ascii_is_punycode() -> None:
    assert listed("B\u00dcCHER.example") == listed("xn--bcher-kva.example")
    assert listed("*.bu\u0308cher.example") == listed("xn--bcher-kva.example")


def test_url_list_word_beyond_ascii_is_lower_case_and_composed() -> None:
    assert listed("CAFE\u0301", kind=WORD) == listed("caf\u00e9", kind=WORD)


def test_url_list_file_has_comments_blank_lines_and_any_line_end(tmp_path: Path) -> None:
    content = "# adult\n\n  \na.com\r\nb.com # why\n#c.com\nd.com"
    found = from_file(tmp_path / "list", content)
    assert found.hashes.tolist() == listed("a.com", "b.com", "d.com")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstandard.compress])
def test_url_list_file_may_be_compressed_whatever_its_name(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(b"a.com\nb.com\n")
    assert from_file(tmp_path / "list.txt", packed).hashes.tolist() == listed("a.com", "b.com")


def test_url_list_file_longer_than_a_chunk_keeps_every_line(tmp_path: Path) -> None:
    names = [f"site-{i}.example" for i in range(200_000)]
    found = from_file(tmp_path / "list", "\n".join(names))
    assert len(np.unique(found.hashes)) == 200_000
    assert set(listed(*names[::997])) <= set(found.hashes.tolist())


def test_url_list_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "list"
    assert from_file(path, "a.com\n").hashes.tolist() == listed("a.com")
    assert from_file(path, "b.com\n\n").hashes.tolist() == listed("b.com")


@pytest.mark.parametrize(
    ("content", "kind", "parts"),
    [
        ("a.com\nhttp://b.com/\n", DOMAIN, ["line 2", "'http://b.com/' is no domain"]),
        ("a.com\n\n# c\n0.0.0.0 b.com\n", DOMAIN, ["line 4", "'0.0.0.0 b.com' is no domain"]),
        ("a.com\nb\u00fc/cher.de\n", DOMAIN, ["line 2", "is no domain"]),
        ("a.com\n" + "x" * 300 + ".com\n", DOMAIN, ["line 2", "is no domain"]),
        ("a.com\n*.\n", DOMAIN, ["line 2", "'*.' is no domain"]),
        ("a.com\n" + "\u00fc" * 80 + ".com\n", DOMAIN, ["line 2", "is no domain"]),
        ("casino\nfree cam\n", WORD, ["line 2", "'free cam' is no word"]),
        ("casino\nfree-cam\n", WORD, ["line 2", "'free-cam' is no word"]),
        (b"casino\ncaf\xe9\n", WORD, ["line 2", "is not UTF-8"]),
        ("", DOMAIN, ["has no entry", "one domain per line"]),
        ("# nothing\n\n", WORD, ["has no entry", "one word per line"]),
        (b"\0" * 100_000, DOMAIN, ["more than 65,536 bytes"]),
        (gzip.compress(b"a.com\nb.com\n" * 9_000)[:-20], DOMAIN, ["damaged", "ends at"]),
    ],
)
def test_url_list_mistake_is_named_with_its_file_and_line(
    content: str | bytes, kind: Kind, parts: list[str], tmp_path: Path
) -> None:
    message = error_of(tmp_path / "bad.txt", content, kind)
    assert str(tmp_path / "bad.txt") in message
    assert [part for part in parts if part not in message] == []


def test_url_list_line_of_a_mistake_counts_over_chunks(tmp_path: Path) -> None:
    content = "".join(f"site-{i}.example\n" for i in range(150_000)) + "not a domain\n"
    assert "line 150001" in error_of(tmp_path / "bad.txt", content)


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_url_list_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / name, DOMAIN, "block_domains")


@pytest.mark.parametrize("entry", ["http://a.com", "", " ", "a.com\nb.com", "a.com # why"])
def test_url_list_inline_mistake_names_the_parameter(entry: str) -> None:
    with pytest.raises(UserError) as error:
        listed("a.com", entry)
    assert str(error.value).startswith("block_domains")
    assert "is no domain" in str(error.value)
