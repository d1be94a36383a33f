"""Who speaks when, by sound alone and by faces and voices together (`RefineTurns`), on films of which both are known.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.joint_speakers

Prints tables in Markdown: the error is that of pyannote.metrics, without a collar, overlapped speech counted, over what
`benchmarks/truth/who_speaks.py` says; seconds are those of it for which `AttributeTurns` names the face that speaks, or
none where none in view does. Thresholds were chosen by the films marked development. Two ways to do without faces stand
beside: "sound again", where each turn is taken for one voice, and "cuts", where each shot is taken for one face that
speaks throughout.
"""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"

import numpy as np
from numpy.typing import NDArray
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from benchmarks.accuracy.tracks import owner
from benchmarks.truth.seen_by_eye import PEOPLE
from benchmarks.truth.who_speaks import MADE, ONE_PERSON, REAL, Cut, Said
from manifests.tables import ActiveSpeaker, FaceEmbedding, Shot, Source, Track, Turn
from operators.base import Drop, Frame
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.shots.detect_shots import DetectShots
from operators.speech.attribute_turns import AttributeTurns
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.refine_turns import RefineTurns
from operators.timeline import STEP_S
from tests.made_videos import write_video

MEDIA = Path(os.environ.get("HEADSET_MEDIA", "."))
SIZE = (854, 480)  # of made films
NETWORK = "dlib_resnet"  # the one that comes with pip
WAYS = ("sound", "sound again", "cuts", "faces")


@dataclass(frozen=True)
class Film:
    """What is known of a film."""

    name: str
    kind: str  # real, made, one person
    held_back: bool
    path: Path
    said: list[Said]
    person: Callable[[Track], str | None]


@dataclass(frozen=True)
class Rows:
    """What the operators say of it."""

    source: Source
    audio: SourceAudio
    shots: list[Shot]
    tracks: list[Track]
    face_embeddings: list[FaceEmbedding]
    turns: list[Turn]
    speaking: list[ActiveSpeaker]


def films(folder: Path) -> Iterator[Film]:
    for name, (held_back, said) in REAL.items():
        yield Film(name, "real", held_back, MEDIA / name, said, lambda track, name=name: owner(track, PEOPLE[name])[0])
    for n, (name, (held_back, cuts)) in enumerate(MADE.items()):
        ends = np.cumsum([cut.for_s for cut in cuts])
        said = [
            Said(cut.heard, float(end_s) - cut.for_s, float(end_s), seen=(cut.heard, cut.heard_from_s) == cut.picture)
            for cut, end_s in zip(cuts, ends, strict=True)
        ]

        def person(track: Track, cuts: list[Cut] = cuts, ends: NDArray[np.float64] = ends) -> str:
            return cuts[int(np.searchsorted(ends, (track.start_s + track.end_s) / 2))].picture[0]

        yield Film(name, "made", held_back, made(folder / f"{n}.mp4", cuts), said, person)
    for name, held_back in ONE_PERSON.items():
        said = [Said(name, 0.0, SourceAudio(MEDIA / name).end_s)]
        yield Film(name, "one person", held_back, MEDIA / name, said, lambda _, name=name: name)


def made(path: Path, cuts: Sequence[Cut]) -> Path:
    at_s, shots, sound = 0.0, [], []
    for cut in cuts:
        shots.append((look(cut, at_s), cut.for_s))
        sound.append(SourceAudio(MEDIA / cut.heard).samples(cut.heard_from_s, cut.heard_from_s + cut.for_s))
        at_s += cut.for_s
    return write_video(path, shots, size=SIZE, audio=np.concatenate(sound), audio_hz=16000)


def look(cut: Cut, at_s: float) -> Callable[[float], NDArray[np.uint8]]:
    """The picture of a made film at a time, while the piece that begins at `at_s` is shown."""
    name, from_s = cut.picture
    if not name:
        return lambda _: np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    frames = [(frame.pts_s, fitted(frame)) for frame in VideoFrames(MEDIA / name, from_s, from_s + cut.for_s)]
    times_s = np.array([time_s for time_s, _ in frames])

    def shown(time_s: float) -> NDArray[np.uint8]:
        return frames[max(0, int(np.searchsorted(times_s, time_s - at_s + from_s + 1e-6, side="right")) - 1)][1]

    return shown


def fitted(frame: Frame) -> NDArray[np.uint8]:
    """(480, 854, 3): the whole frame, with black bars."""
    scale = min(SIZE[0] / frame.width, SIZE[1] / frame.height)
    width, height = int(frame.width * scale), int(frame.height * scale)
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    left, top = (SIZE[0] - width) // 2, (SIZE[1] - height) // 2
    picture[top : top + height, left : left + width] = frame.crop(0, 0, frame.width, frame.height, (width, height))
    return picture


def rows_of(film: Film, diarize: DiarizeSpeakers, detect: DetectActiveSpeaker) -> Rows:
    source, audio, frames = Source("film", film.name), SourceAudio(film.path), list(VideoFrames(film.path))
    shots = [row for row in DetectShots()(source, frames) if isinstance(row, Shot)]
    faces = list(DetectFaces()(source, frames))
    face_embeddings = list(EmbedFaces(network=NETWORK)(source, frames))
    turns = list(diarize(source, audio))
    tracks, speaking = list[Track](), list[ActiveSpeaker]()
    for shot in shots:
        try:
            mine = [row for row in TrackFaces()(shot, faces, face_embeddings) if isinstance(row, Track)]
        except Drop:
            continue
        tracks += mine
        shown = [frame for frame in frames if shot.start_s <= frame.pts_s < shot.end_s]
        speaking += detect(shot, mine, turns, shown, audio)
    return Rows(source, audio, shots, tracks, face_embeddings, turns, speaking)


