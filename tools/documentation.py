"""What `mkdocs build` does besides: pages made of other files, and a reference that misses no name.

The reference is made of `src/jointalign/__init__.pyi`, the one list of public names, a page a room. Links
to files outside `docs/` lead to the pages made of them, or to the repository.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from griffe import Extension, Object
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {"studies/README.md": "studies.md", "CHANGELOG.md": "changes.md"}
"""Pages that are files elsewhere in the repository."""


class Examples(Extension):
    """Our docstrings have one `Example:`; the reader of docstrings knows `Examples:`."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rename the section of a docstring."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)


def public_names() -> dict[str, list[str]]:
    """Full names of what `jointalign` offers, by the room that it is from."""
    rooms = defaultdict(list)
    for node in ast.parse((ROOT / "src/jointalign/__init__.pyi").read_text("utf-8")).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        room = (node.module or node.names[0].name).partition(".")[0]
        if node.module:
            rooms[room] += [f"jointalign.{alias.name}" for alias in node.names]
        else:
            rooms[room] += [f"jointalign.{room}.{name}" for name in offered(room)]
    return dict(rooms)


def offered(room: str) -> list[str]:
    """The names of a room that is public as a whole."""
    body = ast.parse((ROOT / f"src/jointalign/{room}/__init__.pyi").read_text("utf-8")).body
    return [alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]


def on_config(config: Any) -> Any:
    """A line of the navigation for each room."""
    (reference,) = [entry for entry in config["nav"] if "Reference" in entry]
    reference["Reference"] = [
        "reference/index.md",
        *(f"reference/{room}.md" for room in sorted(public_names())),
    ]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are no files of `docs/`."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    rooms = public_names()
    lines = "".join(
        f"| [{room}]({room}.md) | {', '.join(short(names))} |\n" for room, names in sorted(rooms.items())
    )
    index = f"# Reference\n\nAll of `import jointalign as ja`.\n\n| room | names |\n|---|---|\n{lines}"
    files.append(File.generated(config, "reference/index.md", content=index))
    for room, names in rooms.items():
        text = f"# {room}\n\n" + "".join(f"::: {name}\n\n" for name in names)
        files.append(File.generated(config, f"reference/{room}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Sessions of Python are marked as such, and links lead somewhere on the site too."""
    markdown = re.sub(r"^```python\n(?=>>> )", "```pycon\n", markdown, flags=re.MULTILINE)
    source = next((source for source, name in PAGES.items() if name == page.file.src_uri), None)
    folder = (ROOT / source).parent if source else ROOT / "docs"

    def link(found: re.Match[str]) -> str:
        path, anchor = found["path"], found["anchor"] or ""
        target = (folder / path).resolve()
        if not path or "://" in path or path.startswith("reference/") or not target.exists():
            return found[0]  # a broken one is left for mkdocs to report
        name = target.relative_to(ROOT).as_posix()
        if name in PAGES:
            return f"]({PAGES[name]}{anchor})"
        if name.startswith("docs/"):
            return f"]({name.removeprefix('docs/')}{anchor})"
        kind = "tree" if target.is_dir() else "raw" if target.suffix == ".png" else "blob"
        return f"]({config['repo_url'].rstrip('/')}/{kind}/main/{name}{anchor})"

    if page.file.src_uri.startswith("reference/"):
        return markdown
    return re.sub(r"\]\((?P<path>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", link, markdown)


def on_post_build(config: Any) -> None:
    """Stop the build if a public name has no entry."""
    missing = []
    for room, names in public_names().items():
        page = (Path(config["site_dir"]) / "reference" / room / "index.html").read_text("utf-8")
        missing += [name for name in names if f'id="{name}"' not in page]
    if missing:
        raise PluginError(f"no entry in the reference: {', '.join(missing)}")


def short(names: list[str]) -> list[str]:
    """Links to names, without the package, as in a reader's code."""
    return [f"[`{name.removeprefix('jointalign.')}`][{name}]" for name in names]
