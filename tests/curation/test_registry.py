"""Classes are found by scanning packages."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curation.errors import UserError
from curation.registry import Registry
from curation.stage import GlobalStage, Modifier, Scorer, stages

MODULE = """
from {package} import kinds

@kinds.register("{name}")
class Found:
    pass
"""


class Thing:
    name: str


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A package of modules that register one class each, in a registry of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def make(name: str, modules: dict[str, str]) -> str:
        folder = tmp_path / name
        folder.mkdir()
        head = f"from curation.registry import Registry\nkinds = Registry('thing', '{name}')\n"
        (folder / "__init__.py").write_text(head)
        for module, registered in modules.items():
            (folder / f"{module}.py").write_text(MODULE.format(package=name, name=registered))
        return name

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def kinds_of(package: str) -> Registry[Thing]:
    __import__(package)
    kinds: Registry[Thing] = sys.modules[package].kinds
    return kinds


def test_registry_finds_classes_in_the_modules_of_a_package(package: Callable[..., str]) -> None:
    kinds = kinds_of(package("found_a", {"one": "beta", "two": "alpha"}))
    assert list(kinds) == ["alpha", "beta"]
    assert kinds.get("beta").name == "beta"


def test_registry_scan_adds_a_package_of_another_layer(package: Callable[..., str]) -> None:
    kinds = kinds_of(package("found_b", {"one": "alpha"}))
    assert list(kinds) == ["alpha"]
    other = package("found_c", {})
    (Path(sys.path[0]) / other / "more.py").write_text(
        MODULE.format(package="found_b", name="gamma")
    )
    kinds.scan("found_c")
    kinds.scan("found_c")
    assert list(kinds) == ["alpha", "gamma"]


def test_registry_same_name_in_two_modules_is_refused(package: Callable[..., str]) -> None:
    kinds = kinds_of(package("found_d", {"one": "alpha", "two": "alpha"}))
    with pytest.raises(ValueError, match=r"'alpha' is registered by found_d\.one"):
        list(kinds)


def test_registry_broken_module_is_not_forgotten(package: Callable[..., str]) -> None:
    name = package("found_e", {"one": "alpha"})
    (Path(sys.path[0]) / name / "broken.py").write_text("import no_such_module_anywhere\n")
    kinds = kinds_of(name)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            list(kinds)


def test_registry_unknown_name_shows_the_closest_and_all(package: Callable[..., str]) -> None:
    kinds = kinds_of(package("found_f", {"one": "alpha", "two": "beta"}))
    with pytest.raises(UserError) as error:
        kinds.get("alpah")
    assert "there is no thing 'alpah'. Did you mean 'alpha'?" in str(error.value)
    assert "Known: alpha, beta" in str(error.value)


def test_registry_holds_the_stages_of_every_kind() -> None:
    expected = {
        "datatrove": Modifier,
        "exact_dedup": GlobalStage,
        "gopher_quality": Scorer,
        "gopher_repetition": Scorer,
        "html_text": Modifier,
        "language": Scorer,
    }
    for name, kind in expected.items():
        assert issubclass(stages.get(name), kind)
        assert stages.get(name).name == name
    assert set(expected) <= set(stages)
