import json

from jointalign.cli.app import run
from jointalign.pipeline.demo import System


def test_the_demo_shows_the_framework_s_point(tmp_path, capsys):
    assert run(["demo", "--out", str(tmp_path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    scores = {System(name): row["p_at_1"] for name, row in facts["systems"].items()}
    assert set(scores) == set(System)
    best = scores.pop(System.JOINT_ALIGN)
    assert best > max(scores.values()) + 5
    assert scores[System.ALIGN] > scores[System.JOINT] + 20
    without = scores[System.JOINT_WITHOUT_REALLOCATION]
    assert abs(without - scores[System.JOINT]) < 10
    for name in ("report.html", "dictionary.tsv", "aligned.safetensors"):
        assert (tmp_path / name).stat().st_size > 1000
