"""The error tree.

TilthError            everything raised on purpose
├── UserError         a mistake in a recipe, judge, path or option: exit code 2, no traceback
│   └── MissingPackage  an optional package that a stage needs is not installed
└── RunError          the run cannot go on, and what is finished stays valid: exit code 1
    └── TooManyErrors   more records failed than `max_error_frac` allows
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TilthError(Exception):
    """Base of every error that tilth raises on purpose."""


class UserError(TilthError):
    """A mistake the user can mend. `where` names file and key path, `hint` the fix.

    Prints as two or three lines: `where: what`, then the hint indented.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.hint}" if self.hint else head

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only arguments do not pickle by default; Ray workers need it.
        return _rebuild, (type(self), self.what, self.where, self.hint)

    def at(self, where: str) -> UserError:
        """The same error with `where` put in front of the place it already names."""
        place = f"{where}.{self.where}" if self.where else where
        return type(self)(self.what, where=place, hint=self.hint)


class MissingPackage(UserError):
    """An optional package is needed and absent; the hint is the command that installs it."""


class RunError(TilthError):
    """The run stopped; finished slices stay valid and the next run continues from them."""


class TooManyErrors(RunError):
    """More than `max_error_frac` of a step's documents or records failed."""


def _rebuild(cls: type[UserError], what: str, where: str, hint: str) -> UserError:
    return cls(what, where=where, hint=hint)


def closest(name: str, known: Iterable[str]) -> str:
    """`" Did you mean 'x'?"` for the known name nearest to `name`, else an empty string."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{match[0]}'?" if match else ""
