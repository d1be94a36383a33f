"""What each part of hearing costs on a long file, each in a process of its own; and who speaks in that hour, against
what was put into it.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.speed.hearing [--minutes 60] [--out
    benchmarks/out/hearing] [PART ...]

The file is made by `long_file`: pyannote.audio's sample of two speakers, and readers of LibriSpeech in turn, two or
three of five at a time, in an order drawn with a fixed seed, with pauses of 1 to 20 s of faint noise or of digital
silence between them: seven voices. Utterances of readers count as speech from their first to their last sample, so
their pauses are counted as missed.

Time is that of the processor over the length of what was heard. Memory is the largest resident size of the process, its
libraries included.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"

import numpy as np
import soundfile

from manifests.tables import Clip, Source, Turn
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio

HZ = 16000
SEED = 5
VIDEO = "multi/avi_billhyland.mp4"  # 20 s, two men, one in turn
CLIP_S = 10.0


def long_file(media: Path, path: Path, length_s: float) -> None:
    """Writes the sound, and beside it who speaks when, as `.rttm`."""
    draw = random.Random(SEED)
    noise = np.random.default_rng(SEED)
    sample, _ = soundfile.read(media / "speech/pyannote_sample.wav", dtype="float32")
    sample_turns = [line.split() for line in (media / "speech/pyannote_sample.rttm").read_text().splitlines()]
    books: dict[str, list[Path]] = {}
    for utterance in sorted((media / "speakers").glob("*.flac")):
        books.setdefault(utterance.name.split("-")[0], []).append(utterance)
    at, said = 0, []
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", HZ, 1, "PCM_16") as file:

        def add(wave: np.ndarray) -> None:
            nonlocal at
            file.write(wave)
            at += len(wave)

        def pause(least_s: float, most_s: float, level: float) -> None:
            add((level * noise.standard_normal(round(draw.uniform(least_s, most_s) * HZ))).astype(np.float32))

        while at < length_s * HZ:
            if draw.random() < 0.2:
                for _, _, _, start_s, for_s, _, _, voice, *_ in sample_turns:
                    said.append((at / HZ + float(start_s), float(for_s), voice))
                add(sample)
            else:
                readers = draw.sample(sorted(books), draw.choice([2, 3]))
                for _ in range(draw.randint(1, 4)):
                    for reader in readers:
                        wave, _ = soundfile.read(draw.choice(books[reader]), dtype="float32")
                        said.append((at / HZ, len(wave) / HZ, reader))
                        add(wave)
                        pause(0.2, 1.0, 0.001)
            pause(1.0, 20.0, draw.choice([0.0, 0.001]))
    rows = [
        f"SPEAKER {path.stem} 1 {start_s:.3f} {for_s:.3f} <NA> <NA> {voice} <NA> <NA>" for start_s, for_s, voice in said
    ]
    path.with_suffix(".rttm").write_text("\n".join(rows) + "\n")


def error(path: Path, spans: list[tuple[float, float, str]]) -> dict[str, Any]:
    """Diarization error without a collar, overlap counted; the voices there are and those heard."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, said = Annotation(), Annotation()
    for n, line in enumerate(path.with_suffix(".rttm").read_text().splitlines()):
        _, _, _, start_s, for_s, _, _, voice, *_ = line.split()
        truth[Segment(float(start_s), float(start_s) + float(for_s)), n] = voice
    for n, (start_s, end_s, voice) in enumerate(spans):
        said[Segment(start_s, end_s), n] = voice
    whole = Timeline([Segment(0, soundfile.info(path).duration)])
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    parts: Any = metric(truth, said, uem=whole, detailed=True)
    found = {key: parts[key] / parts["total"] for key in ("missed detection", "false alarm", "confusion")}
    pairs = metric.optimal_mapping(truth, said, uem=whole)
    shares = {voice: 0.0 for voice in truth.labels()}
    for heard, voice in pairs.items():
        mine: Any = truth.label_timeline(voice)
        found_s: Any = said.label_timeline(heard).crop(mine)
        shares[str(voice)] = found_s.duration() / mine.duration()
    return {
        "der": parts["diarization error rate"], **found, "voices": len(truth.labels()),
        "heard": len(said.labels()), "share of each voice under its own name": shares,
        "seconds heard of each": sorted(round(said.label_duration(voice), 1) for voice in said.labels()),
    }  # fmt: skip


def decoded(path: Path) -> dict[str, Any]:
    sound = SourceAudio(path)
    return {"heard_s": sound.end_s - sound.start_s}


def vad(path: Path) -> dict[str, Any]:
    from operators.speech.diarize_speakers import DiarizeSpeakers

    speech = DiarizeSpeakers().speech(SourceAudio(path))
    return {"speech_s": sum(end - begin for begin, end in speech) / HZ, "spans": len(speech)}


def diarization(path: Path) -> dict[str, Any]:
    from operators.speech.diarize_speakers import DiarizeSpeakers

    turns = list(DiarizeSpeakers()(Source("long", str(path)), SourceAudio(path)))
    found = error(path, [(turn.start_s, turn.end_s, turn.speaker) for turn in turns])
    return {**found, "turns": len(turns), "overlap_s": sum(turn.overlap_s for turn in turns)}


