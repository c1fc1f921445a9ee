"""The interactive page of a tree, as a browser shows it."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grown import HOSTILE, chain, grown
from hypothesis import given
from slowthink import trees

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
MOST_ROWS = 80
"""Rows in the document at any time: what a window of 900 pixels shows and some to spare."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    pytest.importorskip("selenium")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1360,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(DRIVER))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


class Page:
    """What the tests do to a page."""

    def __init__(self, browser: Any, tree: trees.Tree, folder: Path, **options: Any) -> None:
        self.browser = browser
        self.path = tree.to_html(folder / "tree.html", **options)
        browser.get_log("browser")
        browser.get(Path(self.path).as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def rows(self) -> list[str]:
        """The rows in the document."""
        return self.all(".row", "id")

    def all(self, selector: str, what: str = "textContent") -> list[str]:
        """A property of all elements, as JSON, which half pairs of surrogates pass."""
        script = "return JSON.stringify([...document.querySelectorAll(arguments[0])].map((e) => e[arguments[1]]))"
        return list(json.loads(self.run(script, selector, what)))

    def texts(self) -> list[str]:
        return self.all(".row .text")

    def select(self, name: str, value: str) -> None:
        script = "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
        self.run(script + "s.dispatchEvent(new Event('change'))", name, value)

    def chosen(self) -> int:
        named = self.run("return document.getElementById('rows').getAttribute('aria-activedescendant')")
        return int(named.removeprefix("node-"))

    def click(self, name: str) -> None:
        self.browser.find_element("id", name).click()

    def press(self, *keys: str, name: str = "rows") -> None:
        self.browser.find_element("id", name).send_keys(*keys)

    def find(self, text: str) -> str:
        from selenium.webdriver.common.keys import Keys

        box = self.browser.find_element("id", "search")
        box.clear()
        box.send_keys(text, Keys.ENTER)
        return self.run("return document.getElementById('found').textContent")

    def errors(self) -> list[dict[str, Any]]:
        return list(self.browser.get_log("browser"))


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    pages: list[Page] = []

    def make(tree: trees.Tree, **options: Any) -> Page:
        pages.append(Page(browser, tree, tmp_path, **options))
        return pages[-1]

    yield make
    assert [error for page in pages for error in page.errors()] == []


def wide(n: int) -> trees.Tree:
    """A tree of ``n`` nodes like those of a search: some wide, some deep."""
    rng = np.random.default_rng(7)
    parent = np.concatenate([[-1], (rng.random(n - 1) ** 1.7 * np.arange(1, n)).astype(int)])
    value = np.clip(rng.normal(0.5, 0.2, n), 0, 1)
    return trees.from_arrays(parent, value, payload=[f"step {i} of a long thought" for i in range(n)])


SMALL = trees.from_arrays(
    [-1, 0, 0, 1, 1, 2, 3],
    [0.6, 0.75, 0.2, 1.0, 0.5, 0.0, 1.0],
    visits=[20, 12, 7, 5, 4, 2, 3],
    payload=["2 + 2?", "Add.", "Guess.", "Carefully.", "It is 5.", "22", "It is 4."],
    prior=[np.nan, 0.7, 0.3, 0.5, 0.5, 1, 1],
)


def data_of(page: str) -> dict[str, Any]:
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(data)


@given(grown())
def test_the_page_is_sound_whatever_the_tree_holds(tree: trees.Tree) -> None:
    page = tree.to_html()
    assert page == tree.to_html()
    assert page.count("<script") == page.count("</script>") == 2
    assert page.count("<title>") == 1
    page.encode("utf-8")
    data = data_of(page)
    assert data["best"] == tree.best_path().tolist()
    assert data["texts"] == (list(tree.payload) if any(text is not None for text in tree.payload) else None)


def test_nothing_is_fetched() -> None:
    page = SMALL.to_html()
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href|url|import|fetch|XMLHttp|WebSocket)\s*[=(]", page.replace("default-src", ""))
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_titles_are_escaped(text: str) -> None:
    page = SMALL.to_html(title=text)
    (title,) = re.findall(r"<title>(.*?)</title>", page, re.DOTALL)
    assert "<" not in title
    assert page.count("<script") == 2
    if text.isascii() and text.isprintable() and len(text) < 300:
        assert html.unescape(title) == text


def test_where_the_page_goes(tmp_path: Path) -> None:
    path = SMALL.to_html(tmp_path / "a.html", best="value")
    assert path == tmp_path / "a.html"
    assert path.read_text(encoding="utf-8") == SMALL.to_html(best="value")
    with pytest.raises(TypeError, match="title must be a text, got int"):
        SMALL.to_html(title=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="by must be"):
        SMALL.to_html(best="worst")  # type: ignore[arg-type]


def test_what_a_page_shows_first(open_page: Any) -> None:
    page = open_page(SMALL)
    assert page.browser.title == "2 + 2?"
    assert page.texts() == ["2 + 2?", "Add.", "Carefully.", "It is 4.", "It is 5.", "Guess."]
    assert page.all(".row.best", "id") == ["node-0", "node-1", "node-3", "node-6"]
    cells = page.all("#node-1 .chip, #node-1 .n, #node-1 .p", "innerText")
    assert cells == ["0.75", "12", "0.7"]
    assert "7 nodes" in page.run("return document.getElementById('summary').textContent")


def test_unfolding_by_mouse(open_page: Any) -> None:
    page = open_page(SMALL)
    page.browser.find_element("css selector", "#node-2 .twist").click()
    assert page.texts()[-2:] == ["Guess.", "22"]
    page.browser.find_element("css selector", "#node-1 .twist").click()
    assert page.texts() == ["2 + 2?", "Add.", "Guess.", "22"]
    assert page.run("return document.getElementById('node-1').getAttribute('aria-expanded')") == "false"
    page.click("expand")
    assert len(page.rows()) == 7
    page.click("collapse")
    assert page.texts() == ["2 + 2?", "Add.", "Guess."]
    page.click("best")
    assert page.chosen() == 6


def test_the_keyboard_is_enough(open_page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page = open_page(SMALL)
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert page.chosen() == 3
    page.press(Keys.ARROW_LEFT)  # folds
    assert "It is 4." not in page.texts()
    page.press(Keys.ARROW_LEFT)  # goes up
    assert page.chosen() == 1
    page.press(Keys.END)
    assert page.chosen() == 2
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.chosen() == 5
    page.press(Keys.HOME, "b")
    assert page.chosen() == 6
    page.press(Keys.HOME, "/")
    assert page.run("return document.activeElement.id") == "search"
    page.press(Keys.ESCAPE, name="search")
    assert page.run("return document.activeElement.id") == "rows"


def test_details_of_the_chosen_node(open_page: Any) -> None:
    page = open_page(SMALL)
    page.find("#6")
    details = page.run("return document.getElementById('details').innerText")
    assert "Node 6, step 3" in details
    assert "It is 4." in details
    assert "Carefully." in details  # the path
    assert "end of a path" in details
    page.browser.find_element("css selector", "#details ol button").click()
    assert page.chosen() == 0


def test_search(open_page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page = open_page(SMALL)
    page.click("collapse")
    assert page.find("IT IS") == "1 of 2"
    assert page.chosen() == 6
    assert page.all("#rows mark") == ["It is", "It is"]
    page.press(Keys.ENTER, name="search")
    assert page.chosen() == 4
    page.press(Keys.ENTER, name="search")
    assert page.chosen() == 6  # around
    assert page.find("nowhere") == "none"
    assert page.find("#5") == "1 of 1"
    assert page.chosen() == 5


def test_colours(open_page: Any) -> None:
    page = open_page(SMALL)
    page.click("expand")
    script = "return [1, 2, 6].map((i) => document.querySelector(`#node-${i} .chip`).style.borderLeftColor)"
    seen = {}
    for mode in ("value", "visits", "none"):
        page.select("colour", mode)
        seen[mode] = page.run(script)
    assert len(set(seen["value"])) == 3
    assert seen["value"][2] == "rgb(24, 134, 138)"  # the greatest value
    assert len(set(seen["visits"])) == 3
    assert set(seen["visits"]).isdisjoint(seen["value"])
    assert set(seen["none"]) == {"transparent"}


def test_order(open_page: Any) -> None:
    tree = chain([0.1, 0.9, 0.5], visits=[10, 2, 1, 6], payload=list("rabc"))
    page = open_page(tree)
    orders = {}
    for by in ("visits", "value", "action"):
        page.select("order", by)
        orders[by] = "".join(page.texts())
    assert orders == {"visits": "rcab", "value": "rbca", "action": "rabc"}


def test_hostile_texts_are_only_texts(open_page: Any) -> None:
    tree = chain([0.5] * len(HOSTILE), payload=["fine", *HOSTILE])
    page = open_page(tree)
    shown = page.texts()
    assert len(shown) == len(HOSTILE) + 1
    assert "</script><script>document.title='owned'</script>" in shown
    for i in range(len(HOSTILE)):
        page.find(f"#{i + 1}")
        full = page.run("const t = document.querySelector('pre.full'); return t ? t.textContent.length : 0")
        assert full >= min(len(HOSTILE[i]), 20_000)
    assert page.find("onerror") == "1 of 1"
    assert page.browser.title == "fine"
    assert page.run("return document.querySelectorAll('#details img, #rows img, #rows b, #details script').length") == 0


def test_nodes_without_texts_values_or_visits(open_page: Any) -> None:
    page = open_page(trees.from_arrays([-1, 0, 0], [0.5, np.nan, 0.25]))
    assert page.all(".chip") == ["0.5", "0.25", "–"]
    page = open_page(trees.from_arrays([-1], [np.nan]))
    assert page.rows() == ["node-0"]


def test_pages_are_read_in_the_dark(open_page: Any) -> None:
    page = open_page(SMALL)
    for scheme in ("light", "dark"):
        page.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        for name in (".text", "#summary", "#details dt", ".chip", "button"):
            assert contrast(page, name) >= 4.5, (scheme, name)
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def contrast(page: Page, selector: str) -> float:
    """The ratio of contrast (WCAG 2) of an element's text with what lies behind it."""
    script = """
    const element = document.querySelector(arguments[0]);
    const parts = (text) => text.match(/[\\d.]+/g).map(Number);
    let behind = [];
    for (let at = element; at; at = at.parentElement) behind.push(parts(getComputedStyle(at).backgroundColor));
    return [parts(getComputedStyle(element).color), behind];
    """
    ink, layers = page.run(script, selector)
    ground = np.array([255.0, 255, 255])
    for layer in reversed(layers):
        alpha = layer[3] if len(layer) == 4 else 1.0
        ground = ground * (1 - alpha) + np.array(layer[:3]) * alpha

    def light(colour: Any) -> float:
        part = np.asarray(colour[:3]) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    bright, dark = sorted([light(ink), light(ground)], reverse=True)
    return (bright + 0.05) / (dark + 0.05)


SCROLL = """
const done = arguments[arguments.length - 1];
const view = document.getElementById("rows");
const times = [], counts = [], firsts = new Set();
const step = (view.scrollHeight - view.clientHeight) / 50;
let last = performance.now(), k = 0;
const tick = (now) => {
  times.push(now - last);
  last = now;
  const rows = document.querySelectorAll(".row");
  counts.push(rows.length);
  firsts.add(rows[0].id);
  const end = document.querySelector("#window").lastChild.getBoundingClientRect().bottom;
  if (end < view.getBoundingClientRect().bottom - 30) throw new Error("the view is not filled");
  if (k++ >= 50) {
    times.sort((a, b) => a - b);
    done({ median: times[25], worst: times[50], rows: Math.max(...counts), places: firsts.size });
  } else {
    view.scrollTop = step * k;
    requestAnimationFrame(() => requestAnimationFrame(tick));
  }
};
requestAnimationFrame(tick);
"""


@pytest.mark.parametrize("n", [10_000, 100_000])
def test_large_trees_keep_few_rows_in_the_document(open_page: Any, n: int) -> None:
    tree = wide(n)
    page = open_page(tree)
    assert len(page.rows()) <= MOST_ROWS
    took = page.run(
        "const t = performance.now(); document.getElementById('expand').click(); return performance.now() - t"
    )
    assert len(page.rows()) <= MOST_ROWS
    assert page.run("return document.getElementById('rows').scrollHeight") == n * 28
    scrolled = page.browser.execute_async_script(SCROLL)
    print(f"{n:,} nodes: unfolded in {took:.0f} ms; two frames: {scrolled}")
    assert scrolled["rows"] <= MOST_ROWS
    assert scrolled["places"] > 40
    last = page.run("return document.getElementById('rows').getAttribute('aria-activedescendant')")
    assert last is None  # the chosen root is out of sight
    assert page.find("step 77 of") == "1 of 1"
    assert page.chosen() == 77
    page.click("collapse")
    assert len(page.rows()) <= MOST_ROWS


def test_more_rows_than_a_browser_has_pixels_for(open_page: Any) -> None:
    """Elements end at some 17 to 33 million pixels: beyond, the view moves faster than the bar."""
    n = 500_000
    page = open_page(chain([0.5] * (n - 1)))
    assert page.run("return document.getElementById('rows').scrollHeight") == 12_000_000
    page.run("const v = document.getElementById('rows'); v.scrollTop = v.scrollHeight")
    done = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    page.browser.execute_async_script(done)
    assert page.rows()[-1] == f"node-{n - 1}"
    assert page.find("#400000") == "1 of 1"
    assert page.chosen() == 400_000
    box = page.run(
        "const r = document.getElementById('node-400000').getBoundingClientRect(), v = document.getElementById('rows')"
        ".getBoundingClientRect(); return r.top >= v.top - 1 && r.bottom <= v.bottom + 1"
    )
    assert box
