"""Packages import only leftwards: curation <- mixtures <- train <- eval <- pipelines."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("curation", "mixtures", "train", "eval", "pipelines")
FILES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in FILES]


def modules(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every dotted name that a file imports, with its statement, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or "", node


def named_in_strings(path: Path) -> Iterator[str]:
    """Our packages in dotted strings, which `importlib` and the sandbox take for modules."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            head, dot, _ = node.value.partition(".")
            if (
                dot
                and head in LAYERS
                and node.value.replace(".", "").replace(":", "").isidentifier()
            ):
                yield head


def test_layering_finds_files_of_every_layer() -> None:
    assert {Path(name).parts[0] for name in NAMES} == set(LAYERS)


@pytest.mark.parametrize("name", NAMES)
def test_layering_imports_go_left_only(name: str) -> None:
    layer = LAYERS.index(Path(name).parts[0])
    for module, node in modules(ROOT / name):
        head = module.split(".")[0]
        if head in LAYERS:
            assert LAYERS.index(head) <= layer, f"{name}:{node.lineno} imports {module}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_layering_names_in_strings_go_left_only(name: str) -> None:
    layer = LAYERS.index(Path(name).parts[0])
    assert all(LAYERS.index(head) <= layer for head in named_in_strings(ROOT / name))


@pytest.mark.parametrize("name", NAMES)
def test_layering_packages_are_imported_from_not_as_a_name(name: str) -> None:
    """`import eval` would hide the built-in of that name, `import train` reads like a variable."""
    for module, node in modules(ROOT / name):
        if isinstance(node, ast.Import):
            assert module.split(".")[0] not in LAYERS, f"{name}:{node.lineno}"


@pytest.mark.parametrize("name", NAMES)
def test_layering_library_does_not_import_tests(name: str) -> None:
    assert "tests" not in {module.split(".")[0] for module, _ in modules(ROOT / name)}


@pytest.mark.parametrize("name", NAMES)
def test_layering_search_path_is_edited_for_child_processes_only(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    touches = "sys.path" in text or "PYTHONPATH" in text
    assert not touches or name in ("curation/sandbox.py", "curation/backends.py")


@pytest.mark.parametrize("layer", LAYERS)
def test_layering_every_folder_with_code_is_a_package(layer: str) -> None:
    folders = {path.parent for path in (ROOT / layer).rglob("*.py")}
    assert [f for f in folders if not (f / "__init__.py").exists()] == []


def test_layering_there_is_no_drawer_for_everything() -> None:
    assert [
        name for name in NAMES if Path(name).stem in ("utils", "helpers", "common", "misc")
    ] == []
