"""One way to save and one to load, whatever it is: told by the type of the value and of the file."""

from __future__ import annotations

from pathlib import Path

from jointalign.alignment.base import Mapping
from jointalign.alignment.storage import read_mapping, write_mapping
from jointalign.checks import checked
from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import native
from jointalign.formats.api import read, read_bilingual, read_multilingual, write
from jointalign.formats.hub import fetched
from jointalign.lexicon import Lexicon
from jointalign.multilingual import MultilingualEmbedding
from jointalign.storage.bundle import INFO
from jointalign.storage.compression import named_suffix
from jointalign.storage.tables import read_table, write_table

ALIGNED = "aligned.safetensors"
"""The result in a folder of `jointalign run` or `align`."""

_COLUMNS = {"source": "", "target": "", "pair": "d"}
_LEXICONS = (".tsv", ".csv", ".dict", ".dic")

Loaded = Embedding | BilingualEmbedding | MultilingualEmbedding | Mapping | Lexicon | EncodedCorpus


@checked
def save(
    value: Embedding | BilingualEmbedding | MultilingualEmbedding | Mapping | Lexicon, path: str | Path
) -> None:
    """Write a space, a mapping or a lexicon.

    Args:
        value: Vectors of one language are written as the suffix says; of more, and mappings, to
            `.safetensors`; a lexicon to `.tsv`, with a line of titles.
        path: The file, replaced if it is there.

    Raises:
        JointalignError: If the suffix does not fit, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(Lexicon({"house": "casa"}), f"{folder}/en-es.tsv")
        ...     load(f"{folder}/en-es.tsv")
        Lexicon(1 pairs)
    """
    suffix = named_suffix(path)
    if isinstance(value, Lexicon):
        if suffix != ".tsv":
            raise JointalignError(f"{path}: a lexicon is saved as .tsv; name it so")
        rows = ((*pair, number) for number, pair in enumerate(value, start=1))
        write_table(_COLUMNS, rows, path)
    elif isinstance(value, Mapping):
        if suffix != ".safetensors":
            raise JointalignError(f"{path}: a mapping is saved as .safetensors; name it so")
        write_mapping(value, path)
    else:
        write(value, path)


@checked
def load(path: str | Path) -> Loaded:
    """Read whatever `save`, the commands or other programs have written.

    Args:
        path: A file of vectors in any format, a space, a mapping; a dictionary, if its suffix is `.tsv`,
            `.csv`, `.dict` or `.dic`; the folder of a run or of an encoded corpus; `hf://owner/name`.

    Raises:
        JointalignError: If there is nothing, or nothing that can be told from its name and content;
            name its kind then, by `read`, `Lexicon.read`, ...
        FormatError: If a file does not hold what it should.
    """
    path = Path(fetched(path))
    if path.is_dir():
        if (path / ALIGNED).is_file():
            return read_bilingual(path / ALIGNED)
        if (path / INFO).is_file():
            return EncodedCorpus.open(path)
        raise JointalignError(f"{path}: expected the folder of a run or of encoded text; name a file in it")
    suffix = named_suffix(path)
    if suffix in _LEXICONS:
        return _saved_lexicon(path) if suffix == ".tsv" else Lexicon.read(path)
    if suffix != ".safetensors":
        return read(path)
    kinds = {"bilingual": read_bilingual, "multilingual": read_multilingual, "mapping": read_mapping}
    return kinds.get(native.kind(path), read)(path)


def _saved_lexicon(path: Path) -> Lexicon:
    """One that `save` has written, as it was; any other is read leniently."""
    rows = read_table(path)
    if next(rows, (0, []))[1] != [*_COLUMNS]:
        return Lexicon.read(path)
    try:
        return Lexicon((source, target) for _, (source, target, _) in rows)
    except ValueError:
        raise FormatError(path, None, "expected two words and a number a line, as by `save`") from None
