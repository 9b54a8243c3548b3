"""Where tasks run: in this process (`inline`) or on Ray workers (`ray`). Never what they compute.

A task is a picklable function of one item. Results come back in order of completion, so whatever
depends on order sorts by its own key.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from curation.errors import RunError, TilthError

T = TypeVar("T")
R = TypeVar("R")

# Ray takes about 5 s to start; two cores get through this many bytes of rules in less.
SMALL_JOB_BYTES = 4_000_000

# A task goes on after its finished slices, so a retry costs at most the slice that was lost: many
# deaths are cheap, and one slice that kills every worker still ends the run.
MAX_RETRIES = 10


class Backend(Protocol):
    """Runs tasks."""

    workers: int
    max_memory: int | None  # bytes that the tasks of a global stage may hold together, if given

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        *,
        num_bytes: int | None = None,
        num_gpus: float = 0.0,
    ) -> Iterator[R]:
        """Results of `function` over `items` as they complete.

        Args:
            function: module-level, so that it pickles.
            items: picklable; each result comes exactly once.
            num_bytes: input of all items together, if known: tiny jobs skip costly start-up.
            num_gpus: share of a GPU that a task needs; several tasks share one.
        """
        ...


class InlineBackend:
    """Runs every task in this process, one after another."""

    workers = 1

    def __init__(self, max_memory: int | None = None) -> None:
        self.max_memory = max_memory

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        *,
        num_bytes: int | None = None,
        num_gpus: float = 0.0,
    ) -> Iterator[R]:
        """See `Backend.run`."""
        return map(function, items)


class RayBackend:
    """Runs tasks on Ray, started on first need.

    A worker that dies takes only its task with it: Ray runs that one again (`MAX_RETRIES`), and
    the slices it had finished are found on disk.
    """

    def __init__(
        self,
        workers: int | None = None,
        address: str | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.address = address
        self.max_memory = max_memory

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        *,
        num_bytes: int | None = None,
        num_gpus: float = 0.0,
    ) -> Iterator[R]:
        """See `Backend.run`."""
        small = num_bytes is not None and num_bytes < SMALL_JOB_BYTES
        if not items:
            return iter(())
        if small or (len(items) == 1 and self.address is None):
            return map(function, items)
        return self._run_remote(function, items, num_gpus)

    def _run_remote(
        self, function: Callable[[T], R], items: Sequence[T], num_gpus: float
    ) -> Iterator[R]:
        ray = _start_ray(self.workers, self.address)
        options = {"num_cpus": 1, "num_gpus": num_gpus, "max_retries": MAX_RETRIES}
        remote = ray.remote(**options)(_shippable(function))
        queue = map(pickle.dumps, items)
        pending = [remote.remote(item) for item in islice(queue, self.workers * 2)]
        try:
            while pending:
                done, pending = ray.wait(pending, num_returns=1)
                pending += [remote.remote(item) for item in islice(queue, len(done))]
                yield _result(ray, done[0])
        finally:
            for reference in pending:
                ray.cancel(reference, force=False)


def make_backend(
    name: str,
    workers: int | None = None,
    address: str | None = None,
    max_memory: int | None = None,
) -> Backend:
    """The backend called `inline` or `ray`."""
    if name == "inline":
        return InlineBackend(max_memory)
    return RayBackend(workers, address, max_memory)


def _start_ray(workers: int, address: str | None) -> Any:
    # Read by ray at import: under `uv run` it would else rebuild the environment per worker.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray's own is 15: beside any other job, ours would get next to nothing.
    os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    if not ray.is_initialized():
        size = {} if address else {"num_cpus": workers, "include_dashboard": False}
        # `local`, or Ray would join whatever cluster it finds on this machine.
        ray.init(address=address or "local", logging_level="ERROR", log_to_driver=False, **size)
    return ray


def _shippable(function: Callable[[T], R]) -> Callable[[bytes], R]:
    """`function` of a pickled item, for workers that would import something else by its name.

    Ray puts the driver's current folder first on the workers' path, and that folder may hold a
    `train/` of its own. The wrapper is nested, so that it travels by value, and it loads the
    function by name only after our own root stands first.
    """
    payload, root = pickle.dumps(function), str(Path(__file__).resolve().parents[1])

    def task(item: bytes) -> R:
        import pickle
        import sys

        if sys.path[0] != root:
            sys.path.insert(0, root)
        result: R = pickle.loads(payload)(pickle.loads(item))
        return result

    task.__name__ = task.__qualname__ = function.__name__  # what `ps` and Ray's tools show
    return task


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, TilthError):
            raise cause from None
        raise
    except ray.exceptions.RayError as error:
        raise RunError(
            f"a task lost its worker {MAX_RETRIES + 1} times: {type(error).__name__}\n"
            "  Finished slices are kept: run the same command again"
        ) from error
