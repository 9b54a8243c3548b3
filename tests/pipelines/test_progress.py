"""Progress lines: counted, timed, and with the time left once there is a pace."""

import io

import pytest

from pipelines.progress import ProgressPrinter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("pipelines.progress.time.monotonic", lambda: now[0])
    return now


def test_time_left_is_at_the_pace_since_the_step_began(clock: list[float]) -> None:
    stream = io.StringIO()
    tell = ProgressPrinter(stream)
    for seconds, done in ((0, 40), (2, 45), (10, 60), (20, 100)):  # 40 were done before
        clock[0] = 1000.0 + seconds
        tell("train (steps)", done, 100)
    assert stream.getvalue().splitlines() == [
        "train (steps): 60/100 (10.0 s, 20 s left)",
        "train (steps): 100/100 (20.0 s)",
    ]


def test_long_waits_are_told_in_minutes(clock: list[float]) -> None:
    stream = io.StringIO()
    tell = ProgressPrinter(stream)
    tell("read", 0, 1000)
    clock[0] += 60
    tell("read", 100, 1000)
    assert stream.getvalue() == "read: 100/1000 (60.0 s, 9 min left)\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_terminal_shows_a_bar_that_is_drawn_anew(clock: list[float]) -> None:
    stream = Terminal()
    tell = ProgressPrinter(stream)
    tell("read", 0, 4)
    clock[0] += 8
    tell("read", 1, 4)
    tell("read", 4, 4)
    lines = stream.getvalue().split("\r\x1b[K")
    assert "[........................] 0/4    0.0 s" in lines[1]
    assert "[######..................] 1/4    8.0 s, 24 s left" in lines[2]
    assert lines[3].endswith("[########################] 4/4    8.0 s\n")
