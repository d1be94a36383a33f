"""Clips in the layout that a trainer's loader reads.

A layout is one module of `pipeline/export/layouts`, found by its name. The first line of its docstring says whose
loader reads it, at which commit, the rest what the loader is given and what is written. It defines

    VERSION = 1                                 # raised when the same clips make other files
    NEEDS = {"coeff_3dmm": "..."}               # what it cannot do without and headset cannot compute: what it is,
    where it comes from SUBSTITUTES = {"coeff_3dmm": "..."}         # what headset can write in its place, where it can
    def write(clip: ExportClip, to: Path, given: Given) -> Note: ...          # one clip, whole or not at all def
    finish(written: Sequence[Written], to: Path, given: Given) -> None    # the lists, once all clips are there def
    validate(folder: Path) -> Iterator[str]                               # what the loader would choke on, by the
    loader's own rules

`NEEDS` and `SUBSTITUTES` may be left out. A clip that the loader cannot use is given up by `Drop`, which the report
counts. A clip may be written again over itself, since a killed export does not know whether its last clip was whole.

Names are made of ids, never of titles: a person is `p` and ten digits of a hash, so that no person's name is part of
another's, as loaders that compare parts of paths need, and it holds none of the separators `#`, `-`, `_`, `.` and no
blank.
"""

import hashlib
import importlib
import json
import os
import re
import shutil
import wave
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from manifests.cache import media_cache
from manifests.errors import DamagedMedia, MissingMedia, UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, FaceLandmarks, Published, Render, Source, Split
from operators.base import Drop
from operators.media.frames import SourceFrame, VideoFrames
from operators.media.sound import SourceAudio
from operators.models.face_pictures import IBUG_68
from pipeline.export.layouts import layouts

if TYPE_CHECKING:
    from operators.models.face_landmarker import Landmarker

NAME_FPS = 25  # the frame numbers in VoxCeleb-style names count at this rate, whatever the video's
KEPT_BYTES = 256 * 2**20  # of decoded frames a clip holds; a longer one is decoded again by each pass
_EXACT_S = 0.002  # containers round times to the millisecond
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,120}")
Picture = NDArray[np.uint8]

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True)
class Faces:
    """The face in each frame of a clip, from MediaPipe's face landmarker; rows of frames without one are NaN.

    Attributes:
        points: (frames, 478, 2) pixels of the picture, of MediaPipe's mesh.
        matrix: (frames, 4, 4) from the face's own axes (x to the image's right, y up, z out of the face; centimetres of
        a mean face) to
            those of a camera with a vertical field of view of 63 degrees.
        blendshapes: (frames, 52), 0 to 1, in MediaPipe's order.
    """

    points: NDArray[np.float64]
    matrix: NDArray[np.float64]
    blendshapes: NDArray[np.float64]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(frames,) whether a face was found."""
        return ~np.isnan(self.points[:, 0, 0])

    @property
    def landmarks_68(self) -> NDArray[np.float64]:
        """(frames, 68, 2) pixels, in the order of the iBUG annotation."""
        return self.points[:, IBUG_68]

    def bridged(self, longest: int) -> "Faces":
        """With gaps of up to `longest` frames filled: linearly between what was seen, with the nearest at the ends.

        Raises:
            Drop: `no_face` where there is none, or a gap is longer.
        """
        seen = np.flatnonzero(self.seen)
        if not len(seen):
            raise Drop("no_face", detail=f"{len(self.points)} frames")
        gap = int(np.diff(np.concatenate([[-1], seen, [len(self.points)]])).max()) - 1
        if gap > longest:
            raise Drop("no_face", detail=f"{gap} frames in a row, {longest} can be bridged")
        return Faces(*(_bridged(rows, seen) for rows in (self.points, self.matrix, self.blendshapes)))


@dataclass(frozen=True)
class Spoken:
    """A word of a clip, in seconds from the render's start: when it is heard there."""

    text: str
    start_s: float
    end_s: float
    asd_score: str = ""  # of the face while the word is said; "" where nobody says


