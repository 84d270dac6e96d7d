"""A finished run with words that are given, without a training, and a server for it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np

from jointalign import Corpus, Embedding, Lexicon, Vocabulary, encode, write
from jointalign.embedding import BilingualEmbedding
from jointalign.pipeline import RunSettings
from jointalign.pipeline.ranked import write_listed, write_ranked
from jointalign.ranking.table import COLUMNS
from jointalign.review.desk import Desk
from jointalign.review.server import address, bound, prepared
from jointalign.storage.stages import Stages
from jointalign.storage.tables import write_table
from planted import language_pair


def write_text(path, words, counts, seed):
    """Lines of eight words, each word as often as its count says."""
    rng = np.random.default_rng(seed)
    tokens = rng.permutation(np.repeat(np.arange(len(words)), counts))
    lines = [tokens[start : start + 8] for start in range(0, len(tokens), 8)]
    path.write_text("".join(" ".join(words[at] for at in line) + "\n" for line in lines), encoding="utf-8")


def write_run(
    folder, space, lexicon=None, *, dictionary=None, languages=("en", "es"), repeated=6, steeper=74
):
    """All files of a run that a review reads.

    Args:
        folder: Where.
        space: Vectors of both sides.
        lexicon: What the run was given; it ranks by it if there is no `dictionary`.
        dictionary: Rows of the ranked dictionary: source, target, probability, rank.
        languages: Codes.
        repeated: How often each word comes in the text at least.
        steeper: And how much more often the most frequent ones do.
    """
    folder.mkdir(parents=True)
    sides = {"source": space.source_only, "target": space.target_only}
    paths = {side: folder.parent / f"{folder.name}.{side}.txt" for side in sides}
    for (side, embedding), language in zip(sides.items(), languages, strict=True):
        counts = repeated + np.minimum(np.arange(len(embedding))[::-1] // 4, steeper)
        write_text(paths[side], embedding.words, counts, seed=len(side))
        encode(Corpus(paths[side], language, True, False), folder / side, workers=1)
    written = folder.parent / f"{folder.name}.lexicon.txt"
    if lexicon is not None:
        written.write_text("".join(f"{a} {b}\n" for a, b in lexicon), encoding="utf-8")
    settings = RunSettings(
        paths["source"],
        paths["target"],
        None if lexicon is None else written,
        source_language=languages[0],
        target_language=languages[1],
        tokenized=True,
        lowercase=False,
    )
    (folder / "settings.json").write_text(json.dumps(settings.described()))
    (folder / "choice.json").write_text(json.dumps({"gamma": 0.9, "trials": []}))
    joint = Embedding(Vocabulary(space.source_only.words), np.asarray(space.source_only.vectors))
    write(joint, folder / "joint.safetensors")
    write(space, folder / "reallocated.safetensors")
    write(space, folder / "aligned.safetensors")
    stages = Stages(folder)
    for name, before in (("count", []), ("train", ["count"]), ("align", ["train"])):
        stages.do(name, {}, [], lambda: None, after=before)
    if dictionary is None:
        (folder / "dictionary.csls.tsv").touch()
        write_ranked(folder, space, [space], lexicon, None, max_vocabulary=200_000, seed=0)
        write_listed(folder, space, None, keep_marks=False)
    else:
        rows = ((*row, 9, 9, "vectors") for row in dictionary)
        write_table(COLUMNS, rows, folder / "dictionary.tsv", form=".tsv")
    return folder


def planted_run(folder, size=300, given=150):
    """A run of two small languages, of which some pairs were given; and all pairs."""
    space, lexicon = language_pair(size, noise=0.9)
    return write_run(folder, space, Lexicon(lexicon.pairs[:given])), lexicon


def plain_space(source, target, dimensions=8):
    """Words with vectors of no meaning."""
    rng = np.random.default_rng(0)
    sides = [
        Embedding(Vocabulary(tuple(words)), rng.standard_normal((len(words), dimensions)).astype(np.float32))
        for words in (source, target)
    ]
    return BilingualEmbedding.separate(*sides)


class Client:
    """What a program asks a server at an address."""

    def __init__(self, address):
        self.address = address
        for _ in range(200):  # it listens already, but accepts only once it runs
            try:
                self.ask("api/start")
                break
            except OSError:
                time.sleep(0.05)

    def ask(self, path, body=None, **headers):
        """Status, content and headers of the answer; `body` is sent as JSON."""
        data = None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("http") else self.address + path
        request = urllib.request.Request(address, data, given | names)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def json(self, path, body=None):
        status, content, _ = self.ask(path, body)
        assert status == 200, content
        return json.loads(content)


class Process(Client):
    """`jointalign review` in a process of its own."""

    def __init__(self, run, *more):
        command = [sys.executable, "-m", "jointalign", "review", str(run), "--json", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        super().__init__(json.loads(self.process.stdout.readline())["address"])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@contextmanager
def serving(run, reviewer="ana"):
    """The same server in this process."""
    with bound("127.0.0.1", 0) as opened:
        desk = Desk(run)
        server = prepared(desk, "127.0.0.1", reviewer)
        server.config.timeout_graceful_shutdown = None  # pages that are still open get their answers
        thread = Thread(target=server.run, args=([opened],))
        thread.start()
        try:
            yield Client(address(desk, opened, "127.0.0.1"))
        finally:
            server.should_exit = True
            thread.join()
            desk.close()


def port_of(address):
    return address.split("/")[2].rpartition(":")[2]


def table(path):
    return [line.split("\t") for line in Path(path).read_text("utf-8").splitlines()]
