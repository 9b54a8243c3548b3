"""First round of `minhash_dedup`: every document's band keys and the hash of its shingles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from curation.dedup.near.blocks import Block
from curation.dedup.near.signatures import Banding, Signatures, sign
from curation.dedup.survivors import Policy
from curation.mapped import write_mapped
from curation.shingling.shingles import Shingles


@dataclass(frozen=True)
class SignJob:
    """Signs the documents of a block."""

    block: Block
    shingles: Shingles
    banding: Banding
    policy: Policy


def sign_block(job: SignJob) -> None:
    """Writes the block's files; documents without shingles have an id only."""
    if job.block.file("docs").exists():
        return
    ids, orders, signed = [], [], []
    for part in job.block.parts:
        table = part.read(["id", *{"text", *job.policy.reads}])
        ids.append(table["id"].cast(pa.large_string()))
        orders.append(job.policy.order(table))
        signed.append(sign(table["text"], job.shingles, job.banding))
    order = np.concatenate(orders)
    one = Signatures(*(np.concatenate(parts) for parts in zip(*signed, strict=True)))
    rows = np.flatnonzero(one.counts).astype(np.uint32)
    _write_bands(job.block, one, rows)
    _write_sums(job.block, one, rows, order)
    columns = {"id": pa.chunked_array([c for i in ids for c in i.chunks], pa.large_string())}
    write_mapped(job.block.file("docs"), {**columns, "order": order})


def _write_bands(block: Block, signed: Signatures, rows: np.ndarray) -> None:
    keys = signed.bands[rows].ravel()
    owners = np.repeat(rows, signed.bands.shape[1])
    ascending = np.argsort(keys)
    write_mapped(block.file("bands"), {"key": keys[ascending], "row": owners[ascending]})


def _write_sums(block: Block, signed: Signatures, rows: np.ndarray, order: np.ndarray) -> None:
    high, low = signed.multiset[rows, 0], signed.multiset[rows, 1]
    ascending = np.argsort(high)
    columns = {"high": high, "low": low, "order": order[rows], "row": rows}
    write_mapped(block.file("sums"), {name: v[ascending] for name, v in columns.items()})
