"""The child process: what goes wrong with one item stays with that item."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from curation.errors import RunError
from curation.sandbox import Sandbox, sandbox

FUNCTION = "tests.curation.sandbox_functions:answer"


@pytest.fixture
def child() -> Iterator[Callable[..., Sandbox]]:
    made: list[Sandbox] = []

    def make(timeout_s: float = 20.0, **options: Any) -> Sandbox:
        made.append(Sandbox(FUNCTION, options, timeout_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


def call(box: Sandbox, *items: str) -> list[tuple[str | None, str | None]]:
    return list(box.map(item.encode() for item in items))


def test_sandbox_answers_come_in_order(child: Callable[..., Sandbox]) -> None:
    items = [str(i) for i in range(50)]
    assert call(child(), *items) == [(f"hello {i}", None) for i in items]


def test_sandbox_options_reach_the_function(child: Callable[..., Sandbox]) -> None:
    assert call(child(greeting="salut"), "x") == [("salut x", None)]


def test_sandbox_exception_fails_its_item_only(child: Callable[..., Sandbox]) -> None:
    assert call(child(), "a", "raise b", "c") == [
        ("hello a", None),
        (None, "ValueError: cannot take raise b"),
        ("hello c", None),
    ]


@pytest.mark.parametrize(("item", "kind"), [("hang", "timeout"), ("crash", "crash")])
def test_sandbox_hang_or_crash_fails_its_item_only(
    child: Callable[..., Sandbox], item: str, kind: str
) -> None:
    first, bad, last = call(child(timeout_s=1.0), "a", item, "c")
    assert (first, last) == (("hello a", None), ("hello c", None))
    assert bad[0] is None
    assert (bad[1] or "").startswith(kind)


def test_sandbox_every_item_crashes_all_fail(child: Callable[..., Sandbox]) -> None:
    answers = call(child(), "crash 1", "crash 2", "ok")
    assert [text for text, _ in answers] == [None, None, "hello ok"]


def test_sandbox_child_killed_between_items_loses_none(child: Callable[..., Sandbox]) -> None:
    box = child()
    (before, _), *_ = call(box, "pid")
    os.kill(int(before or 0), signal.SIGKILL)
    os.waitid(os.P_PID, int(before or 0), os.WEXITED | os.WNOWAIT)
    (after, error), *_ = call(box, "pid")
    assert error is None
    assert after != before


def test_sandbox_child_killed_while_it_waits_in_a_batch_goes_on(
    child: Callable[..., Sandbox],
) -> None:
    box = child()

    def items() -> Iterator[bytes]:
        yield b"pid"
        assert box._child is not None
        box._child.kill()
        yield b"b" * 1_000_000  # more than a pipe holds
        yield b"c"

    answers = list(box.map(items()))
    assert answers[0][1] is None
    assert answers[1] in (("b" * 1_000_000, None), (None, "crash: the parser died on this page"))
    assert answers[2] == ("hello c", None)


def test_sandbox_printing_function_does_not_garble_answers(child: Callable[..., Sandbox]) -> None:
    assert call(child(), "print", "x") == [("hello print", None), ("hello x", None)]


def test_sandbox_large_item_and_answer_pass(child: Callable[..., Sandbox]) -> None:
    text = "soil é " * 300_000
    assert call(child(), text, "x") == [(text, None), ("hello x", None)]


def test_sandbox_empty_item_passes(child: Callable[..., Sandbox]) -> None:
    assert call(child(), "") == [("hello ", None)]


def test_sandbox_unknown_function_is_an_error() -> None:
    box = Sandbox("tests.curation.sandbox_functions:nothing", {}, 5.0)
    with pytest.raises(RunError, match="nothing"):
        call(box, "x")


def test_sandbox_closed_one_starts_again(child: Callable[..., Sandbox]) -> None:
    box = child()
    assert call(box, "a") == [("hello a", None)]
    box.close()
    box.close()
    assert call(box, "b") == [("hello b", None)]


def test_sandbox_same_function_and_options_share_a_child() -> None:
    one = sandbox(FUNCTION, {"greeting": "a"}, 5.0)
    assert sandbox(FUNCTION, {"greeting": "a"}, 5.0) is one
    assert sandbox(FUNCTION, {"greeting": "b"}, 5.0) is not one
