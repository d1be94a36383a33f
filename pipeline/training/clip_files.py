"""Where the clips of a training set lie: in a corpus, or in a release of one. Plain data, so that it travels to
workers.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from manifests.boxes import box_at
from manifests.cache import media_cache
from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.schema import migrated
from manifests.tables import FaceLandmarks, Row, Source, Track, Word, schema
from operators.models.face_geometry import POINTS, landmarks_of
from pipeline.release.formats import VIDEO
from pipeline.release.place import Place

OF_CLIP = (
    "clip_id",
    "source_id",
    "track_id",
    "start_s",
    "end_s",
    "left_px",
    "top_px",
    "right_px",
    "bottom_px",
    "fps",
    "frames",
    "width",
    "height",
)
CACHED_TABLES = 16  # of a shard each, that a worker keeps


class ClipFiles(Protocol):
    """The clips of a training set, by number."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Columns of the clip view."""
        ...

    @property
    def holds(self) -> frozenset[str]:
        """What is known of them beside video and sound."""
        ...

    def opened(self, number: int) -> Any:
        """The file, as a path or as a stream of bytes."""
        ...

    def found(self, number: int, times_s: NDArray[np.float64], wants: Iterable[str]) -> dict[str, Any]:
        """What is known of it at some times of its source, of what these files hold."""
        ...


@dataclass(frozen=True)
class CorpusFiles:
    """Rendered clips of a corpus, in a folder or a bucket."""

    root: str
    rows: Sequence[Mapping[str, Any]]
    shards: Mapping[str, int] = field(repr=False)  # by source
    holds: frozenset[str] = frozenset(("boxes", "landmarks", "words"))

    @classmethod
    def of(cls, root: str, rows: pa.Table) -> "CorpusFiles":
        """
        Args:
            rows: of the clip view; clips that are not rendered are left out.
        """
        manifest = Manifest(root)
        shards = {source: shard for shard in manifest.shards() for source in manifest.listed(Source, [shard])}
        return cls(root, [row for row in rows.to_pylist() if row["media"]], shards)

    def opened(self, number: int) -> Path:
        row = self.rows[number]
        return MediaStore(self.root).fetch(row["media"], row["media_sha256"], media_cache())

    def found(self, number: int, times_s: NDArray[np.float64], wants: Iterable[str]) -> dict[str, Any]:
        row, made = self.rows[number], dict[str, Any]()
        if "boxes" in wants:
            tracks = self._rows(Track, row, "track_id", row["track_id"])
            boxes = [box_at(tracks[0], at_s) if tracks else None for at_s in times_s.tolist()]
            corners = np.array([box[:4] if box else [np.nan] * 4 for box in boxes]).reshape(-1, 2, 2)
            made["boxes"] = _in_render(corners, row).reshape(-1, 4).astype(np.float32)
        if "landmarks" in wants:
            made["landmarks"] = _landmarks(self._rows(FaceLandmarks, row, "clip_id", row["clip_id"]), row, times_s)
        if "words" in wants:
            said = [
                word
                for word in self._rows(Word, row, "source_id", row["source_id"])
                if row["start_s"] - 1e-3 <= word.start_s and word.end_s <= row["end_s"] + 1e-3
            ]
            once = {
                word.start_s: (word.text, word.start_s - row["start_s"], word.end_s - row["start_s"]) for word in said
            }
            made["words"] = [once[at_s] for at_s in sorted(once)]
        return made

    def _rows(self, table: type[Any], row: Mapping[str, Any], column: str, wanted: str) -> list[Any]:
        import pyarrow.dataset as dataset

        found = _shard_of(self.root, table, self.shards[row["source_id"]])
        return [table(**one) for one in found.filter(dataset.field(column) == wanted).to_pylist()]


@lru_cache(CACHED_TABLES)
def _shard_of(root: str, table: type[Row], shard: int) -> pa.Table:
    manifest = Manifest(root)
    parts = [migrated(manifest.arrow(name), table).cast(schema(table)) for name in manifest.files(table, [shard])]
    return pa.concat_tables(parts) if parts else schema(table).empty_table()


