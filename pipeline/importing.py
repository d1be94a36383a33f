"""What the importers of published lists share: rows made in one way, each source once and no id twice.

An importer is `pipeline/importers/<dataset>.py` with a docstring whose first line says what it imports, `TERMS`, and

    def read(folder: Path) -> Iterator[Imported]

which is deterministic, reads only the folder, and never downloads. Every row of a list ends as a `Published` row or as
a `Dropped` one with its reason. What is odd about a row but does not stop it is an `Annotation` named "trap", whose
value is a word to count by and the numbers behind it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import sha256_of
from manifests.tables import Annotation, Dropped, Published, Row, Source
from operators.base import Drop
from operators.media.containers import audio_of, open_media, video_of

Imported = Source | Published | Annotation | Dropped
Trap = tuple[str, str]  # a word to count by, and the numbers
WHOLE = (0.0, 0.0, 1.0, 1.0)  # the box of a whole frame of size 1 x 1


def youtube(video: str, licence: str = "") -> Source:
    """The source of a YouTube id, as `headset run` lists it."""
    return Source(f"yt-{video}", f"https://www.youtube.com/watch?v={video}", licence=licence)


def own_copy(path: Path, licence: str = "") -> Source:
    """The source of a file that the user has, as `headset run` lists it. Reads the whole file for its sha256."""
    sha256 = sha256_of(path)
    return Source(
        f"file-{sha256[:12]}", str(path.absolute()), sha256=sha256, bytes=path.stat().st_size, licence=licence
    )


def left_without(manifest: Manifest, rows: Iterable[Row]) -> list[Published]:
    """The published clips that a corpus cannot take in any more: it lists their sources already, without them, and a
    shard never changes.
    """
    clips = [row for row in rows if isinstance(row, Published)]
    if not clips or not manifest.exists():
        return []
    listed = set(manifest.table(Source)["source_id"].to_pylist())
    published = set(manifest.table(Published)["published_id"].to_pylist())
    return [clip for clip in clips if clip.source_id in listed and clip.published_id not in published]


@dataclass
class Rows:
    """The rows of one published list."""

    dataset: str
    _sources: set[str] = field(default_factory=set)
    _times: Counter[str] = field(default_factory=Counter)

    def seen(self, name: str) -> bool:
        """Whether the list had a row of this name already."""
        return f"{self.dataset}/{name}" in self._times

    def clip(
        self,
        source: Source,
        name: str,
        *,
        seconds: tuple[float, float] | None = None,
        frames: tuple[int, int] | None = None,
        fps: float = 0.0,
        piece: int | None = None,
        box: tuple[float, float, float, float] = WHOLE,
        frame: tuple[float, float] = (1.0, 1.0),
        crop: str = "",
        identity: str = "",
        split: str = "",
        traps: Iterable[Trap] = (),
        notes: Iterable[tuple[str, str]] = (),
        spans: Iterable[tuple[str, str, float, float]] = (),
    ) -> Iterator[Imported]:
        """A clip that was published: its source where it is new, the clip, its traps, and what the list says of it.

        Args:
            seconds: start and end on the video's clock.
            frames: instead of seconds, the first frame and the first one that is no more in the clip; see `Published`.
            box: left, top, right, bottom in a frame of size `frame`.
            notes: names and values; a name comes once.
            spans: names and values about a part of the clip, with its start and end from the clip's start.
        """
        published_id = self._unique(name)
        if source.source_id not in self._sources:
            self._sources.add(source.source_id)
            yield source
        start_s, end_s = seconds or (None, None)
        first, last = frames or (None, None)
        yield Published(
            source.source_id, published_id, self.dataset, name, start_s, end_s, first, last, fps, piece,
            float(box[0]), float(box[1]), float(box[2]), float(box[3]), float(frame[0]), float(frame[1]), crop,
            identity, split,
        )  # fmt: skip
        told: dict[str, list[str]] = {}
        for reason, detail in traps:  # one of a word: two lists may both have a space
            told.setdefault(reason, []).append(detail)
        for reason, details in told.items():
            yield self._says(source, published_id, "trap", f"{reason} {', '.join(details)}".strip(), f"/{reason}")
        for note, value in notes:
            yield self._says(source, published_id, note, value)
        taken: Counter[str] = Counter()
        for note, value, begins_s, ends_s in spans:
            where = f"@{round(begins_s * 1000):06d}"
            taken[note + where] += 1
            where += f"-{taken[note + where]}" if taken[note + where] > 1 else ""
            yield self._says(source, published_id, note, value, where, begins_s, ends_s)

    def drop(
        self,
        name: str,
        reason: str,
        detail: str = "",
        *,
        source_id: str = "",
        traps: Iterable[Trap] = (),
        retryable: bool = False,
    ) -> Dropped:
        """A row of the list that gives no clip. Its traps are told in the detail."""
        subject, by = self._unique(name), f"import_{self.dataset}"
        detail = "; ".join([detail] * bool(detail) + [f"{word} {numbers}".strip() for word, numbers in traps])
        return Dropped(
            source_id or subject, f"{subject}@{by}", subject, Published.table, by, reason, detail, False, retryable
        )

    def _unique(self, name: str) -> str:
        published_id = f"{self.dataset}/{name}"
        self._times[published_id] += 1
        times = self._times[published_id]
        return published_id if times == 1 else f"{published_id}~{times}"

    def _says(
        self,
        source: Source,
        subject: str,
        name: str,
        value: str,
        more: str = "",
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> Annotation:
        return Annotation(source.source_id, f"{subject}#{name}{more}", subject, name, value, "list", start_s, end_s)


def lines(path: Path) -> Iterator[tuple[str, list[Trap]]]:
    """The lines of a list that are not empty, stripped, with what is odd about each: a byte order mark, spaces, no
    newline at the end.

    Raises:
        UsageError: for a file that is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, raw in enumerate(file):
                traps: list[Trap] = []
                line = raw.rstrip("\r\n")
                if number == 0 and line.startswith("\ufeff"):
                    line = line[1:]
                    traps.append(("byte_order_mark", path.name))
                if line != line.strip():
                    traps.append(("space_around", path.name))
                if raw == raw.rstrip("\r\n"):
                    traps.append(("no_last_newline", path.name))
                if line.strip():
                    yield line.strip(), traps
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a UTF-8 text: {error}") from None


