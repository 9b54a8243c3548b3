"""What a text says of its own licence, and what it says of others'."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curation import license_statements
from curation.license_statements import EDGE, find

PROSE = "The farmer turned the soil early and waited for the rain to come with patience. "
GPL = (
    "This program is free software: you can redistribute it and/or modify\n"
    "it under the terms of the GNU General Public License as published by\n"
    "the Free Software Foundation, either version 3 of the License, or\n"
    "(at your option) any later version."
)
BSD = (
    "Redistribution and use in source and binary forms, with or without\n"
    "modification, are permitted provided that the following conditions are met:\n"
)

STATEMENTS = {
    'Licensed under the Apache License, Version 2.0 (the "License");\nyou may not': "Apache-2.0",
    "# The ASF licenses this file\n# to You under the Apache License, Version 2.0": "Apache-2.0",
    "// SPDX-License-Identifier: GPL-2.0-or-later\nint main;": "GPL-2.0-or-later",
    "/* SPDX-License-Identifier: BSD-3-Clause */": "BSD-3-Clause",
    "# SPDX-License-Identifier: LicenseRef-Acme": "other",
    GPL: "GPL-3.0-or-later",
    "".join(f" * {line}\n" for line in GPL.split("\n")): "GPL-3.0-or-later",
    GPL.replace("General", "Lesser General").replace(" 3 ", " 2.1 "): "LGPL-2.1-or-later",
    "This file is free software; you can redistribute it and/or modify it under the terms of the "
    "GNU General Public License version 2 as published by the FSF.": "GPL-2.0-only",
    "Permission is granted to copy, distribute and/or modify this document under the terms of the "
    "GNU Free Documentation License, Version 1.3 or any later version": "GFDL-1.3-or-later",
    "This Source Code Form is subject to the terms of the Mozilla Public\nLicense, v. 2.0. If a "
    "copy of the MPL was not distributed": "MPL-2.0",
    "Text is available under the Creative Commons Attribution-ShareAlike License 4.0; additional "
    "terms may apply.": "CC-BY-SA-4.0",
    "This work is licensed under a Creative Commons Attribution-NonCommercial 4.0 International "
    "License.": "CC-BY-NC-4.0",
    "This is an open access article distributed under the terms of the Creative Commons "
    "Attribution License, which permits unrestricted use": "CC-BY",
    "The work is made available under the Creative Commons CC0 public domain dedication. It is "
    "free.": "CC0-1.0",
    "Except where otherwise noted, content on this site is licensed under a Creative Commons "
    "Attribution-NoDerivs 3.0 Unported license.": "CC-BY-ND-3.0",
    "Unless otherwise stated, this page is available under "
    "https://creativecommons.org/licenses/by-sa/4.0/deed.de": "CC-BY-SA-4.0",
    "All content on this site is licensed under CC BY-NC-ND 2.5.": "CC-BY-NC-ND-2.5",
    "This document has been placed in the public domain.": "public-domain",
    "This is free and unencumbered software released into the public domain.": "Unlicense",
    "To the extent possible under law, Ann Author has waived all copyright and related or "
    "neighboring rights to this work.": "CC0-1.0",
    "Permission is hereby granted, free of charge, to any person obtaining a copy\nof this "
    'software and associated documentation files (the "Software"), to deal\nin it. The above '
    "copyright notice and this permission notice shall be included in all\ncopies.": "MIT",
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software "
    "and associated documentation files to deal in it without restriction": "MIT-0",
    BSD: "BSD-2-Clause",
    f"{BSD}* Neither the name of the University nor ...": "BSD-3-Clause",
    f"{BSD}3. All advertising materials mentioning features ...": "BSD-4-Clause",
    "Permission to use, copy, modify, and/or distribute this software for any\npurpose with or "
    "without fee is hereby granted, provided that the above\ncopyright notice": "ISC",
    "Permission to use, copy, modify, and distribute this software for any purpose with or without "
    "fee is hereby granted.": "0BSD",
    "A tool.\n\n## Licence: MIT": "MIT",
    "__license__ = 'BSD-3-Clause'": "BSD-3-Clause",
    "Lizenz: CC-BY 4.0": "CC-BY-4.0",
    "\u00a9 2020 The Daily News. All rights reserved.": "all-rights-reserved",
    "Copyright (c) 2011 Foo Inc.\nAll rights reserved.": "all-rights-reserved",
    "All Rights Reserved. (c) Copyright 2000": "all-rights-reserved",
    "\u00a9 Beispiel GmbH. Alle Rechte vorbehalten.": "all-rights-reserved",
    "\u00a9 2022 Republica | Todos los derechos reservados": "all-rights-reserved",
}

TALK = [
    "Unlike the GPL, the MIT license does not ask for the source.",
    "The GPL requires that derived works are licensed under the GPL.",
    "Firefox is licensed under the Mozilla Public License 2.0.",
    "We chose to have our library licensed under the Apache License, Version 2.0.",
    "Linux was released under the GNU General Public License in 1992.",
    "If this work is licensed under the GPL, you must publish the source.",
    "This article is not licensed under a Creative Commons Attribution license.",
    "This code was never released under the MIT license.",
    "This program should be licensed under the MIT license.",
    'Add the line "This work is licensed under a Creative Commons Attribution 4.0 License".',
    "Put `Licensed under the MIT license` into every file.",
    "The notice says: this document is licensed under the GPL.",
    "They wrote:\n\n> This project is in the public domain, so use it.",
    "Some of these third-party modules are covered by the GNU General Public License.",
    "Parts of this work are licensed under CC BY 4.0.",
    "What does it mean that a work is in the public domain?",
    "The photo is by Ann Author, CC BY-SA 3.0.",
    "This image is licensed under CC BY 2.0.",
    "See https://creativecommons.org/licenses/by/4.0/ for the deed.",
    "Creative Commons offers CC BY, CC BY-SA and CC BY-NC-ND licenses.",
    "Choose a license: MIT, BSD or Apache.",
    "License: see LICENSE.txt",
    "License: MIT is the most popular choice on GitHub",
    "    License: MIT\n    Platform: any\n\nis how the metadata of a package begins.",
    "A driver's license is valid for ten years; a dog licence for one.",
    "The agent had a licence to kill.",
    "(c) All rights reserved by the Licensor under clause 4 shall survive.",
    "Copyright law reserves rights to authors; all rights reserved is a phrase of 1910.",
    "The phrase all rights reserved was once required.",
    "Some rights reserved, \u00a9 2020 Ann Author.",
    "The Boston committee MIT commit GPLE isc bsd psf.",
    "Ich bin mit dem Auto da. Lizenz: mit allem einverstanden",
    "SPDX-License-Identifier: <SPDX License Expression>",
    "Use the SPDX-License-Identifier tag in every file.",
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_license_statement_is_found_at_either_end(text: str) -> None:
    for whole in (text, f"{text}\n\n{PROSE * 60}", f"{PROSE * 60}\n\n{text}"):
        found = find(whole)
        assert found is not None
        assert found.license == STATEMENTS[text]


def test_license_statements_all_have_what_texts_are_searched_for() -> None:
    found = pc.match_substring_regex(pa.array(STATEMENTS), license_statements.TRIGGER)
    assert [text for text, has in zip(STATEMENTS, found.to_pylist(), strict=True) if not has] == []


@pytest.mark.parametrize("text", TALK)
def test_license_that_is_talked_about_is_no_statement(text: str) -> None:
    for whole in (text, f"{text}\n\n{PROSE}", f"{PROSE}\n{PROSE}{text}"):
        assert find(whole) is None


@pytest.mark.parametrize("text", ["", "\n" * 5000, "license", "\u00a9", PROSE * 100])
def test_license_text_without_any_has_no_statement(text: str) -> None:
    assert find(text) is None


def test_license_statement_in_the_middle_does_not_count() -> None:
    notice = "This document has been placed in the public domain."
    far, near = "x" * (EDGE + 10), "x" * (EDGE - 10 - len(notice))
    assert find(f"{far}\n\n{notice}\n\n{far}") is None
    for text in (f"{near}\n\n{notice}\n\n{far}", f"{far}\n\n{notice}\n\n{near}"):
        found = find(text)
        assert found is not None
        assert found.license == "public-domain"


def test_license_full_text_that_begins_at_the_edge_is_read_to_its_end() -> None:
    found = find(f"{BSD}{'. ' * 600}Neither the name of the authors{PROSE * 100}")
    assert found is not None
    assert found.license == "BSD-3-Clause"


def test_license_several_statements_all_hold_and_the_strictest_counts() -> None:
    found = find(f"SPDX-License-Identifier: MIT\n\n{GPL}")
    assert found is not None
    assert (found.license, found.expression) == ("GPL-3.0-or-later", "MIT AND GPL-3.0-or-later")
    assert found.shown.startswith("you can redistribute it and/or modify it under the terms")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("SPDX-License-Identifier: (MIT OR GPL-2.0-only)", "MIT OR GPL-2.0-only"),
        (
            "This code is licensed under either the GPL-2.0 or the MIT license.",
            "GPL-2.0-only OR MIT",
        ),
        ("This project is dual-licensed under the MIT and GPL v2 licenses.", "MIT OR GPL-2.0-only"),
    ],
)
def test_license_of_a_choice_the_laxest_counts(text: str, expression: str) -> None:
    found = find(text)
    assert found is not None
    assert (found.license, found.expression) == ("MIT", expression)


def test_license_reserved_rights_beside_a_licence_do_not_count() -> None:
    found = find(f"Copyright (c) 1999 Ann Author. All rights reserved.\n\n{BSD}")
    assert found is not None
    assert found.expression == "BSD-2-Clause"


def test_license_statement_is_shown_on_one_line_and_cut() -> None:
    found = find("\u00a9 2020 " + "very long name " * 6 + "\nAll   rights reserved")
    assert found is not None
    assert "\n" not in found.shown
    assert len(found.shown) <= license_statements.MAX_SHOWN


@pytest.mark.parametrize(
    "piece", ["this ", "licensed under the ", "License: ", "\u00a9 2020 ", "( "]
)
def test_license_of_a_huge_text_of_near_misses_takes_no_long_time(piece: str) -> None:
    assert find(piece * (1_000_000 // len(piece))) is None
