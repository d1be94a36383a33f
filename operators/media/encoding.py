"""Pictures and sound into a file: the one transcode that every render goes through, recorded or generated."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

# x264's faster routines read beyond pictures whose width is no multiple of 128, and what lies there changes the bytes.
X264 = "cpu-independent=1"
PLANES = (
    "yuv420p:"  # before a hash of frames: of the planes that were encoded; without it, of the RGB they were made of
)


@dataclass(frozen=True)
class Encoder:
    """H.264 and AAC in mp4. The same pictures and samples give the same bytes on the same build.

    A change of codec alone moves metrics of lip sync, so recordings and generated videos are encoded by the same
    settings.
    """

    audio_hz: int = 48000
    audio_bps: int = 128000
    crf: int = 18  # libx264's constant rate factor: lower is better and larger; 18 is close to what an eye can tell
    preset: str = "veryfast"

    def write(
        self,
        path: Path,
        pictures: Iterable[NDArray[np.uint8]],
        samples: NDArray[np.float32] | None,
        *,
        width: int,
        height: int,
        fps: Fraction,
    ) -> tuple[str, int]:
        """Writes the file.

        Args:
            pictures: (height, width, 3) RGB each, 0 to 255, or (height * 3 // 2, width) each, the planes of YUV 4:2:0
                of BT.709 in limited range, as `Frame.planes` gives them; both sides even.
            samples: mono at `audio_hz`, -1 to 1; None for no sound.

        Returns:
            The sha256 of the pictures' bytes, which holds for every build, with `PLANES` before it where they are YUV,
            and how many there were.
        """
        seen, count, kind = hashlib.sha256(), 0, ""
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            options = {"crf": str(self.crf), "preset": self.preset, "g": str(round(fps)), "x264-params": X264}
            video = container.add_stream("libx264", rate=fps, options=options)
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.time_base = video.codec_context.time_base = 1 / fps
            video.codec_context.thread_count = 1  # x264's bytes depend on it
            video.codec_context.color_primaries = ColorPrimaries.BT709
            video.codec_context.color_trc = ColorTrc.BT709
            video.codec_context.colorspace = Colorspace.ITU709
            video.codec_context.color_range = ColorRange.MPEG
            if samples is not None:
                sound = container.add_stream("aac", rate=self.audio_hz, layout="mono")
                sound.bit_rate = self.audio_bps
                # Sound first: the muxer interleaves by time, and holds back what comes early. Sound is the smaller part
                # to hold.
                for packet in _packets_of_sound(sound, samples, self.audio_hz):
                    container.mux(packet)
            for given in pictures:
                seen.update(given.tobytes())
                kind = PLANES if given.ndim == 2 else ""
                picture = _yuv(given)
                picture.pts, picture.time_base = count, 1 / fps
                container.mux(video.encode(picture))
                count += 1
            container.mux(video.encode(None))
        return kind + seen.hexdigest(), count

    def told(self, fps: Fraction) -> str:
        """Libraries, builds and settings, for the column `encoder` of a render."""
        codec = ".".join(map(str, av.library_versions["libavcodec"]))
        video = f"libx264 crf {self.crf} {self.preset} yuv420p bt709 g {round(fps)} threads 1 {X264}"
        return f"PyAV {av.__version__}, libavcodec {codec}, {video}, aac {self.audio_bps} b/s {self.audio_hz} Hz mono"


def _yuv(picture: NDArray[np.uint8]) -> VideoFrame:
    if picture.ndim == 2:
        made = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
        made.colorspace, made.color_range = Colorspace.ITU709, ColorRange.MPEG
        return made
    made = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return made.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1)


def _packets_of_sound(stream, samples: NDArray[np.float32], hz: int) -> Iterator[av.Packet]:
    """The sound in frames of the size the encoder takes; the encoder pads the last."""
    step = stream.codec_context.frame_size or 1024
    for at in range(0, len(samples), step):
        frame = AudioFrame.from_ndarray(samples[None, at : at + step], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = hz, at, Fraction(1, hz)
        yield from stream.encode(frame)
    yield from stream.encode(None)
