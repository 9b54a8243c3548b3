"""Labelled texts for the kinds that the shared data lacks: made values and what resembles them.

Values follow the documentation of networks, the IBAN registry and vendors, written down here a
second time and not taken from the detectors. None is real: all come from a seeded generator.
"""

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from tests.corpora import prose

LETTERS, DIGITS = string.ascii_letters, string.digits
PLAIN, URL = LETTERS + DIGITS, LETTERS + DIGITS + "-_"
CAPITALS, HEX = string.ascii_uppercase, "0123456789abcdef"

# (prefixes, digits of the number)
NETWORKS = [
    (["4"], 16), ([str(n) for n in range(51, 56)], 16), (["2221", "2500", "2720"], 16),
    (["34", "37"], 15), (["6011", "65", "644", "649"], 16), (["3528", "3589"], 16),
    (["300", "305", "36", "38", "39"], 14), (["62"], 16), (["62"], 19), (["5018", "6759"], 16),
]  # fmt: skip
# Country and BBAN: n a digit, a a capital, c either.
ACCOUNTS = [
    "DE 18n", "FR 10n 11c 2n", "GB 4a 14n", "ES 20n", "IT 1a 10n 12c", "NL 4a 10n", "CH 5n 12c",
    "AT 16n", "BE 12n", "PL 24n", "SE 20n", "NO 11n", "DK 14n", "FI 14n", "PT 21n", "IE 4a 14n",
    "CZ 20n", "HU 24n", "RO 4a 16c", "GR 7n 16c", "TR 6n 16c", "SA 2n 18c", "AE 19n",
    "BR 23n 1a 1c",
]  # fmt: skip
CARRIERS = [
    "It reads {}.", "Use {} for this", "({})", "value: {}", '"{}",', "It says {}; see below.",
    "see `{}`", "{}", "记下{}。", "key={}\n", "<p>{}</p>",
]  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """A text and what stands in it: (first code point, the one behind the last, kind)."""

    text: str
    entities: list[tuple[int, int, str]]


