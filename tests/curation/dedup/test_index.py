"""An index of earlier runs: dump after dump gives what all dumps at once would."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from curation.dedup.minhash import MinhashDedup
from curation.errors import RunError, UserError
from curation.rounds import Origin
from tests.curation.dedup.test_minhash import Decided, corpus, decided, make_corpus, rounds_over


def run(
    stage: MinhashDedup, documents: list[dict[str, Any]], folder: Path, name: str, inputs: str = ""
) -> tuple[Decided, list[str]]:
    """One run over one dump, as the runner makes it."""
    origin = Origin(name, inputs or name)
    state = stage.state(origin)
    slices = corpus(documents, folder / "slices", [len(documents) // 2, -(-len(documents) // 2)])
    rounds = rounds_over(slices, folder / "rounds", state=state)
    verdicts = stage.decide(rounds)
    stage.publish(rounds.folder, origin, state)
    return decided(verdicts, slices), state


@pytest.fixture
def dumps() -> list[list[dict[str, Any]]]:
    documents = make_corpus(11)
    third = len(documents) // 3
    return [documents[:third], documents[third : 2 * third], documents[2 * third :]]


def test_index_dumps_in_turn_equal_all_at_once(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    found: Decided = {}
    for number, dump in enumerate(dumps):
        gone, state = run(stage, dump, tmp_path / f"dump-{number}", f"run-{number}")
        assert state == [f"run-{i}" for i in range(number)]
        found |= gone
    whole, _ = run(MinhashDedup(), [d for dump in dumps for d in dump], tmp_path / "all", "all")
    assert found == whole
    late = {d["id"] for dump in dumps[1:] for d in dump}
    assert any(gone in late and survivor not in late for gone, (survivor, _) in whole.items())


def test_index_rerun_of_an_earlier_dump_does_not_see_later_ones(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    first, _ = run(stage, dumps[0], tmp_path / "a", "run-0")
    run(stage, dumps[1], tmp_path / "b", "run-1")
    again, state = run(stage, dumps[0], tmp_path / "c", "run-0")
    assert state == []
    assert again == first


def test_index_newest_run_may_be_made_anew_under_another_recipe(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    run(stage, dumps[0], tmp_path / "a", "run-0")
    run(stage, dumps[1], tmp_path / "b", "run-1", "inputs-1")
    _, state = run(stage, dumps[1], tmp_path / "c", "other", "inputs-1")
    assert state == ["run-0"]
    assert stage.state(Origin("next", "next")) == ["run-0", "other"]
    assert not (tmp_path / "index" / "run-1").exists()


def test_index_refuses_to_change_what_later_runs_build_on(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    run(stage, dumps[0], tmp_path / "a", "run-0", "inputs-0")
    run(stage, dumps[1], tmp_path / "b", "run-1")
    with pytest.raises(UserError, match="holds these inputs already"):
        stage.state(Origin("other", "inputs-0"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_gram": 4}, "n_gram 5, not 4"),
        ({"preset": "fineweb"}, "bands 22, not 14"),
        ({"seed": 2}, "seed 1, not 2"),
        ({"unit": "char"}, "unit word, not char"),
    ],
)
def test_index_of_other_settings_is_refused(
    params: dict[str, Any], message: str, dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    run(MinhashDedup(index=tmp_path / "index"), dumps[0], tmp_path / "a", "run-0")
    with pytest.raises(UserError, match=message):
        MinhashDedup(index=tmp_path / "index", **params).state(Origin("x", "x"))


def test_index_is_checked_before_anything_runs(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    MinhashDedup(index=tmp_path / "new").check()
    run(MinhashDedup(index=tmp_path / "index"), dumps[0], tmp_path / "a", "run-0")
    MinhashDedup(index=tmp_path / "index", min_jaccard=0.9).check()
    with pytest.raises(UserError, match="bands 22, not 26"):
        MinhashDedup(index=tmp_path / "index", preset="strict").check()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        MinhashDedup(index=tmp_path / "file").check()


def test_index_may_be_searched_with_another_similarity(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    run(MinhashDedup(index=tmp_path / "index"), dumps[0], tmp_path / "a", "run-0")
    stage = MinhashDedup(index=tmp_path / "index", min_jaccard=0.9, keep="longest")
    gone, _ = run(stage, dumps[1], tmp_path / "b", "run-1")
    assert all(similarity >= 0.9 for _, similarity in gone.values())


def test_index_changed_by_another_run_meanwhile_is_an_error(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    mine = Origin("mine", "mine")
    state = stage.state(mine)
    slices = corpus(dumps[0], tmp_path / "slices", [len(dumps[0])])
    rounds = rounds_over(slices, tmp_path / "rounds", state=state)
    stage.decide(rounds)
    run(stage, dumps[1], tmp_path / "b", "other")
    with pytest.raises(RunError, match="another run has changed the index"):
        stage.publish(rounds.folder, mine, state)


def test_index_damaged_is_an_error_that_names_the_file(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    run(stage, dumps[0], tmp_path / "a", "run-0")
    bands = next((tmp_path / "index" / "run-0").glob("*.bands.arrow"))
    bands.unlink()
    bands.write_bytes(b"ARROW1\0\0 cut short")
    with pytest.raises(RunError, match=r"bands.arrow: is damaged"):
        run(stage, dumps[1], tmp_path / "b", "run-1")


def test_index_does_not_depend_on_the_folder_of_the_run_that_made_it(
    dumps: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    stage = MinhashDedup(index=tmp_path / "index")
    run(stage, dumps[0], tmp_path / "a", "run-0")
    kept, _ = run(stage, dumps[1], tmp_path / "b", "run-1")
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "b")
    again, _ = run(stage, dumps[1], tmp_path / "c", "run-1")
    assert again == kept
