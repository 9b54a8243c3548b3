"""Names to classes: every stage and source is found by scanning the packages that hold them.

A module registers its class with a decorator; nothing is listed by hand. Higher layers announce
their own packages with `scan`, so `curation` never imports them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from curation.errors import UserError, closest

T = TypeVar("T")


class Registry(Generic[T]):
    """One kind of registered class (`kind` names it in messages)."""

    def __init__(self, kind: str, *packages: str) -> None:
        self.kind = kind
        self._packages = list(packages)
        self._classes: dict[str, type[T]] = {}
        self._scanned: set[str] = set()

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator: makes the class known as `name` and sets its `name` attribute."""

        def add(cls: type[T]) -> type[T]:
            known = self._classes.get(name)
            if known is not None and known.__module__ != cls.__module__:
                raise ValueError(f"{self.kind} '{name}' is registered by {known.__module__} too")
            cls.name = name  # type: ignore[attr-defined]
            self._classes[name] = cls
            return cls

        return add

    def scan(self, package: str) -> None:
        """Also look for classes in `package` (a dotted name) and the modules right below it."""
        if package not in self._packages:
            self._packages.append(package)

    def forget(self, package: str) -> None:
        """The inverse of `scan`: drops the package and the classes found in it."""
        self._packages.remove(package)
        self._scanned.discard(package)
        for name, cls in list(self._classes.items()):
            if cls.__module__.startswith(f"{package}."):
                del self._classes[name]

    def get(self, name: str) -> type[T]:
        """The class registered as `name`.

        Raises:
            UserError: no such name; the hint gives the closest and all known names.
        """
        self._discover()
        if name not in self._classes:
            raise UserError(
                f"there is no {self.kind} '{name}'.{closest(name, self._classes)}",
                hint=f"Known: {', '.join(self)}",
            )
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._classes))

    def _discover(self) -> None:
        for package in self._packages:
            if package in self._scanned:
                continue
            module = importlib.import_module(package)
            for info in pkgutil.iter_modules(getattr(module, "__path__", [])):
                if not info.ispkg:
                    importlib.import_module(f"{package}.{info.name}")
            self._scanned.add(package)
