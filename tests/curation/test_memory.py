"""Amounts of memory."""

import pytest

from curation.memory import parse_bytes


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("512MB", 512_000_000),
        ("512 mb", 512_000_000),
        ("1.5GB", 1_500_000_000),
        ("4GiB", 4 << 30),
        ("20000kB", 20_000_000),
        ("16000000B", 16_000_000),
        ("1TB", 10**12),
    ],
)
def test_parse_bytes(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "512", "MB", "-1GB", "1PB", "1e9B", "15MB", "1 2MB"])
def test_parse_bytes_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_bytes(text)
