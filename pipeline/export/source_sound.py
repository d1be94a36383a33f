"""A clip's sound as its source holds it, beside the mono of its render: newer systems train on stereo at 48 kHz."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from manifests.cache import media_cache
from manifests.errors import MissingMedia
from manifests.media import MediaStore
from operators.base import Drop
from operators.media.sound import native_channels

if TYPE_CHECKING:
    from pipeline.export.clip import ExportClip

HZ = 48000


def widest(clip: "ExportClip", hz: int = HZ) -> tuple[NDArray[np.float32], str]:
    """(2 or 1, round(frames / fps * hz)), -1 to 1, as long as the pictures, and where it comes from.

    Two channels are the source's own, in the clip's span and moved as the clip's sound was; of more than two, their mix
    by FFmpeg's matrix. One channel is the render's, where the source has one, or is not at hand: the text says which.

    Raises:
        Drop: those of the decoder.
    """
    if clip.source is None or clip.source.audio_channels == 1:
        return clip.samples(hz)[None], "render: the source is mono" if clip.source else "render: no source is known"
    try:
        path = _file(clip)
    except MissingMedia:
        return clip.samples(hz)[None], "render: the source is not at hand"
    length_s = clip.frames / clip.fps
    start_s = clip.start_s + clip.sound_late_s
    channels, own_hz, layout = native_channels(path, start_s, start_s + length_s, clip.source.audio_track)
    if len(channels) == 1:
        return clip.samples(hz)[None], "render: the source is mono"
    return _stereo(channels, own_hz, layout, hz, round(length_s * hz)), "source: stereo"


def _file(clip: "ExportClip") -> Path:
    assert clip.source is not None
    if clip.source.media:
        return MediaStore(clip.root).fetch(clip.source.media, clip.source.sha256, media_cache())
    path = Path(clip.source.uri)
    if not path.is_file():
        raise MissingMedia(f"{clip.source.uri} is not there")
    return path


def _stereo(channels: NDArray[np.float32], own_hz: int, layout: str, hz: int, count: int) -> NDArray[np.float32]:
    import av

    if not layout:
        raise Drop("corrupt_audio", detail=f"{len(channels)} channels without a layout")
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
    frame.sample_rate = own_hz
    resampler = av.AudioResampler("fltp", "stereo", hz, options={"rematrix_maxval": "1.0"})
    made = [part.to_ndarray() for one in (frame, None) for part in resampler.resample(one)]
    whole = np.concatenate(made, axis=1)[:, :count].astype(np.float32)
    return np.clip(np.pad(whole, ((0, 0), (0, count - whole.shape[1]))), -1.0, 1.0)
