"""A corpus with the names of before the field's words, laid down by hand as headset wrote it then."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.checking import faults
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.migration import migrate
from manifests.schema import VERSION, marked
from manifests.tables import ActiveSpeaker, Dropped, Source, schema

STEP, REST = "MatchSpeakers-0123456789ab", "0123456789ab"
SPEAKING = {"source_id": "s", "speaking_id": "s/000000-004000/t0/lr_asd", "shot_id": "s/000000-004000",
            "track_id": "s/000000-004000/t0", "model": "lr_asd", "start_s": 0.0, "step_s": 0.04,
            "score": [1.0, -1.0]}  # fmt: skip
DROPS = [
    {"drop_id": f"s/{n}@MatchSpeakers", "subject": f"s/{n}", "subject_table": table, "reason": reason, "detail": "d",
     "source_id": "s", "operator": "MatchSpeakers", "failed": False, "retryable": False}
    for n, (table, reason) in enumerate([("shots", "face_not_seen"), ("meshes", "face_missing"), ("shots", "no_face")])
]  # fmt: skip
RECORD = {"operator": "MatchSpeakers", "version": STEP, "stage": 0, "reads": "shots", "writes": ["speaking"],
          "refines": [],
          "inputs": {"meshes": ["MeshFaces-ba9876543210"]}, "parameters": {"of": "meshes"}, "weights": [],
          "stand_in": ""}  # fmt: skip
RECEIPT = {"operator": "MatchSpeakers", "calls": {"read": 4, "answered": 2, "dropped": 2, "failed": 0},
           "rows": {"speaking": 1}, "drops": 3, "given_up": {"meshes": 1}, "reads": "shots", "inputs": {},
           "reasons": {"face_not_seen": 1, "face_missing": 1, "no_face": 1}, "files": {}, "seconds": 1.0}  # fmt: skip


def lay(path: Path, rows: list[dict[str, object]], types: pa.Schema) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(marked(pa.Table.from_pylist(rows, types), 3), path, compression="zstd")


@pytest.fixture
def old(tmp_path: Path) -> Manifest:
    root = tmp_path / "corpus"
    Manifest(str(root)).add([Source("s", "s.mp4")])
    types = schema(ActiveSpeaker)
    names = ["speaking_id" if name == "active_speaker_id" else name for name in types.names]
    lay(root / f"speaking/{STEP}/00000.parquet", [SPEAKING], pa.schema(zip(names, types.types, strict=True)))
    lay(root / f"drops/{STEP}/00000.parquet", DROPS, schema(Dropped))
    for name, what in ((f"receipts/{STEP}/00000.json", RECEIPT), ("recipes/r.json", {"recipe": "r", "steps": [RECORD]}),
                       ("recipes/last.json", {"recipe": "r"})):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(json.dumps(what))
    return Manifest(str(root))


def test_it_is_refused_with_what_to_do(old: Manifest) -> None:
    with pytest.raises(UsageError, match=r"MatchSpeakers, speaking.*headset migrate"):
        old.files(ActiveSpeaker)


def test_it_has_the_same_rows_by_the_names_of_now(old: Manifest) -> None:
    assert migrate(old, VERSION) > 0
    now = Manifest(old.root)
    expected = {("active_speaker_id" if name == "speaking_id" else name): value for name, value in SPEAKING.items()}
    assert now.table(ActiveSpeaker).to_pylist() == [expected]
    drops = now.table(Dropped).to_pylist()
    assert [row["drop_id"] for row in drops] == [f"s/{n}@DetectActiveSpeaker" for n in range(3)]
    assert {(row["operator"], row["reason"]) for row in drops} == {("DetectActiveSpeaker", "no_face")}
    assert [row["subject_table"] for row in drops] == ["shots", "face_landmarks", "shots"]
    receipt = now.receipt(f"DetectActiveSpeaker-{REST}", 0)
    assert receipt is not None
    receipt.check("here", found={"active_speaker": 1, "drops": 3})
    assert receipt.reasons == {"no_face": 3}
    assert receipt.given_up == {"face_landmarks": 1}
    (step,) = now.run.steps if now.run else []
    assert (step.operator, step.writes, step.version) == (
        "DetectActiveSpeaker",
        ["active_speaker"],
        f"DetectActiveSpeaker-{REST}",
    )
    assert step.inputs == {"face_landmarks": ["LandmarkFaces-ba9876543210"]}
    assert step.parameters == {"of": "meshes"}, "what a field of an operator says is its own"
    assert list(faults(now, deep=True)) == []
    left = {path.relative_to(old.root).parts[0] for path in Path(old.root).rglob("*.*") if "MatchSpeakers" in str(path)}
    assert left == set()
    assert not list(Path(old.root, "speaking").rglob("*.parquet"))


def test_back_and_forth_gives_equal_files(old: Manifest) -> None:
    migrate(old, VERSION)

    def files() -> dict[str, bytes]:
        return {
            str(path.relative_to(old.root)): path.read_bytes() for path in Path(old.root).rglob("*") if path.is_file()
        }

    before = files()
    migrate(Manifest(old.root), 3)
    there = pq.read_table(Path(old.root, f"speaking/{STEP}/00000.parquet"))
    assert there.to_pylist() == [SPEAKING]
    with pytest.raises(UsageError, match="headset migrate"):
        Manifest(old.root).files(ActiveSpeaker)
    migrate(Manifest(old.root), VERSION)
    assert files() == before
