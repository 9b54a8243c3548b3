"""Section 2 of a search's page: weights and epochs of the mixture beside the natural one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.report import svg
from pipelines.report.format import ABSENT, count, number, percent, signed
from pipelines.report.markup import Html, join, tag
from pipelines.report.scale import Scale
from pipelines.report.search_facts import SLACK, Mixture, natural_mixture, shown_mixture
from pipelines.report.table import Column, numbers, table, texts
from pipelines.search.record import Domain, SearchRecord

MAX_ROWS = 24  # further domains are folded away, those of the least weight
_WIDTH, _BAR, _HEIGHT = 240.0, 8.0, 20.0


def weights(record: SearchRecord) -> Html:
    """A row per domain, the largest weights first, with bars and the cap as a line."""
    natural = natural_mixture(record)
    mixture = shown_mixture(record) or natural
    rows = sorted(record.domains, key=lambda domain: -_most(domain, mixture, natural))
    most = max((_most(domain, mixture, natural) for domain in rows), default=0.0)
    scale = Scale(0, most * 1.05 or 1.0, 0, _WIDTH)
    cells = [_row(domain, mixture, natural, record, scale) for domain in rows]
    caption = f"Weights, {mixture.title}, and passes of the target run"
    columns = _columns(mixture)
    parts = [_legend(mixture), table(caption, columns, cells[:MAX_ROWS])]
    if cells[MAX_ROWS:]:
        title = f"The other {len(cells) - MAX_ROWS} domains"
        rest = table(title, columns, cells[MAX_ROWS:])
        parts.append(tag("details", tag("summary", title), rest))
    return join([*parts, *(tag("p", note, class_="note") for note in _notes(record))])


def _most(domain: Domain, *mixtures: Mixture) -> float:
    return max(mixture.weights.get(domain.name, 0.0) for mixture in mixtures)


def _legend(mixture: Mixture) -> Html:
    return svg.legend([(mixture.title, "stay"), ("natural", "other"), ("cap", "cap")])


def _columns(mixture: Mixture) -> Sequence[Column]:
    return [
        *texts("domain", ""),
        *numbers(mixture.title, "natural", "change", "epochs", "natural's", "cap", "tokens"),
        *texts("bound"),
    ]


def _row(
    domain: Domain, mixture: Mixture, natural: Mixture, record: SearchRecord, scale: Scale
) -> list[str]:
    weight = mixture.weights.get(domain.name, 0.0)
    base = natural.weights.get(domain.name, 0.0)
    epochs, passes = mixture.epochs(record), natural.epochs(record)
    return [
        domain.name,
        _bars(domain, mixture.title, weight, base, scale),
        percent(weight, 1.0),
        percent(base, 1.0),
        f"{signed(100 * (weight - base), 1)} pp",
        number(epochs[domain.name], 2),
        number(passes[domain.name], 2),
        ABSENT if domain.cap >= 1 else percent(domain.cap, 1.0),
        count(domain.tokens),
        bound(domain, weight),
    ]


def bound(domain: Domain, weight: float) -> str:
    """Which limit holds the weight: `at its cap`, `at its floor`, or none."""
    if domain.cap < 1 and weight >= domain.cap - SLACK:
        return tag("b", "at its cap" if weight <= domain.cap + SLACK else "over its cap")
    is_held = domain.min_weight > 0 and weight <= domain.min_weight + SLACK
    return tag("b", "at its floor") if is_held else ""


def _bars(domain: Domain, title: str, weight: float, base: float, scale: Scale) -> Html:
    told = f"{domain.name}: {title} {percent(weight, 1.0)}, natural {percent(base, 1.0)}"
    shapes = [
        svg.rect(0, 1, scale(weight), _BAR, "stay"),
        svg.rect(0, 1 + _BAR, scale(base), _BAR, "other"),
    ]
    if domain.cap < 1 and domain.cap <= scale.high:
        shapes.append(svg.line(scale(domain.cap), 0, scale(domain.cap), _HEIGHT - 2, "threshold"))
    return svg.picture(_WIDTH, _HEIGHT, told, *shapes)


def _notes(record: SearchRecord) -> Iterator[str]:
    target = record.target
    yield f"Passes are those of {target.preset} over {count(target.tokens)} tokens."
    if record.max_epochs is not None:
        yield f"Caps: {record.max_epochs:g} epochs of a domain, or the largest weight that is set."
    if record.left_out:
        yield f"Left out by the constraints: {', '.join(record.left_out)}."
