"""Keys and tokens; every value is put together here, none is real."""

import random
import string

import pytest

from tests.curation.pii.finding import found, values
from tests.curation.pii.labelled import HEX, PLAIN, URL, text_of

DRAW = random.Random(5)
BODY = text_of(DRAW, PLAIN, 200)
BASE32 = text_of(DRAW, string.ascii_uppercase + "234567", 40)
HEXES = text_of(DRAW, HEX, 80)
KEY = "\n".join(text_of(DRAW, PLAIN + "+/", 64) for _ in range(5))


@pytest.mark.parametrize(
    ("prefix", "body", "shortest", "longest"),
    [
        ("AKIA", BASE32, 16, 16),
        ("ASIA", BASE32, 16, 16),
        ("ghp_", BODY * 2, 36, 255),
        ("github_pat_", BODY * 2, 82, 255),
        ("glpat-", BODY * 2, 20, 320),
        ("sk_live_", BODY * 2, 16, 255),
        ("rk_test_", BODY * 2, 16, 255),
        ("AIza", BODY, 35, 35),
        ("npm_", BODY, 36, 36),
        ("hf_", BODY, 30, 40),
        ("SK", HEXES, 32, 32),
        ("SG.", BODY, 66, 66),
        ("dop_v1_", HEXES, 64, 64),
        ("shpat_", HEXES, 32, 32),
        ("pypi-AgE", BODY * 6, 50, 1000),
    ],
)
def test_secret_has_the_length_of_its_format(
    prefix: str, body: str, shortest: int, longest: int
) -> None:
    for size in (shortest, longest):
        token = prefix + body[:size]
        assert values("secret", f"key {token}\n") == [token]
    for size in (shortest - 1, longest + 1):
        assert found(f"key {prefix}{body[:size]}\n") == []


@pytest.mark.parametrize(
    "around",
    [("", ""), ('"', '"'), ("TOKEN=", "\n"), ("'", "',"), ("(", ")"), ("Bearer ", "."),
     ("密钥", "。"), ("x-", "")],
)  # fmt: skip
def test_secret_is_found_whatever_stands_around(around: tuple[str, str]) -> None:
    before, after = around
    token = "ghp_" + BODY[:36]
    assert values("secret", before + token + after) == [token]


@pytest.mark.parametrize(
    "text",
    [
        "xghp_" + BODY[:36],
        "ghp_" + "x" * 36,
        "sk_live_" + "0" * 24,
        "akia" + BASE32[:16],
        "AKIA" + "0" * 16,
        "AKIA_" + BASE32[:16],
        "aSK" + HEXES[:32],
        "SK" + HEXES[:32].upper(),
        "risk-" + BODY[:48],
        "sk-" + "-".join(["fading", "circle", "spinner", "animation", "in", "2024"]),
        "sk-learn-contrib-and-other-packages-of-this-kind-v2",
        "npm_config_registry_and_many_more_words",
        "hf_hub_download_of_a_model_and_its_files",
        "xoxb-a-word-and-another-word-follow-here",
        "eyJ" + BODY[:60],
        "eyJ" + BODY[:20] + ".eyJ" + BODY[:20],
        "eyJ" + BODY[:20] + ".abc" + BODY[:20] + "." + BODY[:43],
        f"{HEXES[:40]} {HEXES[:64]}",
    ],
)
def test_secret_is_not_found_in(text: str) -> None:
    assert found(text) == []


def test_secret_jwt_goes_to_the_end_of_its_signature() -> None:
    token = f"eyJ{BODY[:20]}.eyJ{BODY[:40]}.{BODY[:43]}"
    assert values("secret", f"Authorization: Bearer {token}; x") == [token]
    assert found(token[:-30]) == []


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_secret_private_key_goes_with_its_labels(label: str) -> None:
    block = f"-----BEGIN {label}-----\n{KEY}=\n-----END {label}-----"
    assert values("secret", f"here: {block}\nbye") == [block]


def test_secret_private_key_with_headers_or_in_a_string_literal() -> None:
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,2F1A\n\n"
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{headers}{KEY}\n-----END RSA PRIVATE KEY-----"
    assert values("secret", block) == [block]
    literal = block.replace("\n", "\\n")
    assert values("secret", f'key = "{literal}"') == [literal]


def test_secret_private_key_that_is_cut_off_goes_as_far_as_its_base64() -> None:
    block = f"-----BEGIN PRIVATE KEY-----\n{KEY}"
    assert values("secret", f"{block}\n[...] and so on") == [block]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        f"-----BEGIN PUBLIC KEY-----\n{KEY}\n-----END PUBLIC KEY-----",
        f"-----BEGIN CERTIFICATE-----\n{KEY}\n-----END CERTIFICATE-----",
        "It begins with -----BEGIN RSA PRIVATE KEY----- and many words of prose follow. " * 5,
        f"----BEGIN PRIVATE KEY----\n{KEY}",
    ],
)
def test_secret_private_key_is_not_found_in(text: str) -> None:
    assert found(text) == []


def test_secret_of_random_base64_is_hardly_ever_found() -> None:
    draw = random.Random(6)
    blobs = [text_of(draw, URL, 20_000) for _ in range(20)]
    assert sum(len(found(blob)) for blob in blobs) <= 1
