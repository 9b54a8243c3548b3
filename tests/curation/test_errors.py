"""Errors: what the user reads, and that they survive the way back from a worker."""

import pickle

import pytest

from curation.errors import (
    MissingPackage,
    RunError,
    TilthError,
    TooManyErrors,
    UserError,
    closest,
)


@pytest.mark.parametrize("cls", [UserError, MissingPackage])
def test_errors_user_error_pickles_with_all_parts(cls: type[UserError]) -> None:
    error = pickle.loads(pickle.dumps(cls("what", where="r.yaml: a", hint="do this")))
    assert type(error) is cls
    assert (error.what, error.where, error.hint) == ("what", "r.yaml: a", "do this")
    assert str(error) == "r.yaml: a: what\n  do this"


@pytest.mark.parametrize("cls", [RunError, TooManyErrors])
def test_errors_run_error_pickles(cls: type[RunError]) -> None:
    error = pickle.loads(pickle.dumps(cls("stopped")))
    assert type(error) is cls
    assert str(error) == "stopped"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("what"), "what"),
        (UserError("what", where="here"), "here: what"),
        (UserError("what", hint="fix"), "what\n  fix"),
        (UserError("what", where="here", hint="fix"), "here: what\n  fix"),
    ],
)
def test_errors_user_error_reads_as_place_fault_and_fix(error: UserError, text: str) -> None:
    assert str(error) == text


def test_errors_at_puts_a_place_in_front_and_keeps_the_rest() -> None:
    error = MissingPackage("what", hint="fix").at("curate[1]").at("r.yaml")
    assert type(error) is MissingPackage
    assert str(error) == "r.yaml.curate[1]: what\n  fix"


def test_errors_at_leaves_the_original_alone() -> None:
    error = UserError("what", where="a")
    error.at("b")
    assert error.where == "a"


def test_errors_tree_lets_one_clause_catch_all() -> None:
    assert issubclass(UserError, TilthError)
    assert issubclass(MissingPackage, UserError)
    assert issubclass(TooManyErrors, RunError)
    assert issubclass(RunError, TilthError)
    assert not issubclass(RunError, UserError)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("languge", " Did you mean 'language'?"),
        ("gopher", " Did you mean 'gopher_quality'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_errors_closest_names_the_nearest_or_none(name: str, hint: str) -> None:
    assert closest(name, ["language", "gopher_quality", "pii"]) == hint


def test_errors_closest_of_nothing_is_nothing() -> None:
    assert closest("a", []) == ""
