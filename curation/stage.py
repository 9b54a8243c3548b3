"""The stage contract: measuring, deciding and editing are kept apart.

A stage is a frozen dataclass whose fields are its parameters; constructing it does no work.

* `Modifier.edit` makes new text.
* `Scorer.measure` adds annotation columns and drops nothing.
* `Filter` is a scorer with `rules`: each names a parameter, the column it reads and the threshold.
  The runner decides, so that every drop has a reason, `explain` can show all rules of a document
  and another threshold can be tried without measuring again.
* `Trained` is a filter by a model, learned from documents once what precedes it is finished.
* Scorers that follow one another may share a pass over the text: see `shares_pass_with`.
* A class that is `Filter` and `Modifier` measures and decides on the text as it comes, then edits
  the documents it keeps: a dropped document keeps the text that was judged.
* `GlobalStage` needs all slices: it decides in rounds of tasks over them (`curation.rounds`), and
  may add columns.
  `curation.keyed` has those for which documents of equal key must meet, `curation.ranking` those
  that keep the best.

A local stage gets a `pa.Table` and returns one of the same rows in the same order; its result for
a document never depends on the other documents of the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc

from curation.errors import UserError, closest
from curation.parts import Part
from curation.registry import Registry

if TYPE_CHECKING:
    from curation.rounds import Origin, Rounds, Verdicts

Annotations = Mapping[str, pa.DataType]
Bound = Literal["min", "max", "in", "not in"]


@dataclass(frozen=True)
class Among:
    """A condition: `column` holds one of `values`; inverted, none of them."""

    column: str
    values: tuple[Any, ...]
    inverted: bool = False

    def holds(self, table: pa.Table) -> pa.BooleanArray:
        """True where the condition is met."""
        column = table[self.column].combine_chunks()
        found = pc.is_in(column, value_set=pa.array(self.values, column.type))
        return pc.invert(found) if self.inverted else found


@dataclass(frozen=True)
class Rule:
    """One decision: keep a document if `column` is >= (`min`), <= (`max`), or (not) among (`in`).

    A threshold of None switches the rule off. Equality keeps. A null value is not judged.
    """

    param: str  # the parameter that fires; becomes `drop_reason`
    column: str
    bound: Bound
    threshold: Any
    when: str | Among | None = None  # judge only where a boolean column is true, or this holds

    def fails(self, table: pa.Table) -> pa.BooleanArray:
        """True where the document must go."""
        values = table[self.column].combine_chunks()
        if self.threshold is None:
            return pa.array([False] * len(table), pa.bool_())
        if self.bound in ("in", "not in"):
            listed = pc.is_in(values, value_set=pa.array(self.threshold, values.type))
            bad = pc.invert(listed) if self.bound == "in" else listed
            bad = pc.and_(bad, pc.is_valid(values))
        else:
            test = pc.less if self.bound == "min" else pc.greater
            bad = test(values, pa.scalar(self.threshold, values.type))
        if isinstance(self.when, Among):
            bad = pc.and_(bad, self.when.holds(table))
        elif self.when is not None:
            bad = pc.and_(bad, table[self.when].combine_chunks())
        return pc.fill_null(bad, False)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it needs."""
        when = self.when.column if isinstance(self.when, Among) else self.when
        return (self.column,) if when is None else (self.column, when)

    def over(self, rename: Callable[[str], str]) -> Rule:
        """The same rule over columns of other names."""
        when = self.when
        if isinstance(when, Among):
            when = dataclasses.replace(when, column=rename(when.column))
        elif when is not None:
            when = rename(when)
        return dataclasses.replace(self, column=rename(self.column), when=when)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Base of all stages. `name` is set by registration; a change of behaviour bumps `version`."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    requires: ClassVar[tuple[str, ...]] = ()  # modules of optional packages, named by `check`
    places: ClassVar[tuple[str, ...]] = ()  # parameters of type `Path` that it writes to: where
    # something is kept, no part of identity

    def check(self) -> None:
        """Checks what construction does not: names in a model, blocks of another package.

        Raises:
            UserError: a parameter cannot work.
        """

    def made_from(self) -> Mapping[str, str]:
        """Parameters that name what lies elsewhere, such as models: name to fingerprint of it."""
        return {}

    def prepared(self, folder: Path) -> Self:
        """The stage with what it makes once for all slices, kept in `folder` between runs."""
        return self

    def notes(self) -> tuple[str, ...]:
        """What `tilth check` says of it besides its parameters, a line each."""
        return ()

    def expand(self, label: str) -> tuple[tuple[str, Stage], ...]:
        """The stages, each with its label, that it stands for in a recipe: as a rule itself."""
        return ((label, self),)

    def parameters(self) -> dict[str, Any]:
        """The parameters as a dict, in field order; paths as strings."""
        return {name: with_paths(value, str) for name, value in self._fields().items()}

    def files(self) -> dict[str, tuple[Path, ...]]:
        """The files that parameters of type `Path` name; what they hold is part of identity."""
        paths = {n: p for n, p in self._paths().items() if n not in self.places}
        return {name: tuple(found) for name, found in paths.items()}

    def at(self, root: Path) -> Self:
        """The stage with its relative paths below `root`."""
        fields = self._fields()
        moved = {name: with_paths(fields[name], lambda p: root / p) for name in self._paths()}
        return dataclasses.replace(self, **moved)

    def _paths(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for name, value in self._fields().items():
            with_paths(value, found.setdefault(name, []).append)
        return {name: paths for name, paths in found.items() if paths}

    def _fields(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def with_paths(value: Any, change: Callable[[Path], Any]) -> Any:
    """`value` with every `Path` in it (in tuples and mappings too) replaced by `change` of it."""
    if isinstance(value, Path):
        return change(value)
    if isinstance(value, tuple):
        return tuple(with_paths(item, change) for item in value)
    if isinstance(value, dict):
        return {key: with_paths(item, change) for key, item in value.items()}
    return value


@dataclass(frozen=True, kw_only=True)
class Modifier(Stage):
    """Edits text. The runner counts the characters it removes and drops texts left empty."""

    @property
    def extracts(self) -> bool:
        """Whether it makes text from `raw`; such a stage must stand first."""
        return False

    def edit(self, table: pa.Table) -> pa.Table:
        """The table with a new `text` column; same rows, same order."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Scorer(Stage):
    """Adds annotation columns."""

    @property
    def passing(self) -> tuple[str, ...]:
        """Those of `columns` that later stages read and no dataset holds."""
        return ()

    def columns(self) -> Annotations:
        """Name and type of each column that `measure` returns."""
        raise NotImplementedError

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """The columns of `columns`, one value per row, never null for a measured document."""
        raise NotImplementedError

    def shares_pass_with(self, others: Sequence[Scorer]) -> bool:
        """Whether it can be measured in one go with `others`, which precede it."""
        return False

    def measure_together(
        self, scorers: Sequence[Scorer], table: pa.Table
    ) -> list[dict[str, pa.Array]]:
        """What `measure` gives for each of `scorers`, which share a pass; the first is asked."""
        return [scorer.measure(table) for scorer in scorers]


@dataclass(frozen=True, kw_only=True)
class Filter(Scorer):
    """A scorer that also drops. `rules` are tried in order; the first that fails is the reason."""

    decides: ClassVar[tuple[str, ...]] = ()  # parameters that only `rules` reads

    def rules(self) -> tuple[Rule, ...]:
        """The decisions, in order."""
        raise NotImplementedError

    def measured_by(self) -> dict[str, Any]:
        """The parameters that change what is measured, not what is decided."""
        return {k: v for k, v in self.parameters().items() if k not in self.decides}


@dataclass(frozen=True, kw_only=True)
class Trained(Filter):
    """A filter by a model, which is given by its path or learned from documents.

    Without `model` the runner draws the documents that `samples` names, at most `wanted` per role
    and `max_chars` of each, lets `fit` learn from them once, and measures with `fitted`.
    """

    model_file: ClassVar[str]  # what `fit` writes the model to

    model: Path | None = None
    max_documents: int = 200_000  # drawn per role by a hash of id and seed
    max_chars: int | None = 20_000  # of each of them; null takes all

    def samples(self) -> dict[str, tuple[Part, ...]]:
        """Role, the parameter that names them, to parts; empty if the model is given."""
        raise NotImplementedError

    def wanted(self, role: str) -> int:
        """How many documents of a role are drawn at most."""
        return self.max_documents

    @property
    def sample_columns(self) -> tuple[str, ...]:
        """The columns that `fit` reads besides `id`, `text`, `url` and `source`."""
        return ()

    @property
    def attaches(self) -> bool:
        """Whether `attach` adds anything."""
        return False

    def attach(self, drawn: pa.Table) -> pa.Table:
        """Drawn documents with what takes long to make of them, such as vectors.

        Called once for each file of a sample, side by side, and kept until the model is there.
        """
        return drawn

    def fit(self, samples: Mapping[str, pa.Table], folder: Path, seed: int) -> dict[str, Any]:
        """Writes the model into `folder` and returns what is to be known of it, as JSON.

        The same samples and seed give the same bytes.

        Args:
            samples: role to documents (`id`, `text`, `url`, `source`, `sample_columns`, and what
                `attach` adds), in a random order.
            folder: exists; `model_file` is written there, besides what is removed again.
            seed: of the recipe.

        Raises:
            UserError: nothing can be learned from them.
        """
        raise NotImplementedError

    def fitted(self, folder: Path) -> Self:
        """The stage with the model that `fit` wrote into `folder`."""
        roles: dict[str, Any] = dict.fromkeys(self.samples(), ())
        return dataclasses.replace(self, model=folder / self.model_file, **roles)


DECISION_SCHEMA = pa.schema(
    [
        ("slice", pa.int64()),
        ("row", pa.int64()),
        ("drop_reason", pa.string()),
        ("drop_value", pa.string()),  # the last four as in `curation.document.DROP_FIELDS`
        ("drop_threshold", pa.string()),
        ("survivor_id", pa.string()),
        ("similarity", pa.float64()),
    ]
)


EDIT_SCHEMA = pa.schema(
    [
        ("slice", pa.int64()),
        ("row", pa.int64()),
        ("start", pa.int64()),  # byte of the UTF-8 text, where a code point begins
        ("stop", pa.int64()),  # the first byte that stays again
    ]
)


PLACE_SCHEMA = pa.schema(
    [
        ("slice", pa.int64()),
        ("row", pa.int64()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class GlobalStage(Stage):
    """Drops documents, cuts spans from them, or adds columns, by what the whole corpus holds."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs, besides `id`: the document's own, and annotations."""
        return ("text",)

    def columns(self) -> Annotations:
        """Name and type of each column that it adds."""
        return {}

    def annotation_schema(self) -> pa.Schema:
        """Of the files of annotations: the place of a document, and the columns it adds."""
        return pa.schema([*PLACE_SCHEMA, *(pa.field(k, v) for k, v in self.columns().items())])

    def check_columns(self, known: Mapping[str, pa.DataType]) -> None:
        """What it reads must be there, in a type it can use.

        Args:
            known: the document's fields and the annotations of earlier stages.

        Raises:
            UserError: a column that is not.
        """
        for name in self.reads:
            if name not in known:
                what = f"there is no column '{name}' here.{closest(name, known)}"
                raise UserError(what, hint=f"Known: {', '.join(known)}")

    def decide(self, rounds: Rounds) -> Verdicts:
        """What goes, what is cut from what stays and what is added, after all rounds.

        Of a document that goes nothing is cut. Spans of a document are disjoint and ascending.
        A document has annotations once; where it has none, its columns are null.
        """
        raise NotImplementedError

    def state(self, corpus: Origin) -> Any:
        """What decides besides parameters and corpus, as JSON: what an index holds, for example."""
        return None

    def publish(self, folder: Path, corpus: Origin, state: Any) -> None:
        """Brings what `decide` left in its folder to where the stage keeps it between runs.

        Called after `decide`, and whenever what it decided is reused.
        """


stages: Registry[Stage] = Registry(
    "stage",
    "curation.filters",
    "curation.scorers",
    "curation.modifiers",
    "curation.dedup",
    "curation.decontaminate",
    "curation.embedding",
    "curation.clustering",
)