@dataclass(frozen=True)
class ExportClip:
    """One rendered clip as layouts see it. Pictures, sound and landmarks are made when asked for.

    Attributes:
        identity: who is in it: as annotated, else the speaker of its source.
        split: train, val or test.
        number: from 1, in the order clips were first exported to the folder; it stays with the clip.
        root, media, sha256: where its file is kept.
        annotations: what is said of the whole clip, by name.
        spoken: its words in order, where they are known; without those that its render does not hold, since its sound
        was moved. box: its crop in the source's frame, left, top, right and bottom as shares of it; None where the
        frame's size is not known. crop_px: the same in pixels. mesh: the file of the corpus that holds the face of its
        every frame; "" where none does.
    """

    clip_id: str
    source_id: str
    identity: str
    split: str
    start_s: float
    end_s: float
    root: str
    media: str
    sha256: str
    fps: float
    width: int
    height: int
    frames: int
    number: int = 0
    licence: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    spoken: tuple[Spoken, ...] = ()
    box: tuple[float, float, float, float] | None = None
    crop_px: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    mesh: str = ""

    @cached_property
    def path(self) -> Path:
        """The rendered file on this machine."""
        return MediaStore(self.root).fetch(self.media, self.sha256, media_cache())

    # Names.

    @property
    def person(self) -> str:
        """The identity as a name: p and ten hexadecimal digits."""
        return "p" + hashlib.sha256(self.identity.encode()).hexdigest()[:10]

    @property
    def video(self) -> str:
        """The source as a name: a YouTube id, or the source's id."""
        return _safe(self.source_id.removeprefix("yt-"))

    @property
    def name(self) -> str:
        """The clip as a name: the parts of its id, joined by dashes."""
        return _safe(self.clip_id.removeprefix("yt-").replace("/", "-"), self.clip_id)

    def vox_name(self, first: int = 0, end: int | None = None) -> str:
        """`<person>#<video>#<start>#<end>` of the clip's frames from `first` to before `end`, frames of the source at
        25 a second.
        """
        end = self.frames if end is None else end
        start, stop = (max(0, round((self.start_s + at / self.fps) * NAME_FPS)) for at in (first, end))
        track = self.clip_id.rpartition("/")[2]
        video = self.video if track == "t0" else f"{self.video}-{_safe(track)}"
        return f"{self.person}#{video}#{start:06d}#{stop:06d}"

    def parts(self, longest: int) -> list[tuple[int, int]]:
        """The clip in as few parts of nearly equal length as hold no more than `longest` frames: first, and the one
        after the last.
        """
        count = -(-self.frames // longest)
        ends = [round(self.frames * n / count) for n in range(count + 1)]
        return list(pairwise(ends))

    # Pictures.

    def shown(self, fps: float | None = None) -> Iterator[SourceFrame]:
        """The frames at a rate, the clip's own where None: number k is on show at k / fps.

        Raises:
            Drop: `frames_differ` where the file holds another number of frames than the manifest says, and those of the
                decoder.
        """
        rate = fps or self.fps
        count = self.count(fps)
        shown, made, read, begun_s = None, 0, 0, 0.0
        for frame in self._kept if self._kept is not None else VideoFrames(self.path):
            if shown is None:
                begun_s = frame.pts_s
            elif rate != self.fps:
                while made < count and made / rate < frame.pts_s - begun_s - _EXACT_S:
                    yield shown
                    made += 1
            read += 1
            shown = frame
            if rate == self.fps:
                yield frame
        if read != self.frames:
            raise Drop("frames_differ", detail=f"{read} in the file, {self.frames} in the manifest")
        while rate != self.fps and shown is not None and made < count:
            yield shown
            made += 1

    def count(self, fps: float | None = None) -> int:
        """How many frames there are at a rate."""
        return self.frames if fps in (None, self.fps) else max(1, round(self.frames / self.fps * fps))

    def pictures(self, size: int, fps: float | None = None) -> Iterator[Picture]:
        """(size, size, 3) RGB of every frame, read-only.

        Raises:
            Drop: `not_square`, since a face must not be stretched; and those of `shown`.
        """
        if self.width != self.height:
            raise Drop("not_square", detail=f"{self.width}x{self.height}")
        for frame in self.shown(fps):
            yield frame.crop(0, 0, self.width, self.height, (size, size))

    @cached_property
    def _kept(self) -> list[SourceFrame] | None:
        """The decoded frames of a short clip, so that a second pass costs no second decode."""
        if self.frames * self.width * self.height * 3 // 2 > KEPT_BYTES:
            return None
        return list(VideoFrames(self.path))

    # Sound.

    def samples(self, hz: int = 16000) -> NDArray[np.float32]:
        """(round(frames / fps * hz),) mono, -1 to 1, from the first frame's beginning to the last one's end.

        Raises:
            Drop: `no_audio_stream` and the decoder's others.
        """
        begun_s = self._kept[0].pts_s if self._kept else next(iter(VideoFrames(self.path))).pts_s
        return SourceAudio(self.path).samples(begun_s, begun_s + self.frames / self.fps, hz)

    # Faces.

    def faces(self, fps: float | None = None) -> Faces:
        """The face in every frame, in pixels of the render: as `LandmarkFaces` has it where it looked at every frame,
        else found here, once.
        """
        rate = fps or self.fps
        if rate not in self._faces:
            self._faces[rate] = self._meshed(rate) if self.mesh else _faces(self.shown(fps), self.width, self.height)
        return self._faces[rate]

    def _meshed(self, rate: float) -> Faces:
        """The mesh of what is on show at each k / rate, brought from the source's frame into the render's."""
        from operators.models.face_geometry import blendshapes_of, head_matrix, landmarks_of

        mesh = _mesh_of(self.root, self.mesh, self.clip_id)
        at_s = np.arange(self.count(rate)) / rate
        drawn_s = self.start_s + np.floor((at_s + _EXACT_S) * self.fps) / self.fps
        looks = np.searchsorted(mesh.times_s, drawn_s + _EXACT_S, side="right") - 1
        looks = looks.clip(0)  # before the first frame of the span, the first is shown
        left, top, right, bottom = self.crop_px
        across, down = self.width / (right - left), self.height / (bottom - top)
        points = (landmarks_of(mesh)[looks] - (left, top, 0.0)) * (across, down, across)
        unseen = np.full((4, 4), np.nan)
        matrices = [unseen if np.isnan(one[0, 0]) else head_matrix(one, self.width, self.height) for one in points]
        return Faces(points[..., :2], np.array(matrices), blendshapes_of(mesh)[looks])

    @cached_property
    def _faces(self) -> dict[float, Faces]:
        return {}


@dataclass(frozen=True)
class Given:
    """What the user gives to a layout.

    Attributes:
        folders: by need, the folder that holds it.
        substitutes: the needs that headset fills in its own way.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    substitutes: frozenset[str] = frozenset()

    def file(self, need: str, *names: str) -> Path:
        """The first of the named files that the folder given for a need holds.

        Raises:
            Drop: `<need>_missing`.
        """
        for name in names:
            if (path := self.folders[need] / name).is_file():
                return path
        raise Drop(f"{need}_missing", detail=" or ".join(names))


Note = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A clip that is in the export. `note` is what the layout tells of it: names, frames, what was filled."""

    clip_id: str
    sha256: str  # of the render
    number: int
    person: str
    split: str
    licence: str
    note: Note


@dataclass(frozen=True)
class Refused:
    """A clip that the loader could not use."""

    clip_id: str
    sha256: str
    number: int
    reason: str
    detail: str


class Layout(Protocol):
    """What a module of `pipeline/export/layouts` gives; see the top of this file."""

    VERSION: int
    NEEDS: dict[str, str]
    SUBSTITUTES: dict[str, str]

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note: ...
    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None: ...
    def validate(self, folder: Path) -> Iterator[str]: ...


def layout_named(name: str) -> Layout:
    """
    Raises:
        UsageError: for a name that no layout has, with those there are.
    """
    if name not in (names := layouts()):
        raise UsageError(f"no layout {name!r}; there are {', '.join(names)}")
    return cast(Layout, importlib.import_module(f"pipeline.export.layouts.{name}"))


def settled(name: str, folders: Mapping[str, Path], substitutes: Iterable[str]) -> Given:
    """What the user gave, when it is what the layout asks for.

    Raises:
        UsageError: naming what is missing, what it is, and what to do.
    """
    layout = layout_named(name)
    needs, fills = getattr(layout, "NEEDS", {}), getattr(layout, "SUBSTITUTES", {})
    chosen = frozenset(substitutes)
    if unknown := sorted((set(folders) | chosen) - set(needs)):
        raise UsageError(f"{name} does not ask for {unknown[0]}; it asks for {', '.join(needs) or 'nothing'}")
    for need, what in needs.items():
        if need in chosen and need not in fills:
            raise UsageError(f"{name}: headset has no substitute for {need}, {what}. Give --with {need}=DIR.")
        if need in chosen and need in folders:
            raise UsageError(f"{name}: --with {need} and --substitute {need} exclude each other; give one")
        if need not in chosen and need not in folders:
            other = f", or --substitute {need} to have {fills[need]} written in its place" if need in fills else ""
            raise UsageError(
                f"{name} needs {need}, which headset cannot compute: {what}. Give --with {need}=DIR{other}."
            )
    for need, folder in folders.items():
        if not folder.is_dir():
            raise UsageError(f"--with {need}={folder}: there is no such folder")
    return Given(dict(folders), chosen)


# Clips of a corpus.


def clips_of(manifest: Manifest, selected: Iterable[str] | None = None, test_share: float = 0.1) -> list[ExportClip]:
    """The clips of a corpus that are rendered, sorted by id, with who is in them and which split they belong to.

    The identity is the one annotated to the clip, or of the published list it comes from; where nobody says, it is the
    speaker of its source, so one person in two sources counts as two. The split is that of `headset split`, else
    annotated, else published. Where nobody says, people (never clips) are drawn for the test by a hash of their
    identity, at least one of two or more, so a person stays in a split when others come and go.

    Args:
        selected: ids of clips; all where None.

    Raises:
        UsageError: where there is no rendered clip, where some clips have a split and others none, or where a split has
            another name.
    """
    wanted = None if selected is None else set(selected)
    told: dict[str, dict[str, str]] = {}
    for row in manifest.table(Published).select(["published_id", "identity", "split"]).to_pylist():
        told[row["published_id"]] = {name: row[name] for name in ("identity", "split") if row[name]}
    parts: dict[str, dict[str, dict[tuple[float, float], str]]] = {}
    for row in manifest.table(Annotation).select(["subject", "name", "value", "start_s", "end_s"]).to_pylist():
        if row["start_s"] is None:
            told.setdefault(row["subject"], {})[row["name"]] = row["value"]
        elif row["name"] in ("word", "asd_score"):
            parts.setdefault(row["subject"], {}).setdefault(row["name"], {})[row["start_s"], row["end_s"]] = row[
                "value"
            ]
    splits = {row["clip_id"]: row["split"] for row in manifest.table(Split).select(["clip_id", "split"]).to_pylist()}
    columns = ["source_id", "licence", "width", "height"]
    sources = {row["source_id"]: row for row in manifest.table(Source).select(columns).to_pylist()}
    meshes = _mesh_files(manifest)
    columns = [
        "clip_id",
        "speaker",
        "start_s",
        "end_s",
        "published_id",
        "sound_late_s",
        "left_px",
        "top_px",
        "right_px",
        "bottom_px",
    ]
    spans = {row["clip_id"]: row for row in manifest.table(Clip).select(columns).to_pylist()}
    columns = ["source_id", "clip_id", "made_by", "media", "sha256", "fps", "width", "height", "frames"]
    found = []
    for render in manifest.table(Render).select(columns).to_pylist():
        clip_id = render["clip_id"]
        if (
            render.pop("made_by") != "recording"
            or (wanted is not None and clip_id not in wanted)
            or clip_id not in spans
        ):
            continue
        span = spans[clip_id]
        said = {**told.get(span["published_id"] or "", {}), **told.get(clip_id, {})}
        source = sources.get(render["source_id"], {})
        found.append(
            ExportClip(
                **render,
                identity=said.get("identity")
                or f"{render['source_id']}/{span['speaker'] or clip_id.rpartition('/')[2]}",
                split=_split_name(clip_id, splits.get(clip_id, "") if splits else said.get("split", "")),
                start_s=span["start_s"],
                end_s=span["end_s"],
                root=manifest.root,
                licence=source.get("licence") or "",
                annotations=said,
                spoken=_spoken(parts.get(clip_id) or parts.get(span["published_id"] or "", {}), span),
                box=_shares(span, source.get("width") or 0, source.get("height") or 0),
                crop_px=(span["left_px"], span["top_px"], span["right_px"], span["bottom_px"]),
                mesh=meshes.get(clip_id, ""),
            )
        )
    if not found:
        raise UsageError(
            f"{manifest.root} has no rendered clip to export; `headset status {manifest.root}` tells where it stands"
        )
    found.sort(key=lambda clip: clip.clip_id)
    return _drawn(found, test_share)


def _spoken(parts: Mapping[str, Mapping[tuple[float, float], str]], clip: Mapping[str, Any]) -> tuple[Spoken, ...]:
    scores = parts.get("asd_score", {})
    words = [Spoken(text, *span, scores.get(span, "")) for span, text in sorted(parts.get("word", {}).items())]
    if late_s := clip["sound_late_s"]:
        length_s = clip["end_s"] - clip["start_s"]

        def heard_s(at_s: float) -> float:
            return round(min(max(at_s - late_s, 0.0), length_s), 3)

        moved = [replace(word, start_s=heard_s(word.start_s), end_s=heard_s(word.end_s)) for word in words]
        words = [word for word in moved if word.start_s < word.end_s]
    return tuple(words)


def _mesh_files(manifest: Manifest) -> dict[str, str]:
    """By clip, the file that holds its mesh: of those with the points and the blendshapes of every frame."""
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them
    found = {}
    whole = (compute.field("rate_hz") == 0) & (compute.binary_length(compute.field("blendshapes")) > 0)
    for name in manifest.files(FaceLandmarks):
        rows = manifest.parquet(name).to_table(columns=["clip_id"], filter=whole)
        found |= dict.fromkeys(rows["clip_id"].to_pylist(), name)
    return found


def _mesh_of(root: str, name: str, clip_id: str) -> FaceLandmarks:
    from pyarrow.compute import field as column

    (row,) = Manifest(root).parquet(name).to_table(filter=column("clip_id") == clip_id).to_pylist()
    return FaceLandmarks(**row)


def _shares(span: Mapping[str, Any], width: int, height: int) -> tuple[float, float, float, float] | None:
    if not width or not height:
        return None
    return span["left_px"] / width, span["top_px"] / height, span["right_px"] / width, span["bottom_px"] / height


def _split_name(clip_id: str, split: str) -> str:
    name = {"validation": "val", "valid": "val", "dev": "val"}.get(split, split)
    if name not in ("train", "val", "test", ""):
        raise UsageError(f"{clip_id} is in the split {split!r}; layouts know train, validation and test")
    return name


def _drawn(clips: list[ExportClip], test_share: float) -> list[ExportClip]:
    without = [clip.clip_id for clip in clips if not clip.split]
    if not without:
        return clips
    if len(without) < len(clips):
        raise UsageError(
            f"{len(without)} of {len(clips)} clips have no split, such as {without[0]}; `headset split` gives one to"
            " each"
        )
    people = {clip.identity for clip in clips}
    draws = {who: int(hashlib.sha256(f"split {who}".encode()).hexdigest()[:8], 16) / 2**32 for who in people}
    test = {who for who, draw in draws.items() if draw < test_share}
    if not test and len(draws) > 1:
        test = {min(draws, key=lambda who: draws[who])}
    return [replace(clip, split="test" if clip.identity in test else "train") for clip in clips]


# An export.


def export(
    name: str, clips: Sequence[ExportClip], to: Path, given: Given | None = None, workers: int = 1
) -> Iterator[Written | Refused]:
    """Writes clips in a layout, one after the other, then its lists and `export.json`. Each clip ends as written or
    refused.

    What an earlier export of the same clips to the same folder has written is told, not written again: `export.jsonl`
    holds a line for each clip that is whole.

    Raises:
        UsageError: where the folder holds another export, or clips that are not among these.
    """
    layout, given = layout_named(name), given or Given()
    journal = _Journal(to / "export.jsonl", _settings(name, layout, given))
    done = journal.read()
    now = {clip.clip_id: clip for clip in clips}
    if stale := sorted(clip_id for clip_id, outcome in done.items() if not _holds(outcome, now.get(clip_id))):
        raise UsageError(
            f"{to} holds {len(stale)} clips that are gone or changed since, such as {stale[0]}; export to another"
            " folder, and delete this one"
        )
    to.mkdir(parents=True, exist_ok=True)
    highest = max((outcome.number for outcome in done.values()), default=0)
    todo = []
    for clip in clips:
        if (before := done.get(clip.clip_id)) is not None:
            yield before
            continue
        highest += 1
        todo.append(replace(clip, number=highest))
    for outcome in _each(name, todo, to, given, workers):
        journal.add(outcome)
        done[outcome.clip_id] = outcome
        yield outcome
    written = sorted(
        (outcome for outcome in done.values() if isinstance(outcome, Written)), key=lambda outcome: outcome.clip_id
    )
    layout.finish(written, to, given)
    write_text(
        to / "export.json", json.dumps(_report(name, layout, given, clips, done), indent=1, sort_keys=True) + "\n"
    )


def _holds(before: "Written | Refused", clip: ExportClip | None) -> bool:
    if clip is None or before.sha256 != clip.sha256:
        return False
    return isinstance(before, Refused) or (before.split, before.person) == (clip.split, clip.person)


def _each(name: str, clips: list[ExportClip], to: Path, given: Given, workers: int) -> Iterator[Written | Refused]:
    if workers == 1:
        for clip in clips:
            yield _one(name, clip, to, given)
        return
    import multiprocessing

    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_one, [name] * len(clips), clips, [to] * len(clips), [given] * len(clips))


