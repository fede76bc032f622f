"""The watcher shows the results that its pages need, and leaves nothing behind."""

import html
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import psutil
import pytest

from small_study import ROOT
from study.commands import watch
from study.operations.live_state import LiveStudy
from study.support.language import available

PROGRAM = ROOT / "scripts" / "watch.py"


@pytest.fixture
def pages(tmp_path):
    results = tmp_path / "results"
    for name in (
        *("report.en.html", "report.es.md", "figures/dropout.en.svg", "figures/glance.es.png"),
        *("config.json", "metrics.parquet", "figures/.hidden.en.svg", "figures/data.json"),
        *("runs/a/weights.safetensors", "runs/a/train.log", ".lock", "report.html", "x.en.html"),
    ):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name, encoding="utf-8")
    (tmp_path / "report.en.html").write_text("outside", encoding="utf-8")
    return watch.Pages(LiveStudy(results, lambda: False))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("report.en.html", "text/html; charset=utf-8"),
        ("report.es.md", "text/markdown; charset=utf-8"),
        ("figures/dropout.en.svg", "image/svg+xml"),
        ("figures/glance.es.png", "image/png"),
    ],
)
def test_reports_and_figures_are_served(pages, path, kind):
    found = pages.answer(path, "")
    assert (found.content, found.kind) == (path.encode(), kind)


@pytest.mark.parametrize(
    "path",
    [
        *("config.json", "metrics.parquet", ".lock", "report.html", "x.en.html", "results"),
        *(
            "runs/a/weights.safetensors",
            "runs/a/train.log",
            "logs/a",
            "logs/",
            "logs/../config.json",
        ),
        *("figures/.hidden.en.svg", "figures/data.json", "figures/", "figures/../report.en.html"),
        *(
            "../report.en.html",
            "/etc/passwd",
            "report.en.html/",
            "report.en.html\n",
            "live.xx.html",
        ),
        *("figures/../../report.en.html", "%2e%2e/report.en.html", "report.en.html\0", "live.html"),
    ],
)
def test_nothing_else_is(pages, path):
    assert pages.answer(path, "") is None


def test_a_link_in_place_of_a_report_is_not_followed(pages, tmp_path):
    report = tmp_path / "results" / "report.en.html"
    report.unlink()
    report.symlink_to(tmp_path / "report.en.html")
    assert pages.answer("report.en.html", "") is None


@pytest.mark.parametrize(
    ("languages", "code"),
    [("es-MX,es;q=0.9,en;q=0.8", "es"), ("de,en-GB;q=0.7", "en"), ("", "en"), ("*;;,", "en")],
)
def test_the_first_page_is_in_the_browsers_language(pages, languages, code):
    assert pages.answer("", languages).place == f"live.{code}.html"


@pytest.mark.parametrize("code", available())
def test_the_live_page_has_its_words_and_asks_its_server_alone(pages, code):
    page = html.unescape(pages.answer(f"live.{code}.html", "").content.decode())
    assert f'<html lang="{code}">' in page
    assert "default-src 'none'" in page
    assert "connect-src 'self'" in page
    outside_scripts = re.sub("<script>.*?</script>", "", page, flags=re.S)
    assert set(re.findall(r'(?:src|href)="(.*?)"', outside_scripts)) == {
        "data:,",
        *(f"live.{other}.html" for other in available()),
    }
    [behaviour] = re.findall(r'id="behaviour">(.*?)</script>', page, re.S)
    assert set(json.loads(behaviour)["charts"]) == {"classification", "regression"}


def test_the_state_is_json(pages):
    found = pages.answer("state.json", "")
    assert found.kind == "application/json"
    assert json.loads(found.content)["state"] == "not begun"


def started(folder, *words):
    """A watcher, once it has told its address."""
    process = subprocess.Popen(
        [sys.executable, PROGRAM, "--no-open", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found, process.communicate()
    return process, found[0]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_with_nothing_left(tmp_path, ending):
    process, address = started(tmp_path)
    with urllib.request.urlopen(f"{address}state.json") as answer:
        assert json.load(answer)["state"] == "not begun"
    own = psutil.Process(process.pid)
    assert own.children(recursive=True) == []
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip(), err) == (0, "", "")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address)
    # Of what it read it has changed nothing.
    assert list(tmp_path.iterdir()) == []


def test_two_watch_at_once(tmp_path):
    first, one = started(tmp_path)
    second, other = started(tmp_path, "--token")
    assert one != other
    for process, address in ((first, one), (second, other)):
        with urllib.request.urlopen(f"{address}state.json") as answer:
            assert answer.status == 200
        process.terminate()
        assert process.wait(60) == 0


def test_a_taken_port_is_told_in_a_line(tmp_path):
    process, address = started(tmp_path)
    port = address.rstrip("/").rpartition(":")[2]
    words = [sys.executable, PROGRAM, "--no-open", "--port", port]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: --port {port}: is taken")
    process.terminate()
    process.wait(60)


@pytest.mark.parametrize(
    ("words", "display", "opened"),
    [([], ":0", 1), ([], "", 0), (["--no-open"], ":0", 0), (["--token"], ":0", 0)],
)
def test_a_browser_is_opened_where_there_is_a_display_and_no_token(
    monkeypatch, tmp_path, words, display, opened
):
    """What a program is called with is no secret."""
    calls = []
    monkeypatch.setattr(watch.webbrowser, "open", calls.append)
    monkeypatch.setattr(watch.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(watch.signal, "signal", lambda *_: None)

    monkeypatch.setattr(watch, "_until_told", lambda: None)
    parser = watch.argparse.ArgumentParser()
    watch.add_arguments(parser)
    watch.run(parser.parse_args([*words, "--results", str(tmp_path)]))
    assert len(calls) == opened