def luhn(number: str) -> bool:
    """Whether the check digit is right."""
    total = 0
    for i, char in enumerate(reversed(number)):
        digit = int(char) * (1 + i % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def text_of(draw: random.Random, alphabet: str, size: int) -> str:
    """So many random characters."""
    return "".join(draw.choices(alphabet, k=size))


def card(draw: random.Random, *, spaced: bool | None = None) -> str:
    """A card number, in one run or as on the card."""
    prefixes, size = draw.choice(NETWORKS)
    body = draw.choice(prefixes)
    body += text_of(draw, DIGITS, size - 1 - len(body))
    number = next(body + digit for digit in DIGITS if luhn(body + digit))
    if spaced is False or (spaced is None and draw.random() < 0.4):
        return number
    widths = {15: (4, 6, 5), 14: (4, 6, 4), 16: (4,) * 4, 19: (4, 4, 4, 4, 3)}[size]
    return draw.choice(" -").join(_split(number, widths))


def iban(draw: random.Random, *, spaced: bool | None = None) -> str:
    """An account number, in one run or as printed."""
    country, *parts = draw.choice(ACCOUNTS).split()
    alphabets = {"n": DIGITS, "a": CAPITALS, "c": CAPITALS + DIGITS}
    account = "".join(text_of(draw, alphabets[p[-1]], int(p[:-1])) for p in parts)
    number = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    whole = f"{country}{98 - int(number) % 97:02d}{account}"
    if spaced is False or (spaced is None and draw.random() < 0.5):
        return whole
    return " ".join(_split(whole, (4,) * (len(whole) // 4 + 1)))


def _split(number: str, widths: tuple[int, ...]) -> list[str]:
    pieces = []
    for width in widths:
        pieces.append(number[:width])
        number = number[width:]
    return [piece for piece in pieces if piece]


def _jwt(draw: random.Random) -> str:
    claims = {"sub": text_of(draw, DIGITS, 10), "iat": draw.randint(10**9, 2 * 10**9)}
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    heads = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
    return ".".join([*heads, text_of(draw, URL, 43)])


def _pem(draw: random.Random) -> str:
    label = draw.choice(["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""]) + "PRIVATE KEY"
    body = base64.encodebytes(draw.randbytes(draw.choice([48, 121, 600]))).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----"


TOKENS: dict[str, Callable[[random.Random], str]] = {
    "aws": lambda d: "AKIA" + text_of(d, CAPITALS + "234567", 16),
    "aws session": lambda d: "ASIA" + text_of(d, CAPITALS + "234567", 16),
    "github": lambda d: f"gh{d.choice('pousr')}_" + text_of(d, PLAIN, 36),
    "github fine": lambda d: f"github_pat_{text_of(d, PLAIN, 22)}_{text_of(d, PLAIN, 59)}",
    "gitlab": lambda d: "glpat-" + text_of(d, URL, 19) + text_of(d, PLAIN, 1),
    "slack": lambda d: (
        f"xoxb-{text_of(d, '123456789', 12)}-{text_of(d, '123456789', 13)}-{text_of(d, PLAIN, 24)}"
    ),
    "stripe": lambda d: f"{d.choice('sr')}k_live_" + text_of(d, PLAIN, d.choice([24, 99])),
    "google": lambda d: "AIza" + text_of(d, URL, 34) + text_of(d, PLAIN, 1),
    "openai": lambda d: f"sk-{text_of(d, PLAIN, 20)}T3BlbkFJ{text_of(d, PLAIN, 20)}",
    "openai project": lambda d: f"sk-proj-{text_of(d, URL, 74)}T3BlbkFJ{text_of(d, URL, 73)}A",
    "anthropic": lambda d: f"sk-ant-api03-{text_of(d, URL, 93)}AA",
    "npm": lambda d: "npm_" + text_of(d, PLAIN, 36),
    "pypi": lambda d: "pypi-AgEIcHlwaS5vcmc" + text_of(d, URL, 150) + "A",
    "hugging face": lambda d: "hf_" + text_of(d, LETTERS, 34),
    "twilio": lambda d: "SK" + text_of(d, HEX, 32),
    "sendgrid": lambda d: f"SG.{text_of(d, URL, 22)}.{text_of(d, URL, 42)}A",
    "jwt": _jwt,
    "pem": _pem,
}
MAKERS: dict[str, Callable[[random.Random], str]] = {
    "credit_card": card,
    "iban": iban,
    "secret": lambda d: TOKENS[d.choice(list(TOKENS))](d),
}


def _wrong_card(draw: random.Random) -> str:
    number = card(draw)
    return number[:-1] + str((int(number[-1]) + draw.randint(1, 9)) % 10)


def _wrong_iban(draw: random.Random) -> str:
    number = iban(draw)
    return f"{number[:2]}{(int(number[2:4]) + draw.randint(1, 90)) % 97:02d}{number[4:]}"


# What resembles a value and is none.
NEGATIVES: list[Callable[[random.Random], str]] = [
    _wrong_card,
    _wrong_iban,
    lambda d: d.choice("01789") + text_of(d, DIGITS, 15),  # an id
    lambda d: text_of(d, DIGITS, d.choice([20, 24, 32])),
    lambda d: f"{text_of(d, CAPITALS, 2)}{text_of(d, DIGITS, 2)}-{text_of(d, PLAIN, 12)}",
    lambda d: base64.b64encode(d.randbytes(d.choice([24, 60, 150]))).decode(),
    lambda d: hashlib.sha256(d.randbytes(8)).hexdigest(),
    lambda d: hashlib.sha1(d.randbytes(8)).hexdigest(),
    lambda d: f"sha256:{hashlib.sha256(d.randbytes(8)).hexdigest()}",
    lambda d: str(uuid.UUID(bytes=d.randbytes(16))),
    lambda d: f"v{d.randint(0, 99)}.{d.randint(0, 99)}.{d.randint(0, 999)}-rc{d.randint(1, 9)}",
    lambda d: "978-" + "-".join(text_of(d, DIGITS, size) for size in (1, 2, 6, 1)),
    lambda d: str(d.randint(1_000_000_000_000, 1_999_999_999_999)),  # milliseconds
    lambda d: f"{d.uniform(-90, 90):.6f}, {d.uniform(-180, 180):.6f}",
    lambda d: f"10.1{text_of(d, DIGITS, 3)}/{text_of(d, HEX, 6)}.{text_of(d, DIGITS, 7)}",  # DOI
    lambda d: "-".join(["AB", *(text_of(d, "23456789", n) for n in (3, 3, 4))]),  # a part
    lambda d: f"{d.randint(2000, 2030)}-{d.randint(10, 12)}-{d.randint(10, 28)} 12:30:45.123456",
    lambda d: d.choice(["sk_live_", "sk-", "ghp_", "AIza", "hf_"]) + "x" * 40,  # stand-ins
    lambda d: "sk-" + "-".join(["fading", "circle", "spinner", "animation", "container", "2"]),
    lambda d: "eyJ" + text_of(d, PLAIN, 40),  # a JSON object in base64
    lambda d: "-----BEGIN RSA PRIVATE KEY-----",  # as documentation names it
    lambda d: "-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(d.randbytes(90)).decode()
    + "\n-----END PUBLIC KEY-----",
    lambda d: "npm_config_registry and hf_hub_download and SKIPPED",
    lambda d: f"{d.uniform(0, 1):.16f}",
]  # fmt: skip


def labelled(count: int = 600, seed: int = 11) -> list[Labelled]:
    """So many texts: a third with values of one kind each, two thirds with what resembles them."""
    draw = random.Random(seed)
    return [_one(draw, i) for i in range(count)]


def _one(draw: random.Random, i: int) -> Labelled:
    text, entities = prose(draw.randint(0, 10**6), 2) + " ", []
    kind = list(MAKERS)[i % 3] if i % 2 else None
    for _ in range(draw.randint(1, 3)):
        value = (MAKERS[kind] if kind else draw.choice(NEGATIVES))(draw)
        before, _, after = draw.choice(CARRIERS).partition("{}")
        text += before
        if kind:
            entities.append((len(text), len(text) + len(value), kind))
        text += value + after + " " + prose(draw.randint(0, 10**6), 1) + " "
    return Labelled(text, entities)
