"""Every command there is, run on a real corpus as a person types it, in the order in which a corpus lives.

A command without a line here fails the test: it was never run on anything real.
"""

import json
from pathlib import Path

import pytest

from pipeline.__main__ import commands
from tests.demo_corpus import typed

ELSEWHERE = {
    "import": "lists of a dataset's authors: tests/pipeline/importers",
    **dict.fromkeys(("submit", "jobs", "logs", "cancel"), "a cluster: tests/pipeline/engine/test_job.py"),
    "check-cluster": "a cluster: tests/pipeline/engine/test_cluster_check.py",
}


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_command_on_a_real_corpus(demo: Path) -> None:  # long: one line a command
    ran: set[str] = set()

    def say(command: str, *rest: str, ends: int = 0) -> str:
        ran.add(command)
        return typed(demo, "pipeline", command, *rest, ends=ends)

    def facts(command: str, *rest: str) -> dict:
        return json.loads(say(command, *rest, "--json"))

    # look
    assert facts("status", "corpus")["sources"] == 3
    clips = say("sql", "corpus", "select clip_id from clips order by clip_id", "--csv").splitlines()[1:]
    first, last = clips[0].strip('"'), clips[-1].strip('"')
    assert len(clips) >= 7
    assert first in say("explain", "corpus", first)
    assert facts("explain", "corpus", "interview.mp4")
    assert "dnsmos_ovrl" in say("columns", "corpus", "--of", "wide")
    assert "slower" in say("reasons", "rate_limited")
    assert "Everything is as its receipt says" in say("check", "corpus", "--all")
    assert facts("du", "corpus")
    assert "complete" in say("completion", "bash")
    assert "HEADSET" in say("help", "environment")
    assert facts("weights", "talking_head")
    assert "clips in page/index.html" in say("explore", "corpus", "--html", "page")

    # make
    assert facts("plan", "talking_head", "videos", "--out", "corpus")
    say("run", "talking_head", "videos", "--out", "corpus", "--cpus", "2")
    say("retry", "corpus", "--reason", "no_face", "--cpus", "2")
    say("migrate", "corpus")
    assert "packed" in say("pack", "corpus")
    assert "Everything is as its receipt says" in say("check", "corpus", "--all")
    assert "unpacked" in say("pack", "corpus", "--unpack")
    say("gc", "corpus", "--dry-run")
    say("gc", "corpus", "--yes")
    assert "identical" in say(
        "rebuild", "corpus", "--sources", "videos", "--out", "again", "--clip", first, "--cpus", "2"
    )
    damaged = next(path for path in (demo / "corpus" / "scores").rglob("*.parquet") if path.stat().st_size > 2000)
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert damaged.parent.name in say("check", "corpus", ends=1)
    say("check", "corpus", "--repair")
    say("run", "talking_head", "videos", "--out", "corpus", "--cpus", "2")
    assert "Everything is as its receipt says" in say("check", "corpus")

    # choose
    say("sheet", "corpus", "--out", "clips.png")
    assert "0 sources" in say("duplicates", "corpus") or (demo / "corpus" / "duplicates").exists()
    assert facts("yield", "corpus", "--where", "dnsmos_ovrl > 1 and face_px >= 64")
    assert {"face_px", "yaw"} <= {one["grouping"]["name"] for one in facts("balance", "corpus")["by"]}
    say("select", "corpus", "--where", "dnsmos_ovrl > 1", "--name", "all")
    say("select", "corpus", "--where", f"clip_id <> '{last}'", "--name", "most")
    assert last in say("diff", "corpus/@all", "corpus/@most")
    said = [{"clip_id": clip, "verdict": "keep", "reason": "", "at": "2026-11-27T12:00:00Z"} for clip in (first, last)]
    (demo / "reviews.json").write_text(json.dumps({"format": "headset reviews 1", "reviews": said}))
    assert facts("import-reviews", "corpus", "reviews.json")["verdicts"] == {"keep": 2}
    say("select", "corpus", "--where", "review = 'keep'", "--name", "reviewed")
    say("trace", "corpus", "--otlp", "trace.json")
    say("catalog", "corpus", "--format", "croissant")
    say("split", "corpus", "--shares", "0.5,0.25,0.25")
    say("identities", "corpus")
    say("export", "corpus", "--layout", "wav2lip", "--out", "wav2lip")
    say("release", "corpus", "--selection", "all", "--out", "release", "--format", "webdataset")
    assert (demo / "release" / "README.md").is_file()

    # judge
    say("pairs", "corpus", "--protocol", "same_identity")
    assert "copy" in say("systems")
    say("systems", "check", "copy")
    say("generate", "corpus", "--system", "copy", "--protocol", "same_identity")
    pairs = say("sql", "corpus", "select pair_id from pairs order by pair_id", "--csv").splitlines()[1:]
    (demo / "made").mkdir()
    pair = pairs[0].strip('"')
    copied = say("sql", "corpus", f"select media from renders where pair_id = '{pair}'", "--csv").splitlines()[-1]
    (demo / "made" / "one.mp4").write_bytes((demo / "corpus" / copied.strip('"')).read_bytes())
    (demo / "pairs.jsonl").write_text(json.dumps({"pair_id": pair, "file": "one.mp4"}) + "\n")
    assert "1 renders of elsewhere" in say(
        "import-renders", "corpus", "--system", "elsewhere", "--pairs", "pairs.jsonl", "made"
    )
    say("score", "corpus", "--metrics", "psnr,ssim")
    assert "copy" in say("compare", "corpus", "--protocol", "same_identity", "--out", "board")

    # and gone
    source = last.split("/")[0]
    assert "would" in say("takedown", "corpus", "--source", source, "--dry-run")
    say("takedown", "corpus", "--source", source, "--yes")
    assert source not in say("sql", "corpus", "select source_id from clips", "--csv")
    assert source not in say("sql", "corpus", "select clip_id from reviews", "--csv")

    assert ran | ELSEWHERE.keys() == set(commands())