def _one(name: str, clip: ExportClip, to: Path, given: Given) -> Written | Refused:
    clip = replace(clip)  # whatever it comes to hold goes when it is written
    try:
        note = layout_named(name).write(clip, to, given)
    except Drop as drop:
        return Refused(clip.clip_id, clip.sha256, clip.number, drop.reason, drop.detail)
    except MissingMedia as error:
        return Refused(clip.clip_id, clip.sha256, clip.number, "media_missing", str(error))
    except DamagedMedia as error:
        return Refused(clip.clip_id, clip.sha256, clip.number, "media_damaged", str(error))
    return Written(clip.clip_id, clip.sha256, clip.number, clip.person, clip.split, clip.licence, note)


def _settings(name: str, layout: Layout, given: Given) -> dict[str, Any]:
    return {
        "layout": name,
        "version": layout.VERSION,
        "with": sorted(given.folders),
        "substituted": {need: layout.SUBSTITUTES[need] for need in sorted(given.substitutes)},
    }


def _report(
    name: str, layout: Layout, given: Given, clips: Sequence[ExportClip], done: Mapping[str, Written | Refused]
) -> dict[str, Any]:
    written = [outcome for outcome in done.values() if isinstance(outcome, Written)]
    refused = [outcome for outcome in done.values() if isinstance(outcome, Refused)]
    assert len(written) + len(refused) == len(clips), (
        f"{len(written)} written and {len(refused)} refused of {len(clips)} clips"
    )
    content = hashlib.sha256(
        "".join(f"{clip.clip_id} {clip.sha256}\n" for clip in sorted(clips, key=lambda c: c.clip_id)).encode()
    )
    return {
        **_settings(name, layout, given),
        "reads": layouts()[name],
        "clips": len(clips),
        "clips_sha256": content.hexdigest(),
        "written": len(written),
        "refused": dict(Counter(outcome.reason for outcome in refused)),
        "people": len({outcome.person for outcome in written}),
        "splits": dict(Counter(outcome.split for outcome in written)),
        "meshed": sum(bool(clip.mesh) for clip in clips),
        "licences": dict(Counter(outcome.licence or "not stated" for outcome in written)),
    }