def one_of(folder: Path, *patterns: str) -> Path | None:
    """The file in a folder, or below it, that the first fitting pattern names; None where none does.

    Raises:
        UsageError: where several do, or there is no such folder.
    """
    for pattern in patterns:
        found = sorted(existing(folder).glob(pattern)) or sorted(folder.rglob(pattern))
        if len(found) > 1:
            raise UsageError(
                f"{folder} holds several {pattern}: {', '.join(str(path) for path in found[:5])}; name the folder"
                " of one"
            )
        if found:
            return found[0]
    return None


def existing(folder: Path) -> Path:
    """
    Raises:
        UsageError: where there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the one that holds the published lists")
    return folder


def is_whole(text: str) -> bool:
    """Whether the text is a whole number."""
    return re.fullmatch(r"-?\d+", text.strip()) is not None


@dataclass(frozen=True)
class Held:
    """What the header of a user's own clip says."""

    width: int
    height: int
    fps: float
    frames: int
    audio_hz: int  # 0 without sound
    audio_channels: int

    @classmethod
    def by(cls, path: Path) -> "Held":
        """
        Raises:
            Drop: for what is no video, with the reason.
        """
        with open_media(path) as container:
            video, audio = video_of(container), audio_of(container)
            if video is None:
                raise Drop("no_video_stream")
            fps = float(video.average_rate or 0)
            frames = video.frames or round((container.duration or 0) / av.time_base * fps)
            size = video.codec_context.width, video.codec_context.height
            return cls(*size, fps, frames, audio.rate if audio else 0, audio.channels if audio else 0)
