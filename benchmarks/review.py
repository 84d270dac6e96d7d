"""How long a review waits: for its list, for a key, and for the server while it learns.

Needs the extra `review`, playwright and a Chromium. `--learn` asks the server for entries, sentences and
rows, as pages do, while ranking is learnt again in its own process.

    python benchmarks/review.py --run runs/en-es --chromium /usr/bin/chromium --keys 50 --learn
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

SKIPPED = ("review",)  # decisions of the run stay as they are: the copy has none
FACTS = """() => new Promise((resolve) => {
    const begun = performance.now(), word = document.querySelector('#word').textContent;
    const watch = new MutationObserver(() => {
        if (document.querySelector('#word').textContent === word) return;
        watch.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - begun));
    });
    watch.observe(document.querySelector('#word'), {childList: true, subtree: true, characterData: true});
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true}));
})"""


def opened(page: Page, address: str) -> float:
    """Seconds from the address to a list with words and an entry."""
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#entry:not([hidden])")
    page.wait_for_selector(".row .source")
    return time.perf_counter() - begun


def asked(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address + path, data, {"content-type": "application/json"} if data else {}
    )
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def while_learning(address: str) -> dict[str, float]:
    """Requests a second, one after the other, until something was learnt."""
    rows, count, waits = asked(address, "api/rows?ids=1,2,3,4,5,6,7,8"), 0, []
    asked(address, "api/learn", {"reviewer": "benchmark"})
    begun = time.perf_counter()
    while asked(address, "api/changes?generation=x&since=0")["learning"]["state"] == "running":
        for row in rows:
            for path in (f"entry?id={row['id']}", "rows?ids=1,2,3,4,5,6,7,8,9"):
                before = time.perf_counter()
                asked(address, f"api/{path}")
                waits.append(time.perf_counter() - before)
        count += 1 + 2 * len(rows)
    seconds = time.perf_counter() - begun
    return {"requests_a_second": count / seconds, "worst_ms": 1000 * max(waits), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--learn", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = shutil.copytree(options.run, Path(folder, "run"), ignore=shutil.ignore_patterns(*SKIPPED))
        command = [sys.executable, "-m", "jointalign", "review", str(run), "--port", "0", "--json"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = json.loads(server.stdout.readline())["address"]
            browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
            page = browser.new_page()
            opened(page, address)  # opens the run's texts and space
            page.wait_for_selector("#target-near button")
            facts: dict[str, Any] = {
                "entries": asked(address, "api/start")["entries"],
                "processors": os.cpu_count(),
            }
            facts["opens_s"] = statistics.median(opened(page, address) for _ in range(5))
            keys = sorted(page.evaluate(FACTS) for _ in range(options.keys))
            facts |= {"key_ms_median": statistics.median(keys), "key_ms_95": keys[int(0.95 * len(keys))]}
            if options.learn:
                facts["while_learning"] = while_learning(address)
            print(json.dumps(facts))
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
