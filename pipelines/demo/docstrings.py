"""One module's docstrings as a reference page in Markdown. Modules are parsed, never imported."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

MIN_CHARS = 400  # a page with fewer characters of docstrings says too little to be a document


def reference_page(code: str) -> str | None:
    """Module documentation, then its public classes and functions; None where there is little."""
    try:
        with warnings.catch_warnings():  # invalid escapes in other people's code
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    sections = [text for node in tree.body if isinstance(node, Definition) for text in _entry(node)]
    about = ast.get_docstring(tree) or ""
    if len(about) + sum(map(len, sections)) < MIN_CHARS:
        return None
    return "\n\n".join([about, *sections]).strip()


def module_name(path: str) -> str:
    """`a/b/__init__.py` is module `a.b`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _entry(node: Definition, owner: str = "") -> Iterator[str]:
    """A documented definition and, for a class, its documented methods."""
    if node.name.startswith("_"):
        return
    text = ast.get_docstring(node, clean=False)
    name = f"{owner}.{node.name}" if owner else node.name
    if text:
        level = "###" if owner else "##"
        yield f"{level} {name}\n\n```\n{_signature(node, name)}\n```\n\n{inspect.cleandoc(text)}"
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            if isinstance(child, Definition):
                yield from _entry(child, name)


def _signature(node: Definition, name: str) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {name}({', '.join(map(ast.unparse, node.bases))})"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({ast.unparse(node.args)}){returns}"
