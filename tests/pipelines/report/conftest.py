"""A small run folder of the shape that `tilth run` leaves, with hostile text in it."""

import json
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.document import conform, dataset_schema, dropped_schema
from pipelines.report.page import write_report

HOSTILE = "<script>alert(1)</script>"
SOURCES = ("crawl", "docs", "<b>mail</b>")
SEEDS = (0, 1, 2)
COLUMNS = {
    "language.score": pa.float64(),
    "gopher_quality.num_words": pa.int64(),
    "gopher_quality.alpha_frac": pa.float64(),
    "gopher_quality.stop_words": pa.int64(),
}
STAGES = json.loads((Path(__file__).parent / "example_stages.json").read_text())
TEXT = (
    "soil holds water and air between its grains so that roots can reach the minerals they need "
    "after rain a good tilth drains within the hour while clay stays wet for days"
)
WORDS = TEXT.split()


def documents(n):
    """Rows with scores, drawn with a fixed seed."""
    draw = np.random.default_rng(7)
    for i in range(n):
        num_words = int(np.exp(draw.normal(5.3, 1.2))) + 1
        text = " ".join(WORDS[int(k)] for k in draw.integers(0, len(WORDS), min(num_words, 160)))
        yield {
            "id": f"doc-{i:05d}",
            "text": text,
            "source": SOURCES[int(draw.choice(3, p=[0.6, 0.3, 0.1]))],
            "url": f"https://example.org/page/{i}",
            "language": str(draw.choice(["en", "en", "en", "en", "de", "<i>fr</i>"])),
            "language.score": float(np.clip(draw.beta(12, 2), 0, 1)),
            "gopher_quality.num_words": num_words,
            "gopher_quality.alpha_frac": float(np.clip(draw.normal(0.9, 0.06), 0, 1)),
            "gopher_quality.stop_words": int(draw.poisson(5)),
        }


def hostile_document():
    return {
        "id": "doc-hostile",
        "text": f"{HOSTILE} \x00 \x1b[31m \u202egnp.exe\u202c <img src=x onerror=alert(2)>",
        "source": SOURCES[2],
        "url": "javascript:alert('url')\"><script>alert(3)</script>",
        "language": "en",
        "language.score": 0.99,
        "gopher_quality.num_words": 200_000,
        "gopher_quality.alpha_frac": 0.95,
        "gopher_quality.stop_words": 5,
    }


def verdict_of(row, stages, seen):
    """The first rule that a row fails, as drop columns; None if it stays."""
    for stage in stages:
        for rule in stage["rules"]:
            value, limit = row.get(rule["column"]), rule["threshold"]
            if limit is None or value is None:
                continue
            fails = {
                "min": lambda v, t: v < t,
                "max": lambda v, t: v > t,
                "in": lambda v, t: v not in t,
            }
            if fails[rule["bound"]](value, limit):
                return drop(stage["label"], rule["param"], str(value), str(limit))
        if stage["label"] == "exact_dedup" and zlib.crc32(row["id"].encode()) % 20 == 0 and seen:
            twin = {"survivor_id": seen[-1], "similarity": 1.0}
            return drop("exact_dedup", "duplicate", None, None) | twin
    return None


def drop(stage, reason, value, threshold):
    return {
        "drop_stage": stage,
        "drop_reason": reason,
        "drop_value": value,
        "drop_threshold": threshold,
    }


def funnel_of(stages, rows):
    """Counts per stage from the rows and where each of them went."""
    found, alive = [], rows
    for stage in stages:
        gone = [r for r in alive if r.get("drop_stage") == stage["label"]]
        kept = [r for r in alive if r.get("drop_stage") != stage["label"]]
        parts = {
            s: flow([r for r in alive if r["source"] == s], [r for r in kept if r["source"] == s])
            for s in SOURCES
        }
        reasons = {}
        for row in gone:
            reasons[row["drop_reason"]] = reasons.get(row["drop_reason"], 0) + 1
        edited = 81_234 if stage["kind"] == "modifier" else 0
        total = flow(alive, kept) | {"removed_chars": edited, "reasons": reasons}
        name = {"stage": stage["label"], "kind": stage["kind"], "seconds": 1.25 + len(found)}
        found.append(name | total | {"by_source": parts})
        alive = kept
    return found


