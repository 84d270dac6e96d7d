"""The server: who may ask, what is answered, and that nothing is lost when it is killed."""

import json
import re
from threading import Thread

import pytest

from jointalign.review.server import allowed_host
from review_runs import Process, planted_run, port_of, serving, table

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return planted_run(tmp_path_factory.mktemp("review") / "run")


@pytest.fixture(scope="module")
def server(planted):
    with serving(planted[0]) as found:
        yield found


def choice(target, verdict="accept", note=""):
    return {"target": target, "verdict": verdict, "note": note}


def decide(server, place, *choices, reviewer="ana"):
    return server.json("api/decide", {"reviewer": reviewer, "id": place, "choices": list(choices)})


def test_only_the_address_that_was_shown_leads_anywhere(server):
    token = server.address.split("/")[3]
    assert len(token) >= 20
    base = server.address.removesuffix(f"{token}/")
    for path in ("", f"{token[:-1]}/", "api/start", f"{token}x/api/start", "../", f"/{token}"):
        assert server.ask(base + path)[0] == 404, path
    assert server.ask(f"{base}{token}")[0] == 200  # led on to the page
    assert server.ask("")[0] == 200 and server.ask("api/start")[0] == 200
    assert server.ask("server.py")[0] == 404 and server.ask("..%2fserver.py")[0] == 404


def test_every_answer_keeps_others_out(server):
    for path in ("", "app.js", "style.css", "icon.svg", "api/start", "nothing", "../x"):
        _, _, headers = server.ask(path)
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'" and headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    page = server.ask("")[1].decode()
    assert "<script>" not in page and " style=" not in page and not re.search(r"\son\w+=", page)
    assert "http:" not in page and "https:" not in page


def test_a_request_by_another_name_is_refused(server):
    port = port_of(server.address)
    for host, status in {
        f"127.0.0.1:{port}": 200,
        f"localhost:{port}": 200,
        f"evil.example:{port}": 403,
        f"localhost.evil.example:{port}": 403,
        "": 403,
    }.items():
        assert server.ask("api/start", host=host)[0] == status, host


@pytest.mark.parametrize(
    ("host", "bound", "allowed"),
    [
        ("10.0.0.7:80", "0.0.0.0", True),
        ("[fe80::1]:80", "::", True),
        ("LAB.example", "lab.example", True),
        ("lab.example.evil", "lab.example", False),
        ("[::1", "::1", False),
        ("127.0.0.1@evil.example", "127.0.0.1", False),
    ],
)
def test_hosts_are_numbers_or_what_was_bound(host, bound, allowed):
    assert allowed_host(host, bound) is allowed


def test_changes_come_from_our_own_page_only(server):
    body = {"reviewer": "eve"}
    own = server.address.split("/")[2]
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://{own}.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"content_type": "text/plain"},
    ):
        assert server.ask("api/undo", body, **headers)[0] == 403, headers
    assert server.ask("api/undo", body, origin=f"http://{own}")[0] == 200
    assert server.ask("api/undo")[0] == 405 and server.ask("api/decide", {"reviewer": "eve"})[0] == 422


@pytest.mark.parametrize(
    "path",
    [
        "api/entry?id=x",
        "api/entry",
        "api/rows?ids=1,x",
        "api/view?which=nothing",
        "api/view?ranks=x",
        "api/sentences?side=source",
        "api/changes?generation=x&since=x",
        "api/export?form=.exe",
        "api/export?form=/../../x.tsv",
        "api/entry?id=999999",
        "api/near?id=-1&target=x",
    ],
)
def test_a_question_that_makes_no_sense_has_an_answer_in_words(server, path):
    status, content, _ = server.ask(path)
    assert status in (400, 422)
    assert json.loads(content)["error"] and "Traceback" not in content.decode()


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"reviewer": "ana", "id": 0},
        {"reviewer": "ana", "id": "0", "choices": []},
        {"reviewer": "ana", "id": 0, "choices": [{"target": "x", "verdict": "perhaps", "note": ""}]},
        {"reviewer": " ", "id": 0, "choices": [choice("x")]},
        {"reviewer": "ana", "id": 10**9, "choices": [choice("x")]},
        {"reviewer": "ana", "id": 0, "choices": [choice("x" * 501)]},
        {"reviewer": "ana", "id": 0, "choices": [choice("")]},
        {"reviewer": "ana", "id": 0, "choices": [choice("\ud800")]},
    ],
)
def test_a_decision_that_is_none_changes_nothing(server, body):
    before = server.json("api/view?which=mine&reviewer=ana")["ids"]
    status, content, _ = server.ask("api/decide", body)
    assert status == 422 and json.loads(content)["error"]
    assert server.json("api/view?which=mine&reviewer=ana")["ids"] == before


