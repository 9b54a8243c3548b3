"""The mixture of a recipe: written in it, or the name of a file that a search wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.config import build, load_yaml
from curation.document import DOCUMENT_SCHEMA
from curation.errors import UserError, closest
from curation.process import PlannedStage
from mixtures.mixture import Weights
from train.domains import SOURCE, names_domains
from train.phases import Phase

MAX_EPOCHS = 4.0  # repeats beyond this lose value (Muennighoff et al. 2023, arXiv 2305.16264)
MIXTURE = "mixture.yaml"  # what a search calls its file
_NO_DOMAINS = ("id", "text", "meta")  # as many values as documents


@dataclass(frozen=True, kw_only=True)
class MixtureSpec:
    """How domains are weighed in training; see `mixtures.mixture`, and `train.phases`.

    `by` is `source`, or a column of the dataset whose values are the domains: see
    `train.domains`.
    """

    by: str = SOURCE
    weights: Weights = "natural"
    max_epochs: float = MAX_EPOCHS
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        if self.max_epochs <= 0:
            raise ValueError(f"'max_epochs' must be > 0. Got {self.max_epochs} instead.")
        if self.phases and self.weights != "natural":
            raise ValueError("'weights' do not go with 'phases': each phase has its own")


def load_mixture(given: MixtureSpec | str, file: Path) -> tuple[MixtureSpec, Path]:
    """The mixture of the recipe `file`, and the file in which it stands.

    Raises:
        UserError: it names a file that is not there, or that holds something else.
    """
    if isinstance(given, MixtureSpec):
        return given, file
    path = file.parent / given
    try:
        values = load_yaml(path)
    except UserError as error:
        raise error.at(f"{file}: mixture") from None
    return build(MixtureSpec, values, where=str(path), label="mixture"), path


def check_mixture(
    mixture: MixtureSpec, names: Sequence[str], stages: Sequence[PlannedStage], where: str
) -> None:
    """Checks a mixture against the sources and the columns of a recipe.

    The values of a column are known when the dataset is made: its weights are checked then.

    Args:
        mixture: as it was read.
        names: of the sources.
        stages: whose columns the dataset will have.
        where: file and key path before the mixture's own keys.

    Raises:
        UserError: it weighs a source that is not there, or by a column that names no domains.
    """
    check_by(mixture.by, stages, f"{where}by")
    weights = {f"phases[{i}].weights": phase.weights for i, phase in enumerate(mixture.phases)}
    for place, given in {"weights": mixture.weights, **weights}.items():
        if not isinstance(given, str):
            _check_weights(given, f"{where}{place}")
            if mixture.by == SOURCE:
                _check_sources(given, names, f"{where}{place}")


def check_by(by: str, stages: Sequence[PlannedStage], where: str) -> None:
    """Checks that the dataset will have a column `by` whose values can be domains.

    Raises:
        UserError: it will not.
    """
    columns = {field.name: field.type for field in DOCUMENT_SCHEMA}
    columns |= {name: kind for planned in stages for name, kind in planned.columns().items()}
    known = [n for n, kind in columns.items() if names_domains(kind) and n not in _NO_DOMAINS]
    if by not in columns:
        raise UserError(
            f"the dataset has no column '{by}'.{closest(by, known)}",
            where=where,
            hint=f"It takes: {', '.join(known)}",
        )
    if by not in known:
        what = f"'{by}' holds {columns[by]}, whose values are no domains"
        raise UserError(what, where=where, hint=f"It takes: {', '.join(known)}")


def _check_weights(weights: dict[str, float], where: str) -> None:
    for name, weight in weights.items():
        if weight < 0:
            raise UserError(f"a weight must be >= 0, got {weight:g}", where=f"{where}.{name}")
    if sum(weights.values()) <= 0:
        raise UserError("the weights must not all be 0", where=where)


def _check_sources(weights: dict[str, float], names: Sequence[str], where: str) -> None:
    for name in weights:
        if name not in names:
            what = f"there is no source '{name}'.{closest(name, names)}"
            hint = f"Sources: {', '.join(names)}"
            raise UserError(what, where=f"{where}.{name}", hint=hint)
