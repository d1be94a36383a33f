"""What every metric of `renders` is: an operator that measures one variant of one metric on one render.

A metric is a function of a `Video`: the frames of a render, each beside the frame it is to be compared with. It is
called on arrays in a test, `Psnr().measure(Video.of(made, reference))`, and on rows of `renders` by a step of `headset
score`: a render and its reference are decoded once for all metrics, and what several of them want of a frame is made
once (`Picture.once`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import TEXT_DRIVEN, Annotation, Clip, Features, Pair, Render, Row, Score
from operators.base import Audio, Drop, Frame, Frames, Lookup, Operator, OtherFrames
from operators.metrics.frechet import Moments, frechet_distance
from operators.metrics.references import DRIVING as DRIVING
from operators.metrics.references import IDENTITY as IDENTITY
from operators.metrics.references import NOTHING, TARGET, Reference, has_target, reference_of
from operators.models.catalogue import FACE_LANDMARKER
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

T = TypeVar("T")
F = TypeVar("F")

NO_PAIRS, NO_RENDERS = Lookup[Pair](), Lookup[Render]()
RGB, LUMA = (Protocol(crop="whole frame", colour=f"{channels} 0..255") for channels in ("RGB", "Y"))


class Variant(NamedTuple):
    """One exact definition among those that share a metric's name."""

    better: str  # "higher", "lower", or "" where neither is
    what: str  # the definition in one line
    protocol: Protocol = RGB


class FramePair(NamedTuple):
    """One moment of a render, and of what it is compared with; None where a metric compares with nothing."""

    made: Picture
    reference: Picture | None

    @property
    def of_any_size(self) -> tuple[Picture, Picture]:
        """The made picture, then its reference.

        Raises:
            Drop: `no_reference`.
        """
        if self.reference is None:
            raise Drop("no_reference")
        return self.made, self.reference

    @property
    def both(self) -> tuple[Picture, Picture]:
        """The made picture, then its reference, of one size.

        Raises:
            Drop: `no_reference`; `size_mismatch`.
        """
        made, reference = self.of_any_size
        if made.size != reference.size:
            raise Drop("size_mismatch", detail=f"{made.size} and {reference.size} px")
        return made, reference


@dataclass
class Video:
    """The frames of one render in order, each beside what it is compared with, to be gone through once; and its
    sound.
    """

    pairs: Iterable[FramePair]
    fps: float = 25.0
    sound: Callable[[], Audio] | None = field(default=None, repr=False)
    key: str = ""  # of the render: what seeds random choices
    frames: int = 0  # how many there are, where that is known before
    notes: Sequence[Annotation] = ()  # on the clip whose sound or motion is rendered

    def __iter__(self) -> Iterator[FramePair]:
        return iter(self.pairs)

    @property
    def audio(self) -> Audio:
        """
        Raises:
            Drop: `no_audio_stream`.
        """
        if self.sound is None:
            raise Drop("no_audio_stream")
        return self.sound()

    @classmethod
    def of(
        cls, made: Iterable[NDArray[Any]], reference: Iterable[NDArray[Any]] | None = None, fps: float = 25.0
    ) -> "Video":
        """A video of uint8 arrays (h, w, 3), as many as the shorter holds."""
        if reference is None:
            return cls((FramePair(Picture(one), None) for one in made), fps)
        return cls((FramePair(Picture(one), Picture(other)) for one, other in zip(made, reference, strict=False)), fps)


@dataclass(frozen=True)
class Metric(Operator):
    """One variant of one metric. A subclass sets `metric`, `known`, `compares`, the default of `variant`, and
    `measure`.

    `compares` says what is put beside a render: NOTHING; TARGET, the recording it should equal frame by frame, which
    only pairs with the driving clip's own identity have; DRIVING, the recording whose motion it should have; IDENTITY,
    the target where there is one, else the first frame of the source recording.
    """

    metric: ClassVar[str]
    known: ClassVar[dict[str, Variant]]
    compares: ClassVar[str] = TARGET
    variant: str = ""
    size: int = 0  # px, width and height, that both sides are scaled to; 0 for as they are

    def __post_init__(self) -> None:
        if self.variant not in self.known:
            raise ValueError(f"{self.metric} has no variant {self.variant!r}; it has {', '.join(self.known)}")

    @property
    def name(self) -> str:
        return f"{type(self).__name__}-{self.variant}"

    @property
    def definition(self) -> Variant:
        return self.known[self.variant]

    @cached_property
    def model_sha256(self) -> str:
        """Of the weights; of several, the sha256 of theirs in order."""
        sums = [weight.sha256 for weight in self.weights]
        return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest() if sums else ""

    @property
    def lookups(self) -> Mapping[str, type[Row]]:
        return {} if self.compares == NOTHING else super().lookups

    def measure(self, video: Video) -> float:
        """The value of one render.

        Raises:
            Drop: where it has none, with a typed reason.
        """
        raise NotImplementedError

    def __call__(
        self,
        render: Render,
        frames: Frames,
        others: OtherFrames,
        audio: Audio,
        pairs: Lookup[Pair] = NO_PAIRS,
        recordings: Lookup[Render] = NO_RENDERS,
    ) -> Iterator[Score]:
        pair, reference = None, None
        if self.compares != NOTHING:
            pair, reference = reference_of(self.compares, render, pairs, recordings)
        shown = self._beside(reference, frames, others) if reference else self._alone(frames)
        yield self._score(render, Video(shown, render.fps, lambda: audio, render.render_id, render.frames), pair)

    def _score(self, render: Render, video: Video, pair: Pair | None = None) -> Score:
        value = float(self.measure(video))
        return Score(*self._about(render), value, self.model_sha256, str(self.measured_under(render, pair)))

    def _about(self, render: Render) -> tuple[str, str, str, str, str]:
        """The first columns of a row about a render."""
        name = render.render_id
        return render.source_id, f"{name}#{self.variant}", name, self.metric, self.variant

    def _alone(self, frames: Frames) -> Iterator[FramePair]:
        return (FramePair(self._picture(frame), None) for frame in frames)

    def _beside(self, reference: Reference, frames: Frames, others: OtherFrames) -> Iterator[FramePair]:
        """Where the reference has ended, so has the comparison."""
        for number, frame in enumerate(frames):
            if (other := others(reference.render, 0 if reference.still else number)) is None:
                return
            yield FramePair(self._picture(frame), self._picture(other))

    def _picture(self, frame: Frame) -> Picture:
        """Of a frame, one for all metrics that look at it in one size."""
        whole, side = (0, 0, frame.width, frame.height), self.size
        return frame.once((Picture, side), lambda: Picture(frame.crop(*whole, (side, side)) if side else frame.rgb()))

    def measured_under(self, render: Render, pair: Pair | None) -> Protocol:
        """What the value of a render must share with others to be averaged with them."""
        size = f"{self.size}x{self.size} scaled" if self.size else f"{render.width}x{render.height}"
        pairing = "" if self.compares == NOTHING else "frame by frame, of the shorter"
        if self.compares == IDENTITY and not has_target(pair):
            pairing = "every frame with the source clip's first"
        return self.definition.protocol.measured(size=size, fps=render.fps, pairing=pairing)