@dataclass(frozen=True)
class _Journal:
    """One line a clip, appended when the clip is whole. The first line holds the settings."""

    path: Path
    settings: dict[str, Any]

    def read(self) -> dict[str, Written | Refused]:
        if not self.path.is_file():
            return {}
        lines = self.path.read_bytes().split(b"\n")
        # behind the last line's end is nothing, or what a killed export left
        whole = [json.loads(line) for line in lines[:-1]]
        if lines[-1]:
            write_text(self.path, "".join(json.dumps(line, sort_keys=True) + "\n" for line in whole))
        if whole and whole[0] != self.settings:
            raise UsageError(
                f"{self.path.parent} holds an export with other settings, {whole[0]}; export to another folder, or"
                " delete it"
            )
        outcomes = [(Refused if "reason" in line else Written)(**line) for line in whole[1:]]
        return {outcome.clip_id: outcome for outcome in outcomes}

    def add(self, outcome: Written | Refused) -> None:
        fresh = not self.path.is_file() or not self.path.stat().st_size
        with self.path.open("a") as stream:
            if fresh:
                stream.write(json.dumps(self.settings, sort_keys=True) + "\n")
            stream.write(json.dumps(asdict(outcome), sort_keys=True) + "\n")


def check(name: str, folder: Path) -> Iterator[str]:
    """What the layout's loader would choke on, and what does not agree with `export.json`. The folder needs no
    corpus.
    """
    layout = layout_named(name)
    report = folder / "export.json"
    if not report.is_file():
        yield "export.json: missing, so the export did not come to its end; run it again"
        return
    told = json.loads(report.read_text())
    if told["layout"] != name:
        yield f"export.json: this is the layout {told['layout']}"
        return
    if not told["written"]:
        yield "export.json: no clip was written"
        return
    yield from layout.validate(folder)


