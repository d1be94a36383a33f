"""What a file holds, measured by reading every packet."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.reformatter import ColorTrc

from manifests.tables import Source
from operators.base import Drop, Media, Operator
from operators.media.clock import MAY_RESTART, RunningPackets
from operators.media.containers import (
    MAX_PIXELS,
    Display,
    audio_of,
    described,
    open_media,
    shown_when_decoded,
    video_of,
)
from operators.media.headers import stated_bytes
from operators.models.catalogue_sound import SILERO_VAD
from operators.sources.sound_tracks import SPEECH, chosen_track, told
from operators.weights import Weight

STATES_DURATION = ("mov", "matroska")  # demuxers whose duration is what the file says, not an estimate
GAP_S = 600.0  # sound may lack so much of its span whatever its share
# times the pixels that a header may state of those in a picture: every picture is shown in the header's size
MOST_LARGER = 4
LEAST_BIT_S = 100  # of a second of sound: silence takes several hundred in any codec


@dataclass(frozen=True)
class ProbeSource(Operator):
    """The facts of a source: streams, size, rotation, rate, and the spans in which there is picture and sound.

    Every packet is read and none but the first frame is decoded, so that durations and frame counts
    are measured, not believed. A source is given up as `empty_file`, `not_a_video`, `no_decoder`, `no_video_stream`,
    `no_audio_stream`, `corrupt_video` (not one frame decodes), `corrupt_file` (it cannot be read to its end),
    `truncated` (retryable), `too_long`, `implausible` (its headers state what its packets cannot hold),
    `clock_restarts`, `sound_track_missing`, or `unreadable` (this machine cannot).

    Of several sound tracks the one a player plays is taken, unless it is silent and another one is not; or, as
    `sound_track` says, the one with most "speech", or that of a language. The others are told in `audio_tracks`.
    """

    needs: tuple[str, ...] = ("video", "audio")  # streams without which a source is of no use
    truncated_share: float = 0.02  # of the stated duration that may be missing
    truncated_s: float = 0.5  # that may be missing however short the source
    sound_track: str = "player"  # or "speech", or a language as ISO 639 codes it: en, eng
    max_s: float = 12 * 3600.0  # from the first to the last packet
    least_hz: int = 4000  # of sound; telephones have 8000
    least_cover: float = 0.1  # of its span that the sound's packets must hold, where it lacks more than 10 minutes

    version: ClassVar[int] = 2

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (SILERO_VAD,) if self.sound_track == SPEECH else ()

    def __call__(self, source: Source, media: Media) -> Iterator[Source | Drop]:
        source = replace(source, bytes=media.path.stat().st_size, sha256=source.sha256 or _sha256(media.path))
        stated = stated_bytes(media.path)
        if source.bytes and stated - source.bytes > self.truncated_share * stated:
            raise Drop("truncated", detail=f"{source.bytes} of the stated {stated} bytes", retryable=True)
        with open_media(media.path) as container:
            video, track = video_of(container), None
            if len(container.streams.audio) > 1:
                self._check_headers(None, container.streams.audio)
                track = chosen_track(media.path, container, self.sound_track)
            audio = audio_of(container, track)
            if video is None and "video" in self.needs:
                raise Drop("no_video_stream", detail=described(container))
            if audio is None and "audio" in self.needs:
                raise Drop("no_audio_stream", detail=described(container))
            if video is None and audio is None:
                raise Drop("not_a_video", detail=f"neither picture nor sound: {described(container)}")
            self._check_headers(video, [audio] if audio is not None else [])
            packets, display, parts = _read(media.path, container, video)
            if video is not None and (display is None or not packets[video.index].times_s):
                raise Drop("corrupt_video", detail=f"not one frame of {packets[video.index].count} packets decodes")
            if audio is not None and not packets[audio.index].count and "audio" in self.needs:
                raise Drop("corrupt_audio", detail="the audio track holds no sample")
            self._check_span([packets[stream.index] for stream in (video, audio) if stream is not None])
            if audio is not None:
                self._check_cover(audio, packets[audio.index])
            self._check_whole(container, {stream.index for stream in (video, audio) if stream is not None}, packets)
            facts = _facts(container, video, audio, packets, display)
            if parts > 1 and container.format.name not in MAY_RESTART:
                had_s = float(facts["end_s"]) - float(facts["start_s"])
                raise Drop(
                    "clock_restarts",
                    detail=f"{container.format.name}: {had_s:.2f} s in {parts} parts, to which no seek leads",
                )
            yield replace(source, **facts, clock_parts=parts)

    def _check_headers(self, video: av.VideoStream | None, sounds) -> None:
        """Raises a drop for what no camera or microphone makes, before anything is decoded."""
        if video is not None and video.codec_context.width * video.codec_context.height > MAX_PIXELS:
            raise Drop(
                "implausible", detail=f"pictures of {video.codec_context.width} x {video.codec_context.height} pixels"
            )
        for audio in sounds:
            if audio.codec_context is not None and 0 < audio.codec_context.sample_rate < self.least_hz:
                raise Drop(
                    "implausible", detail=f"sound of {audio.codec_context.sample_rate} Hz; the least is {self.least_hz}"
                )

    def _check_span(self, chosen_packets: list["_Packets"]) -> None:
        for read in chosen_packets:
            if read.count and read.span_s > self.max_s:
                raise Drop(
                    "too_long",
                    detail=f"{read.span_s:.0f} s from the first to the last packet; at most {self.max_s:.0f}",
                )

    def _check_cover(self, audio: av.AudioStream, read: "_Packets") -> None:
        """Raises a drop where the packets of sound are a small part of the span they state."""
        hz, samples = audio.codec_context.sample_rate, audio.codec_context.frame_size
        held_s = read.count * samples / hz if samples > 1 and hz else read.lasts_s
        if read.span_s - held_s > GAP_S and held_s < self.least_cover * read.span_s:
            raise Drop(
                "implausible", detail=f"packets hold {held_s:.1f} s of sound, their times state {read.span_s:.0f} s"
            )
        if read.span_s > GAP_S and read.bytes * 8 < LEAST_BIT_S * read.span_s:
            raise Drop("implausible", detail=f"{read.bytes} bytes of sound for {read.span_s:.0f} s")

    def _check_whole(self, container: InputContainer, chosen: set[int], packets: dict[int, "_Packets"]) -> None:
        """Raises a drop where the file states clearly more picture or sound than its packets hold."""
        if not container.format.name.startswith(STATES_DURATION):
            return
        for stream in container.streams:
            if stream.index not in chosen:
                continue
            read = packets[stream.index]
            stated_s, held_s = _stated_s(stream), read.span_s
            if stated_s - held_s > max(self.truncated_s, self.truncated_share * stated_s):
                text = f"{stream.type}: {held_s:.2f} s of the stated {stated_s:.2f} s" + (
                    f", {read.count} of {stream.frames} packets" if stream.frames else ""
                )
                raise Drop("truncated", detail=text, retryable=True)
        # A subtitle may outlast picture and sound, and then the file's duration is its own.
        if container.duration is not None and packets:
            stated_s = container.duration / av.time_base + (container.start_time or 0) / av.time_base
            held_s = max(read.end_s for read in packets.values())
            if stated_s - held_s > max(self.truncated_s, self.truncated_share * stated_s):
                raise Drop(
                    "truncated", detail=f"packets end at {held_s:.2f} s of the stated {stated_s:.2f} s", retryable=True
                )


@dataclass
class _Packets:
    """What the packets of one stream say; those that a player must not show are not counted."""

    count: int = 0
    bytes: int = 0
    times_s: list[float] = field(default_factory=list)
    end_s: float = -np.inf
    start_s: float = np.inf
    lasts_s: float = 0.0  # all their durations together

    @property
    def span_s(self) -> float:
        return max(self.end_s - self.start_s, 0.0) if self.times_s else 0.0

    def add(self, packet: av.Packet, not_before_s: float, when_decoded: bool) -> None:
        pts = packet.dts if packet.pts is None or (when_decoded and packet.dts is not None) else packet.pts
        if packet.size == 0 or packet.is_discard:
            return
        self.count += 1
        self.bytes += packet.size
        if pts is None or packet.time_base is None:
            return
        time_s, end_s = float(pts * packet.time_base), float((pts + (packet.duration or 0)) * packet.time_base)
        self.times_s.append(time_s)
        self.lasts_s += end_s - time_s
        self.start_s, self.end_s = min(self.start_s, max(time_s, not_before_s)), max(self.end_s, end_s)

    def move(self, by_s: float, last_s: float) -> None:
        """Later by so much, the last one so long: AVI counts ticks as frames, most of which may be left out."""
        self.times_s = [time_s + by_s for time_s in self.times_s]
        self.start_s, self.end_s = self.start_s + by_s, max(self.times_s, default=-np.inf) + last_s


def _read(
    path: Path, container: InputContainer, video: av.VideoStream | None
) -> tuple[dict[int, _Packets], Display | None, int]:
    streams = [stream for stream in container.streams if stream.time_base]
    packets = {stream.index: _Packets() for stream in streams}
    # An encoder's priming has packets before the stream's start, and no sound.
    not_before_s = {
        s.index: float(s.start_time * s.time_base) if s.start_time is not None and s.time_base else -np.inf
        for s in streams
    }
    display = None
    size = (0, 0)
    if video is not None:
        size = video.codec_context.width, video.codec_context.height
        video.codec_context.thread_count = 1
    when_decoded, delay_s = video is not None and shown_when_decoded(container, video), 0.0
    reading = RunningPackets(container, path, streams)
    for packet in reading:
        index = packet.stream_index
        if index not in packets:
            continue
        packets[index].add(packet, not_before_s[index], when_decoded and packet.stream.type == "video")
        if video is not None and display is None and index == video.index:
            try:
                frames = video.codec_context.decode(packet)
            except FFmpegError:
                continue
            display = Display.of(video, frames[0], size) if frames and frames[0].height else None
            if display is not None and size[0] * size[1] > MOST_LARGER * frames[0].width * frames[0].height:
                text = (
                    f"the header says {size[0]} x {size[1]} pixels, the first picture has {frames[0].width} x"
                    f" {frames[0].height}"
                )
                raise Drop("implausible", detail=text)
            if display is not None and when_decoded and frames[0].dts is not None and packets[index].times_s:
                delay_s = frames[0].dts * float(frames[0].time_base or 0) - packets[index].times_s[0]
    if video is not None and when_decoded:
        packets[video.index].move(delay_s, _step_s(packets[video.index].times_s))
    return packets, display, reading.clock.parts


def _step_s(times_s: list[float]) -> float:
    """The median time from frame to frame; 0 of one."""
    return float(np.median(np.diff(np.sort(times_s)))) if len(times_s) > 1 else 0.0


def _stated_s(stream: Stream) -> float:
    """How long a stream says it is; 0 where it does not. Matroska says so in a tag, if at all."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    clock = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = map(float, clock)
    except ValueError:
        return 0.0
    return hours * 3600 + minutes * 60 + seconds - (stream.start_time or 0) * float(stream.time_base or 0)


