"""Balancing, splitting and the one home of every text, on made-up pages."""

from pathlib import Path

from pipelines.demo.candidates import candidates
from pipelines.demo.collect import MAX_PAGE_CHARS, Homes, balance, split
from pipelines.demo.docstrings import module_name, reference_page
from pipelines.demo.environment import InstalledFile, installed, normalise
from pipelines.demo.page import KINDS, Page


def page(package: str, text: str, path: str = "p") -> Page:
    return Page("readme", package, path, path, text)


def sentences(word: str, count: int) -> str:
    return " ".join(f"The {word} number {i} is described in this sentence." for i in range(count))


def test_balance_gives_no_package_more_than_its_share() -> None:
    streams = {
        name: [page(name, sentences(f"{name}{i}", 10), str(i)) for i in range(100)]
        for name in map(str, range(20))
    }
    chosen = balance(streams, 60_000, Homes())
    spent = {n: sum(p.size for p in chosen if p.package == n) for n in streams}
    assert 50_000 < sum(spent.values()) <= 60_000
    assert max(spent.values()) - min(spent.values()) < 1_000


def test_balance_one_package_stops_at_a_tenth() -> None:
    streams = {"big": [page("big", sentences(str(i), 10), str(i)) for i in range(100)]}
    assert 4_000 < sum(p.size for p in balance(streams, 50_000, Homes())) <= 5_000


def test_homes_refuse_the_text_of_another_package_however_wrapped() -> None:
    homes = Homes()
    text = sentences("licence", 10)
    assert homes.admit(page("a", text))
    assert not homes.admit(page("b", text.replace(" ", "\n") + " One line more, its own."))
    assert not homes.admit(page("a", text, "again"))
    assert homes.admit(page("a", text + " One line more, its own.", "similar"))
    assert homes.admit(page("b", sentences("permission", 10)))


def test_split_loses_nothing_and_names_each_part() -> None:
    text = "\n\n".join(sentences(str(i), 30) for i in range(60))
    parts = list(split([page("a", text)]))
    assert len(parts) > 1
    assert "\n\n".join(part.text for part in parts) == text
    assert all(len(part.text) <= MAX_PAGE_CHARS for part in parts)
    assert len({part.url for part in parts}) == len(parts)


def test_split_cuts_text_without_blank_lines() -> None:
    parts = list(split([page("a", "word " * 20_000)]))
    assert "".join(part.text for part in parts) == "word " * 20_000


def test_reference_page_holds_public_docstrings_only() -> None:
    long = "Says at some length what this is for. " * 5
    code = f'''
"""Module. {long}"""
def shown(a, b: int = 2) -> str:
    """Shown. {long}"""
def _hidden():
    """Hidden. {long}"""
class Thing(Base):
    """Thing. {long}"""
    def method(self):
        """Method. {long}"""
'''
    text = reference_page(code)
    assert text is not None
    assert text.startswith("Module.")
    assert "shown(a, b: int=2) -> str" in text
    assert "### Thing.method" in text
    assert "Hidden" not in text


def test_reference_page_of_undocumented_or_broken_code_is_none() -> None:
    assert reference_page("def f(): pass") is None
    assert reference_page('"""Doc.""" (' + "x" * 500) is None
    assert reference_page("x = '\0'") is None


def test_module_name_of_package_and_module() -> None:
    assert module_name("a/b/__init__.py") == "a.b"
    assert module_name("a/b.py") == "a.b"


def test_undecodable_file_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(b"\xff\xfe caf\xe9")
    assert InstalledFile("p", "x.py", 8, tmp_path / "x.py").read() is None
    assert InstalledFile("p", "gone.py", 8, tmp_path / "gone.py").read() is None


def test_environment_leaves_tilth_out_and_normalises_names() -> None:
    names = list(installed())
    assert "tilth" not in names
    assert "numpy" in names
    assert names == sorted(names)
    assert normalise("Jinja2.ext_x") == "jinja2-ext-x"


def test_candidates_no_module_is_both_reference_and_source() -> None:
    streams = candidates(0)
    assert set(streams) == set(KINDS)
    references = {p.title for p in streams["docstring"]["packaging"]}
    sources = {p.title for p in streams["source"]["packaging"]}
    assert references
    assert sources
    assert not references & sources