# Writing files whole.


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, which takes its place when all is written, instead of what was there."""
    part = path.with_name(f"part.{path.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            shutil.rmtree(path)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write, with the same suffix, which takes its place when it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part.{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Each line with its end, the last one too."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_picture(path: Path, picture: Picture, quality: int = 95) -> None:
    """PNG, or JPEG of this quality, by the suffix."""
    from PIL import Image

    # of PNG: a third of the time, a tenth more bytes
    Image.fromarray(picture).save(path, quality=quality, compress_level=1)


def write_wav(path: Path, samples: NDArray[np.float32], hz: int = 16000) -> None:
    """16-bit mono PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(hz)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def write_mp4(
    path: Path, pictures: Iterable[Picture], fps: float, samples: NDArray[np.float32] | None = None, hz: int = 16000
) -> int:
    """H.264 (CRF 18, yuv420p, BT.709) with AAC where there is sound. Returns the frames written. Sides are even."""
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    rate = Fraction(fps).limit_denominator(1001)
    count = 0
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        context = video.codec_context
        video.pix_fmt, video.time_base = "yuv420p", 1 / rate
        context.time_base, context.thread_count = 1 / rate, 1  # x264's bytes depend on the threads
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        sound: Any = None
        if samples is not None:
            sound = container.add_stream("aac", rate=hz, layout="mono")
        for picture in pictures:
            if not count:
                video.height, video.width = picture.shape[:2]
            if sound is not None and not count:
                for at in range(0, len(samples), 1024):  # type: ignore[arg-type]
                    heard = av.AudioFrame.from_ndarray(
                        np.ascontiguousarray(samples[None, at : at + 1024]), "fltp", "mono"
                    )  # type: ignore[index]
                    heard.sample_rate, heard.pts, heard.time_base = hz, at, Fraction(1, hz)
                    container.mux(sound.encode(heard))
                container.mux(sound.encode(None))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
            )
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(video.encode(frame))
            count += 1
        container.mux(video.encode(None))
    return count