def _in_render(points: NDArray[np.float64], row: Mapping[str, Any]) -> NDArray[np.float64]:
    """(..., 2 or 3) pixels of the source in those of the render; a third number is as deep as x is wide."""
    scale = np.array(
        [row["width"] / (row["right_px"] - row["left_px"]), row["height"] / (row["bottom_px"] - row["top_px"])]
    )
    made = points.copy()
    made[..., :2] = (points[..., :2] - (row["left_px"], row["top_px"])) * scale
    made[..., 2:] *= scale[0]
    return made


def _landmarks(
    face_landmarks: Sequence[FaceLandmarks], row: Mapping[str, Any], times_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(times, 478, 3) pixels of the render, interpolated between looks; NaN where either of these has no face."""
    if not face_landmarks:
        return np.full((len(times_s), POINTS, 3), np.nan, np.float32)
    mesh = face_landmarks[0]
    points, at = _in_render(landmarks_of(mesh), row), np.asarray(mesh.times_s)
    after = np.clip(np.searchsorted(at, times_s), 1 if len(at) > 1 else 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    share = np.clip((times_s - at[before]) / np.maximum(at[after] - at[before], 1e-9), 0, 1)[:, None, None]
    between = (
        points[before] * (1 - share) + points[after] * share
    )  # NaN where one of the two is, also at the look itself
    return np.where(share == 0, points[before], np.where(share == 1, points[after], between)).astype(np.float32)


@dataclass(frozen=True)
class ReleaseFiles:
    """The clips of a release on this machine, of any of its formats."""

    to: str
    rows: Sequence[Mapping[str, Any]]
    places: Sequence[tuple[str, int, int]] = field(
        repr=False
    )  # file, offset and bytes; of Parquet: file, row group and row in it
    holds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, to: str) -> "ReleaseFiles":
        """
        Raises:
            NotFound: where no finished release lies there.
            UsageError: where it lies in a bucket.
        """
        place = Place(to)
        facts = place.files.load("release.json")
        if not facts or not facts.get("finished"):
            raise NotFound(f"{to} holds neither a corpus nor a finished release")
        if not place.files.is_local:
            raise UsageError(f"{to}: a training loop reads a release on this machine; copy it here")
        rows, places = list[Mapping[str, Any]](), list[tuple[str, int, int]]()
        for shard in place.shards():
            for row, at in _READ[facts["format"]](place.path(shard.name)):
                rows.append(row)
                places.append(at)
        return cls(to, rows, places)

    def opened(self, number: int) -> Path | io.BytesIO:
        file, first, second = self.places[number]
        if file.endswith(".parquet"):
            return io.BytesIO(_group(file, first)[second].as_py())
        if second < 0:
            return Path(file)
        with open(file, "rb") as stream:
            stream.seek(first)
            return io.BytesIO(stream.read(second))

    def found(self, number: int, times_s: NDArray[np.float64], wants: Iterable[str]) -> dict[str, Any]:
        return {}


def _of_tar(path: Path) -> Iterator[tuple[Mapping[str, Any], tuple[str, int, int]]]:
    with tarfile.open(path) as tar:
        row: Mapping[str, Any] = {}
        for member in tar:
            if member.name.endswith(".json"):
                content = tar.extractfile(member)
                assert content is not None, f"{member.name} is a file"
                row = json.loads(content.read())
            else:
                yield row, (str(path), member.offset_data, member.size)


def _of_folder(path: Path) -> Iterator[tuple[Mapping[str, Any], tuple[str, int, int]]]:
    for file in sorted(path.glob("*.json")):
        yield json.loads(file.read_text()), (str(file.with_suffix(".mp4")), 0, -1)


def _of_parquet(path: Path) -> Iterator[tuple[Mapping[str, Any], tuple[str, int, int]]]:
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name != VIDEO]
        for group in range(file.num_row_groups):
            for number, row in enumerate(file.read_row_group(group, columns=columns).to_pylist()):
                yield row, (str(path), group, number)


_READ = {"webdataset": _of_tar, "folder": _of_folder, "parquet": _of_parquet}


@lru_cache(2)
def _group(path: str, group: int) -> pa.ChunkedArray:
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[VIDEO])[VIDEO]


@contextmanager
def as_path(opened: Path | io.BytesIO) -> Iterator[Path]:
    """The file under a path, for readers that take nothing else."""
    if isinstance(opened, Path):
        yield opened
        return
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(opened.getbuffer())
        file.flush()
        yield Path(file.name)


CLIP_COLUMNS = (*OF_CLIP, "media", "media_sha256")
