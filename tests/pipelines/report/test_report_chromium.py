"""The page in a real browser: no console messages, no requests, hostile text shown as text.

Drives Debian's chromedriver by the WebDriver protocol.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1600",
]

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()), reason="needs chromium and chromium-driver"
    ),
]


class Browser:
    """A WebDriver session."""

    def __init__(self, address, profile):
        self.root = address
        options = {"binary": str(CHROMIUM), "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        created = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.root = f"{address}/session/{created['sessionId']}"

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.root + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def script(self, source):
        return self.call("POST", "/execute/sync", {"script": source, "args": []})


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The address of a running chromedriver on a port of its own choosing."""
    log = tmp_path_factory.mktemp("driver") / "driver.out"
    with log.open("w") as out:
        process = subprocess.Popen([str(DRIVER), "--port=0"], stdout=out, stderr=out)
        try:
            yield f"http://127.0.0.1:{wait_for_port(log)}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_port(log):
    mark = "started successfully on port "
    for _ in range(300):
        text = log.read_text()
        if mark in text:
            return int(text.split(mark)[1].split(".")[0])
        time.sleep(0.1)
    pytest.fail(f"chromedriver did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def browser(driver, example, page, tmp_path_factory):
    """The example's report, opened."""
    session = Browser(driver, tmp_path_factory.mktemp("profile"))
    try:
        # The tab that Chromium opens by itself asks for its own resources.
        session.call("POST", "/url", {"url": "about:blank"})
        session.log("performance")
        session.call("POST", "/url", {"url": (example / "report.html").as_uri()})
        yield session
    finally:
        session.call("DELETE", "")


def test_chromium_console_is_silent(browser):
    assert browser.log("browser") == []


def test_chromium_requests_the_file_and_nothing_else(browser, example):
    events = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    sent = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    asked = [url for url in sent if not url.startswith("data:")]
    assert asked == [(example / "report.html").as_uri()]


def test_chromium_shows_hostile_text_as_text(browser):
    browser.script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    body = browser.call("POST", "/element", {"using": "css selector", "value": "main"})
    (element,) = body.values()
    text = browser.call("GET", f"/element/{element}/text")
    assert "<script>alert(1)</script> ␀ ␛[31m ‹U+202E›gnp.exe‹U+202C›" in text
    assert "javascript:alert('url')\"><script>alert(3)</script>" in text
    assert browser.script("return document.scripts.length + document.images.length") == 0


def test_chromium_opens_no_alert(browser):
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.call("GET", "/alert/text")
    answer = json.loads(refused.value.read())
    refused.value.close()
    assert answer["value"]["error"] == "no such alert"


@pytest.mark.parametrize("width", [1200, 390, 320])
def test_chromium_page_never_scrolls_sideways(browser, width):
    emulated = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": emulated}
    browser.call("POST", "/goog/cdp/execute", command)
    assert browser.script("return window.innerWidth") == width
    assert browser.script("return document.documentElement.scrollWidth") <= width
