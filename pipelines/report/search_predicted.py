"""Section 5 of a search's page: how far the predictions held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.report import svg
from pipelines.report.format import ABSENT, is_number, number, signed
from pipelines.report.markup import Html, clip, join, tag
from pipelines.report.scale import Scale, padded
from pipelines.report.search_facts import unit
from pipelines.report.table import numbers, table, texts
from pipelines.search.live import mixture_text
from pipelines.search.record import PredictorScore, ProposalEntry, SearchRecord

_WIDTH, _HEIGHT = 460.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 16.0, 12.0, 44.0


def predicted(record: SearchRecord) -> Html:
    """Proposals against the diagonal, their table, and the predictors' cross-validation."""
    parts = [_picture(record)]
    if record.proposals:
        parts.append(_proposals(record.proposals))
    if record.predictors:
        parts.append(_predictors(record.predictors))
    return join(parts)


def draw(points: Sequence[tuple[ProposalEntry, float, float]], noise: float, title: str) -> Html:
    """Predicted to the right, measured upwards, on equal axes; `noise` is the sd of a run."""
    spans = [(mean - (one.sd or 0.0), mean + (one.sd or 0.0)) for one, mean, _ in points]
    ends = [v for _, _, y in points for v in (y - noise, y + noise)]
    low, high = padded([*(v for span in spans for v in span), *ends])
    x = Scale(low, high, _LEFT, _WIDTH - _RIGHT)
    y = Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    shapes = svg.left_axis(y, _LEFT, _WIDTH - _LEFT - _RIGHT, wanted=5)
    shapes += svg.bottom_axis(x, _HEIGHT - _BOTTOM, wanted=5)
    shapes.append(svg.line(x(low), y(low), x(high), y(high), "zero"))
    shapes.append(svg.label(_WIDTH - _RIGHT, _HEIGHT - 8, "predicted →", "tick", "end"))
    shapes.append(svg.label(_LEFT + 6, _TOP + 8, "↑ measured", "tick"))
    for (one, mean, value), span in zip(points, spans, strict=True):
        shapes.append(svg.line(x(span[0]), y(value), x(span[1]), y(value), "error"))
        shapes.append(svg.line(x(mean), y(value - noise), x(mean), y(value + noise), "error"))
        told = f"{one.name}: predicted {number(mean)}, measured {number(value)}"
        shapes.append(svg.dot(x(mean), y(value), 5, "chosen", told))
        shapes.append(svg.label(x(mean) + 8, y(value) - 7, _short(one.name), "tick"))
    return svg.picture(_WIDTH, _HEIGHT, title, *shapes)


def _short(name: str) -> str:
    return clip(name.removeprefix("proposal "), 12)


def _points(record: SearchRecord) -> Iterator[tuple[ProposalEntry, float, float]]:
    for one in record.proposals:
        mean, value = one.mean, one.measured
        if mean is not None and value is not None and is_number(mean) and is_number(value):
            yield one, mean, value


def _picture(record: SearchRecord) -> Html:
    points = list(_points(record))
    if not points:
        return tag("p", _without(record))
    noise = (record.noise.sd if record.noise else None) or 0.0
    caption = f"Proposals, {unit(record)}, search half: on the line the prediction held"
    note = (
        "Above the line a proposal is worse than predicted. Bars are the prediction's standard "
        "error and the noise floor of a run."
    )
    drawn = svg.figure(caption, draw(points, noise, caption))
    return join([drawn, tag("p", note, class_="note")])


def _without(record: SearchRecord) -> str:
    if not record.proposals:
        return "Nothing is proposed yet." if record.state != "done" else "Nothing was proposed."
    if all(one.mean is None for one in record.proposals):
        return f"{record.method.get('name')} proposes without predicting."
    return "No proposal has both a prediction and a measurement."


def _proposals(found: Sequence[ProposalEntry]) -> Html:
    columns = [
        *texts("proposal"),
        *numbers("predicted", "sd", "measured", "measured − predicted", "most epochs"),
        *texts("predicted by", "weights"),
    ]
    return table("Proposals, best first", columns, map(_proposal, found))


def _proposal(one: ProposalEntry) -> list[str]:
    error = None if one.mean is None or one.measured is None else one.measured - one.mean
    return [
        tag("span", clip(one.name, 60), class_="whole"),
        number(one.mean),
        number(one.sd),
        number(one.measured),
        signed(error),
        number(max(one.epochs.values(), default=None), 2),
        one.by or ABSENT,
        mixture_text(one.weights, most=6),
    ]


def _predictors(scores: Sequence[PredictorScore]) -> Html:
    """A row per target, a column per predictor."""
    names = list(dict.fromkeys(score.predictor for score in scores))
    targets = list(dict.fromkeys(score.target for score in scores))
    by_key = {(score.target, score.predictor): score for score in scores}
    rows = ([t, *(_score(by_key.get((t, name))) for name in names)] for t in targets)
    caption = "Cross-validation: Spearman's rank correlation (RMSE) over held-out runs"
    note = "✓ predicts this target."
    grid = table(caption, [*texts("target"), *numbers(*names)], rows)
    return join([grid, tag("p", note, class_="note")])


def _score(score: PredictorScore | None) -> str:
    if score is None:
        return ABSENT
    text = f"{number(score.spearman, 3)} ({number(score.rmse)})"
    return tag("b", f"✓ {text}") if score.chosen else text
