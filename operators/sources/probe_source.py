"""What a file holds, measured by reading every packet of the streams a player would show and play."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import BugError, InvalidDataError, PatchWelcomeError

from manifests.tables import Source
from operators.base import Drop, Media, Operator
from operators.media.containers import Display, audio_of, open_media, video_of
from operators.media.headers import stated_bytes

STATES_DURATION = ("mov", "matroska")  # demuxers whose duration is what the file says, not an estimate


@dataclass(frozen=True)
class ProbeSource(Operator):
    """The facts of a source: streams, size, rotation, rate, and the spans in which there is picture and sound.

    Every packet of the two streams is read and none but the first frame is decoded, so that durations and frame counts
    are measured, not believed. A source is given up as `empty_file`, `not_a_video`, `no_decoder`, `no_video_stream`,
    `no_audio_stream`, `corrupt_video` (not one frame decodes) or `truncated` (retryable).
    """

    needs: tuple[str, ...] = ("video", "audio")  # streams without which a source is of no use
    truncated_share: float = 0.02  # of the stated duration that may be missing
    truncated_s: float = 0.5  # that may be missing however short the source

    def __call__(self, source: Source, media: Media) -> Iterator[Source | Drop]:
        source = replace(source, bytes=media.path.stat().st_size, sha256=source.sha256 or _sha256(media.path))
        stated = stated_bytes(media.path)
        if source.bytes and stated - source.bytes > self.truncated_share * stated:
            raise Drop("truncated", detail=f"{source.bytes} of the stated {stated} bytes", retryable=True)
        with open_media(media.path) as container:
            video, audio = video_of(container), audio_of(container)
            if video is None and "video" in self.needs:
                raise Drop("no_video_stream", detail=_streams(container))
            if audio is None and "audio" in self.needs:
                raise Drop("no_audio_stream", detail=_streams(container))
            if video is None and audio is None:
                raise Drop("not_a_video", detail=f"neither picture nor sound: {_streams(container)}")
            packets, display = _read(container, video, audio)
            if video is not None and display is None:
                raise Drop("corrupt_video", detail=f"not one frame of {packets[video.index].count} packets decodes")
            self._check_whole(container, packets)
            yield _facts(source, container, video, audio, packets, display)

    def _check_whole(self, container: InputContainer, packets: dict[int, "_Packets"]) -> None:
        """Raises a drop where the file states clearly more than its packets hold."""
        if not container.format.name.startswith(STATES_DURATION):
            return
        for stream in container.streams:
            read = packets.get(stream.index)
            if read is None or stream.duration is None or stream.time_base is None:
                continue
            stated, held = float(stream.duration * stream.time_base), read.end_s - read.start_s if read.count else 0.0
            if stated - held > max(self.truncated_s, self.truncated_share * stated):
                text = f"{stream.type}: {held:.2f} s of the stated {stated:.2f} s" + (
                    f", {read.count} of {stream.frames} packets" if stream.frames else ""
                )
                raise Drop("truncated", detail=text, retryable=True)
        if container.duration is not None and packets:
            stated = container.duration / av.time_base + (container.start_time or 0) / av.time_base
            held = max(read.end_s for read in packets.values())
            every_stream = {stream.index for stream in container.streams if stream.type in ("video", "audio")} <= set(packets)
            if every_stream and stated - held > max(self.truncated_s, self.truncated_share * stated):
                raise Drop("truncated", detail=f"packets end at {held:.2f} s of the stated {stated:.2f} s", retryable=True)


@dataclass
class _Packets:
    """What the packets of one stream say; those that a player must not show are not counted."""

    count: int = 0
    times_s: list[float] = field(default_factory=list)
    end_s: float = -np.inf
    start_s: float = np.inf

    def add(self, packet: av.Packet, not_before_s: float) -> None:
        pts = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 or packet.is_discard:
            return
        self.count += 1
        if pts is None or packet.time_base is None:
            return
        time_s, end_s = float(pts * packet.time_base), float((pts + (packet.duration or 0)) * packet.time_base)
        self.times_s.append(time_s)
        self.start_s, self.end_s = min(self.start_s, max(time_s, not_before_s)), max(self.end_s, end_s)


def _read(
    container: InputContainer, video: av.VideoStream | None, audio: av.AudioStream | None
) -> tuple[dict[int, _Packets], Display | None]:
    chosen = [stream for stream in (video, audio) if stream is not None]
    packets = {stream.index: _Packets() for stream in chosen}
    # An encoder's priming has packets before the stream's start, and no sound.
    not_before_s = {s.index: float(s.start_time * s.time_base) if s.start_time is not None and s.time_base else -np.inf for s in chosen}
    display = None
    size = (0, 0)
    if video is not None:
        size = video.codec_context.width, video.codec_context.height
        video.codec_context.thread_count = 1
    for packet in container.demux(chosen):
        index = packet.stream.index
        packets[index].add(packet, not_before_s[index])
        if video is not None and display is None and index == video.index:
            try:
                frames = video.codec_context.decode(packet)
            except (InvalidDataError, BugError, PatchWelcomeError):
                continue
            display = Display.of(video, frames[0], size) if frames else None
    return packets, display


def _facts(source, container, video, audio, packets: dict[int, _Packets], display: Display | None) -> Source:
    facts: dict = {"container": container.format.name}
    if audio is not None:
        read = packets[audio.index]
        facts |= {
            "audio_codec": audio.codec_context.codec.canonical_name,
            "audio_hz": audio.sample_rate,
            "audio_channels": audio.channels,
            "audio_start_s": read.start_s if read.count else 0.0,
            "audio_end_s": read.end_s if read.count else 0.0,
        }
        facts |= {"start_s": facts["audio_start_s"], "end_s": facts["audio_end_s"]}
    if video is not None and display is not None:
        read = packets[video.index]
        gaps = np.diff(np.sort(read.times_s))
        step_s = float(np.median(gaps)) if len(gaps) else 0.0
        end_s = max(read.end_s, max(read.times_s) + step_s) if read.end_s <= max(read.times_s) else read.end_s
        facts |= {
            "start_s": read.start_s,
            "end_s": end_s,
            "width": display.width,
            "height": display.height,
            "rotation_deg": display.rotation_deg,
            "frames": read.count,
            "fps": read.count / (end_s - read.start_s) if end_s > read.start_s else 0.0,
            "variable_fps": bool(len(gaps)) and bool((np.abs(gaps - step_s) > 0.1 * step_s).any()),
            "video_codec": video.codec_context.codec.canonical_name,
            "pixel_format": video.codec_context.pix_fmt or "",
        }
    return replace(source, **facts)


def _streams(container: InputContainer) -> str:
    return ", ".join(f"{s.type} {s.name or ''}".strip() for s in container.streams) or "no streams"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