def test_too_much_is_not_taken_in(server):
    assert server.ask("api/decide", {"reviewer": "x" * 70_000, "id": 0, "choices": []})[0] == 413


def test_two_reviewers_see_each_other_and_where_they_disagree(server):
    start = server.json("api/start")
    target = server.json("api/entry?id=5")["candidates"][0]["target"]
    assert decide(server, 5, choice(target))["entry"]["status"] == "a"
    decide(server, 5, choice(target, "reject"), reviewer="ben")
    seen = server.json(f"api/changes?generation={start['generation']}&since={start['sequence']}&reviewer=ben")
    assert [(row["id"], row["status"], row["mine"]) for row in seen["rows"]] == [(5, "d", True)]
    entry = server.json("api/entry?id=5&reviewer=cleo")
    assert entry["candidates"][0]["accepted"] == ["ana"] and entry["candidates"][0]["rejected"] == ["ben"]
    assert server.json("api/view?which=disputed&reviewer=cleo")["ids"] == [5]
    assert server.json("api/undo", {"reviewer": "ben"})["entry"]["status"] == "a"
    assert server.json("api/undo", {"reviewer": "ana"})["entry"]["status"] == "."
    later = server.json(f"api/changes?generation={start['generation']}&since={seen['sequence']}&reviewer=ben")
    assert [row["status"] for row in later["rows"]] == ["."]
    assert server.json("api/changes?generation=other&since=0")["anew"]


def test_another_process_is_seen_too(planted, server):
    with serving(planted[0]) as other:
        target = server.json("api/entry?id=6")["candidates"][0]["target"]
        decide(server, 6, choice(target))
        start = other.json("api/start")
        assert other.json("api/entry?id=6")["candidates"][0]["accepted"] == ["ana"]
        decide(other, 6, choice(target), reviewer="ben")
        assert server.json("api/entry?id=6")["candidates"][0]["accepted"] in (["ana"], ["ana", "ben"])
        server.json(f"api/changes?generation={start['generation']}&since=0")
        assert server.json("api/entry?id=6")["candidates"][0]["accepted"] == ["ana", "ben"]
        assert other.json("api/undo", {"reviewer": "ben"})["entry"]["id"] == 6
    server.json("api/undo", {"reviewer": "ana"})


def test_clearing_takes_back_all_of_ones_own_and_is_a_step(server):
    target = server.json("api/entry?id=7")["candidates"][0]["target"]
    decide(server, 7, choice(target), choice("otra"))
    decide(server, 7, choice("", "note", "see"))
    cleared = server.json("api/clear", {"reviewer": "ana", "id": 7})["entry"]
    assert cleared["status"] == "." and cleared["notes"] == [["ana", "see"]]
    assert server.json("api/undo", {"reviewer": "ana"})["entry"]["status"] == "a"
    for _ in range(2):
        server.json("api/undo", {"reviewer": "ana"})
    assert server.json("api/entry?id=7")["notes"] == []


