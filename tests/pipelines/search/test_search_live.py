"""What the terminal shows of a search, and the command."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.search.live import LiveSearch, line, live_table, mixture_text
from pipelines.search.record import NoiseFloor, Round, RunEntry, SearchRecord, SizeEntry
from tests.pipelines.search.planted import STEP

WriteSpec = Callable[..., Path]
SIZE = SizeEntry(preset="tiny", params=1000, tokens=5120)


def entry(role: str, name: str, objective: float | None, law: float) -> RunEntry:
    return RunEntry(
        id=f"{role}-{name}",
        role=role,  # type: ignore[arg-type]
        name=name,
        size="tiny",
        tokens=5120,
        seed=0,
        weights={"law": law, "art": 1 - law},
        state="done" if objective is not None else "failed",
        objective=objective,
        seconds=0.0,
    )


def record() -> SearchRecord:
    return SearchRecord(
        name="web",
        spec={},
        method={"name": "regmix", "reference": "RegMix"},
        by="source",
        judge="j",
        dataset="d",
        objective={"panels.law.bpb": 1.0},
        negated=(),
        max_epochs=4.0,
        domains=(),
        sizes=(SIZE,),
        target=SIZE,
        budget_runs=4,
        planned=20,
        state="searching",
        runs=(
            entry("baseline", "natural", 2.5, 0.5),
            entry("search", "round 1.1", 2.25, 0.75),
            entry("search", "round 1.2", None, 0.25),
        ),
        rounds=(
            Round(
                number=1,
                asked=2,
                failed=1,
                predicted=2.0,
                predicted_sd=0.125,
                predicted_weights={"law": 1.0},
            ),
        ),
        noise=NoiseFloor(seeds=2, sd=0.01, mde=0.04),
    )


def test_line_tells_state_runs_best_prediction_and_time() -> None:
    assert line(record(), 300) == (
        "search regmix: searching, 2 of 4 runs (3 of 20 with baselines and confirmation), "
        "1 failed, natural 2.5000, best 2.2500, predicted 2.0000 ± 0.1250, 5 min left"
    )
    assert line(replace(record(), state="done", rounds=()), None) == (
        "search regmix: done, 2 of 4 runs, 1 failed, natural 2.5000, best 2.2500"
    )


def test_table_has_natural_best_and_predicted() -> None:
    assert live_table(record()).split("\n") == [
        "                   weights           objective      sd  less natural",
        "natural            law 50%, art 50%     2.5000  0.0100",
        "best so far        law 75%, art 25%     2.2500               -0.2500",
        "predicted optimum  law 100%             2.0000  0.1250       -0.5000",
    ]
    assert live_table(replace(record(), runs=(), rounds=())).count("\n") == 0


def test_mixture_text_names_the_largest() -> None:
    weights = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.15, "e": 0.25}
    assert mixture_text(weights, most=2) == "c 30%, e 25%, ..."
    assert mixture_text({"a": 1.0}) == "a 100%"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Whether lines can be drawn anew."""
        return True


def test_terminal_is_drawn_anew_in_place() -> None:
    stream = Terminal()
    live = LiveSearch(stream)
    live("tokenize web", 1, 1)
    live.tell(record())
    live("train (steps)", 7, 20)
    text = stream.getvalue()
    assert "tokenize web" in text
    assert "train (steps): 7/20" in text
    assert text.count("\x1b[6A") == 1
    lines = text.split("\x1b[J")[-1].rstrip("\n").split("\n")
    assert lines[0].startswith("search regmix: searching")
    assert lines[-1] == "train (steps): 7/20"


def test_log_has_a_line_per_state_and_few_between() -> None:
    stream = io.StringIO()
    live = LiveSearch(stream)
    for state in ("baselines", "baselines", "searching", "searching", "done"):
        live.tell(replace(record(), state=state))  # type: ignore[arg-type]
    assert [row.split()[2].rstrip(",") for row in stream.getvalue().splitlines()] == [
        "baselines",
        "searching",
        "done",
    ]


def test_command_searches_and_prints_text_or_json(
    spec: WriteSpec, field: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = spec(budget={"runs": 2, "tokens": 2 * STEP}, confirm={"top": 1, "seeds": 0}, seeds=[0])
    command = ["search", str(file), "--out", str(field / "out"), "--backend", "inline"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "only law (over its cap)" in text
    assert "chosen: " in text
    assert str(field / "out/report.html") in text
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    written = json.loads((field / "out/search.json").read_text())
    assert {**found, "seconds": 0} == {**written, "seconds": 0}
    assert main(["report", str(field / "out")]) == 0
    assert "Mixture search over web" in (field / "out/report.html").read_text()


def test_command_tells_a_mistake_with_exit_code_2(
    spec: WriteSpec, field: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = spec(objective={"panels.nothing.bpb": 1})
    assert main(["search", str(file), "--out", str(field / "out"), "--backend", "inline"]) == 2
    assert "the judge has no metric 'panels.nothing.bpb'" in capsys.readouterr().err
    assert not (field / "out").exists()


def test_methods_are_listed_with_reference_and_parameters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "methods", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert {"random", "grid", "regmix", "climb", "olmix", "mixmin"} <= set(found)
    assert "(RegMix, 2407.01492, section 3" in found["regmix"]["about"]
    assert found["climb"]["parameters"]["split"] == "list of int = [4, 2, 1]"
