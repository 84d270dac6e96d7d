"""To and from the Hugging Face hub: spaces under `hf://owner/name`, with a model card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding, Setting
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.formats import native
from jointalign.multilingual import MultilingualEmbedding
from jointalign.version import __version__

FILE = "space.safetensors"
"""What a repository of ours holds besides its card."""

# Paths have lost one of the two slashes.
_ADDRESS = re.compile(r"hf:/{1,2}([^/@]+/[^/@]+)(?:@([^/]+))?(?:/(.+))?")
_SHOWN = 8  # files of a repository, in a message

Space = Embedding | BilingualEmbedding | MultilingualEmbedding


def fetched(path: str | Path) -> str | Path:
    """The path itself; of an address on the hub, the file that it names, downloaded once.

    Args:
        path: A path, or `hf://owner/name`, after which a branch, tag or commit may come (`@main`), and
            a file (`/model.bin`); default: the one that `push_to_hub` writes.

    Raises:
        MissingExtraError: If the package `huggingface_hub` is not installed.
        JointalignError: If there is no such repository, revision or file, or the hub cannot be reached.

    Example:
        >>> fetched("en.vec")
        'en.vec'
    """
    if not str(path).startswith("hf:/"):
        return path
    address = _ADDRESS.fullmatch(str(path))
    if address is None:
        raise JointalignError(f"{path}: expected hf://owner/name, hf://owner/name@revision or .../file")
    repository, revision, file = address.groups()
    with _plain_errors(repository, revision):
        from huggingface_hub import HfApi
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        hub = HfApi()
        try:
            return Path(hub.hf_hub_download(repository, file or FILE, revision=revision))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            there = sorted(hub.list_repo_files(repository, revision=revision))[:_SHOWN]
    raise JointalignError(
        f"{path}: there is no {file or FILE}; name a file that there is, as hf://{repository}/FILE: "
        f"{', '.join(there)}"
    )


@checked
def push_to_hub(
    space: Space,
    repository: str,
    *,
    licence: str,
    corpora: Sequence[str] = (),
    scores: Sequence[object] = (),
    about: str = "",
    private: bool = False,
) -> str:
    """Put a space on the hub, with a card that says what it is.

    Log in first: `hf auth login`, or the variable `HF_TOKEN`.

    Args:
        space: One language or more.
        repository: `owner/name`; made if it is not there.
        licence: Of the vectors, as the hub has it, e.g. `cc-by-sa-4.0`. That of the text decides.
        corpora: What the text was, a line each.
        scores: Results such as those of `bli.evaluate`, which print themselves with their conditions.
        about: What else there is to say, in Markdown.
        private: Whether only the owner sees it.

    Returns:
        Where it is, for a browser.

    Raises:
        MissingExtraError: If the package `huggingface_hub` is not installed.
        JointalignError: If the hub refuses it or cannot be reached.
    """
    with _plain_errors(repository, None), TemporaryDirectory() as folder:
        from huggingface_hub import HfApi

        native.write(space, Path(folder, FILE))
        text = card(space, repository, licence, corpora, scores, about)
        Path(folder, "README.md").write_text(text, "utf-8")
        hub = HfApi()
        url = hub.create_repo(repository, private=private, exist_ok=True)
        hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Write the space")
        return str(url)


def card(
    space: Space,
    repository: str,
    licence: str,
    corpora: Sequence[str] = (),
    scores: Sequence[object] = (),
    about: str = "",
) -> str:
    """The model card that `push_to_hub` writes; arguments as there."""
    from jointalign.corpora.tokenization import language_code

    reader, languages, parts = _facts(space)
    codes = [code for language in languages if 2 <= len(code := language_code(language)) <= 3]
    head = {
        "language": [code for code in codes if code != "und"],
        "license": licence,
        "library_name": "jointalign",
        "tags": ["word-embeddings", "cross-lingual"],
    }
    rows = [
        f"| {name} | {len(part):,} | {part.dimensions} | "
        f"{0 if part.subwords is None else len(part.subwords.vectors):,} |"
        for name, part in parts.items()
    ]
    settings = _settings(list(parts.values()))
    sections = [
        "---\n" + "".join(f"{name}: {json.dumps(value)}\n" for name, value in head.items()) + "---",
        f"# {repository.partition('/')[2]}",
        about,
        f"Word vectors made with jointalign {__version__}: {', '.join(languages) or 'one language'}.",
        f'```python\nimport jointalign as ja\nspace = ja.{reader}("hf://{repository}")\n```',
        "\n".join(["| part | words | dimensions | n-grams |", "|---|---|---|---|", *rows]),
        "\n".join(["## Text", "", *(f"- {line}" for line in corpora)]) if corpora else "",
        "\n".join(["## Scores", "", "```", *map(str, scores), "```"]) if scores else "",
        "\n".join(["## Settings", "", "| setting | value |", "|---|---|", *settings]) if settings else "",
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _facts(space: Space) -> tuple[str, tuple[str, ...], dict[str, Embedding]]:
    """What reads a space, its languages, and its parts by name."""
    if isinstance(space, Embedding):
        return "read", (), {"words": space}
    if isinstance(space, BilingualEmbedding):
        source, target = space.source_language, space.target_language
        parts = {f"{source} alone": space.source_only, f"{target} alone": space.target_only}
        return "read_bilingual", (source, target), parts | {"shared": space.shared}
    parts = {" + ".join(part.languages): part.embedding for part in space.parts}
    return "read_multilingual", tuple(space.languages), parts


def _settings(parts: Sequence[Embedding]) -> list[str]:
    """Rows of a table: every setting of any part."""
    found: dict[str, list[Setting]] = {}
    for part in parts:
        for name, value in part.settings.items():
            if value not in found.setdefault(name, []):
                found[name].append(value)
    return [f"| {name} | {', '.join(map(str, values))} |" for name, values in sorted(found.items())]


@contextmanager
def _plain_errors(repository: str, revision: str | None) -> Iterator[None]:
    """The hub's errors as ours."""
    try:
        from huggingface_hub import errors
    except ImportError:
        raise MissingExtraError("huggingface_hub", "hub") from None
    # The hub's own errors are those of its HTTP client, of which there have been several.
    client_error: type[Exception] = errors.HfHubHTTPError.__mro__[1]  # type: ignore[assignment]
    place = f"hf://{repository}" + (f"@{revision}" if revision else "")
    try:
        yield
    except errors.GatedRepoError:
        reason = "its owner wants to be asked first: do so on its page, then log in by `hf auth login`"
    except errors.RepositoryNotFoundError:
        reason = "no such repository, or a private one; check the name, or log in by `hf auth login`"
    except errors.RevisionNotFoundError:
        reason = "no such branch, tag or commit; check it"
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        reason = "the hub cannot be reached, and the file was not fetched before; try again with a network"
    except JointalignError:
        raise
    except (client_error, ValueError) as error:  # which those for wrong names are
        reason = " ".join(str(error).split())
    else:
        return
    raise JointalignError(f"{place}: {reason}")