def pyannote(path: Path) -> dict[str, Any]:
    """pyannote.audio's own pipeline, as its documentation calls it, with the models and parameters of our default."""
    import torch
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from operators.models.campplus import CamPlusPlus
    from operators.models.catalogue_sound import CAMPPLUS
    from operators.speech.diarize_speakers import DiarizeSpeakers, segmentation_3

    class NoPlda(PLDA):
        def __init__(self) -> None:
            pass

    by = DiarizeSpeakers()
    torch.set_num_threads(1)
    pipeline: Any = SpeakerDiarization(
        segmentation=segmentation_3(),
        embedding=CamPlusPlus.load(CAMPPLUS.path()),
        embedding_exclude_overlap=by.exclude_overlap,
        plda=NoPlda(),
        clustering="AgglomerativeClustering",
        segmentation_batch_size=32,
        embedding_batch_size=32,
    )
    clustering = {"method": by.linkage, "threshold": by.threshold, "min_cluster_size": by.min_cluster_size}
    pipeline.instantiate({"segmentation": {"min_duration_off": by.min_duration_off_s}, "clustering": clustering})
    wave, _ = soundfile.read(path, dtype="float32")
    found = pipeline(
        {"waveform": torch.from_numpy(wave[None]), "sample_rate": HZ, "uri": "long"}, min_speakers=1, max_speakers=20
    )
    tracks = found.speaker_diarization.itertracks(yield_label=True)
    return error(path, [(span.start, span.end, voice) for span, _, voice in tracks])


def _over_clips(operator: Any, path: Path) -> dict[str, Any]:
    """Rows of an operator that takes a clip and its sound, over clips of 10 s, end to end."""
    audio = SourceAudio(path)
    rows, refused = 0, 0
    starts = np.arange(audio.start_s, audio.end_s - CLIP_S + 1e-6, CLIP_S).tolist()
    for start_s in starts:
        clip = Clip("long", f"long/{start_s:.0f}", "", "", "", start_s, start_s + CLIP_S, 0, 0, 0, 0)
        try:
            rows += len(list(operator(clip, audio)))
        except Drop:
            refused += 1
    return {"rows": rows, "clips": len(starts), "refused": refused}


def words(path: Path) -> dict[str, Any]:
    from operators.speech.transcribe_speech import TranscribeSpeech

    return _over_clips(TranscribeSpeech(), path)


def quality(path: Path) -> dict[str, Any]:
    from operators.speech.score_speech import ScoreSpeech

    return _over_clips(ScoreSpeech(), path)


def active_speaker(path: Path) -> dict[str, Any]:
    """Detection and tracking of the faces come before, and are not counted in the time; they are in the memory."""
    from benchmarks.accuracy.active_speaker import seen
    from operators.speech.detect_active_speaker import DetectActiveSpeaker

    shot, tracks = seen(VIDEO)
    turns = [Turn(shot.source_id, f"{shot.shot_id}/speaker0", "speaker0", shot.start_s, shot.end_s)]
    began = time.process_time()
    rows = list(DetectActiveSpeaker("lr_asd")(shot, tracks, turns, VideoFrames(path), SourceAudio(path)))
    cpu_s = time.process_time() - began
    return {
        "faces_s": sum(len(row.score) * row.step_s for row in rows),
        "cpu_s": cpu_s,
        "heard_s": shot.end_s - shot.start_s,
    }


def sync(path: Path) -> dict[str, Any]:
    """As above: of the face that is in view longest."""
    from benchmarks.accuracy.active_speaker import seen
    from operators.faces.landmark_faces import LandmarkFaces
    from operators.speech.score_sync import ScoreSync

    shot, tracks = seen(VIDEO)
    track = max(tracks, key=lambda track: track.end_s - track.start_s)
    clip = Clip(
        shot.source_id, "clip", shot.shot_id, track.track_id, "speaker0", track.start_s, track.end_s, 0, 0, 0, 0
    )
    began = time.process_time()
    looks = list(LandmarkFaces()(clip, tracks, VideoFrames(path, track.start_s, track.end_s)))
    rows = list(ScoreSync()(clip, [], looks, SourceAudio(path)))
    return {"rows": len(rows), "cpu_s": time.process_time() - began, "heard_s": track.end_s - track.start_s}


# Part: minutes of the long file it is given; None for the real video.
PARTS: dict[str, tuple[Callable[[Path], dict[str, Any]], float | None]] = {
    "decoded": (decoded, 60),
    "vad": (vad, 60),
    "quality": (quality, 10),
    "words": (words, 2),
    "active_speaker": (active_speaker, None),
    "sync": (sync, None),
    "diarization": (diarization, 60),
    "pyannote": (pyannote, 60),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What each part of hearing costs on a long file.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, help="of the long file, for every part")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/hearing"))
    parser.add_argument(
        "--here", action="store_true", help="run one part in this process and print what it says as JSON"
    )
    options = parser.parse_args()
    media = Path(os.environ["HEADSET_MEDIA"])
    for name in options.parts or PARTS:
        part, minutes = PARTS[name]
        if minutes is not None:
            minutes = options.minutes or minutes
        path = media / VIDEO if minutes is None else options.out / f"long_{minutes:g}.wav"
        if not options.here:
            if not path.exists() and minutes is not None:
                long_file(media, path, minutes * 60)
            given = ["--minutes", str(minutes)] if minutes is not None else []
            command = [
                sys.executable,
                "-m",
                "benchmarks.speed.hearing",
                name,
                "--here",
                "--out",
                str(options.out),
                *given,
            ]
            print(
                subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1],
                flush=True,
            )
            continue
        warnings.filterwarnings("ignore", module="pyannote")
        heard_s = float(soundfile.info(path).duration) if minutes is not None else 0.0
        began = time.process_time()
        said = part(path)
        told = {"part": name, "heard_s": heard_s, "cpu_s": time.process_time() - began, **said}
        told["real_time_factor"] = told["cpu_s"] / told["heard_s"]
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in told.items()}))


if __name__ == "__main__":
    main()