# Reading back, for `validate`.


def listed(folder: Path, name: str, empty: str = "") -> tuple[list[str], list[str]]:
    """The lines of a list, and what is wrong with it; where it may not be without lines, `empty` says what that is."""
    path = folder / name
    if not path.is_file():
        return [], [f"{name}: missing", *([f"{name}: {empty}"] if empty else [])]
    text = path.read_text()
    problems = (
        []
        if not text or text.endswith("\n")
        else [f"{name}: the last line has no end, and loaders cut the last character off"]
    )
    lines = text.splitlines()
    problems += [f"{name}: {line} is listed {n} times" for line, n in Counter(lines).items() if n > 1]
    problems += [f"{name}: {empty}"] if empty and not lines else []
    return lines, problems


def picture_problem(path: Path, size: tuple[int, int] | None = None) -> str:
    """What is wrong with a picture file; "" where it decodes, in RGB, with this width and height."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode != "RGB":
                return f"is {image.mode}, not RGB"
            if size is not None and image.size != size:
                return f"is {image.size[0]}x{image.size[1]}, not {size[0]}x{size[1]}"
    except FileNotFoundError:
        return "is missing"
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        return f"does not decode ({error})"
    return ""


def video_facts(path: Path) -> tuple[int, int, int, float] | str:
    """Frames, width, height and rate of a video, each frame decoded; or what is wrong with it."""
    from av.error import FFmpegError

    from operators.media.containers import open_media

    try:
        with open_media(path) as container:
            if not container.streams.video:
                return "holds no video"
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            return frames, stream.codec_context.width, stream.codec_context.height, float(stream.average_rate or 0)
    except Drop as no:
        return f"does not decode ({no.detail})"
    except (OSError, FFmpegError) as error:
        return f"does not decode ({error})"


def wav_facts(path: Path) -> tuple[int, int] | str:
    """Rate and samples of a mono 16-bit wav; or what is wrong with it."""
    try:
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                return f"has {file.getnchannels()} channels of {8 * file.getsampwidth()} bits, not one of 16"
            return file.getframerate(), len(file.readframes(file.getnframes())) // 2
    except (OSError, EOFError, wave.Error) as error:
        return f"does not read ({error})"


def array_problem(path: Path, shape: Callable[[tuple[int, ...]], bool], want: str) -> str:
    """What is wrong with a .npy file of finite numbers; "" where nothing is."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        return f"does not read ({error})"
    if not shape(array.shape):
        return f"has the shape {array.shape}, not {want}"
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        return "holds what is no finite number"
    return ""


