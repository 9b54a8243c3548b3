"""Makes a judge ready: panels set apart, tokenizer trained, numerics chosen, all of it hashed.

DIR/judge/judge.json      the fingerprint and what it is made of, written last
DIR/judge/tokenizer.json
DIR/judge/panels/*.parquet
DIR/judge/suites/*.jsonl
DIR/judge/targets/*.jsonl
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.errors import UserError
from curation.files import read_json, sha256, write_json
from curation.fingerprint import fingerprint
from curation.hold_out import is_held_out
from curation.steps import OFFSET, PATH, record_id
from curation.workshop import Pass, Workshop
from pipelines.judge import Judge, check_judge
from pipelines.panels import Panels, read_all, set_apart
from pipelines.recipe import Recipe
from pipelines.suites import make_suites, suite_identity, suite_name
from train.config import Preset, preset
from train.numerics import Numerics, choose_numerics
from train.spec import model_file
from train.tokenizer import Tokenizer, train_tokenizer


@dataclass(frozen=True)
class Bench:
    """A judge that is ready to score."""

    judge: Judge
    fingerprint: str
    panels: Panels
    panel_files: dict[str, Path]
    suite_files: dict[str, Path]
    tokenizer_file: Path
    tokenizer_hash: str
    numerics: Numerics
    size: Preset
    init_from: Path | None = None
    target_files: dict[str, Path] = field(default_factory=dict)  # halves of suites, to rank by


def prepare(
    judge: Judge, file: Path, recipes: Sequence[Recipe], workshop: Workshop, out: Path
) -> Bench:
    """The judge of `recipes`, made or found finished in `out/judge`.

    Raises:
        UserError: the judge does not fit the recipes, or a panel would be empty.
    """
    sources = [(source, recipe.file.parent) for recipe in recipes for source in recipe.sources]
    check_judge(judge, file, sorted({source.name for source, _ in sources}))
    reads = read_all(workshop, sources)
    panels = set_apart(workshop, judge.panels, file.parent, reads)
    folder = out / "judge"
    init_from = file.parent / judge.train.init_from if judge.train.init_from else None
    given = Tokenizer.load(file.parent / judge.tokenizer.path) if judge.tokenizer.path else None
    identity: dict[str, Any] = {
        "panels": {name: sha256(path) for name, path in panels.files.items()},
        "held_out": panels.held_out.fingerprint,
        "tokenizer": {k: v for k, v in asdict(judge.tokenizer).items() if k != "path"},
        "sample": {n: reads[n].fingerprint for n in judge.tokenizer.train_on if n in reads},
        "train": _trained(judge),
        "init_from": init_from and sha256(model_file(init_from)),
        "tokenizer_file": given and given.hash,
        "suites": suite_identity(judge.suites, file),
        "primary": judge.primary,
        "test": judge.test,
    }
    if judge.targets:  # judges had no such key at first
        identity["targets"] = sorted(judge.targets)
    found = _found(folder, identity) or _make(
        judge, file, panels, given, workshop, folder, identity
    )
    return Bench(
        judge=judge,
        fingerprint=found["fingerprint"],
        panels=panels,
        panel_files={p.name: folder / "panels" / f"{p.name}.parquet" for p in judge.panels},
        suite_files={n: folder / "suites" / f"{n}.jsonl" for n in map(suite_name, judge.suites)},
        tokenizer_file=folder / "tokenizer.json",
        tokenizer_hash=found["tokenizer"],
        numerics=Numerics(**found["numerics"]),
        size=sized(judge),
        init_from=init_from,
        target_files={name: folder / "targets" / f"{name}.jsonl" for name in judge.targets},
    )


def sized(judge: Judge) -> Preset:
    """The judge's preset with its own vocabulary, budget and optimiser."""
    base = preset(judge.train.preset)
    tokens = judge.train.tokens or base.train.tokens
    asked = judge.train
    train = replace(
        base.train,
        tokens=tokens,
        optimizer=asked.optimizer,
        lr=base.train.lr * asked.lr_scale,
        muon_lr=base.train.muon_lr * asked.lr_scale,
        schedule=asked.schedule,
        mask_documents=asked.mask_documents,
        **{k: v for k in ("warmup_frac", "decay_frac") if (v := getattr(asked, k)) is not None},
    )
    return replace(base, model=replace(base.model, vocab=judge.tokenizer.vocab), train=train)