def test_a_word_of_the_text_that_is_no_entry_becomes_one(planted, server):
    run, _ = planted
    listed = {row[0] for row in table(run / "dictionary.tsv")}
    words = {
        word for line in (run.parent / "run.source.txt").read_text().splitlines() for word in line.split()
    }
    (word, *_) = sorted(words - listed)
    entry = server.json(f"api/entry?word={word}")
    assert entry["source"] == word and entry["candidates"] == [] and entry["count"] >= 6
    assert server.json(f"api/entry?word={word}")["id"] == entry["id"]
    assert server.json("api/entry?word=nowhere") is None
    found = decide(server, entry["id"], choice("dos  palabras"))["entry"]
    assert [one["target"] for one in found["candidates"]] == ["dos palabras"]
    server.json("api/undo", {"reviewer": "ana"})


def test_sentences_have_the_word_marked_and_a_missing_text_is_explained(planted, server):
    run, lexicon = planted
    word = lexicon.pairs[2][0]
    best = server.json(f"api/sentences?side=source&word={word}")
    assert len(best["passages"]) == 5 and best["count"] == 80
    for passage in best["passages"]:
        assert {text for text, marked in passage["segments"] if marked} == {word}
    more = server.json(f"api/sentences?side=source&word={word}&start=20")["passages"]
    lines = [one["line"] for one in more]
    assert len(lines) == 20 and lines == sorted(lines)
    text = run.parent / "run.target.txt"
    text.rename(text.with_suffix(".gone"))
    try:
        with serving(run) as other:
            found = other.json(f"api/sentences?side=target&word={lexicon.pairs[2][1]}")
            assert found["passages"] == [] and "the text is gone or has changed" in found["missing"]
    finally:
        text.with_suffix(".gone").rename(text)


def test_a_killed_server_has_lost_nothing_and_its_address_still_holds(tmp_path):
    run, _ = planted_run(tmp_path / "run", size=120, given=100)
    server, kept = Process(run, "--port", "0", "--reviewer", "ana"), []

    def work():
        for place in range(10_000):
            try:
                decide(server, place % 80, choice(f"t{place}"))
            except (OSError, AssertionError):
                return
            kept.append((place % 80, f"t{place}"))
            if len(kept) == 30:
                server.process.kill()

    worker = Thread(target=work)
    worker.start()
    worker.join(60)
    server.kill()
    assert len(kept) >= 30
    again = Process(run, "--port", port_of(server.address))
    try:
        assert again.address == server.address
        for place, target in kept:
            candidates = again.json(f"api/entry?id={place}")["candidates"]
            assert {one["target"]: one["accepted"] for one in candidates}[target] == ["ana"]
        undone = again.json("api/undo", {"reviewer": "ana"})["entry"]["id"]
        assert undone in (kept[-1][0], (kept[-1][0] + 1) % 80)  # the one being pressed may be kept, too
    finally:
        again.stop()


def test_decisions_go_out_and_come_back_and_hold_when_the_run_is_made_again(planted, tmp_path):
    run, lexicon = planted_run(tmp_path / "run", size=120, given=100)
    with serving(run) as server:
        for place in range(3):
            decide(server, place, choice("otra"), reviewer="ben")
        decisions = server.ask("api/decisions")[1].decode()
        words = [server.json(f"api/entry?id={place}")["source"] for place in range(3)]
    lines = (run / "dictionary.tsv").read_text().splitlines()
    gone = [line for line in lines if line.split("\t")[0] != words[1]]
    (run / "dictionary.tsv").write_text("\n".join([gone[0], *reversed(gone[1:])]) + "\n")
    with serving(run) as server:
        for word in words:
            assert server.json(f"api/entry?word={word}")["candidates"][-1]["accepted"] == ["ben"]
        assert server.json("api/merge", decisions) == {"added": 0, "known": 3, "older": 0}
        status, content, _ = server.ask("api/merge", decisions + "one\ttwo\n")
        assert status == 422 and json.loads(content)["error"].startswith("line 5: expected source, target")
    with serving(planted[0]) as other:
        assert other.json("api/merge", decisions)["added"] == 3
        assert len(other.json("api/view?which=mine&reviewer=ben")["ids"]) == 3
