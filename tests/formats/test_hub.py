"""The real `huggingface_hub` against a small hub of our own."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

import jointalign as ja
from jointalign.cli.app import run
from jointalign.errors import JointalignError
from jointalign.formats import hub
from jointalign.subwords import SubwordTable

huggingface_hub = pytest.importorskip("huggingface_hub", reason="talks to the hub")


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as keeps small files: repositories, commits, downloads."""

    repositories: dict[str, dict[str, bytes]]
    asked: list[str]

    def log_message(self, *_):
        pass

    def answer(self, content, status=200, **headers):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def missing(self, code):
        self.answer({"error": code}, 404, X_Error_Code=code, X_Repo_Commit="c" * 40)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not body and self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.asked.append(f"POST {self.path}")
        if self.headers.get("Authorization") != "Bearer hf_known":
            self.answer({"error": "who are you?"}, 401)
        elif self.path == "/api/repos/create":
            facts = json.loads(body)
            name = f"{facts['organization']}/{facts['name']}"
            self.repositories.setdefault(name, {})
            self.answer({"url": f"http://{self.headers['Host']}/{name}"})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/api/models/(\w+/\w+)/preupload/main", self.path):
            files = [file["path"] for file in json.loads(body)["files"]]
            told = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]
            self.answer({"files": told})
        elif match := re.fullmatch(r"/api/models/(\w+/\w+)/commit/main", self.path):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.repositories[match[1]][line["value"]["path"]] = content
            url = f"http://{self.headers['Host']}/{match[1]}/commit/{'c' * 40}"
            self.answer({"success": True, "commitOid": "c" * 40, "commitUrl": url})
        else:
            self.missing("EntryNotFound")

    def do_GET(self):
        self.asked.append(f"{self.command} {self.path}")
        api = re.fullmatch(r"/api/models/(\w+/\w+)(?:/(?:revision|tree)/(\w+))?(?:\?.*)?", self.path)
        file = re.fullmatch(r"/(\w+/\w+)/resolve/(\w+)/([\w.]+)", self.path)
        name = (api or file or [None, None])[1]
        if name not in self.repositories:
            self.missing("RepoNotFound")
        elif (api or file)[2] not in (None, "main", "c" * 40):
            self.missing("RevisionNotFound")
        elif api and "/tree/" in self.path:
            there = self.repositories[name].items()
            self.answer([{"type": "file", "path": p, "size": len(c), "oid": "1"} for p, c in there])
        elif api:
            there = [{"rfilename": path} for path in self.repositories[name]]
            self.answer({"id": name, "sha": "c" * 40, "siblings": there})
        elif file[3] not in self.repositories[name]:
            self.missing("EntryNotFound")
        else:
            content = self.repositories[name][file[3]]
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            self.answer(content, ETag=etag, X_Repo_Commit="c" * 40)

    do_HEAD = do_GET


def point_to(monkeypatch, endpoint):
    """What the variable HF_ENDPOINT does before the package is imported."""
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def repositories(tmp_path, monkeypatch):
    served = type("Served", (Hub,), {"repositories": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    Thread(target=server.serve_forever, daemon=True).start()
    point_to(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_known")
    yield served
    server.shutdown()
    server.server_close()


def space(languages=("en", "es")):
    table = SubwordTable(np.arange(7, dtype=np.uint32), np.ones((7, 3), np.float32), 3, 6, 7)
    english = ja.Embedding(
        ja.Vocabulary(("cat", "dog"), np.array([5, 2])),
        np.eye(2, 3, dtype=np.float32),
        table,
        {"align.seed": 3},
    )
    spanish = ja.Embedding(ja.Vocabulary(("gato", "perro")), np.eye(2, 3, dtype=np.float32))
    return ja.BilingualEmbedding.separate(english, spanish, *languages)


def test_there_and_back(repositories, tmp_path, capsys):
    pushed, pairs = space(), ja.Lexicon((("cat", "gato"), ("dog", "perro")))
    scores = [ja.bli.evaluate(pushed, pairs)]
    corpora = ["Novels, 5M tokens a language"]
    url = ja.push_to_hub(pushed, "me/enes", licence="cc-by-4.0", corpora=corpora, scores=scores)
    assert url.endswith("/me/enes")
    files = repositories.repositories["me/enes"]
    assert sorted(files) == ["README.md", "space.safetensors"]
    again = ja.read_bilingual("hf://me/enes")
    assert (again.source_language, again.source.words, again.target.words) == (
        "en",
        ("cat", "dog"),
        ("gato", "perro"),
    )
    assert ja.read_bilingual("hf://me/enes@main/space.safetensors").target.words == again.target.words
    metadata = huggingface_hub.ModelCard(files["README.md"].decode()).data
    assert (metadata.language, metadata.license, metadata.library_name) == (
        ["en", "es"],
        "cc-by-4.0",
        "jointalign",
    )
    text = files["README.md"].decode()
    for said in (
        "| en alone | 2 | 3 | 7 |",
        "- Novels, 5M",
        str(scores[0]),
        "| align.seed | 3 |",
        "read_bilingual(",
    ):
        assert said in text
    pairs_file = tmp_path / "pairs.txt"
    pairs_file.write_text("cat gato\ndog perro\n")
    arguments = ["evaluate", "bli", "--embedding", "hf://me/enes", "--lexicon", str(pairs_file), "--json"]
    capsys.readouterr()
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["p_at_1"] == 100


def test_files_of_others(repositories, tmp_path):
    ja.write(space().source, tmp_path / "en.bin", "fasttext")
    ja.write(space().source, tmp_path / "en.vec")
    files = {name: (tmp_path / name).read_bytes() for name in ("en.bin", "en.vec")}
    repositories.repositories["facebook/model"] = files
    assert ja.read("hf://facebook/model/en.bin").vocabulary.counts.tolist() == [5, 2]
    assert ja.read("hf://facebook/model/en.vec", max_vocabulary=1).words == ("cat",)
    asked = len(repositories.asked)
    ja.read("hf://facebook/model/en.vec")
    assert not any(line.startswith("GET") for line in repositories.asked[asked:])  # kept from before
    with pytest.raises(JointalignError, match=r"there is no space\.safetensors; .*/FILE: en\.bin, en\.vec"):
        ja.read("hf://facebook/model")


def test_what_is_not_there_and_who_may_not(repositories, monkeypatch):
    repositories.repositories["a/b"] = {}
    for address, said in (
        ("hf://a/c", "no such repository"),
        ("hf://a/b@old", "no such branch"),
        ("hf://a", "expected hf://owner/name"),
        ("hf://a/b/x/../y", "hf://a/b"),
    ):
        with pytest.raises(JointalignError, match=said):
            ja.read(address)
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    with pytest.raises(JointalignError, match="hf://me/new"):
        ja.push_to_hub(space(), "me/new", licence="mit")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    point_to(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(JointalignError, match="cannot be reached"):
        ja.read("hf://a/b")
    with pytest.raises(JointalignError, match="hf://me/new"):
        ja.push_to_hub(space(), "me/new", licence="mit")


def test_cards_of_one_language_and_of_several():
    one = hub.card(space().target, "me/es", "mit", about="Small.")
    assert one.startswith('---\nlanguage: []\nlicense: "mit"\n')
    assert "Small." in one and 'ja.read("hf://me/es")' in one and "## Scores" not in one
    assert "language: []" in hub.card(space(("source", "und")), "me/x", "mit")
