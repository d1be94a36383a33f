"""Reviews: read from a page's file, kept as a table, chosen by."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Review
from pipeline.__main__ import main
from pipeline.corpus_steps.reviews import FORMAT, Said, import_reviews, read_reviews
from pipeline.query.selection import select
from tests.pipeline.made_corpus import clip, corpus_of, score, source

NOON, ONE = "2026-11-27T12:00:00Z", "2026-11-27T13:00:00Z"


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    rows = []
    for number in range(3):
        rows += [source(f"s{number}"), one := clip(f"s{number}"), score(one, "face_width_px", 100.0 + number)]
    return corpus_of(tmp_path / "corpus", rows)


def of(number: int) -> str:
    return clip(f"s{number}").clip_id


def file(path: Path, reviews: list[Any], **more: Any) -> Path:
    path.write_text(json.dumps({"format": FORMAT, "reviewer": "ada", "reviews": reviews, **more}))
    return path


def test_what_was_said_becomes_a_table_that_select_chooses_by(corpus: Manifest) -> None:
    said = [Said(of(0), "keep", "", NOON), Said(of(1), "reject", 'it\'s "off"; drop table clips', NOON)]
    found = import_reviews(corpus, [*said, Said("elsewhere/0-1/t0", "keep", "", NOON)], "ada")
    assert (found.verdicts, found.unknown, found.table) == ({"keep": 1, "reject": 1}, 1, {"keep": 1, "reject": 1})
    rows = Manifest(corpus.root).table(Review).to_pylist()
    assert [(row["clip_id"], row["reviewer"], row["verdict"], row["reason"]) for row in rows] == [
        (of(0), "ada", "keep", ""),
        (of(1), "ada", "reject", 'it\'s "off"; drop table clips'),
    ]
    chosen, _ = select(Manifest(corpus.root), "review = 'keep' and face_px >= 100", "good")
    assert chosen.clips == 1
    left, _ = select(Manifest(corpus.root), "review is null", "left")
    assert left.clips == 1


def test_the_later_word_counts_in_whatever_order_files_come(corpus: Manifest) -> None:
    early, late = [Said(of(0), "keep", "", NOON)], [Said(of(0), "reject", "blurred", ONE)]
    import_reviews(corpus, late, "ada")
    assert import_reviews(Manifest(corpus.root), early, "ada").as_before == 1
    assert Manifest(corpus.root).table(Review)["verdict"].to_pylist() == ["reject"]


def test_a_word_taken_back_leaves_no_row_and_the_same_file_writes_nothing(corpus: Manifest) -> None:
    said = [Said(of(0), "flag", "who is it", NOON), Said(of(1), "keep", "", NOON)]
    import_reviews(corpus, said, "ada")
    step = Manifest(corpus.root).whole(Review)
    assert import_reviews(Manifest(corpus.root), said, "ada").as_before == 2
    assert Manifest(corpus.root).whole(Review) == step
    assert import_reviews(Manifest(corpus.root), [Said(of(0), "", "", ONE)], "ada").taken_back == 1
    assert Manifest(corpus.root).table(Review)["clip_id"].to_pylist() == [of(1)]


def test_reviewers_who_do_not_agree_are_disputed(corpus: Manifest) -> None:
    import_reviews(corpus, [Said(of(0), "keep", "", NOON), Said(of(1), "keep", "fine", NOON)], "ada")
    import_reviews(
        Manifest(corpus.root), [Said(of(0), "reject", "dubbed", NOON), Said(of(1), "keep", "fine", NOON)], "bob"
    )
    for where, clips in (("review = 'keep'", 1), ("review = 'disputed'", 1), ("review_reason = 'dubbed'", 1)):
        assert select(Manifest(corpus.root), where, "x")[0].clips == clips, where


@pytest.mark.parametrize(
    ("reviews", "more", "why"),
    [
        ([], {"format": "headset reviews 9"}, "holds no reviews"),
        ({}, {}, "holds no reviews"),
        ([{"clip_id": "a", "verdict": "love", "at": NOON}], {}, "none of keep, reject, flag"),
        ([{"clip_id": "a", "verdict": "keep", "at": "yesterday"}], {}, "is no time"),
        ([{"clip_id": 7, "verdict": "keep", "at": NOON}], {}, "clip_id is no text"),
        ([{"clip_id": "a", "verdict": "keep", "at": NOON, "reason": "x" * 501}], {}, "reason is no text of up to 500"),
        ([{"clip_id": "a", "verdict": "keep", "at": NOON}] * 2, {}, "two things of 'a'"),
        ([["keep"]], {}, "review 1 is no object"),
        ([], {"reviewer": "x" * 65}, "reviewer is no text"),
    ],
)
def test_a_file_that_is_none_of_reviews_is_refused(
    tmp_path: Path, reviews: Any, more: dict[str, Any], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        read_reviews(file(tmp_path / "reviews.json", reviews, **more))


def test_the_command_says_what_came_of_it(corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path / "reviews.json", [{"clip_id": of(0), "verdict": "keep", "reason": "", "at": NOON}])
    assert main(["import-reviews", corpus.root, str(path), "--reviewer", "bob"]) == 0
    told = capsys.readouterr().out
    assert "keep 1; 0 taken back" in told
    assert "review = 'keep'" in told
    assert Manifest(corpus.root).table(Review)["reviewer"].to_pylist() == ["bob"]
    (tmp_path / "not.json").write_text("[")
    assert main(["import-reviews", corpus.root, str(tmp_path / "not.json")]) == 2


def test_reviews_that_were_lost_are_those_of_the_file_again(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = [{"clip_id": of(n), "verdict": "keep", "reason": "", "at": NOON} for n in range(3)]
    path = file(tmp_path / "reviews.json", reviews)
    assert main(["import-reviews", corpus.root, str(path)]) == 0
    step = Manifest(corpus.root).whole(Review)
    Path(corpus.root, "reviews", str(step), "00001.parquet").unlink()
    main(["check", corpus.root, "--repair"])
    assert f"headset import-reviews {corpus.root} reviews.json" in capsys.readouterr().out
    assert main(["import-reviews", corpus.root, str(path)]) == 0
    assert Manifest(corpus.root).table(Review)["clip_id"].to_pylist() == [of(n) for n in range(3)]