def flow(entered, left):
    return {
        "documents_in": len(entered),
        "documents_out": len(left),
        "bytes_in": sum(len(r["text"].encode()) for r in entered),
        "bytes_out": sum(len(r["text"].encode()) for r in left),
        "removed_chars": 0,
        "reasons": {},
    }


def write_shards(folder, rows, schema, per_shard):
    folder.mkdir(parents=True)
    for i in range(0, len(rows), per_shard):
        names = {
            name: pa.array([r.get(name) for r in rows[i : i + per_shard]]) for name in schema.names
        }
        table = conform(pa.table(names), schema)
        pq.write_table(table, folder / f"{i // per_shard:05d}.parquet", row_group_size=64)
    return [
        {"file": p.name, "rows": pq.read_metadata(p).num_rows, "bytes": p.stat().st_size}
        for p in sorted(folder.iterdir())
    ]


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_dataset(folder, name, stages, rows):
    """`dataset/`, `dropped/`, `errors.jsonl` of one recipe."""
    seen, judged = [], []
    for row in rows:
        fate = verdict_of(row, stages, seen)
        judged.append(row | (fate or {}))
        seen += [] if fate else [row["id"]]
    scored = any(stage["rules"] for stage in stages)
    columns = COLUMNS if scored else {}
    kept = [r for r in judged if "drop_stage" not in r]
    gone = [r for r in judged if "drop_stage" in r]
    shards = write_shards(folder / name / "dataset", kept, dataset_schema(columns), 200)
    lost = write_shards(folder / name / "dropped", gone, dropped_schema(columns), 200)
    manifest = {
        "format": 1,
        "tilth": "0.1.0",
        "recipe": name,
        "fingerprint": f"{zlib.crc32(name.encode()):08x}" * 4,
        "seed": 0,
        "stages": [s | {"name": s["label"], "version": 1, "columns": {}} for s in stages],
        "sources": [
            {"name": s, "format": "warc", "files": 2, "bytes": 4_500_000}
            | {"documents": sum(row["source"] == s for row in rows)}
            | {"skipped": {"request": 301, "dns": 4}, "errors": 1}
            for s in SOURCES
        ],
        "funnel": funnel_of(stages, judged),
        "annotations": {column: str(kind) for column, kind in columns.items()},
        "shards": shards,
        "dropped": {"rows": len(gone), "shards": lost},
        "created": "2026-01-01T00:00:00Z",
        "commit": None,
        "machine": "test machine, 2 cores",
    }
    write_json(folder / name / "dataset" / "manifest.json", manifest)
    error = {"source": "crawl", "path": "a b/ü.warc.gz", "offset": 512, "kind": "warc"}
    line = json.dumps(error | {"message": f"bad record {HOSTILE}"})
    (folder / name / "errors.jsonl").write_text(f"{line}\n" * 25, encoding="utf-8")


def write_runs(folder, name, gain):
    """Three runs with a falling loss, and the scorecard."""
    draw = np.random.default_rng(len(name))
    epochs = {source: 0.6 + 0.7 * i + 8 * gain for i, source in enumerate(SOURCES)}
    for seed in SEEDS:
        run = folder / name / "runs" / f"{name}-{seed}".replace("/", "_")
        steps = [
            {"step": s, "tokens": s * 4096, "lr": 0.01, "grad_norm": 1.0, "tokens_per_s": 9000.0}
            | {"loss": 3.1 - gain + 4.6 * np.exp(-s / 30) + float(draw.normal(0, 0.05))}
            for s in range(1, 121)
        ]
        run.mkdir(parents=True)
        lines = "".join(json.dumps(step) + "\n" for step in steps)
        (run / "metrics.jsonl").write_text(lines + '{"step": 1', encoding="utf-8")
        facts = {"id": run.name, "recipe": name, "seed": seed, "tokens": 491_520}
        facts |= {"final_loss": steps[-1]["loss"], "tokens_per_s": 9012.3, "unique_tokens": 301_000}
        write_json(
            run / "run.json",
            facts | {"epochs": epochs, "numerics": {"dtype": "bf16", "threads": 1}},
        )
    panels = {
        p: {"documents": 40, "bytes": 123_456, "bpb": {"0": 1.9}, "mean": 1.9 - gain, "sd": 0.006}
        for p in ("crawl", "books")
    }
    card = {"recipe": name, "judge": "f00d", "primary": "panels.mean_bpb", "panels": panels}
    write_json(folder / name / "scorecard.json", card | {"seeds": list(SEEDS), "metrics": {}})


