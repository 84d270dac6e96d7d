"""A hub of Hugging Face of our own, with which its real client talks."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


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
        elif match := re.fullmatch(r"/api/models/([\w-]+/[\w-]+)/preupload/main", self.path):
            files = [file["path"] for file in json.loads(body)["files"]]
            told = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]
            self.answer({"files": told})
        elif match := re.fullmatch(r"/api/models/([\w-]+/[\w-]+)/commit/main", self.path):
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
        api = re.fullmatch(r"/api/models/([\w-]+/[\w-]+)(?:/(?:revision|tree)/(\w+))?(?:\?.*)?", self.path)
        file = re.fullmatch(r"/([\w-]+/[\w-]+)/resolve/(\w+)/([\w.]+)", self.path)
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
def served_repositories(tmp_path, monkeypatch):
    served = type("Served", (Hub,), {"repositories": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    Thread(target=server.serve_forever, daemon=True).start()
    point_to(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_known")
    yield served
    server.shutdown()
    server.server_close()
