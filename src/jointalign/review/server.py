"""The pages of a review, served to people whom the address was given to.

Whoever knows the token in the address may review; who does not is told that there is nothing. A page of
another site cannot know it, and could not use it: requests must name a host that is bound here (so that no
name can be turned to this address), and what changes anything must come from our own page. Pages run one
script, a file, and show every text as text.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.review.desk import Desk, SentDecision
from jointalign.review.entries import Filter, Order, Which
from jointalign.review.exports import SUFFIXES
from jointalign.review.learning import FOLDER
from jointalign.storage.facts import from_json, typed
from jointalign.storage.files import plain_errors

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from uvicorn import Server

_TOKEN = "token"
_PAGES = {"": "index.html", "app.js": "app.js", "style.css": "style.css", "icon.svg": "icon.svg"}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_MOST = 1 << 16  # bytes of a decision
_MOST_MERGED = 1 << 28
_MOST_ROWS = 300
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class _Sent(TypedDict):
    reviewer: str
    id: int
    choices: list[SentDecision]


class _Place(TypedDict):
    reviewer: str
    id: int


class _Reviewer(TypedDict):
    reviewer: str


def check_extra() -> None:
    """Make sure that the server can be started.

    Raises:
        MissingExtraError: If the extra `review` is not installed.
    """
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "review")


def token_of(run: Path) -> str:
    """The secret part of the address, kept with the run so that an address holds after a restart.

    Raises:
        JointalignError: If it cannot be kept.
    """
    path = run / FOLDER / _TOKEN
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            os.write(made, secrets.token_urlsafe(16).encode())
            os.close(made)
        token = path.read_text("utf-8").strip()
    if len(token) < 16:
        raise JointalignError(f"{path}: expected the secret part of an address; remove the file")
    return token


class Guard:
    """Lets through what comes by the right address, and adds the headers that keep pages apart.

    Args:
        inner: What answers, without the token in the path.
        token: The first part of each path.
        host: What the server is bound to, which requests may name.
    """

    def __init__(self, inner: Any, token: str, host: str) -> None:
        self._inner, self._token, self._host = inner, token, host

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        from starlette.responses import PlainTextResponse

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = [(name, value) for name, value in message["headers"] if name.decode() not in _HEADERS]
                added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        if scope["type"] != "http":
            return await self._inner(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        _, token, *rest = f"{scope['path']}/".split("/", 2)
        problem = self._problem(scope["method"], headers)
        if problem is not None:
            answer: Any = PlainTextResponse(problem, 403)
        elif not secrets.compare_digest(token.encode(), self._token.encode()):
            answer = PlainTextResponse(
                "nothing here: open the whole address that was shown at the start", 404
            )
        elif scope["path"] == f"/{self._token}":
            answer = PlainTextResponse("", 308, {"location": f"/{self._token}/"})
        else:
            path = scope["path"][len(token) + 1 :]
            scope, answer = {**scope, "path": path, "raw_path": path.encode()}, self._inner
        await answer(scope, receive, with_headers)

    def _problem(self, method: str, headers: Mapping[str, str]) -> str | None:
        host = headers.get("host", "")
        if not allowed_host(host, self._host):
            return "this address is not one of this server"
        if method in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "changes are made from our own page only"
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "changes are made from our own page only"
        if headers.get("content-type", "").partition(";")[0] != "application/json":
            return "changes are sent as JSON"
        return None


def allowed_host(host: str, bound: str) -> bool:
    """Whether a request may name a host: an address in numbers, this machine, or what was bound.

    Example:
        >>> allowed_host("127.0.0.1:8765", "127.0.0.1"), allowed_host("[::1]:80", "::1")
        (True, True)
        >>> allowed_host("evil.example:8765", "127.0.0.1"), allowed_host("lab.example", "lab.example")
        (False, True)
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", bound.lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def application(desk: Desk, token: str, host: str, reviewer: str) -> Guard:
    """The server's application.

    Args:
        desk: What it shows and does.
        token: The first part of each path.
        host: What it will be bound to.
        reviewer: The name of whoever gives none.

    Raises:
        MissingExtraError: If the extra `review` is not installed.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    pages = [Route(f"/{path}", _page(name)) for path, name in _PAGES.items()]
    asked = [Route(f"/api/{name}", _asked(answer, desk)) for name, answer in _answers(desk, reviewer).items()]
    done = [
        Route(f"/api/{name}", _done(kind, act, most), methods=["POST"])
        for name, (kind, act, most) in _acts(desk).items()
    ]
    inner = Starlette(routes=[*pages, *asked, *done], exception_handlers={Exception: _failed})
    return Guard(inner, token, host)


def _page(name: str) -> Callable[[Request], Response]:
    content = files("jointalign.review").joinpath("static", name).read_bytes()
    kind = _TYPES[Path(name).suffix]

    def page(request: Request) -> Response:
        from starlette.responses import Response

        return Response(content, media_type=kind)

    return page


def _answers(desk: Desk, reviewer: str) -> dict[str, Callable[[Mapping[str, str]], Any]]:
    """What is asked for by a name, answered from the parameters of the address."""

    def who(query: Mapping[str, str]) -> str:
        return query.get("reviewer", "")

    def place(query: Mapping[str, str]) -> int | None:
        return desk.place(query["word"]) if "word" in query else int(query["id"])

    def entry(query: Mapping[str, str]) -> Any:
        found = place(query)
        return None if found is None else desk.entry(found, who(query))

    def start(query: Mapping[str, str]) -> Any:
        return {**desk.start(), "reviewer": reviewer, "exports": [one for one in SUFFIXES if one != ".ifo"]}

    return {
        "start": start,
        "view": lambda query: desk.view(filter_of(query), who(query)),
        "rows": lambda query: desk.rows([*map(int, query["ids"].split(","))][:_MOST_ROWS], who(query)),
        "entry": entry,
        "sentences": lambda query: desk.sentences(
            "target" if query["side"] == "target" else "source",
            query["word"],
            int(query["start"]) if "start" in query else None,
        ),
        "near": lambda query: desk.near(int(query["id"]), query.get("target", "")),
        "changes": lambda query: desk.changes(query["generation"], int(query["since"]), who(query)),
        "export": lambda query: _File(desk.exported(query["form"]), f"dictionary{query['form']}"),
        "decisions": lambda query: _File(desk.written(), "decisions.tsv"),
    }


class _File:
    def __init__(self, content: bytes, name: str) -> None:
        self.content, self.name = content, name


def filter_of(query: Mapping[str, str]) -> Filter:
    """A filter from the parameters of an address; what is missing is left open.

    Raises:
        ValueError: If a number or a name is none.
    """
    least, _, most = query.get("ranks", "1-").partition("-")
    low, _, high = query.get("chances", "0-2").partition("-")
    candidates = {"some": True, "none": False}.get(query.get("candidates", ""))
    return Filter(
        (int(least), int(most) if most else None),
        (float(low), float(high)),
        candidates,
        Which(query.get("which", "all")),
        query.get("text", ""),
        Order(query.get("order", "frequency")),
    )


def _acts(desk: Desk) -> dict[str, tuple[Any, Callable[[Any], Any], int]]:
    """What is done by a name: the type of what is sent, the deed, and how many bytes it may have."""

    def learn(sent: Any) -> Any:
        desk.learning.start()
        return desk.learning.state

    return {
        "decide": (_Sent, lambda sent: desk.decide(sent["reviewer"], sent["id"], sent["choices"]), _MOST),
        "clear": (_Place, lambda sent: desk.clear(sent["reviewer"], sent["id"]), _MOST),
        "undo": (_Reviewer, lambda sent: desk.undo(sent["reviewer"]), _MOST),
        "learn": (_Reviewer, learn, _MOST),
        "merge": (str, lambda sent: _merged(desk, sent), _MOST_MERGED),
    }


def _merged(desk: Desk, table: str) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "the-table.tsv")
        path.write_text(table, "utf-8", newline="")
        try:
            merged = desk.merge(path)
        except JointalignError as error:
            raise JointalignError(str(error).replace(f"{path}, ", "").replace(f"{path}: ", "")) from None
    return {"added": merged.added, "known": merged.known, "older": merged.older}


def _asked(answer: Callable[[Mapping[str, str]], Any], desk: Desk) -> Callable[[Request], Response]:
    def asked(request: Request) -> Response:  # Starlette runs it in a thread
        from starlette.responses import JSONResponse, Response

        try:
            found = answer(request.query_params)
        except JointalignError as error:
            return JSONResponse({"error": str(error)}, 422)
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": f"this question is not understood: {error}"}, 400)
        if isinstance(found, _File):
            disposition = {"content-disposition": f'attachment; filename="{found.name}"'}
            return Response(found.content, headers=disposition, media_type="application/octet-stream")
        return JSONResponse(found)

    return asked


def _done(kind: Any, act: Callable[[Any], Any], most: int) -> Any:
    async def done(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return JSONResponse({"error": "this is too long"}, 413)
        try:
            sent = typed(from_json(bytes(body)), kind)
            return JSONResponse(await run_in_threadpool(act, sent))
        except JointalignError as error:
            return JSONResponse({"error": str(error)}, 422)

    return done


def _failed(request: Request, error: Exception) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"error": f"this is a bug in jointalign: {type(error).__name__}"}, 500)


def bound(host: str, port: int) -> socket.socket:
    """A socket for the server; port 0 is any that is free.

    Raises:
        JointalignError: If it is taken, or the host is not of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as error:
        raise JointalignError(
            f"{host}, port {port}: cannot be listened on ({error.strerror or error}); another review may be "
            "open there: close it, or name another --port"
        ) from None
    return opened


def prepared(desk: Desk, host: str, reviewer: str) -> Server:
    """A server whose `run` answers, given a list of sockets, until its `should_exit` is set.

    Args:
        desk: What it shows and does.
        host: What the sockets are bound to.
        reviewer: The name of whoever gives none.

    Raises:
        MissingExtraError: If the extra `review` is not installed.
    """
    check_extra()
    import uvicorn

    app = application(desk, token_of(desk.run), host, reviewer)
    quiet = {"log_level": "critical", "access_log": False, "server_header": False}
    return uvicorn.Server(uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=2, **quiet))


def serve(desk: Desk, opened: socket.socket, host: str, reviewer: str) -> None:
    """Answer until interrupted; arguments as of `prepared`, and the socket."""
    Thread(target=desk.warm, daemon=True).start()
    try:
        prepared(desk, host, reviewer).run([opened])
    finally:
        desk.close()


def address(desk: Desk, opened: socket.socket, host: str) -> str:
    """What to open in a browser."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{opened.getsockname()[1]}/{token_of(desk.run)}/"
