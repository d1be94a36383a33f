"""What the metrics of lip sync share: SyncNet's answer for a video, by either published protocol.

The protocols and their network are in `operators/models/syncnet.py`; here they are given our faces, and their names.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box
from operators.base import Drop
from operators.faces.detect_faces import DetectFaces
from operators.metrics.base import NOTHING, Metric, Video
from operators.models.catalogue_sound import SYNCNET_V2
from operators.models.face_pictures import mesh
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models.syncnet import Sync, SyncNet

T = TypeVar("T")

FPS, HZ = 25, 16000
_HEARD = "16 kHz mono, mfcc13 at 100 Hz, shifts -15..15, zeros beyond the ends, n-5 windows"
PROTOCOLS = {
    "lse_lrs": Protocol(
        crop="whole frame, squeezed",
        input="224x224",
        colour="BGR 0..255",
        sound=_HEARD,
        published="calculate_scores_LRS.py, JPEG at ffmpeg's default rate, 25 fps",
    ),
    "lse_tracked": Protocol(
        crop="face, tracked, median 13, crop .4, grey 110",
        input="224x224",
        colour="BGR 0..255",
        sound=_HEARD,
        published=(
            "run_pipeline.py, JPEG qscale 2, tracks of IoU .5, >100 frames, >100 px, JPEG at ffmpeg's default rate,"
            " 25 fps"
        ),
        deviates="MediaPipe boxes made as tall as S3FD's and not S3FD, no MPEG-4 and MP3 copy in between",
    ),
}
_TALLER, _HIGHER, _NARROW = 1.26, 0.20, 0.74


@cache
def network() -> "SyncNet":
    """SyncNet with the published weights, one for all that ask in this process."""
    from operators.models.syncnet import SyncNet

    return SyncNet.load(SYNCNET_V2.path())


@cache
def detector() -> DetectFaces:
    return DetectFaces()


def weights_of(protocol: str) -> tuple[Weight, ...]:
    return (SYNCNET_V2, *(DetectFaces().weights if protocol == "lse_tracked" else ()))


@dataclass
class Watched:
    """A video as one of the protocols wants it, small enough to hold: 224 x 224 pixels a frame, or a JPEG file."""

    protocol: str
    pictures: list[NDArray[np.uint8]]
    files: list[bytes]

    @classmethod
    def of(cls, protocol: str, pictures: Iterable[NDArray[np.uint8]]) -> "Watched":
        """
        Args:
            protocol: `lse_lrs` or `lse_tracked`.
            pictures: (h, w, 3) RGB of one size, 25 a second.
        """
        from operators.models.syncnet_pictures import QSCALE, jpeg_files, lrs_pictures

        in_bgr = (picture[:, :, ::-1] for picture in pictures)
        if protocol == "lse_lrs":
            return cls(protocol, list(lrs_pictures(in_bgr)), [])
        return cls(protocol, [], list(jpeg_files(in_bgr, QSCALE)))

    def sync(self, net: "SyncNet", sound: NDArray[np.float32]) -> "Sync":
        """What SyncNet says of it.

        Args:
            sound: (n,) at 16 kHz, -1 to 1, from the first picture on.

        Raises:
            Drop: `no_sound`, `silent_audio`; `too_short`, fewer than 6 frames, or by `lse_tracked` no face detected in
                more than 100; and by that `no_face`, `face_too_small`.
        """
        from operators.models.syncnet import check_sound, compare
        from operators.models.syncnet_pictures import tracked_pictures

        check_sound(sound)
        if self.protocol == "lse_lrs":
            return compare(net, self.pictures, sound)
        track = self._track()
        first, last = int(track.frames[0]), int(track.frames[-1]) + 1
        return compare(net, tracked_pictures(self.files, track), sound[first * HZ // FPS : last * HZ // FPS])

    def _track(self):
        """The face nearest to the middle: the published code says a line of every face, and we are about one."""
        from operators.models.syncnet_pictures import MIN_FACE_PX, MIN_TRACK, from_jpeg, link_faces

        count = len(self.files)
        if count <= MIN_TRACK:
            raise Drop("too_short", detail=f"{count} frames, more than {MIN_TRACK} are needed")
        stills = (Still(from_jpeg(file)[:, :, ::-1]) for file in self.files)
        tracks = link_faces([[as_s3fd(box) for box in detector().faces(still)] for still in stills])
        if not tracks:
            raise Drop("no_face", detail=f"in {count} frames")
        long = [track for track in tracks if track.sights > MIN_TRACK]
        if not long:
            most = max(track.sights for track in tracks)
            raise Drop("too_short", detail=f"a face in {most} of {count} frames, more than {MIN_TRACK} are needed")
        judged = [track for track in long if track.judged]
        if not judged:
            raise Drop(
                "face_too_small",
                detail=f"{max(track.side_px for track in long):.0f} px, more than {MIN_FACE_PX} are needed",
            )
        height, width = from_jpeg(self.files[0]).shape[:2]
        return min(
            judged,
            key=lambda one: float(
                np.hypot(*((one.boxes[:, :2] + one.boxes[:, 2:]).mean(axis=0) / 2 - (width / 2, height / 2)))
            ),
        )


@dataclass(frozen=True)
class SyncMetric(Metric):
    """One number of SyncNet's answer for a render. Variants are named `<what>_lrs` and `<what>_tracked`.

    Metrics that go over the same video share the answer.
    """

    compares: ClassVar[str] = NOTHING
    number: ClassVar[Callable[["Sync"], float]]

    @property
    def protocol(self) -> str:
        return "lse_lrs" if self.variant.endswith("_lrs") else "lse_tracked"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return weights_of(self.protocol)

    def measure(self, video: Video) -> float:
        first: Picture | None = None
        count = 0

        def pictures() -> Iterable[NDArray[np.uint8]]:
            nonlocal first, count
            for picture in shown_at_25(video):
                first = first or picture
                count += 1
                yield picture.rgb

        if self.protocol == "lse_lrs" and abs(video.fps - FPS) > 0.01:
            raise Drop("fps_not_25", detail=f"{video.fps:g}; the published code takes frames as they come")
        watched = Watched.of(self.protocol, pictures())
        if first is None:
            raise Drop("no_frames")
        sound = video.audio.samples(0.0, count / FPS, HZ)
        # All frames are gone through, so that no other reader of them waits for what happens now.
        answer = first.once((SyncMetric, self.protocol), lambda _: watched.sync(network(), sound))
        return type(self).number(answer)


def shown_at_25(video: Video) -> Iterator[Picture]:
    """What a player shows of a render at each moment of a clock of 25 Hz."""
    count = 0
    for number, pair in enumerate(video):
        until = int(np.ceil((number + 1) * FPS / video.fps - 1e-6))
        while count < until:
            count += 1
            yield pair.made


def mouth_and_voice(video: Video, reach: int = 15) -> tuple[float, float]:
    """By how many frames of 40 ms the sound of a render is late, and how sure that is: `ScoreSync`'s estimate, one for
    all metrics that ask.

    Args:
        reach: frames that the sound is shifted each way.

    Raises:
        Drop: `no_frames`; `too_short`, less than 2 s; `no_face`, in more than a fifth of the frames;
            `mouth_still`; `no_audio_stream`, `silent_audio`.
    """
    first: Picture | None = None
    gaps: list[float] = []
    for picture in shown_at_25(video):
        first = first or picture
        gaps.append(_gap(picture))
    if first is None:
        raise Drop("no_frames")
    if len(gaps) < 2 * FPS:
        raise Drop("too_short", detail=f"{len(gaps) / FPS:g} s, 2 are needed")
    seen = ~np.isnan(gaps)
    if seen.mean() < 0.8:
        raise Drop("no_face", detail=f"a face in {int(seen.sum())} of {len(gaps)} frames")

    def estimate(_: Picture) -> tuple[float, float]:
        from operators.models.sync_curves import correlations, peak, voice_level
        from operators.models.syncnet import check_sound

        check_sound(video.audio.samples(0.0, len(gaps) / FPS, HZ))
        mouth = np.interp(np.arange(len(gaps)), np.flatnonzero(seen), np.array(gaps)[seen])
        voice = voice_level(video.audio, -reach, len(mouth) + 2 * reach)
        for reason, signal, least in (("mouth_still", mouth, 1e-4), ("silent_audio", voice, 0.1)):
            if np.std(signal) < least:
                raise Drop(reason, detail=f"deviation {np.std(signal):.2g} < {least:g}")
        offset, height = peak(correlations(mouth, voice))
        return offset, float(height * np.sqrt(len(mouth) / FPS))

    return first.once((mouth_and_voice, reach), estimate)


def _gap(picture: Picture) -> float:
    """Between the inner lips, in heights of the face; NaN without a face."""
    points = mesh(picture)
    if points is None:
        return float("nan")
    return float(
        np.linalg.norm(points[[13, 82, 312]] - points[[14, 87, 317]], axis=1).mean()
        / np.linalg.norm(points[10] - points[152])
    )


def as_s3fd(box: Box) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the box that a detector trained on WIDER FACE, as S3FD is, would draw: forehead and
    chin too, without the ears.

    Measured against YuNet, a detector of that kind, on 95 faces of 14 videos: half the taller side is 1.26 +- 0.09
    times that of our boxes, the centre lies 0.20 +- 0.09 of it higher, the width is 0.74 +- 0.07 of the height.
    """
    half = max(box.right - box.left, box.bottom - box.top) / 2
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2 - _HIGHER * half
    high, wide = _TALLER * half, _TALLER * _NARROW * half
    return x - wide, y - high, x + wide, y + high


