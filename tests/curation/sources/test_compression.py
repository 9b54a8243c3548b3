"""Streams by magic bytes: several members, damage, bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib

import pytest
import zstandard

from curation.sources.compression import STEP, Chunks

PACK = {
    "gz": gzip.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
DATA = b"".join(b"line %d of some text\n" % i for i in range(60_000))


def unpack(data: bytes):
    chunks = Chunks(io.BytesIO(data))
    return b"".join(chunks), chunks.damage


@pytest.mark.parametrize("kind", PACK)
def test_chunks_sound_file_comes_out_whole(kind):
    assert unpack(PACK[kind](DATA)) == (DATA, None)
    assert unpack(PACK[kind](b"")) == (b"", None)


@pytest.mark.parametrize("kind", PACK)
def test_chunks_several_members_are_one_stream(kind):
    parts = PACK[kind](DATA[:999]) + PACK[kind](b"") + PACK[kind](DATA[999:])
    assert unpack(parts) == (DATA, None)


@pytest.mark.parametrize("kind", PACK)
def test_chunks_truncated_file_gives_a_beginning_and_is_reported(kind):
    first = PACK[kind](b"first\n")
    out, damage = unpack(first + PACK[kind](DATA)[:-9])
    assert out.startswith(b"first\n")
    assert (b"first\n" + DATA).startswith(out)
    assert (damage.kind, damage.offset) == ("truncated", len(first))


@pytest.mark.parametrize("kind", PACK)
def test_chunks_trailing_garbage_is_reported_after_everything(kind):
    packed = PACK[kind](DATA)
    out, damage = unpack(packed + b"\0\0junk that is no member")
    assert out == DATA
    assert (damage.kind, damage.offset) == ("trailing_garbage", len(packed))


@pytest.mark.parametrize("kind", PACK)
def test_chunks_flipped_byte_is_reported(kind):
    packed = bytearray(PACK[kind](DATA))
    packed[len(packed) // 2] ^= 0xFF
    _, damage = unpack(bytes(packed))
    assert (damage.kind, damage.offset) == ("corrupt", 0)


def test_chunks_wrong_gzip_checksum_gives_all_and_is_reported():
    packed = bytearray(gzip.compress(DATA))
    packed[-6] ^= 1
    out, damage = unpack(bytes(packed))
    assert out == DATA
    assert damage.kind == "corrupt"


def test_chunks_plain_text_is_itself_whatever_its_name():
    assert unpack(b"plain") == (b"plain", None)
    assert unpack(b"") == (b"", None)
    assert unpack(b"BZh9 is how this text begins") == (b"BZh9 is how this text begins", None)


@pytest.mark.parametrize("kind", PACK)
def test_chunks_bomb_is_streamed_in_bounded_memory(kind):
    bomb = PACK[kind](bytes(100_000_000))
    chunks = Chunks(io.BytesIO(bomb))
    total = 0
    tracemalloc.start()
    for chunk in chunks:
        total += len(chunk)
        assert len(chunk) <= 32 * STEP
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (total, chunks.damage) == (100_000_000, None)
    assert peak < 80e6


def test_chunks_damage_after_good_data_keeps_what_came_before():
    raw = zlib.compressobj(6, zlib.DEFLATED, 31)
    good = raw.compress(DATA) + raw.flush(zlib.Z_FULL_FLUSH)
    out, damage = unpack(good + b"\xff" * 50)
    assert out == DATA
    assert damage.kind == "corrupt"
