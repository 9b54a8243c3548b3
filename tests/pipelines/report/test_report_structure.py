"""The whole page: sections, self-containment, missing parts, the same bytes twice."""

import json
import re
import shutil
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest

from curation.errors import UserError
from pipelines.report.page import write_report

SECTIONS = [
    "verdict",
    "funnel",
    "scores",
    "labels",
    "dropped",
    "training",
    "mixture",
    "planted",
    "provenance",
]


class Outline(HTMLParser):
    """Elements with their attributes, and whether every one that opens is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def test_page_has_every_section_in_order(page):
    outline = Outline(page)
    assert outline.open == []
    ids = [section["id"] for section in outline.all("section") if "id" in section]
    assert ids == SECTIONS
    assert [link["href"] for link in outline.all("a")] == [f"#{key}" for key in SECTIONS]


def test_page_loads_nothing(page):
    outline = Outline(page)
    policy = next(m["content"] for m in outline.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    for tag, attributes in outline.elements:
        assert tag not in {"script", "img", "iframe", "object", "use", "image"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:,"))
    assert not re.search(r"url\(|@import", page)


def test_page_pictures_have_titles_and_tables_have_headers(page):
    outline = Outline(page)
    pictures, tables = page.count("<svg "), page.count("<table")
    assert pictures > 20
    assert pictures == len(re.findall(r"<svg [^>]*role=\"img\"[^>]*><title>[^<]+</title>", page))
    assert tables == page.count("<caption>") > 8
    assert all(cell.get("scope") in {"row", "col"} for cell in outline.all("th"))


def test_page_is_the_same_twice(example, page):
    assert write_report(example).read_text(encoding="utf-8") == page
    assert [p.name for p in example.glob("report*")] == ["report.html"]


def test_page_told_counts_agree_with_the_shards(example, page):
    kept = sum(
        pq.read_metadata(p).num_rows for p in (example / "curated/dataset").glob("*.parquet")
    )
    assert f"<strong>{kept}</strong> of 601 documents kept" in page


def test_report_of_one_recipe_without_runs_or_comparison(make_example):
    folder = make_example({"only": 0.0})
    for part in ("only/runs", "only/scorecard.json", "comparison.json", "demo.json"):
        path = folder / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = write_report(folder).read_text(encoding="utf-8")
    assert Outline(page).open == []
    assert "No proxy model has been scored yet" in page
    assert "No document was dropped." in page
    assert 'id="planted"' not in page


def test_report_of_a_scored_recipe_without_comparison(make_example):
    folder = make_example({"only": 0.0})
    (folder / "comparison.json").unlink()
    page = write_report(folder).read_text(encoding="utf-8")
    assert "Measured, not yet compared: only." in page
    assert "Training loss, a line per seed" in page
    assert "Epochs per source" in page


def test_report_of_an_empty_dataset(make_example):
    folder = make_example({"raw": 0.0, "curated": 0.02}, n_documents=0)
    page = write_report(folder).read_text(encoding="utf-8")
    assert Outline(page).open == []
    assert "<strong>0</strong> of 1 documents kept" in page


def test_report_of_recipes_without_manifests(make_example):
    folder = make_example({"raw": 0.0, "curated": 0.02})
    for name in ("raw", "curated"):
        shutil.rmtree(folder / name / "dataset")
        shutil.rmtree(folder / name / "dropped")
    page = write_report(folder).read_text(encoding="utf-8")
    assert "No dataset has been finished yet." in page
    assert "curated is better than raw, by 0.0200 bits per byte" in page


def test_report_of_an_empty_folder(tmp_path):
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "No recipe has left anything here yet." in page


def test_report_of_a_missing_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError) as error:
        write_report(tmp_path / "absent")
    assert error.value.where == str(tmp_path / "absent")


def test_report_of_broken_json_names_the_file(tmp_path):
    (tmp_path / "comparison.json").write_text("[1, 2", encoding="utf-8")
    with pytest.raises(UserError) as error:
        write_report(tmp_path)
    assert error.value.where.endswith("comparison.json")
    assert not (tmp_path / "report.html").exists()


def test_planted_table_tells_caught_missed_and_untreated(page):
    rows = re.findall(
        r"<tr><th scope=\"row\">(exact duplicate|e-mail address|spam)(.*?)</tr>", page
    )
    cells = {kind: re.sub(r"<[^>]*>", "|", rest) for kind, rest in rows}
    assert "100 %" in cells["exact duplicate"]
    assert "exact_dedup 40" in cells["exact duplicate"]
    assert "not treated by this recipe" in cells["e-mail address"]
    assert "|19|" in cells["spam"]
    assert "|11|" in cells["spam"]
    assert ">3.1 %</td>" in page


def test_planted_facts_without_stages_are_told_as_one_row(make_example):
    folder = make_example({"raw": 0.0})
    (folder / "demo.json").write_text('{"raw": [], "raw.unplanted": {"dropped_frac": 0.5}}')
    page = write_report(folder).read_text(encoding="utf-8")
    assert '<th scope="row">all</th><td class="num">50 %</td>' in page


def test_funnel_shows_the_alarms_above_and_in_the_table(make_example):
    folder = make_example({"raw": 0.0})
    path = folder / "raw" / "dataset" / "manifest.json"
    manifest = json.loads(path.read_text())
    stage = manifest["funnel"][0]["stage"]
    alarm = {"kind": "dropped_nearly_all", "stage": stage, "source": "crawl"}
    alarm["message"] = "html_text dropped 100% of 'crawl'"
    path.write_text(json.dumps(manifest | {"alarms": [alarm]}))
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<li>html_text dropped 100% of &#x27;crawl&#x27;</li>" in page
    assert page.count("<td>dropped nearly all: crawl</td>") == 1


def test_metrics_of_panels_are_not_listed_twice(make_example):
    folder = make_example({"raw": 0.0})
    path = folder / "raw" / "scorecard.json"
    metrics = {"panels.mean_bpb": {"mean": 1.5}, "final_loss": {"mean": 3.25, "sd": None}}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": metrics}))
    page = write_report(folder).read_text(encoding="utf-8")
    assert '<th scope="row">final_loss</th><td class="num">3.2500</td>' in page
    assert '<th scope="row">panels.mean_bpb</th>' not in page
