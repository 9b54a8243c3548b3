"""Documents are kept and dropped by their licence."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.filters.license import License
from curation.process import PlannedStage, process
from tests.benchmarks.data import SHARED, json_lines

MakeTable = Callable[..., pa.Table]
GPL = "This document is licensed under the GNU GPL v3."


def measure(
    documents: MakeTable, text: str, meta: Any = None, stage: License | None = None
) -> dict[str, Any]:
    metas = [None if meta is None else json.dumps(meta, ensure_ascii=False)]
    columns = (stage or License()).measure(documents([text], meta=metas))
    return {name: values[0].as_py() for name, values in columns.items()}


def reason(documents: MakeTable, stage: License, text: str, meta: Any = None) -> str | None:
    table = documents([text], meta=[json.dumps(meta or {})])
    kept, dropped, _ = process(table, [PlannedStage("license", stage)])
    return None if len(kept) else dropped["drop_reason"][0].as_py()


@pytest.mark.parametrize(
    ("meta", "license_"),
    [
        ({"license": "mit"}, "MIT"),
        ({"License": "CC BY 4.0"}, "CC-BY-4.0"),
        ({"licence": "GPL-2.0"}, "GPL-2.0-only"),
        ({"licenses": ["MIT", "GPL-2.0-only"]}, "GPL-2.0-only"),
        ({"licenses": [{"type": "Apache-2.0", "url": "https://x"}]}, "Apache-2.0"),
        ({"license": {"url": "http://creativecommons.org/licenses/by/4.0/"}}, "CC-BY-4.0"),
        ({"rights": "\u00a9 Caf\u00e9. All rights reserved."}, "all-rights-reserved"),
        ({"license": "unknown", "rights": "public domain"}, "public-domain"),
        ({"license": None, "licence": "MIT"}, "MIT"),
        ({"license": "see the file"}, "other"),
        ({"license": 3}, "none"),
        ({"license": []}, "none"),
        ({"other": {"license": "MIT"}}, "none"),
        ({"title": 'a "license" for MIT'}, "none"),
        ({}, "none"),
        (None, "none"),
    ],
)
def test_license_from_metadata(meta: Any, license_: str, documents: MakeTable) -> None:
    found = measure(documents, "Some text.", meta)
    assert found["license"] == license_
    assert found["found_in"] == ("none" if license_ == "none" else "meta")


def test_license_metadata_is_asked_before_the_text(documents: MakeTable) -> None:
    found = measure(documents, GPL, {"license": "MIT"})
    assert (found["license"], found["found_in"]) == ("MIT", "meta")
    assert found["license_statement"] == "MIT"


def test_license_text_is_asked_where_metadata_is_vague(documents: MakeTable) -> None:
    found = measure(documents, GPL, {"license": "see below"})
    assert found == {
        "license": "GPL-3.0-only",
        "license_expression": "GPL-3.0-only",
        "found_in": "text",
        "license_statement": "This document is licensed under the GNU GPL v3",
    }
    assert measure(documents, "No word of it.", {"license": "see below"})["license"] == "other"


def test_license_of_nothing_is_none(documents: MakeTable) -> None:
    assert measure(documents, "Unlike the GPL, this text says nothing.") == {
        "license": "none",
        "license_expression": "none",
        "found_in": "none",
        "license_statement": "",
    }


def test_license_places_to_look_are_the_users(documents: MakeTable) -> None:
    meta = {"license": "MIT", "dc.rights": "CC0"}
    stage = License(fields=("dc.rights",))
    assert measure(documents, GPL, meta, stage)["license"] == "CC0-1.0"
    assert measure(documents, GPL, meta, License(fields=()))["license"] == "GPL-3.0-only"
    assert measure(documents, GPL, {}, License(in_text=False))["license"] == "none"


@pytest.mark.parametrize(
    ("stage", "license_", "why"),
    [
        (License(), "GPL-3.0-only", None),
        (License(keep=("permissive",)), "MIT", None),
        (License(keep=("permissive",)), "CC-BY-3.0", None),
        (License(keep=("permissive",)), "GPL-3.0-only", "keep"),
        (License(keep=("permissive",)), "none", "keep"),
        (License(keep=("permissive", "none")), "none", None),
        (License(keep=("CC-BY",)), "CC-BY-SA-4.0", "keep"),
        (License(drop=("non_commercial",)), "CC-BY-NC-4.0", "drop"),
        (License(drop=("non_commercial",)), "CC-BY-4.0", None),
        (License(drop=("no_derivatives",)), "CC-BY-NC-ND-4.0", "drop"),
        (License(drop=("none",)), "none", "drop"),
        (License(keep=("permissive",), drop=("MIT",)), "MIT", "drop"),
        (License(keep=("permissive",), drop=("MIT",)), "ISC", None),
        (License(keep=("public_domain", "copyleft")), "GFDL-1.2-or-later", None),
        (License(drop=("proprietary",)), "all rights reserved", "drop"),
        (License(drop=("other",)), "openrail", "drop"),
    ],
)
def test_license_keep_and_drop(
    stage: License, license_: str, why: str | None, documents: MakeTable
) -> None:
    assert reason(documents, stage, "Some text.", {"license": license_}) == why


def test_license_drop_shows_what_was_found(documents: MakeTable) -> None:
    table = documents([GPL])
    _, dropped, _ = process(table, [PlannedStage("license", License(keep=("public_domain",)))])
    row = dropped.to_pylist()[0]
    assert (row["drop_reason"], row["drop_value"]) == ("keep", "GPL-3.0-only")
    assert row["drop_threshold"] == "public-domain,CC0-1.0,PDDL-1.0,Unlicense"
    assert row["license.license_statement"].startswith("This document is licensed")


def test_license_lists_change_without_measuring_again() -> None:
    assert License(keep=("MIT",)).measured_by() == License(drop=("GPL",)).measured_by()


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"keep": []}, ["'keep' of license is empty"]),
        ({"keep": ["permisive"]}, ["'keep' of license", "Did you mean 'permissive'?"]),
        ({"drop": ["GPL-5.0"]}, ["'drop' of license", "no licence or group 'GPL-5.0'"]),
        ({"fields": [], "in_text": False}, ["looks nowhere"]),
    ],
)
def test_license_mistake_is_named(values: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(UserError) as error:
        build(License, values, where="r.yaml")
    assert [part for part in parts if part not in str(error.value)] == []


@pytest.mark.shared
def test_license_of_real_metadata_and_texts(documents: MakeTable) -> None:
    """All metadata is understood but what is no licence; PEPs state theirs in the text."""
    unknown, peps = set(), 0
    for file in sorted((SHARED / "text").glob("*.jsonl.zst")):
        rows = list(json_lines(file))[::5]
        metas = [json.dumps({"license": row["license"]}) for row in rows]
        found = License().measure(documents([row["text"] for row in rows], meta=metas))
        pairs = zip(rows, found["license"].to_pylist(), strict=True)
        unknown |= {row["license"] for row, name in pairs if name in ("other", "none")}
        in_text = License(fields=()).measure(documents([row["text"] for row in rows]))
        pairs = zip(rows, in_text["license"].to_pylist(), strict=True)
        stated = [name for row, name in pairs if row["id"].startswith("pep-")]
        assert set(stated) <= {"public-domain", "none"}
        peps += stated.count("public-domain")
    assert all(name.startswith("Reuters-21578 research-only") for name in unknown)
    assert peps > 25
