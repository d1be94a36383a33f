"""The pixels and sound of a clip, as a file."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from manifests.tables import Clip, Render
from operators.base import Audio, Drop, Frame, Frames, Media, Operator

# x264's faster routines read beyond pictures whose width is no multiple of 128, and what lies there changes the bytes.
X264 = "cpu-independent=1"
_EXACT_S = 0.002  # Matroska and the ids of clips round to the millisecond


@dataclass(frozen=True)
class RenderClips(Operator):
    """Cuts the clip out of its source: its box scaled to a square, at a constant rate, with its sound, as H.264 and AAC in mp4.

    Output frame k is the source frame that is visible at `start_s + k / fps` (or comes within 2 ms after it), so that lips
    and sound stay together whatever the source's frame rate, constant or not. There are `round((end_s - start_s) * fps)` frames,
    and the sound is cut to the same span to the sample, later by the clip's `sound_late_s`. The same clip gives the same bytes on the same encoder build;
    `frames_sha256` is that of the frames' RGB bytes, height x width x 3 each, so it holds for every build.

    Drops: `no_frames` (the span holds none), `no_audio_stream`.
    """

    size: int = 512  # pixels, both ways; even
    fps: int = 25
    audio_hz: int = 48000
    audio_bps: int = 128000
    crf: int = 18  # libx264's constant rate factor: lower is better and larger; 18 is close to what an eye can tell
    preset: str = "veryfast"
    silent: bool = False  # True: a clip of a source without sound is a picture alone, and no drop

    version: ClassVar[int] = 2

    def __call__(self, clip: Clip, frames: Frames, audio: Audio, media: Media) -> Iterator[Render]:
        count = max(1, round((clip.end_s - clip.start_s) * self.fps))
        seen = hashlib.sha256()
        samples = self._samples(clip, count, audio)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "clip.mp4")
            with av.open(str(made), "w", options={"movflags": "+faststart"}) as container:
                options = {"crf": str(self.crf), "preset": self.preset, "g": str(self.fps), "x264-params": X264}
                video = container.add_stream("libx264", rate=self.fps, options=options)
                video.width = video.height = self.size
                video.pix_fmt = "yuv420p"
                video.time_base = Fraction(1, self.fps)
                video.codec_context.time_base = Fraction(1, self.fps)
                video.codec_context.thread_count = 1  # x264's bytes depend on it
                video.codec_context.color_primaries = ColorPrimaries.BT709
                video.codec_context.color_trc = ColorTrc.BT709
                video.codec_context.colorspace = Colorspace.ITU709
                video.codec_context.color_range = ColorRange.MPEG
                if samples is not None:
                    sound = container.add_stream("aac", rate=self.audio_hz, layout="mono")
                    sound.bit_rate = self.audio_bps
                    # Sound first: the muxer interleaves by time, and holds back what comes early. Sound is the smaller part to hold.
                    for packet in _packets_of_sound(sound, samples, self.audio_hz):
                        container.mux(packet)
                for k, rgb in enumerate(self._resampled(clip, frames, count)):
                    seen.update(rgb.tobytes())
                    picture = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
                    picture = picture.reformat(
                        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
                    )
                    picture.pts, picture.time_base = k, Fraction(1, self.fps)
                    container.mux(video.encode(picture))
                container.mux(video.encode(None))
            size = made.stat().st_size
            place, sha256 = media.keep(made, ".mp4")
        render_id = f"{clip.clip_id}@recording"
        yield Render(
            clip.source_id, render_id, clip.clip_id, "recording", place, sha256, seen.hexdigest(), size,
            width=self.size, height=self.size, fps=float(self.fps), frames=count, duration_s=count / self.fps, encoder=self._encoder(),
        )  # fmt: skip

    def _samples(self, clip: Clip, count: int, audio: Audio) -> NDArray[np.float32] | None:
        try:
            start_s = clip.start_s + clip.sound_late_s
            return audio.samples(start_s, start_s + count / self.fps, self.audio_hz)
        except Drop as no:
            if not self.silent or no.reason != "no_audio_stream":
                raise
            return None

    def _resampled(self, clip: Clip, frames: Frames, count: int) -> Iterator[NDArray[np.uint8]]:
        """The `count` pictures to encode. Before the first frame of the span, the first is shown."""
        shown: Frame | None = None
        k = 0
        for frame in frames:
            until = min(count, _first_at(frame.pts_s - clip.start_s, self.fps)) if shown else 0
            if shown and until > k:
                rgb = self._picture(clip, shown)
                yield from [rgb] * (until - k)
                k = until
            shown = frame
            if k == count:
                break
        if shown is None:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        if k < count:
            yield from [self._picture(clip, shown)] * (count - k)

    def _picture(self, clip: Clip, frame: Frame) -> NDArray[np.uint8]:
        return frame.crop(clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, (self.size, self.size))

    def _encoder(self) -> str:
        codec = ".".join(map(str, av.library_versions["libavcodec"]))
        video = f"libx264 crf {self.crf} {self.preset} yuv420p bt709 g {self.fps} threads 1 {X264}"
        return f"PyAV {av.__version__}, libavcodec {codec}, {video}, aac {self.audio_bps} b/s {self.audio_hz} Hz mono"


def _first_at(offset_s: float, fps: int) -> int:
    """The first k at which a frame with this offset is visible: at k / fps, or no later after it than times are exact."""
    return max(0, ceil((offset_s - _EXACT_S) * fps))


def _packets_of_sound(stream, samples: NDArray[np.float32], hz: int) -> Iterator[av.Packet]:
    """The sound in frames of the size the encoder takes; the encoder pads the last."""
    step = stream.codec_context.frame_size or 1024
    for at in range(0, len(samples), step):
        frame = AudioFrame.from_ndarray(samples[None, at : at + step], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = hz, at, Fraction(1, hz)
        yield from stream.encode(frame)
    yield from stream.encode(None)
