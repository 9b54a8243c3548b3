"""Names of licences become SPDX identifiers."""

import pytest

from curation.license_names import from_metadata, read
from curation.licenses import GROUPS, KNOWN, expand, identifier, least, most

# Value of a metadata field: the licence that counts.
VALUES = {
    "MIT": "MIT",
    "mit": "MIT",
    "MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
    "apache-2.0": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License 1.1": "Apache-1.1",
    "BSD": "BSD",
    "bsd-3-clause": "BSD-3-Clause",
    "New BSD License": "BSD-3-Clause",
    "The 2-Clause BSD License": "BSD-2-Clause",
    "FreeBSD": "BSD-2-Clause",
    "ISC License": "ISC",
    "gpl": "GPL",
    "GPL-2.0": "GPL-2.0-only",
    "gpl-2.0+": "GPL-2.0-or-later",
    "GPLv3+": "GPL-3.0-or-later",
    "GPL v2 or later": "GPL-2.0-or-later",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Library General Public License 2": "LGPL-2.0-only",
    "LGPL-2.1": "LGPL-2.1-only",
    "AGPLv3": "AGPL-3.0-only",
    "GNU Affero General Public License, version 3": "AGPL-3.0-only",
    "GFDL-1.2-or-later": "GFDL-1.2-or-later",
    "MPL-2.0": "MPL-2.0",
    "Mozilla Public License 2.0": "MPL-2.0",
    "Eclipse Public License v1.0": "EPL-1.0",
    "EUPL-1.2": "EUPL-1.2",
    "Unlicense (public domain)": "Unlicense",
    "PSF-2.0 (CPython 3.11 standard library)": "PSF-2.0",
    "Open Government Licence v3.0": "OGL-UK-3.0",
    "ODbL": "ODbL-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "CC BY 4.0": "CC-BY-4.0",
    "CC-BY-4.0-DE": "CC-BY-4.0",
    "CC-BY (some articles)": "CC-BY",
    "CC-BY 9.0": "CC-BY",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "Attribution-ShareAlike 4.0 International": "CC-BY-SA-4.0",
    "Creative Commons Attribution-Share Alike 3.0 Unported": "CC-BY-SA-3.0",
    "Creative Commons Attribution Non-Commercial No Derivatives 4.0": "CC-BY-NC-ND-4.0",
    "https://creativecommons.org/licenses/by-nc-nd/2.5/ch/": "CC-BY-NC-ND-2.5",
    "http://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "http://creativecommons.org/publicdomain/mark/1.0/": "public-domain",
    "CC0": "CC0-1.0",
    "CC0-1.0 / US public domain": "CC0-1.0",
    "public domain in the US": "public-domain",
    "All rights reserved": "all-rights-reserved",
    "\u00a9 2020 Foo. All Rights Reserved.": "all-rights-reserved",
    "proprietary license": "all-rights-reserved",
    "openrail": "other",
    "research only": "other",
    "Alle Rechte mit Vorbehalt": "other",
    "\u00a9 2020 Foo": "other",
    "MIT OR Apache-2.0": "MIT",
    "GPL-2.0 OR MIT": "MIT",
    "(MIT AND GPL-2.0-only)": "GPL-2.0-only",
    "MIT, CC-BY-NC-4.0": "CC-BY-NC-4.0",
    "Apache-2.0 WITH LLVM-exception": "Apache-2.0",
}


@pytest.mark.parametrize("value", VALUES)
def test_license_of_metadata(value: str) -> None:
    for spelling in (value, f"  {value}\n"):
        names = from_metadata(spelling)
        assert names is not None
        assert names.license == VALUES[value]


@pytest.mark.parametrize("value", ["", "  ", "unknown", "None", "N/A", "NOASSERTION"])
def test_license_of_metadata_that_says_nothing_is_none(value: str) -> None:
    assert from_metadata(value) is None


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT/Apache-2.0", "MIT AND Apache-2.0"),
        ("MIT, MIT", "MIT"),
        ("GPLv2+ | MPL-2.0", "GPL-2.0-or-later OR MPL-2.0"),
        ("openrail", "other"),
    ],
)
def test_license_expression_of_metadata(value: str, expression: str) -> None:
    names = from_metadata(value)
    assert names is not None
    assert names.expression == expression


@pytest.mark.parametrize(
    ("text", "found", "rest"),
    [
        ("MIT License. And more", "MIT", ". And more"),
        ("Apache License, Version 2.0 (the", "Apache-2.0", " (the"),
        ("GPL-2.0 or the MIT license, at", "GPL-2.0-only OR MIT", ", at"),
        ("CC BY 4.0, or under the GFDL!", "CC-BY-4.0 OR GFDL", "!"),
        ("MIT and Apache 2.0 licenses", "MIT AND Apache-2.0", " licenses"),
        ("MIT or else", "MIT", " or else"),
    ],
)
def test_license_names_are_read_to_their_end(text: str, found: str, rest: str) -> None:
    names = read(f"under {text}", 6)
    assert names is not None
    assert (names.expression, f"under {text}"[names.end :]) == (found, rest)


@pytest.mark.parametrize("text", ["", "the MIT license", "mitten", "committed", "Apaches"])
def test_license_names_are_read_where_they_stand(text: str) -> None:
    names = read(text, 0)
    assert names is None or text == "Apaches"


@pytest.mark.parametrize("name", [n for n in KNOWN if n not in ("none", "other")])
def test_license_identifiers_are_their_own_metadata(name: str) -> None:
    for spelling in (name, name.lower()):
        names = from_metadata(spelling)
        assert names is not None
        assert names.license == name


def test_license_identifier_of_another_thing_is_none() -> None:
    assert identifier("klingon") is None
    assert identifier("none") is None
    assert identifier("MIT+") is None


# --- groups


def test_license_groups_cover_every_identifier() -> None:
    assert set(KNOWN) == {name for names in GROUPS.values() for name in names}
    assert set(expand(list(GROUPS))) == set(KNOWN)


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("MIT", {"MIT"}),
        ("MIT-0", {"MIT-0"}),
        ("CC-BY-4.0", {"CC-BY-4.0"}),
        ("CC-BY", {"CC-BY", "CC-BY-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0"}),
        ("GPL-3.0", {"GPL-3.0-only", "GPL-3.0-or-later"}),
        ("BSD", {"BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause"}),
        ("none", {"none"}),
        ("other", {"other"}),
        ("proprietary", {"all-rights-reserved"}),
    ],
)
def test_license_entry_covers_its_versions(entry: str, names: set[str]) -> None:
    assert set(expand([entry])) == names


def test_license_in_two_groups_is_in_both() -> None:
    assert "CC-BY-NC-ND-4.0" in expand(["no_derivatives"])
    assert "CC-BY-NC-ND-4.0" in expand(["non_commercial"])


@pytest.mark.parametrize("entry", ["MTI", "CC", "GPL-", "gpl", "", "Permissive"])
def test_license_entry_that_covers_nothing_is_an_error(entry: str) -> None:
    with pytest.raises(ValueError, match=f"no licence or group '{entry}'"):
        expand([entry])


def test_license_order_from_least_to_most() -> None:
    order = ["CC0-1.0", "MIT", "GPL-3.0-only", "other", "CC-BY-ND-4.0", "CC-BY-NC-4.0"]
    order += ["all-rights-reserved"]
    for i, name in enumerate(order):
        assert most(order[: i + 1]) == name
        assert least(order[i:]) == name
    assert least(["MIT", "ISC"]) == most(["MIT", "ISC"]) == "MIT"
