"""Renders of pairs: each is made once, whoever was killed, and every pair is accounted for."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import sha256_of
from manifests.tables import Dropped, Pair, Render
from operators.generate.generate_video import GenerateVideo
from operators.generate.supervisor import Limits
from pipeline.__main__ import main
from pipeline.corpus_steps.common import all_rows
from pipeline.corpus_steps.generation import generate
from pipeline.corpus_steps.pairs import make_pairs
from tests.operators.generate.adapters import write_adapter
from tests.pipeline.scored_corpus import clips_of, look, made_corpus, rendered

ROOT = Path(__file__).parents[3]
LIMITS = Limits(load_s=60, base_s=30, per_driving_s=1, silence_s=10)
DRIVER = """
import sys
from manifests.manifest import Manifest
from operators.generate.generate_video import GenerateVideo
from pipeline.corpus_steps.generation import generate
generate(Manifest(sys.argv[1]), GenerateVideo("slow"))
"""


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HEADSET_SYSTEMS", str(tmp_path / "systems"))
    manifest = made_corpus(tmp_path / "corpus", clips=4)
    make_pairs(manifest, protocols=["same_identity", "cross_identity"])
    return Manifest(manifest.root)


def made_by(manifest: Manifest, name: str) -> list[Render]:
    return [row for row in all_rows(Manifest(manifest.root), Render) if row.made_by == name]


def drops(manifest: Manifest) -> list[Dropped]:
    return [row for row in all_rows(Manifest(manifest.root), Dropped) if row.operator == "GenerateVideo"]


def test_every_pair_has_a_render_and_none_is_made_twice(corpus: Manifest, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    write_adapter(
        tmp_path / "systems",
        "good",
        f"open({str(calls)!r}, 'a').write(request['pair_id'] + '\\n')\nreturn video(request)",
    )
    tally = generate(corpus, GenerateVideo("good", limits=LIMITS), protocol="cross_identity")
    assert (tally.made, tally.before, len(made_by(corpus, "good"))) == (4, 0, 4)
    tally = generate(Manifest(corpus.root), GenerateVideo("good", limits=LIMITS))
    assert (tally.made, tally.before) == (4, 4)
    pairs = {pair.pair_id for pair in all_rows(corpus, Pair)}
    rows = made_by(corpus, "good")
    assert {row.pair_id for row in rows} == pairs
    assert Counter(calls.read_text().split()) == Counter(pairs)
    assert all((row.width, row.frames, row.fps) == (64, 12, 25.0) for row in rows)
    assert all(sha256_of(Path(corpus.root, row.media)) == row.sha256 for row in rows)
    make_pairs(corpus, protocols=["cross_identity"])  # chosen anew: they have their renders
    tally = generate(Manifest(corpus.root), GenerateVideo("good", limits=LIMITS), protocol="cross_identity")
    assert (tally.made, tally.before) == (0, 4)


def test_a_pair_that_is_given_up_is_a_drop_and_another_try_is_its_own_command(corpus: Manifest, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    write_adapter(
        tmp_path / "systems",
        "moody",
        f"if request['pair_id'].count('s1') and not os.path.exists({str(fixed)!r}): os._exit(1)\nreturn video(request)",
    )
    operator = GenerateVideo("moody", limits=LIMITS)
    tally = generate(corpus, operator, protocol="same_identity")
    assert (tally.made, dict(tally.reasons)) == (3, {"died": 1})
    assert [(row.reason, row.retryable) for row in drops(corpus)] == [("died", True)]
    fixed.touch()
    assert generate(Manifest(corpus.root), GenerateVideo("moody", limits=LIMITS), protocol="same_identity").made == 0
    assert (
        generate(
            Manifest(corpus.root), GenerateVideo("moody", limits=LIMITS), protocol="same_identity", retry=True
        ).made
        == 1
    )
    assert not drops(corpus)
    assert len(made_by(corpus, "moody")) == 4


@pytest.mark.parametrize("after", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_driver_that_is_killed_loses_nothing_and_leaves_nothing(corpus: Manifest, tmp_path: Path, after: int) -> None:
    """Killed while the next pair is in work: its child ends too, the run goes on, and the corpus is that of an
    undisturbed run.
    """
    calls = tmp_path / "calls"
    write_adapter(
        tmp_path / "systems",
        "slow",
        f"open({str(calls)!r}, 'a').write(request['pair_id'] + ' ' + str(os.getpid()) + '\\n')\ntime.sleep(0.3)\nreturn"
        " video(request)",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, corpus.root], env=environment, cwd=ROOT)
    while driver.poll() is None and (not calls.exists() or len(calls.read_text().splitlines()) <= after):
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    child = int(calls.read_text().splitlines()[-1].split()[1])
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
    assert {2} >= set(Counter(row.source_id for row in made_by(corpus, "slow")).values())  # a shard is committed whole
    tally = generate(Manifest(corpus.root), GenerateVideo("slow", limits=LIMITS))
    assert tally.made + tally.before == 8
    assert tally.before >= after
    rows = {row.pair_id: row.sha256 for row in made_by(corpus, "slow")}
    assert len(rows) == 8
    said = [line.split()[0] for line in calls.read_text().splitlines()]
    assert len(said) <= 9  # the pair in work is done again, no other
    other = made_corpus(tmp_path / "undisturbed", clips=4)
    make_pairs(other, protocols=["same_identity", "cross_identity"])
    generate(Manifest(other.root), GenerateVideo("slow", limits=LIMITS))
    assert {row.pair_id: row.sha256 for row in made_by(other, "slow")} == rows


def test_what_is_missing_stops_it_before_any_pair(corpus: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", corpus.root, "--system", "lia"]) == 2
    assert "headset systems fetch lia" in " ".join(capsys.readouterr().err.split())
    assert main(["generate", corpus.root, "--system", "copy", "--protocol", "text_driven"]) == 2
    with pytest.raises(UsageError, match="never released"):
        generate(corpus, GenerateVideo("memface"))


def test_videos_made_elsewhere_are_judged_and_taken(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """30 fps become the driving's 25; a file that is missing, too short, or no video, costs its pair alone."""
    folder = tmp_path / "veo"
    folder.mkdir()
    pairs = [pair for pair in all_rows(corpus, Pair) if pair.protocol == "same_identity"]
    clip = clips_of(corpus)[0]
    good = rendered(corpus, clip, "elsewhere", look(9), fps=30, frames=15)
    Path(corpus.root, good.media).rename(folder / "good.mp4")
    short = rendered(corpus, clip, "elsewhere", look(9), frames=4)
    Path(corpus.root, short.media).rename(folder / (pairs[1].pair_id.replace("/", "__") + ".mp4"))
    (folder / "page.mp4").write_text("<html>")
    lines = [f'{{"pair_id": "{pairs[0].pair_id}", "file": "good.mp4"}}', f'{{"pair_id": "{pairs[1].pair_id}"}}',
             f'{{"pair_id": "{pairs[2].pair_id}", "file": "page.mp4"}}',
             f'{{"pair_id": "{pairs[3].pair_id}"}}']  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    command = ["import-renders", corpus.root, "--system", "veo", "--pairs", str(tmp_path / "pairs.jsonl"), str(folder)]
    assert main(command) == 0
    (render,) = made_by(corpus, "veo")
    assert (render.pair_id, render.fps, render.frames, render.width) == (pairs[0].pair_id, 25.0, 12, 128)
    reasons = Counter(row.reason for row in all_rows(Manifest(corpus.root), Dropped) if row.operator == "ImportRenders")
    assert reasons == {"short": 1, "bad_video": 1, "missing_render": 1}
    capsys.readouterr()
    (tmp_path / "pairs.jsonl").write_text('{"pair_id": "x", "file": "../../secret.mp4"}')
    assert main(command) == 2
    assert "outside" in capsys.readouterr().err
    (tmp_path / "pairs.jsonl").write_text('{"pair_id": "x"}')
    assert main(command) == 2
    assert "not among those of" in " ".join(capsys.readouterr().err.split())