def refined(refine: RefineTurns, way: str, of: Rows) -> list[Turn]:
    if way == "sound":
        return of.turns
    shots, tracks, speaking, looks = of.shots, of.tracks, of.speaking, of.face_embeddings
    if way != "faces":
        spans = [(row.start_s, row.end_s) for row in (of.turns if way == "sound again" else shots)]
        shots = shots if way == "cuts" else []
        tracks, speaking, looks = always_speaking(spans)
    return list(refine(of.source, shots, of.turns, tracks, speaking, of.audio, looks))


def always_speaking(
    spans: Sequence[tuple[float, float]],
) -> tuple[list[Track], list[ActiveSpeaker], list[FaceEmbedding]]:
    """In each span a face of its own that speaks throughout."""
    tracks, speaking, looks = [], [], []
    for n, (start_s, end_s) in enumerate(spans):
        place, count = [100.0 * n], int((end_s - start_s) / 0.04) + 1
        edges = (place, [0.0], [100.0 * n + 99], [99.0])
        name = f"t{n}"
        tracks.append(Track("film", name, name, start_s, end_s, [start_s], *edges, [1.0]))
        speaking.append(ActiveSpeaker("film", name, name, name, "lr_asd", start_s, 0.04, [1.0] * count))
        view = np.eye(len(spans))[n].astype("<f2").tobytes()
        looks.append(FaceEmbedding("film", name, start_s, *edges, view, "made"))
    return tracks, speaking, looks


def error(said: Sequence[Said], turns: Sequence[Turn]) -> float:
    truth, heard = Annotation(), Annotation()
    for n, one in enumerate(said):
        truth[Segment(one.start_s, one.end_s), n] = one.who
    for turn in turns:
        heard[Segment(turn.start_s, turn.end_s), turn.turn_id] = turn.speaker
    asked = Timeline([Segment(one.start_s, one.end_s) for one in said]).support()
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    return 100 * float(metric(truth.crop(asked), heard.crop(asked), uem=asked))  # pyright: ignore[reportArgumentType]


def seconds_right(film: Film, of: Rows, turns: list[Turn]) -> float:
    whose = {track.track_id: film.person(track) for track in of.tracks}
    parts = list(AttributeTurns()(of.source, of.shots, of.tracks, of.speaking, turns))
    right = 0
    for one in film.said:
        times = np.arange(one.start_s + STEP_S / 2, one.end_s, STEP_S)
        told, seen, named = np.zeros((3, len(times)), bool)
        for part in parts:
            here = (times >= part.start_s) & (times < part.end_s)
            told |= here
            seen |= here & (part.kind == "visible")
            named |= here & (part.kind == "visible") & (whose.get(part.track_id) == one.who)
        right += int((named if one.seen else told & ~seen).sum())
    return right * STEP_S


def main() -> None:
    diarize, detect, refine = DiarizeSpeakers(), DetectActiveSpeaker("lr_asd"), RefineTurns()
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}, faces by {NETWORK}\n"
    )
    print(f"| film | | voices | heard, sound, faces | {' | '.join(WAYS)} | seconds right, sound, faces |")
    print(f"|---|---|---|---|{'---|' * len(WAYS)}---|")
    found: dict[tuple[str, bool], list[list[float]]] = {}
    cpu_s = spoken_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for film in films(Path(folder)):
            of = rows_of(film, diarize, detect)
            began_s = time.process_time()
            turns = {"faces": refined(refine, "faces", of)}
            cpu_s += time.process_time() - began_s
            spoken_s += of.audio.end_s
            turns |= {way: refined(refine, way, of) for way in WAYS[:-1]}
            errors = [error(film.said, turns[way]) for way in WAYS]
            heard = [len({turn.speaker for turn in turns[way]}) for way in ("sound", "faces")]
            right = [seconds_right(film, of, turns[way]) for way in ("sound", "faces")]
            whole_s = sum(one.end_s - one.start_s for one in film.said)
            found.setdefault((film.kind, film.held_back), []).append([*errors, *right, whole_s])
            print(
                f"| {film.name} | {film.kind}, {'held back' if film.held_back else 'development'} |"
                f" {len({one.who for one in film.said})} | {heard[0]}, {heard[1]} |"
                f" {' | '.join(f'{value:.1f}' for value in errors)} |"
                f" {right[0]:.1f}, {right[1]:.1f} of {whole_s:.1f} |",
                flush=True,
            )
    for (kind, held_back), values in sorted(found.items()):
        means, sums = np.mean(values, axis=0), np.sum(values, axis=0)
        print(
            f"| **{kind}, {'held back' if held_back else 'development'}, {len(values)} films** | | | |"
            f" {' | '.join(f'**{value:.1f}**' for value in means[: len(WAYS)])} |"
            f" {sums[-3]:.1f}, {sums[-2]:.1f} of {sums[-1]:.1f} |"
        )
    print(f"\nRefineTurns: {cpu_s:.1f} s of a core for {spoken_s:.0f} s of films")


if __name__ == "__main__":
    main()
