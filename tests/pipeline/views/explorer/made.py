"""A corpus of made videos to be explored: what is shown at every second is known, and titles are hostile."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from manifests.manifest import Manifest
from manifests.tables import (
    ActiveSpeaker,
    Clip,
    Dropped,
    FaceLandmarks,
    Render,
    Row,
    Source,
    Track,
    VoiceEmbedding,
    Word,
)
from operators.models.face_geometry import POINTS, in_units, packed_landmarks
from tests.made_videos import tone, write_video
from tests.pipeline import made_corpus
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source, track

SOURCES, CLIPS = 4, 6  # of each source
SECONDS, LENGTH_S, GAP_S = 14.0, 1.6, 2.0
HOSTILE = (
    "<img src=x onerror=\"window.hacked='title'\"><script>window.hacked='script'</script>",
    "\x1b[31mred\x1b]0;title\x07 </script><script>window.hacked='end'</script>",
    "\u202egnp.exe \u2067right to left\u2069 \u0000 ",
    "long " * 800,
)
WORDS = ("<b>hello</b>", "there,", "&amp;", "world")


def explored(folder: Path) -> Manifest:
    """Makes the corpus in a folder: 24 clips of four videos, six of each, one video shown in each of four colours."""
    rows: list[Row] = []
    colours = ("red", "green", "blue", "yellow")
    for number in range(SOURCES):
        file = folder / f"video{number}.mp4"
        folder.mkdir(parents=True, exist_ok=True)
        write_video(file, ((colours[number], SECONDS),), audio=tone(SECONDS), size=(320, 180), bt709=True)
        size = {"width": 320, "height": 180, "end_s": SECONDS, "fps": 25.0, "frames": 350}
        rows.append(source(f"s{number}", uri=str(file), title=HOSTILE[number], channel=f"channel {number % 2}", **size))
        rows.append(track(f"s{number}", end_s=SECONDS))
        looks = rows[-1]
        assert isinstance(looks, Track)
        spoken = [float(n % 20 - 8) for n in range(round(SECONDS * 5))]
        rows.append(
            ActiveSpeaker(
                f"s{number}", f"{looks.track_id}/made", looks.shot_id, looks.track_id, "made", 0.0, 0.2, spoken
            )
        )
        subject = f"s{number}/000000-001000/t9"
        detail = f"<b>{number}</b> of 4"
        rows.append(
            Dropped(
                f"s{number}", f"{subject}@PlanClips", subject, "clips", "PlanClips", "too_short", detail, False, False
            )
        )
        for place in range(CLIPS):
            rows += _clip_of(folder, f"s{number}", number, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(made_corpus.STEPS, "DetectActiveSpeaker", ("tracks", "active_speaker"))
        patch.setitem(made_corpus.STEPS, "LandmarkFaces", ("clips", "face_landmarks"))
        patch.setitem(made_corpus.STEPS, "TranscribeWords", ("clips", "words"))
        patch.setitem(made_corpus.STEPS, "EmbedVoice", ("clips", "voice_embeddings"))
        return corpus_of(folder / "corpus", rows)


def _clip_of(folder: Path, source_id: str, number: int, place: int) -> Iterable[Row]:
    start_s = 1.0 + place * GAP_S
    made = clip(source_id, start_s, start_s + LENGTH_S, right_px=180.0, bottom_px=180.0)
    yield made
    video = write_video(
        folder / "clip.mp4", ((("cyan", "magenta")[place % 2], LENGTH_S),), audio=tone(LENGTH_S), size=(128, 128)
    )
    kept = render(made, folder / "corpus", folder / "scratch", video.read_bytes())
    yield Render(**{**vars(kept), "width": 128, "height": 128, "frames": 40, "duration_s": LENGTH_S})
    yield score(made, "face_width_px", 100.0 + 10 * (number * CLIPS + place))
    yield score(made, "dnsmos_ovrl", 1.0 + 0.1 * (number * CLIPS + place))
    yield score(made, "yaw_deg", float(place - 2))
    for n, text in enumerate(WORDS):
        from_s, to_s = start_s + 0.1 + n * 0.3, start_s + 0.35 + n * 0.3
        word_id = f"{made.clip_id}/{round(from_s * 1000):06d}-{round(to_s * 1000):06d}"
        yield Word(source_id, word_id, made.clip_id, text, from_s, to_s, 0.9)
    yield _landmarks(made)
    # The voices of a source's first clips are one, and so on: 30 degrees from each place to the next.
    angle = np.radians(30 * place)
    numbers = np.array([np.cos(angle), np.sin(angle), *[0] * 190], "<f2").tobytes()
    yield VoiceEmbedding(source_id, f"{made.clip_id}@made", made.clip_id, LENGTH_S, numbers, "made")


def _landmarks(of: Clip) -> FaceLandmarks:
    """Points on a circle in the middle of the clip's box, not seen in the first look."""
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    circle = np.stack([0.5 + 0.3 * np.cos(angles), 0.5 + 0.3 * np.sin(angles), 0 * angles], axis=1)
    looks = 8
    times = [of.start_s + n * 0.2 for n in range(looks)]
    packed = packed_landmarks(in_units(np.repeat(circle[None], looks, axis=0)))
    level = [0.0] * looks
    return FaceLandmarks(
        of.source_id, f"{of.clip_id}/made", of.clip_id, "made", 5.0, times, [False] + [True] * (looks - 1),
        level, level, [180.0] * looks, packed, b"", level, level, level, level, level, level,
    )  # fmt: skip


def sources(manifest: Manifest) -> list[Source]:
    return [Source(**row) for row in manifest.table(Source).to_pylist()]
