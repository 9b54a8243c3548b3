"""A small build of the real corpus: bounded, balanced, repeatable, truthful."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from resiliparse.extract.html2text import extract_plain_text
from warcio.archiveiterator import ArchiveIterator

from curation.hold_out import is_held_out
from pipelines.demo.corpus import HELD_OUT_FRAC, CorpusInfo, build_corpus
from pipelines.demo.page import KINDS
from pipelines.demo.templates import FOOTERS, NOTICES
from pipelines.demo.trouble import TROUBLES

MAX_BYTES = 1_500_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="module")
def info(folder: Path) -> CorpusInfo:
    return build_corpus(folder, seed=3, max_bytes=MAX_BYTES)


def read_warc(path: Path) -> list[tuple[str, str, str, bytes]]:
    """Type, URL, status and content type, body of each record, by an independent reader."""
    rows = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            http = record.http_headers
            is_response = record.rec_type == "response"
            what = f"{http.get_statuscode()} {http['Content-Type']}" if is_response else ""
            url = record.rec_headers.get_header("WARC-Target-URI") or ""
            rows.append((record.rec_type, url, what, record.content_stream().read()))
    return rows


@pytest.fixture(scope="module")
def html(folder: Path, info: CorpusInfo) -> dict[str, str]:
    paths = [folder / "warc" / f"{kind}.warc.gz" for kind in KINDS]
    rows = [row for path in paths for row in read_warc(path)]
    return {url: body.decode() for _, url, what, body in rows if what.startswith("200 text/html")}


@pytest.fixture(scope="module")
def text(html: dict[str, str]) -> dict[str, str]:
    return {
        url: extract_plain_text(page, main_content=True, links=False, alt_texts=False)
        for url, page in html.items()
    }


@pytest.fixture(scope="module")
def truth(folder: Path, info: CorpusInfo) -> list[dict[str, str]]:
    return pl.read_parquet(folder / "truth.parquet").to_dicts()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_builds_are_byte_identical(folder: Path, info: CorpusInfo, tmp_path: Path) -> None:
    assert build_corpus(tmp_path, seed=3, max_bytes=MAX_BYTES) == info
    assert contents(tmp_path) == contents(folder)


def test_finished_corpus_is_reused_until_something_changes(tmp_path: Path) -> None:
    first = build_corpus(tmp_path, seed=1, max_bytes=60_000)
    marked = tmp_path / "warc" / "readme.warc.gz"
    marked.write_bytes(b"untouched")
    assert build_corpus(tmp_path, seed=1, max_bytes=60_000) == first
    assert marked.read_bytes() == b"untouched"
    assert build_corpus(tmp_path, seed=2, max_bytes=60_000) != first
    assert marked.read_bytes() != b"untouched"


def test_interrupted_build_is_not_taken_for_finished(tmp_path: Path) -> None:
    build_corpus(tmp_path, max_bytes=60_000)
    whole = contents(tmp_path)
    (tmp_path / "corpus.json").unlink()
    (tmp_path / "warc" / "source.warc.gz").write_bytes(b"half")
    build_corpus(tmp_path, max_bytes=60_000)
    assert contents(tmp_path) == whole


def test_text_is_bounded_and_every_kind_is_there(info: CorpusInfo) -> None:
    assert 0.5 * MAX_BYTES < sum(info.text_bytes.values()) < 1.25 * MAX_BYTES  # trouble on top
    assert all(info.documents[kind] > 5 for kind in KINDS)
    assert all(info.planted[kind] > 0 for kind in TROUBLES)
    assert info.packages > 30


def test_warcs_hold_the_documents_and_what_crawls_have_besides(
    folder: Path, info: CorpusInfo
) -> None:
    for kind in KINDS:
        rows = read_warc(folder / "warc" / f"{kind}.warc.gz")
        types = Counter((row[0], row[2]) for row in rows)
        assert types.pop(("response", "200 text/html; charset=utf-8")) == info.documents[kind]
        assert types == {
            ("warcinfo", ""): 1,
            ("request", ""): 1,
            ("response", "301 text/html"): 1,
            ("response", "200 image/png"): 1,
            ("response", "404 text/html; charset=utf-8"): 1,
        }


def test_pages_have_boilerplate_that_main_content_extraction_removes(
    html: dict[str, str], text: dict[str, str]
) -> None:
    boilerplate = (*NOTICES, *FOOTERS, "siteData", "Imprint", "On this site")
    found = Counter(line for page in html.values() for line in boilerplate if line in page)
    assert all(found[line] for line in (*NOTICES, *FOOTERS))
    assert not [url for url, page in text.items() if any(line in page for line in boilerplate)]


def test_extraction_returns_nearly_every_document(text: dict[str, str]) -> None:
    empty = [url for url, page in text.items() if len(page) < 100]
    assert len(empty) < 0.02 * len(text)


def test_planted_values_stand_in_the_extracted_text(
    text: dict[str, str], truth: list[dict[str, str]]
) -> None:
    valued = [row for row in truth if row["value"]]
    assert {row["kind"] for row in valued} == {"email", "ip", "leak"}
    missing = [row for row in valued if row["value"] not in " ".join(text[row["url"]].split())]
    assert missing == []


def test_duplicates_are_what_they_are_called(
    text: dict[str, str], truth: list[dict[str, str]]
) -> None:
    for row in truth:
        if row["kind"] == "exact_duplicate":
            assert text[row["url"]] == text[row["original_url"]]
        elif row["kind"] == "near_duplicate":
            assert 0.7 < jaccard(text[row["url"]], text[row["original_url"]]) < 1


def jaccard(a: str, b: str) -> float:
    first, second = (
        {tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (a.split(), b.split())
    )
    return len(first & second) / len(first | second)


def test_spam_survives_extraction(text: dict[str, str], truth: list[dict[str, str]]) -> None:
    spam = [text[row["url"]] for row in truth if row["kind"] == "spam"]
    assert min(map(len, spam)) > 200


def test_held_out_sites_only_give_leaks(truth: list[dict[str, str]]) -> None:
    def apart(url: str) -> bool:
        return is_held_out(url.split("/")[2], HELD_OUT_FRAC)

    assert not any(apart(row["url"]) for row in truth)
    origins = [row for row in truth if row["original_url"]]
    assert all(apart(row["original_url"]) is (row["kind"] == "leak") for row in origins)


def test_nothing_of_this_machine_or_of_tilth_is_in_the_pages(html: dict[str, str]) -> None:
    assert not [url for url in html if url.startswith("https://tilth.")]
    here = str(Path(pl.__file__).parent.parent)
    assert not [url for url, page in html.items() if here in page]