def _facts(
    container: InputContainer,
    video: av.VideoStream | None,
    audio: av.AudioStream | None,
    packets: dict[int, _Packets],
    display: Display | None,
) -> dict:
    facts: dict = {"container": container.format.name}
    if audio is not None:
        read = packets[audio.index]
        facts |= {
            "audio_codec": audio.codec_context.codec.canonical_name,
            "audio_hz": audio.sample_rate,
            "audio_channels": audio.channels,
            "audio_start_s": read.start_s if read.times_s else 0.0,
            "audio_end_s": read.end_s if read.times_s else 0.0,
            "audio_track": container.streams.audio.index(audio),
            "audio_tracks": told(container),
        }
        facts |= {"start_s": facts["audio_start_s"], "end_s": facts["audio_end_s"]}
    if video is not None and display is not None:
        read = packets[video.index]
        gaps, step_s = np.diff(np.sort(read.times_s)), _step_s(read.times_s)
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
            "transfer": _transfer(video),
        }
    return facts


def _transfer(video: av.VideoStream) -> str:
    """The name of the transfer characteristic, "" where the stream names none."""
    number = int(video.codec_context.color_trc)
    known = {int(value): value.name.lower() for value in ColorTrc}
    return "" if number in (0, int(ColorTrc.UNSPECIFIED)) else known.get(number, str(number))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
