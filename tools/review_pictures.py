"""The pictures of docs/review.md, taken of a run with decisions in it.

python tools/review_pictures.py runs/en-es house docs/pictures
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright


def taken(page: Page, path: Path) -> None:
    """Take a picture once all texts are there, in few colours."""
    page.wait_for_selector("#source-sentences mark")
    page.wait_for_selector("#target-near button")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(64).save(path, optimize=True)


def main() -> None:
    """Take all of them."""
    run, word, folder = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "jointalign",
        "review",
        run,
        "--port",
        "0",
        "--json",
        "--reviewer",
        "Ana",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for name, size, scheme in (("wide", (1200, 780), "light"), ("phone", (390, 780), "dark")):
                width, height = size
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                page.goto(address)
                page.wait_for_selector("#entry:not([hidden])")
                page.keyboard.press("g")
                page.fill("#ask-text", word)
                page.keyboard.press("Enter")
                page.locator("#word").filter(has_text=word).wait_for()
                taken(page, Path(folder, f"review-{name}.png"))
                if name == "wide":
                    page.click("#learn-button")
                    taken(page, Path(folder, "review-learnt.png"))
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
