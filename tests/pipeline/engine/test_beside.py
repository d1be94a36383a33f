"""Steps beside a recipe, over a corpus that is there: resumed, done anew where what they depend on changed, and
accounted for as those of a recipe.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, Dropped, Pair, Score
from operators.base import Drop, Lookup, Operator
from pipeline.corpus_steps.common import all_rows
from pipeline.engine.beside import run_beside, step_beside
from pipeline.recipe import Recipe, Stage
from tests.pipeline.scored_corpus import STEP, clips_of, made_corpus

PLACE = "MeasurePartner@test"


class Killed(BaseException):
    """As a kill: nobody catches it."""


@dataclass(frozen=True)
class MeasurePartner(Operator):
    """The length of the source clip of a pair, which lies in another shard than the pair. It notes what it made."""

    times: float = 1.0
    log: str = ""

    def parameters(self) -> dict[str, float]:
        return {"times": self.times}

    def made_of(self, pair: Pair, clips: Lookup[Clip]) -> list[str]:
        clip = clips.get(pair.source_clip_id)
        return [pair.pair_id, str(clip.end_s - clip.start_s) if clip else "none"]

    def __call__(self, pair: Pair, clips: Lookup[Clip]) -> Iterator[Score]:
        with Path(self.log).open("a") as stream:
            stream.write(f"{pair.pair_id}\n")
        if pair.pair_id == os.environ.get("TOY_KILLS"):
            raise Killed
        if (clip := clips.get(pair.source_clip_id)) is None:
            raise Drop("no_clip")
        length_s = (clip.end_s - clip.start_s) * self.times
        yield Score(pair.source_id, f"{pair.pair_id}#length", pair.pair_id, "length", "length", length_s)


@dataclass
class Corpus:
    """Four clips in shards of their own, each beside two pairs whose source clip is the next one's."""

    root: Path

    def __post_init__(self) -> None:
        self.log = self.root / "calls"
        manifest = made_corpus(self.root / "corpus", clips=4)
        clips = clips_of(manifest)
        pairs = [
            Pair(clip.source_id, f"{name}/{other.clip_id}/{clip.clip_id}", name, other.clip_id, clip.clip_id)
            for clip, other in zip(clips, [*clips[1:], replace(clips[0], clip_id="gone")], strict=True)
            for name in ("one", "two")
        ]
        manifest.write_whole(Pair, "Pairs-000000000000", pairs)

    @property
    def manifest(self) -> Manifest:
        return Manifest(str(self.root / "corpus"))

    def run(self, times: float = 1.0, protocol: str = "", workers: int = 1) -> list[str]:
        """The pairs that were asked for."""
        self.log.write_text("")
        manifest, where = self.manifest, {"protocol": protocol} if protocol else {}
        step = step_beside(manifest, MeasurePartner(times, str(self.log)), PLACE, where=where)
        run_beside(manifest, {PLACE: step}, workers=workers)
        return self.log.read_text().split()

    @property
    def values(self) -> dict[str, float]:
        return {row.subject: row.value for row in all_rows(self.manifest, Score)}

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.root / "corpus" / "scores").rglob("*.parquet")}


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def test_rows_of_other_shards_are_looked_up_and_every_row_is_accounted_for(corpus: Corpus) -> None:
    assert len(corpus.run()) == 8
    assert list(corpus.values.values()) == [0.48] * 6
    drops = [row for row in all_rows(corpus.manifest, Dropped) if row.operator == "MeasurePartner"]
    assert [(row.source_id, row.reason, row.failed) for row in drops] == [("s3", "no_clip", False)] * 2
    version = corpus.manifest.attached[PLACE].version
    calls = [corpus.manifest.receipt(version, shard).calls for shard in range(4)]  # pyright: ignore[reportOptionalMemberAccess]
    assert [(one["read"], one["answered"], one["dropped"]) for one in calls] == [(2, 2, 0)] * 3 + [(2, 0, 2)]
    assert corpus.run() == []


def test_a_killed_run_goes_on_where_it_was(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = sorted(row.pair_id for row in all_rows(corpus.manifest, Pair) if row.source_id == "s1")
    with monkeypatch.context() as patched:
        patched.setenv("TOY_KILLS", pairs[1])
        with pytest.raises(Killed):
            corpus.run()
    before = corpus.log.read_text().split()
    assert before[-2:] == pairs  # the first of them is noted, its shard is not committed
    assert {name.partition("/")[2].partition("/")[0] for name in corpus.values} == {"s1"}  # of the shard before
    assert set(corpus.run()) == {row.pair_id for row in all_rows(corpus.manifest, Pair)} - set(before[:-1])
    undisturbed = Corpus(corpus.root / "undisturbed")
    undisturbed.run()
    assert corpus.files == undisturbed.files


def test_another_system_is_another_step_in_the_same_place(corpus: Corpus) -> None:
    corpus.run()
    assert len(corpus.run(times=2.0)) == 8
    assert list(corpus.values.values()) == [0.96] * 6
    assert corpus.run() == []  # as before: from notes
    assert list(corpus.values.values()) == [0.48] * 6


def test_what_is_lost_and_what_was_made_of_something_else_is_made_again(corpus: Corpus) -> None:
    corpus.run()
    notes = sorted((corpus.root / "corpus" / "generation").rglob("*.json"))
    notes[0].unlink()
    lost = corpus.run()
    assert len(lost) == 1
    (clip,) = corpus.manifest.read(Clip, [STEP.version], 2)
    corpus.manifest.write(Clip, STEP.version, 2, [replace(clip, end_s=1.0)])
    again = corpus.run()
    assert {name.split("/")[1] for name in again} == {"s2"}
    assert sorted(corpus.values.values()) == [0.48] * 4 + [1.0] * 2


def test_a_step_of_some_rows_reads_no_others(corpus: Corpus) -> None:
    assert {name.partition("/")[0] for name in corpus.run(protocol="two")} == {"two"}
    version = corpus.manifest.attached[PLACE].version
    receipts = corpus.manifest.receipts(version).values()
    assert [one.calls["read"] for one in receipts] == [1] * 4
    assert len(corpus.run()) == 4  # the others


def test_rows_count_while_what_was_read_does(corpus: Corpus) -> None:
    """Pairs that are chosen anew leave what was made of those before; another run's clips do not."""

    @dataclass(frozen=True)
    class MeasureClip(Operator):
        def __call__(self, clip: Clip) -> Iterator[Score]:
            yield Score(clip.source_id, f"{clip.clip_id}#length", clip.clip_id, "length", "length", clip.end_s)

    corpus.run()
    manifest = corpus.manifest
    run_beside(manifest, {"clips": step_beside(manifest, MeasureClip(), "clips")})
    assert len(corpus.values) == 6 + 4
    corpus.manifest.write_whole(Pair, "Pairs-111111111111", [])
    assert len(corpus.values) == 6 + 4
    run = corpus.manifest.run
    assert run
    corpus.manifest.remember(replace(run, steps=[replace(STEP, version="MakeClips-111111111111")]))
    assert len(corpus.values) == 6


def test_a_recipe_has_no_lookups() -> None:
    recipe = Recipe("made", "", (Stage(MeasurePartner()),), given=(Pair,))
    with pytest.raises(UsageError, match="beside a recipe"):
        recipe.plan()


@pytest.mark.slow
def test_workers_give_the_same_bytes(corpus: Corpus, ray_here: None) -> None:
    corpus.run(workers=2)
    other = Corpus(corpus.root / "other")
    other.run()
    assert corpus.files == other.files
    assert len(corpus.files) == 4