def pair(a, b, difference, half, verdict):
    return {
        "a": a,
        "b": b,
        "difference": difference,
        "ci_low": difference - half,
        "ci_high": difference + half,
        "method": "paired t",
        "p": 0.01,
        "mde": 0.02,
        "verdict": verdict,
    }


def comparison_of(gains):
    baseline, *others = gains
    recipes = [
        {"name": name, "mean": 1.9 - gain, "sd": 0.006, "tokens": 491_520, "unique_tokens": 301_000}
        | {"per_seed": {str(s): 1.9 - gain + 0.006 * (s - 1) for s in SEEDS}}
        | {"epochs": {source: 0.6 + 0.7 * i + 8 * gain for i, source in enumerate(SOURCES)}}
        for name, gain in gains.items()
    ]
    pairs = [
        pair(name, baseline, -gains[name], 0.018, "better" if gains[name] > 0.018 else "tied")
        for name in others
    ]
    panels = {
        p: [pair(n, baseline, -gains[n] + shift, 0.02, "better") for n in others]
        for p, shift in (("crawl", -0.01), ("books", 0.01))
    }
    head = {"judge": "f00d", "primary": "panels.mean_bpb", "higher_is_better": False}
    head |= {"baseline": baseline, "seeds": list(SEEDS)}
    return head | {"recipes": recipes, "pairs": pairs, "panels": panels}


def planted():
    kinds = [("exact duplicate", 40, 1.0), ("e-mail address", 25, None), ("spam", 30, 0.633)]
    return [
        {"kind": kind, "sort": "all", "planted": n, "treated": frac is not None}
        | {"caught_frac": frac, "caught_by": {"exact_dedup": n} if frac else {}}
        | {"caught": round(n * (frac or 0)), "missed": n - round(n * (frac or 0))}
        for kind, n, frac in kinds
    ]


def write_example(folder, gains, n_documents=600):
    """The whole folder: a baseline without filters and recipes with them."""
    rows = [*documents(n_documents), hostile_document()]
    for i, (name, gain) in enumerate(gains.items()):
        write_dataset(folder, name, STAGES[:1] if i == 0 else STAGES, rows)
        write_runs(folder, name, gain)
    write_json(folder / "comparison.json", comparison_of(gains))
    demo = {name: planted() for name in gains}
    lost = [{"stage": "all", "documents": 31, "documents_frac": 0.031, "text_bytes": 4096}]
    demo |= {f"{name}.unplanted": lost for name in gains}
    write_json(folder / "demo.json", demo)
    return folder


@pytest.fixture(scope="session")
def example(tmp_path_factory) -> Path:
    """A run folder, read-only by agreement, with two recipes."""
    folder = tmp_path_factory.mktemp("report") / "demo-run"
    folder.mkdir()
    return write_example(folder, {"raw": 0.0, "curated": 0.045})


@pytest.fixture(scope="session")
def page(example) -> str:
    """The report of `example`."""
    return write_report(example).read_text(encoding="utf-8")


@pytest.fixture
def make_example(tmp_path):
    """Build another example folder: `make_example({"raw": 0.0, ...})`."""

    def make(gains, **options):
        folder = tmp_path / "run"
        folder.mkdir()
        return write_example(folder, gains, **options)

    return make