@dataclass(frozen=True)
class WordMetric(Metric):
    """A metric that is told what is said: `Video.notes` are the annotations of the clip whose sound is rendered, and of
    the published clip that it was made from, at the times at which the render has them.

    Drops: `no_word`, for a pair of `text_driven`.
    """

    compares: ClassVar[str] = NOTHING

    def __call__(
        self,
        render: Render,
        clips: list[Clip],
        frames: Frames,
        audio: Audio,
        annotations: list[Annotation] = [],  # noqa: B006 - only read
    ) -> Iterator[Score]:
        if render.pair_id.startswith(f"{TEXT_DRIVEN}/"):
            raise Drop("no_word", detail="nothing says when a render of a clip's words says which")
        said = [
            _heard(note, clip)
            for clip in clips
            if clip.clip_id == render.clip_id
            for subject in (clip.clip_id, clip.published_id)
            for note in annotations
            if note.subject == subject
        ]
        video = Video(self._alone(frames), render.fps, lambda: audio, render.render_id, render.frames, said)
        yield self._score(render, video)


def _heard(note: Annotation, clip: Clip) -> Annotation:
    """What is said of a part of the clip, at the time at which its render has it: the sound was moved."""
    if note.start_s is None or note.end_s is None:
        return note
    return replace(note, start_s=note.start_s - clip.sound_late_s, end_s=note.end_s - clip.sound_late_s)


@dataclass(frozen=True)
class FaceMetric(Metric, Generic[F]):
    """A metric of what is found in the faces of a frame and of the one it is compared with: the mean over the frames
    with a face on both sides.

    A subclass says what is found, `extract`, and how far two such findings are from each other, `distance`. A frame
    without a face on either side is left out; when fewer than half are left, the render is given up: `no_face`.
    """

    same_size: ClassVar[bool] = False  # whether pictures of different sizes are refused

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def extract(self, picture: Picture) -> F | None:
        """None without a face."""
        raise NotImplementedError

    def distance(self, one: F, other: F) -> float:
        raise NotImplementedError

    def measure(self, video: Video) -> float:
        return mean_where_seen(self._of(pair) for pair in video)

    def _of(self, pair: FramePair) -> float | None:
        one, other = (self.extract(picture) for picture in (pair.both if self.same_size else pair.of_any_size))
        return None if one is None or other is None else self.distance(one, other)


@dataclass(frozen=True)
class SetMetric(Metric):
    """A metric of a set of renders beside a set of recordings: the Fréchet distance of features, which are taken of
    each render and kept.
    """

    compares: ClassVar[str] = NOTHING

    def features(self, video: Video) -> NDArray[np.float32]:
        """(n, d): one vector a frame, or one for several frames.

        Raises:
            Drop: where it has none.
        """
        raise NotImplementedError

    def __call__(self, render: Render, frames: Frames, audio: Audio) -> Iterator[Features]:
        video = Video(self._alone(frames), render.fps, lambda: audio, render.render_id, render.frames)
        found = self.features(video).astype("<f4")
        how = self.model_sha256, str(self.measured_under(render, None))
        yield Features(*self._about(render), len(found), found.shape[1], found.tobytes(), *how)

    def statistic(self, made: Moments, recorded: Moments) -> float:
        """The value of two sets of features."""
        return frechet_distance(made, recorded)

    def measure(self, video: Video) -> float:
        raise TypeError(f"{self.variant} is a metric of a set; of one render it takes features")


def mean_of_frames(values: Iterable[float]) -> float:
    """The mean over frames.

    Raises:
        Drop: `no_frames`.
    """
    found = np.fromiter(values, np.float64)
    if not len(found):
        raise Drop("no_frames")
    return float(found.mean())


def mean_where_seen(values: Iterable[float | None], reason: str = "no_face", least: float = 0.5) -> float:
    """The mean over the frames that have a value, None standing for one without, such as one without a face on both
    sides.

    Raises:
        Drop: `no_frames`; `reason`, when fewer than `least` of the frames have one.
    """
    found = list(values)
    seen = [value for value in found if value is not None]
    if not found:
        raise Drop("no_frames")
    if len(seen) < max(1.0, least * len(found)):
        raise Drop(reason, detail=f"{len(seen)} of {len(found)} frames have what is measured")
    return float(np.mean(seen))