# Landmarks.


def _faces(frames: Iterable[SourceFrame], width: int, height: int) -> Faces:
    points, matrices, shapes = [], [], []
    last = np.array([0.5, 0.5])  # clips are cut around their face
    for frame in frames:
        faces = _landmarker()(frame.crop(0, 0, width, height, (width, height)))
        if not faces:
            points.append(np.full((478, 2), np.nan))
            matrices.append(np.full((4, 4), np.nan))
            shapes.append(np.full(52, np.nan))
            continue
        centres = [face.points[:, :2].mean(axis=0) for face in faces]
        nearest = int(np.argmin([np.hypot(*(centre - last)) for centre in centres]))
        last = centres[nearest]
        points.append(faces[nearest].points[:, :2] * (width, height))
        matrices.append(faces[nearest].matrix)
        shapes.append(faces[nearest].blendshapes)
    return Faces(np.array(points), np.array(matrices), np.array(shapes))


@cache
def _landmarker() -> "Landmarker":
    from operators.models.face_landmarker import Landmarker

    return Landmarker(faces=2)  # a neighbour may be the more confident find


def _bridged(rows: NDArray[np.float64], seen: NDArray[np.int64]) -> NDArray[np.float64]:
    flat = rows.reshape(len(rows), -1)
    at = np.arange(len(rows))
    return np.stack([np.interp(at, seen, column[seen]) for column in flat.T], axis=1).reshape(rows.shape)


def _safe(text: str, whole: str = "") -> str:
    """The text where it is safe in names and paths, else what is safe of it, with a hash."""
    if _SAFE.fullmatch(text):
        return text
    digest = hashlib.sha256((whole or text).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '', text)[:60]}-{digest}"
