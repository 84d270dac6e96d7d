"""The page in a real browser, by keys as reviewers press them."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from jointalign.review.decisions import Decisions
from jointalign.review.learning import DECISIONS, FOLDER
from review_runs import Process, plain_space, planted_run, port_of, serving, write_run

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
pytest.importorskip("starlette")
CHROMIUM = os.environ.get("JOINTALIGN_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
if CHROMIUM is None:
    pytest.skip("there is no Chromium; name one in JOINTALIGN_CHROMIUM", allow_module_level=True)

sync_api.expect.set_options(timeout=20_000)
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Pages:
    """Opens addresses, and hears whatever the pages complain of."""

    def __init__(self, browser):
        self._browser, self.contexts, self.complaints = browser, [], []

    def __call__(self, address, reviewer="ana", size=WIDE, scheme="light"):
        context = self._browser.new_context(viewport=size, color_scheme=scheme, accept_downloads=True)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.goto(f"{address}?reviewer={reviewer}")
        settled(page)
        return page


@pytest.fixture
def opened(browser):
    """Open an address; whatever the page complains of is an error at the end."""
    pages = Pages(browser)
    yield pages
    for context in pages.contexts:
        context.close()
    gone = "net::ERR_"  # the browser's own words on a server that was stopped before its page
    assert [text for text in pages.complaints if gone not in text] == []


def settled(page):
    """Until all keys are answered and something is shown."""
    page.wait_for_selector("#entry:not([hidden]), #empty:not([hidden])")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def word(page):
    return page.locator("#word").inner_text()


def wait_word(page, expected):
    sync_api.expect(page.locator("#word")).to_have_text(expected)


@contextmanager
def decided(run):
    with Decisions(run / FOLDER / DECISIONS) as found:
        yield found


def held(run):
    with decided(run) as found:
        return {
            (one.source, one.target, str(one.verdict), one.reviewer, one.note)
            for source in found.sources
            for one in found.of(source)
        }


@pytest.fixture
def small(tmp_path):
    """Twelve words of three candidates each."""
    words = [f"w{at:02}" for at in range(12)]
    rows = [
        (w, f"{w}{x}", chance, rank)
        for w in words
        for rank, (x, chance) in enumerate(zip("abc", (0.9, 0.5, 0.1), strict=True), 1)
    ]
    space = plain_space(words, [row[1] for row in rows])
    return write_run(tmp_path / "run", space, dictionary=rows)


def test_thirty_decisions_by_keyboard_are_kept_and_undone(small, opened):
    with serving(small) as server:
        page = opened(server.address)
        assert word(page) == "w00"
        press(page, "a", "Enter", "2", "ArrowDown", "a")  # w00 to w03: first, first, second, second
        press(page, "r", "a")  # w04: not the first, but the second
        press(page, "0", "s")  # w05: none; w06: skipped
        press(page, "Space", "ArrowDown", "ArrowDown", "Space", "a")  # w07: first and third
        press(page, "r", "r", "r")  # w08: none, one after the other
        press(page, "t")
        page.keyboard.type("Ubersetzung; otra")
        press(page, "Enter")  # w09
        press(page, "e")
        page.keyboard.type("corrected")
        press(page, "Enter")  # w10
        press(page, "n")
        page.keyboard.type("ask Ben")
        press(page, "Enter")  # w11, which stays open
        sync_api.expect(page.locator("#notes")).to_contain_text("ask Ben")
        expected = """w00|w00a|accept w01|w01a|accept w02|w02b|accept w03|w03b|accept w04|w04a|reject
            w04|w04b|accept w05|w05a|reject w05|w05b|reject w05|w05c|reject w06||skip w07|w07a|accept
            w07|w07c|accept w08|w08a|reject w08|w08b|reject w08|w08c|reject w09|Ubersetzung|accept
            w09|otra|accept w10|corrected|accept w10|w10a|reject w11||note"""
        assert {row[:3] for row in held(small)} == {tuple(row.split("|")) for row in expected.split()}
        assert {row[3] for row in held(small)} == {"ana"}
        sync_api.expect(page.locator("#progress-text")).to_contain_text("11 of 12")
        press(page, "a")
        sync_api.expect(page.locator("#empty-title")).to_have_text("All done")
        page.click("#empty-button")
        wait_word(page, "w00")
        press(page, "1", "g")  # decided again, by another key
        page.fill("#ask-text", "7")
        press(page, "Enter")
        wait_word(page, "w06")
        press(page, *"kkkk", *"33333", *"jj", "c")
        steps = 16 + 1 + 1 + 5
        press(page, *["u"] * (steps + 3))
        sync_api.expect(page.locator("#said")).to_have_text("there is nothing to undo")
        assert held(small) == set()
        wait_word(page, "w00")
        sync_api.expect(page.locator("#progress-text")).to_contain_text("0 of 12")


def test_keys_of_another_script_are_known_by_their_place(small, opened):
    with serving(small) as server:
        page = opened(server.address)
        facts = "{key: 'ф', code: 'KeyA', bubbles: true}"
        page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {facts}))")
        wait_word(page, "w01")
        assert {row[:3] for row in held(small)} == {("w00", "w00a", "accept")}


def test_two_reviewers_see_each_other(small, opened):
    with serving(small) as server:
        ana, ben = opened(server.address), opened(server.address, "ben")
        press(ana, "a")
        wait_word(ana, "w01")
        sync_api.expect(ben.locator("#candidates li").first).to_contain_text("✓ ana", timeout=8000)
        press(ben, "r")
        sync_api.expect(ben.locator("#dispute")).to_have_text(
            "Reviewers disagree: w00a is accepted by ana, rejected by ben"
        )
        ana.select_option("#which", "disputed")
        wait_word(ana, "w00")
        sync_api.expect(ana.locator("#found")).to_have_text("1 entry")
        ben.select_option("#which", "mine-open")
        wait_word(ben, "w01")


def test_a_kill_costs_one_key_at_most_and_the_page_goes_on(small, opened):
    server = Process(small, "--port", "0")
    page = opened(server.address)
    press(page, "a", "a")
    wait_word(page, "w02")
    server.kill()
    press(page, "a")
    sync_api.expect(page.locator("#alert")).to_contain_text("The server does not answer, so nothing was kept")
    assert word(page) == "w02"
    again = Process(small, "--port", port_of(server.address))
    try:
        press(page, "a")
        wait_word(page, "w03")
        sync_api.expect(page.locator("#alert")).to_be_hidden()
        assert {row[0] for row in held(small)} == {"w00", "w01", "w02"}
    finally:
        again.stop()


def test_filters_search_and_list(small, opened):
    with serving(small) as server:
        page = opened(server.address)
        press(page, "/")
        page.keyboard.type("W05B")
        sync_api.expect(page.locator("#found")).to_have_text("1 entry")
        wait_word(page, "w05")
        page.fill("#text", "nowhere")
        sync_api.expect(page.locator("#empty-title")).to_have_text("Nothing here")
        page.click("#empty-button")
        page.select_option("#chances", "0-0.5")
        sync_api.expect(page.locator("#found")).to_have_text("no entry")
        page.select_option("#chances", "0.9-2")
        sync_api.expect(page.locator("#found")).to_have_text("12 entries")
        page.locator("#list").focus()
        press(page, "End")
        wait_word(page, "w11")
        press(page, "Home", "ArrowDown", "Escape")
        wait_word(page, "w01")
        sync_api.expect(page.locator(".row[aria-selected=true]")).to_contain_text("w01")
        press(page, "l")
        sync_api.expect(page.locator("#side")).to_be_hidden()


def test_what_was_accepted_is_taken_out_and_decisions_are_merged(small, opened, tmp_path):
    with serving(small) as server:
        page = opened(server.address)
        press(page, "a", "2")
        wait_word(page, "w02")
        page.click("#export-button")
        for name, expected in {".tbx": "<term>w01b</term>", ".csv": "w00,w00a,0.9000"}.items():
            with page.expect_download() as download:
                page.click(f"#exports a[download='dictionary{name}']")
            assert expected in Path(download.value.path()).read_text("utf-8")
        table = tmp_path / "decisions.tsv"
        table.write_text("w05\tw05c\taccept\tben\t2026-01-01T00:00:00+00:00\t\n")
        page.set_input_files("#merge", table)
        sync_api.expect(page.locator("#merge-text")).to_have_text(
            "1 added, 0 known, 0 older than what is here"
        )
        sync_api.expect(page.locator("#progress-text")).to_contain_text("3 of 12")


def test_learning_shows_what_has_changed(tmp_path, opened):
    run, lexicon = planted_run(tmp_path / "run", size=240, given=120)
    with serving(run) as server:
        page = opened(server.address)
        for at, (source, target) in enumerate(lexicon.pairs[120:180]):
            place = server.json(f"api/entry?word={source}")["id"]
            verdict = "accept" if at % 2 else "reject"
            choices = [{"target": target, "verdict": verdict, "note": ""}]
            server.json("api/decide", {"reviewer": "ben", "id": place, "choices": choices})
        page.click("#learn-button")
        page.click("#learn-start")
        sync_api.expect(page.locator("#learn-text")).to_contain_text(
            "Learnt from 30 accepted and 30 rejected pairs", timeout=60_000
        )
        page.keyboard.press("Escape")
        entries = server.json("api/view?reviewer=ana")["ids"]
        assert len(entries) == 240  # candidates of every word, not only the sure ones
        given = server.json(f"api/entry?word={lexicon.pairs[121][0]}")["candidates"]
        assert any(one["target"] == lexicon.pairs[121][1] and "given" in one["evidence"] for one in given)


HOSTILE = [
    *("<script>window.pwned=1</script>", "<img/src=x/onerror=window.pwned=1>", "&lt;b&gt;&amp;"),
    *("\"'`><svg/onload=pwned=1>", "javascript:pwned=1", "{{7*7}}${7*7}", "]]>-->", "=HYPERLINK(1)"),
    *("\u202eevil\u202c", "\u0301acute", "שָׁלוֹם", "مَكْتَبَة", "ไม่", "क्षत्रिय", "\U0001f9d1\u200d\U0001f9d2"),
    *("Donaudampfschifffahrtsgesellschaftskapitän" * 4, "../../etc/passwd", "%2e%2e%2f", "\\u0000", "#?&=+"),
]


def test_hostile_words_are_shown_as_they_are_on_every_page(tmp_path, opened):
    rows = [(source, target, 0.5, 1) for source, target in zip(HOSTILE, reversed(HOSTILE), strict=True)]
    rows += [(HOSTILE[0], "second</bdi>", 0.1, 2)]
    space = plain_space(HOSTILE, [*HOSTILE, "second</bdi>"])
    run = write_run(tmp_path / "run", space, dictionary=rows, languages=("he", "ar"))
    with serving(run) as server:
        page = opened(server.address, reviewer="%3Cimg src=x onerror=pwned=1%3E")
        page.on("dialog", lambda dialog: opened.complaints.append(f"dialog {dialog.message}"))
        seen = set()
        for place in range(len(HOSTILE)):
            sync_api.expect(page.locator("#facts")).to_contain_text(f"{place + 1} of {len(HOSTILE)}")
            page.wait_for_selector("#source-sentences mark")
            page.wait_for_selector("#target-sentences mark")
            page.wait_for_selector("#target-near button")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            seen.add(word(page))
            press(page, "n")
            page.fill("#written", f"<b>note</b> {HOSTILE[place]}")
            press(page, "Enter")
            sync_api.expect(page.locator("#notes")).to_contain_text("<b>note</b>")
            press(page, "a" if place % 2 else "0")
        assert seen == {
            one.replace("\u202e", "\\u202e")
            .replace("\u202c", "\\u202c")
            .replace("\u0301acute", "\u25cc\u0301acute")
            for one in HOSTILE
        }
        press(page, "/")
        page.keyboard.type("<script")
        sync_api.expect(page.locator("#found")).to_have_text("2 entries")
        for button in ("help", "export", "learn"):
            page.click(f"#{button}-button")
            press(page, "Escape")
        assert page.evaluate(
            "window.pwned === undefined && !document.querySelector('svg, img, #entry script')"
        )
        assert {row[0] for row in held(run)} == set(HOSTILE)
        printed = tmp_path / "printed.html"
        printed.write_bytes(server.ask("api/export?form=.html")[1])
        page.goto(printed.as_uri())
        assert page.evaluate("window.pwned === undefined && !document.querySelector('svg, img, script')")
        assert HOSTILE[1] in page.inner_text("body")
        narrow = opened(server.address, size=NARROW)
        for _ in HOSTILE:
            assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth"), word(narrow)
            press(narrow, "j")


def axe():
    package = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")


def violations(page, script):
    if not page.evaluate("'axe' in window"):
        page.evaluate(script)  # the policy of the page forbids a script element
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [(one["id"], [node["html"][:100] for node in one["nodes"]]) for one in found["violations"]]


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")]
)
def test_axe_finds_nothing(small, opened, size, scheme):
    script = axe()
    with serving(small) as server:
        page = opened(server.address, size=size, scheme=scheme)
        press(page, "r")
        page.wait_for_selector("#source-sentences mark")
        page.wait_for_selector("#target-near button")
        assert violations(page, script) == []
        press(page, "t")
        assert violations(page, script) == []
        press(page, "Escape", "l")
        assert violations(page, script) == []
        for dialog in ("help", "learn", "export", "name"):
            page.click(f"#{dialog}-button")
            assert violations(page, script) == [], dialog
            press(page, "Escape")
        page.evaluate("document.querySelector('#which').value = 'skipped'")
        page.evaluate("document.querySelector('#which').dispatchEvent(new Event('input', {bubbles: true}))")
        page.wait_for_selector("#empty:not([hidden])", state="attached")
        assert violations(page, script) == []


def test_on_a_phone_fingers_do_all_that_keys_do(small, opened):
    with serving(small) as server:
        page = opened(server.address, size=NARROW)
        page.click("#candidates li:nth-child(2) .pick")
        sync_api.expect(page.locator("#target-title")).to_contain_text("w00b")
        page.click("footer [data-do=accept]")
        wait_word(page, "w01")
        page.click("#candidates li:nth-child(3) .do.yes")
        wait_word(page, "w02")
        page.click("#candidates li:nth-child(1) .do.no")
        page.click("footer [data-do=skip]")
        wait_word(page, "w03")
        page.click("#list-button")
        page.click(".row >> text=w09")
        wait_word(page, "w09")
        page.click("footer [data-do=undo]")
        wait_word(page, "w02")
        expected = [("w00", "w00b", "accept"), ("w01", "w01c", "accept"), ("w02", "w02a", "reject")]
        assert {row[:3] for row in held(small)} == set(expected)


def test_a_long_list_holds_few_elements_and_asks_little(tmp_path, opened):
    words = [f"w{at}" for at in range(25_000)]
    rows = [(one, f"{one}x", 0.5, 1) for one in words]
    space = plain_space(words, [row[1] for row in rows], 2)
    run = write_run(tmp_path / "run", space, dictionary=rows, repeated=1, steeper=1)
    with serving(run) as server:
        page = opened(server.address)
        sync_api.expect(page.locator("#found")).to_have_text("25,000 entries")
        page.evaluate("document.querySelector('#list').scrollTop = 12345 * 44")
        page.wait_for_selector("#row-12345 >> text=w")
        assert page.locator(".row").count() < 60
        asked = []
        page.on("request", lambda request: asked.append(request.url.split("/api/")[1].split("?")[0]))
        press(page, "a")
        wait_word(page, server.json("api/rows?ids=1")[0]["source"])
        page.wait_for_load_state("networkidle")
        assert asked.count("decide") == 1 and asked.count("entry") == 1 and asked.count("rows") <= 3
        assert "view" not in asked
