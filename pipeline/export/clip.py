"""A rendered clip as layouts see it."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.cache import media_cache
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import FaceLandmarks
from operators.base import Drop
from operators.media.frames import SourceFrame, VideoFrames
from operators.media.sound import SourceAudio
from pipeline.export.faces import Faces, find_faces
from pipeline.export.files import Picture

NAME_FPS = 25  # the frame numbers in VoxCeleb-style names count at this rate, whatever the video's
KEPT_BYTES = 256 * 2**20  # of decoded frames a clip holds; a longer one is decoded again by each pass
_EXACT_S = 0.002  # containers round times to the millisecond
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,120}")


@dataclass(frozen=True)
class Spoken:
    """A word of a clip, in seconds from the render's start: when it is heard there."""

    text: str
    start_s: float
    end_s: float
    asd_score: str = ""  # of the face while the word is said; "" where nobody says


@dataclass(frozen=True)
class SourceFile:
    """The file that a clip was cut from: `media` and `sha256` where the corpus keeps it, else its path or address."""

    uri: str
    media: str
    sha256: str
    audio_track: int | None
    audio_channels: int


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
        every frame; "" where none does. sound_late_s: by how much its source's sound was moved. transcript: what is
        said in it; "" where nobody says. scores: by `metric:variant`, those that exports tell of. source: what it was
        cut from; None where the corpus does not say.
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
    sound_late_s: float = 0.0
    transcript: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    source: SourceFile | None = None

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

    def score(self, metric: str) -> float | None:
        """The score of this name, of its first variant; None where it was not measured."""
        return next((self.scores[key] for key in sorted(self.scores) if key.partition(":")[0] == metric), None)

    def vox_name(self, first: int = 0, end: int | None = None) -> str:
        """`<person>#<video>#<start>#<end>` of the clip's frames from `first` to before `end`, frames of the source at
        25 a second.
        """
        end = self.frames if end is None else end
        start, stop = (max(0, round((self.start_s + at / self.fps) * NAME_FPS)) for at in (first, end))
        track = self.clip_id.rpartition("/")[2]
        video = self.video if track == "t0" else f"{self.video}-{_safe(track)}"
        return f"{self.person}#{video}#{start:06d}#{stop:06d}"

    def pieces(self, lengths: Sequence[int], fps: float | None = None) -> list[tuple[int, int]]:
        """The clip from its first frame on in pieces of these lengths, the longest that fits first; what is left is
        shorter than all.

        Args:
            lengths: frames at `fps`, falling.
        """
        found, first, count = [], 0, self.count(fps)
        while length := next((length for length in lengths if length <= count - first), 0):
            found.append((first, first + length))
            first += length
        return found

    def parts(self, longest: int, frames: int = 0) -> list[tuple[int, int]]:
        """The clip in as few parts of nearly equal length as hold no more than `longest` frames: first, and the one
        after the last.

        Args:
            frames: how many there are, at another rate than the clip's.
        """
        frames = frames or self.frames
        count = -(-frames // longest)
        ends = [round(frames * n / count) for n in range(count + 1)]
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
            self._faces[rate] = (
                self._meshed(rate) if self.mesh else find_faces(self.shown(fps), self.width, self.height)
            )
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


def _mesh_of(root: str, name: str, clip_id: str) -> FaceLandmarks:
    from pyarrow.compute import field as column

    (row,) = Manifest(root).parquet(name).to_table(filter=column("clip_id") == clip_id).to_pylist()
    return FaceLandmarks(**row)


def _safe(text: str, whole: str = "") -> str:
    """The text where it is safe in names and paths, else what is safe of it, with a hash."""
    if _SAFE.fullmatch(text):
        return text
    digest = hashlib.sha256((whole or text).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '', text)[:60]}-{digest}"
