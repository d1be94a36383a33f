"""Tables of an older version, as one is in the world: written without the columns that came since."""

from dataclasses import MISSING
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import UsageError
from manifests.manifest import LISTED, Manifest
from manifests.migration import migrate
from manifests.schema import ADDED, VERSION, marked, migrated, version_of
from manifests.tables import Clip, Published, Score, Source, schema, tables

OLD = {"source_id": "s", "score_id": "c#x", "subject": "c", "metric": "x", "variant": "y", "value": 0.5}


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    """A corpus whose given scores a headset of version 1 wrote."""
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("s", "s.mp4")], given=[Score(**OLD)])
    columns = pa.schema([field for field in schema(Score) if field.name in OLD])
    pq.write_table(pa.Table.from_pylist([OLD], columns), score_file(manifest))
    return manifest


def score_file(manifest: Manifest) -> Path:
    return Path(manifest.root, "scores", LISTED, "00000.parquet")


def test_an_old_table_is_read_as_if_it_had_what_came_since(corpus: Manifest) -> None:
    assert version_of(pq.read_schema(score_file(corpus))) == 1
    assert corpus.read(Score, [LISTED], 0) == [Score(**OLD, model_sha256="", protocol="")]
    assert corpus.table(Score).schema == schema(Score)


def test_a_table_of_this_version_is_read_with_the_columns_it_lacks() -> None:
    row = vars(Clip("s", "s/0/t0", "", "", "", 0.0, 1.0, 0, 0, 1, 1))
    lacking = marked(pa.Table.from_pylist([row], schema(Clip)).drop_columns(["sound_late_s", "published_id"]))
    assert migrated(lacking, Clip) == pa.Table.from_pylist([row], schema(Clip))
    looks = schema(Published).get_field_index("looks_s")
    assert migrated(marked(schema(Published).empty_table().remove_column(looks)), Published).schema == schema(Published)


def test_up_and_down_again(corpus: Manifest) -> None:
    assert migrate(corpus, VERSION) == 1  # the sources are new already
    assert pq.read_table(score_file(corpus)).column_names == schema(Score).names
    before = score_file(corpus).read_bytes()
    assert migrate(corpus, 1) == 3  # the sources and the drops as well
    assert pq.read_table(score_file(corpus)).to_pylist() == [OLD]
    assert corpus.read(Source, [LISTED], 0) == [Source("s", "s.mp4")]
    migrate(corpus, VERSION)
    assert score_file(corpus).read_bytes() == before


def test_nothing_is_lost_on_the_way_down(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("s", "s.mp4")], given=[Score(**OLD, protocol="25 fps")])
    with pytest.raises(UsageError, match="scores.protocol: 1 rows say something that version 1 has no column for"):
        migrate(manifest, 1)
    assert version_of(pq.read_schema(Path(manifest.root, "sources", LISTED, "00000.parquet"))) == VERSION


def test_a_newer_table_is_refused() -> None:
    with pytest.raises(UsageError, match="written by a newer headset"):
        migrated(marked(schema(Clip).empty_table(), VERSION + 1), Clip)


def test_every_column_that_came_has_a_default() -> None:
    for version, added in ADDED.items():
        assert 1 < version <= VERSION
        for table, names in added.items():
            for name in names:
                assert tables()[table].__dataclass_fields__[name].default is not MISSING
