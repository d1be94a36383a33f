# ruff: noqa: S608 - the queries are over tables that DuckDB cannot change, and hold an id as a quoted text
"""One kept clip, to play and to look into."""

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import box_at
from manifests.cache import media_cache
from manifests.errors import NotFound
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import ActiveSpeaker, Clip, FaceLandmarks, Render, Track, Word
from pipeline.query.source_rows import SourceRows

if TYPE_CHECKING:
    from pipeline.corpus.similar import SimilarClips
    from pipeline.views.clip_scores import ClipScores
    from pipeline.views.pictures import Marks, Stills
    from pipeline.views.players import Player
    from pipeline.views.sound_pictures import SoundPicture
    from pipeline.views.story import ClipStory
    from pipeline.views.timeline import ClipTimeline

PREVIEW_PX, PREVIEW_FPS, PREVIEW_S = (
    192,
    12.5,
    8.0,
)  # of a video inside a page: its sides, its rate, and its length at most


@dataclass(frozen=True)
class KeptClip:
    """A row of `clips` and the corpus it is of. What is asked for is read when it is asked for, then kept."""

    root: str
    row: Clip

    @classmethod
    def of(cls, root: str, clip_id: str) -> "KeptClip":
        """
        Raises:
            NotFound: where no kept clip has this id.
        """
        manifest = Manifest(root)
        found = SourceRows.of(manifest, clip_id.partition("/")[0]).current(Clip)
        for clip in found:
            if clip.clip_id == clip_id:
                return cls(root, clip)
        raise NotFound(
            f"{root} keeps no clip {clip_id!r}; of this source it keeps"
            f" {', '.join(one.clip_id for one in found) or 'none'}"
        )

    @property
    def clip_id(self) -> str:
        return self.row.clip_id

    @property
    def seconds(self) -> float:
        return self.row.end_s - self.row.start_s

    @cached_property
    def values(self) -> dict[str, Any]:
        """Its row of the clip view: scores, facts of its source and of its render, by column."""
        from pipeline.query.clip_view import select_rows

        text = self.clip_id.replace("'", "''")
        return (
            select_rows(Manifest(self.root), f"select * from wide where clip_id = '{text}'")
            .to_arrow_table()
            .to_pylist()[0]
        )

    @property
    def scores(self) -> "ClipScores":
        """Every score it has, with its unit, range and direction."""
        from pipeline.views.clip_scores import clip_scores

        return clip_scores(Manifest(self.root), self.clip_id, self.values)

    @property
    def why(self) -> "ClipStory":
        """How it came about: its place, its crop, its scores beside the ranges that the recipe wants."""
        from pipeline.views.story import ClipStory, story

        found = story(Manifest(self.root), self.clip_id)
        assert isinstance(found, ClipStory), f"{self.clip_id} is a clip"
        return found

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """What is said in it, in order; none where nothing was transcribed."""
        found = [
            word
            for word in self.rows.current(Word)
            if word.start_s >= self.row.start_s - 1e-3 and word.end_s <= self.row.end_s + 1e-3
        ]
        return tuple(sorted({word.start_s: word for word in found}.values(), key=lambda word: word.start_s))

    # Its file.

    @cached_property
    def render(self) -> Render:
        """
        Raises:
            NotFound: where it is not rendered.
        """
        for render in self.rows.current(Render):
            if render.clip_id == self.clip_id and render.made_by == "recording":
                return render
        raise NotFound(f"{self.clip_id} is not rendered; `headset status {self.root}` says why")

    @property
    def path(self) -> Path:
        """Its file on this machine: that of the corpus, or a copy of what lies in a bucket.

        Raises:
            NotFound: where it is not rendered.
            MissingMedia, DamagedMedia, Unreachable: where its file cannot be had.
        """
        return MediaStore(self.root).fetch(self.render.media, self.render.sha256, media_cache())

    @cached_property
    def video(self) -> Any:
        """decord's reader of its frames: `len(clip.video)`, `clip.video[10].asnumpy()` (height, width, 3) RGB,
        `.get_batch`.
        """
        import decord

        return decord.VideoReader(str(self.path), num_threads=1)

    def samples(self, hz: int = 16000) -> NDArray[np.float32]:
        """(n,) its sound, mono, -1 to 1, by a linear resampling to `hz`; (0,) where it has none."""
        from operators.base import Drop
        from operators.media.sound import SourceAudio

        try:
            return SourceAudio(self.path).samples(0.0, self.render.duration_s, hz)
        except Drop:
            return np.zeros(0, np.float32)

    # To look at.

    def play(self, *, inside: bool | None = None) -> "Player":
        """A player of its whole file.

        Args:
            inside: whether the file becomes a part of the page; None: where it has up to 4 MB, or lies in a bucket.
        """
        from pipeline.views.players import EMBEDDED_BYTES, inside_page, link_to

        if inside is None:
            inside = self.render.bytes <= EMBEDDED_BYTES or not Manifest(self.root).is_local
        return self._player(self._told(), inside_page(self.path) if inside else link_to(self.path))

    def player(self, caption: str, *, video: str = "link") -> "Player":
        """A player for a page of many; see `Clips.players`."""
        from pipeline.views.players import Player, link_to

        if not self.is_rendered:
            return Player(self.clip_id, f"{caption}\nnot rendered", b"", "")
        if video == "inside":
            return self._player(caption, self._preview())
        return self._player(caption, link_to(self.path) if video == "link" and Manifest(self.root).is_local else "")

    def timeline(self) -> "ClipTimeline":
        """Shots, faces, voices, who speaks, mouth, sound, words and the cut, on one time axis: a player above it where
        the notebook can show widgets, else a picture.
        """
        from pipeline.corpus.live import LiveTimeline

        return LiveTimeline.of(self)

    def frames(self, count: int = 8, *, marks: bool = True, side_px: int = 220) -> "Stills":
        """Some frames of its file, evenly over its length.

        Args:
            marks: whether the face's box (green: it speaks, orange: it is still), its landmarks and the axes of its
                head are drawn.
            side_px: the longer side of a picture.
        """
        from pipeline.views.pictures import Still, Stills, jpeg_of

        picks = [min(len(self.video) - 1, round((i + 0.5) * len(self.video) / count)) for i in range(count)]
        stills = []
        for frame, rgb in zip(picks, self.video.get_batch(picks).asnumpy(), strict=True):
            at_s = frame / self.render.fps
            found = self.marks(at_s)
            pose = f", yaw {found.pose_deg[0]:+.0f}°, pitch {found.pose_deg[1]:+.0f}°" if found.pose_deg else ""
            stills.append(Still(f"{at_s:.2f} s{pose}", jpeg_of(rgb, [found] if marks else [], side_px)))
        return Stills(f"{self.clip_id}: {count} of {len(self.video)} frames", tuple(stills))

    def sound(self, hz: int = 16000) -> "SoundPicture":
        """Waveform and spectrogram."""
        from pipeline.views.sound_pictures import SoundPicture

        return SoundPicture(self.clip_id, self.render.duration_s, hz, self.samples(hz))

    def similar(self, by: str, count: int = 12) -> "SimilarClips":
        """The clips of the corpus whose face, or voice, is most like its own.

        Args:
            by: face or voice.

        Raises:
            UsageError: for another word, and where its own was not embedded.
        """
        from pipeline.corpus.similar import SimilarClips
        from pipeline.corpus_steps.likeness import likeness

        known = likeness(Manifest(self.root), by)
        return SimilarClips(self, by, tuple(known.nearest(self.clip_id, count)), known.same(self.clip_id))

    def marks(self, at_s: float) -> "Marks":
        """What was found in it at a time from its start, in pixels of its render."""
        from operators.models.face_geometry import landmarks_of
        from pipeline.views.pictures import SILENT, SPEAKS, UNKNOWN, Marks

        on_source_s = self.row.start_s + at_s
        box = box_at(self._track, on_source_s) if self._track else None
        colour = UNKNOWN
        if (row := self._speaking) is not None and row.score:
            tick = round((on_source_s - row.start_s) / row.step_s)
            colour = (SPEAKS if row.score[tick] > 0 else SILENT) if 0 <= tick < len(row.score) else UNKNOWN
        points = pose = None
        if (mesh := self._mesh) is not None and mesh.times_s:
            nearest = int(np.argmin(np.abs(np.asarray(mesh.times_s) - on_source_s)))
            if mesh.seen[nearest] and abs(mesh.times_s[nearest] - on_source_s) <= 0.6 / (
                mesh.rate_hz or self.render.fps
            ):
                points = self._in_render(landmarks_of(mesh)[nearest, :, :2])
                pose = mesh.yaw_deg[nearest], mesh.pitch_deg[nearest], mesh.roll_deg[nearest]
        corners = self._in_render(np.array([box[:2], box[2:4]])).ravel().tolist() if box else ()
        return Marks(corners, colour, points, pose)

    def _in_render(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) pixels of the source in those of the render."""
        row, render = self.row, self.render
        scale = render.width / (row.right_px - row.left_px), render.height / (row.bottom_px - row.top_px)
        return (points - (row.left_px, row.top_px)) * scale

    def _repr_html_(self) -> str:
        return self.play(inside=False)._repr_html_() if self.is_rendered else self.why._repr_html_()

    def _told(self) -> str:
        return f"{self.clip_id}\n{self.seconds:.2f} s, {self.row.speaker}"

    def _player(self, caption: str, src: str) -> "Player":
        from pipeline.views.pictures import jpeg_of
        from pipeline.views.players import Player

        return Player(self.clip_id, caption, jpeg_of(self.video[len(self.video) // 3].asnumpy()), src)

    def _preview(self) -> str:
        """A small version of its first seconds, to be a part of a page."""
        from pipeline.views.players import inside_page

        with tempfile.TemporaryDirectory() as folder:
            return inside_page(self.small(Path(folder, "preview.mp4"), PREVIEW_PX, PREVIEW_FPS, PREVIEW_S))

    def small(self, made: Path, side_px: int, fps: float, longest_s: float) -> Path:
        """Writes a small version of its file, and returns its path.

        Args:
            side_px: of the longer side, at most.
            fps: about so many frames a second are left, where there are more.
            longest_s: of its first seconds alone.
        """
        from operators.media.encoding import Encoder

        step = max(1, round(self.render.fps / fps))
        count = min(len(self.video), round(longest_s * self.render.fps))
        width, height = _fitting(self.render.width, self.render.height, side_px)
        pictures = (_scaled(self.video[number].asnumpy(), width, height) for number in range(0, count, step))
        rate = Fraction(self.render.fps).limit_denominator(1001) / step
        sound = self.samples(16000)[: round(count / self.render.fps * 16000)]
        encoder = Encoder(audio_hz=16000, audio_bps=32000, crf=30)
        encoder.write(made, pictures, sound if len(sound) else None, width=width, height=height, fps=rate)
        return made

    @cached_property
    def rows(self) -> SourceRows:
        """The rows of its source."""
        return SourceRows.of(Manifest(self.root), self.row.source_id)

    @property
    def is_rendered(self) -> bool:
        return any(one.clip_id == self.clip_id and one.made_by == "recording" for one in self.rows.current(Render))

    @cached_property
    def _track(self) -> Track | None:
        return next((one for one in self.rows.current(Track) if one.track_id == self.row.track_id), None)

    @cached_property
    def _speaking(self) -> ActiveSpeaker | None:
        return next((one for one in self.rows.current(ActiveSpeaker) if one.track_id == self.row.track_id), None)

    @cached_property
    def _mesh(self) -> FaceLandmarks | None:
        return next((one for one in self.rows.current(FaceLandmarks) if one.clip_id == self.clip_id), None)


def _fitting(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The sides of a picture within a square, never larger than they were, both even."""
    share = min(1.0, side_px / max(height, width))
    return max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2)


def _scaled(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))