class Still:
    """A picture on its own as a `Frame`; see `operators.asks.Frame`."""

    def __init__(self, rgb: NDArray[np.uint8]):
        from PIL import Image

        self._picture = Image.fromarray(np.ascontiguousarray(rgb))
        self.pts_s = 0.0
        self.width, self.height = self._picture.size

    def rgb(self, height: int | None = None) -> NDArray[np.uint8]:
        from PIL import Image

        lines = self.height if height is None else min(height, self.height)
        return np.asarray(
            self._picture.resize((max(1, round(self.width * lines / self.height)), lines), Image.Resampling.BOX)
        )

    def gray(self, height: int | None = None) -> NDArray[np.uint8]:
        return np.round(self.rgb(height) @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)

    def luma(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        return self.gray()[top:bottom, left:right]

    def crop(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        from PIL import Image

        # Pillow leaves what lies beyond the picture black.
        corner = int(np.floor(left)), int(np.floor(top))
        part = self._picture.crop((*corner, int(np.ceil(right)), int(np.ceil(bottom))))
        box = left - corner[0], top - corner[1], right - corner[0], bottom - corner[1]
        kind = Image.Resampling.HAMMING if size[0] < right - left else Image.Resampling.BILINEAR
        return np.asarray(part.resize(size, kind, box))

    def planes(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        from operators.media.pixels import yuv_of_rgb

        return yuv_of_rgb(self.crop(left, top, right, bottom, size))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        return make()