def _trained(judge: Judge) -> dict[str, Any]:
    """What the judge says of training, less what is told apart elsewhere.

    Without the seeds: more of them continue a judge, and a comparison checks them itself.
    """
    about = {k: v for k, v in asdict(judge.train).items() if k not in ("seeds", "init_from")}
    if judge.train.lr_scale == 1:  # judges had no such key at first
        del about["lr_scale"]
    return about


def _found(folder: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    path = folder / "judge.json"
    if not path.exists():
        return None
    found: dict[str, Any] = read_json(path)
    # By fingerprint: JSON has lists where the identity has tuples.
    return found if fingerprint(found["identity"]) == fingerprint(identity) else None


def _make(
    judge: Judge,
    file: Path,
    panels: Panels,
    given: Tokenizer | None,
    workshop: Workshop,
    folder: Path,
    identity: dict[str, Any],
) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "panels").mkdir(parents=True)
    for name, path in panels.files.items():
        os.link(path, folder / "panels" / f"{name}.parquet")
    workshop.progress("train tokenizer", 0, 1)
    tokenizer = given or train_tokenizer(
        _sample(judge, panels), judge.tokenizer.vocab, judge.tokenizer.control
    )
    tokenizer.save(folder / "tokenizer.json")
    workshop.progress("train tokenizer", 1, 1)
    made = (file, panels.files, tokenizer, folder / "suites")
    make_suites(judge.suites, *made, judge.targets)
    numerics = choose_numerics(sized(judge).model, sized(judge).train.tokens)
    whole = {**identity, "tokenizer_hash": tokenizer.hash, "numerics": asdict(numerics)}
    value = {
        "fingerprint": fingerprint(whole),
        "tokenizer": tokenizer.hash,
        "numerics": asdict(numerics),
        "identity": identity,
    }
    write_json(folder / "judge.json", value)
    return value


def load_tokenizer(bench: Bench) -> Tokenizer:
    """The judge's tokenizer.

    Raises:
        UserError: its file was changed since it was made.
    """
    tokenizer = Tokenizer.load(bench.tokenizer_file)
    if tokenizer.hash != bench.tokenizer_hash:
        raise UserError(
            "was changed since the judge was made",
            where=str(bench.tokenizer_file),
            hint="Delete the judge folder beside it and run again",
        )
    return tokenizer


def _sample(judge: Judge, panels: Panels) -> Iterator[str]:
    """About `sample_mb` of the text that recipes may train on, in corpus order."""
    names = judge.tokenizer.train_on
    total = sum(panels.reads[n].text_bytes for n in names if n in panels.reads)
    share = min(1.0, judge.tokenizer.sample_mb * 1e6 / max(total, 1))
    held = pq.read_table(panels.held_out.path)["record"].combine_chunks()
    for name in names:
        if name in panels.reads:
            yield from _sample_source(panels.reads[name], name, share, held)
        else:
            yield from pq.read_table(panels.files[name])["text"].to_pylist()


def _sample_source(one: Pass, name: str, share: float, held: pa.Array) -> Iterator[str]:
    for record in one.slices:
        table = one.store.read(record["key"], columns=["text", PATH, OFFSET])
        places = zip(table[PATH].to_pylist(), table[OFFSET].to_pylist(), strict=True)
        ids = [record_id(name, path, offset) for path, offset in places]
        free = pc.invert(pc.is_in(pa.array(ids, pa.string()), value_set=held)).to_pylist()
        for row, (record_key, may) in enumerate(zip(ids, free, strict=True)):
            if may and is_held_out(f"tokenizer\0{record_key}", share):
                yield table["text"][row].as_py()
