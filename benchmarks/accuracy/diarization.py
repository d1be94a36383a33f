"""Diarization error rate of `DiarizeSpeakers`, its default and the alternatives, on speech with known turns.

    HEADSET_MEDIA=<folder of the test media> python -m benchmarks.accuracy.diarization

prints tables in Markdown. The error is that of pyannote.metrics, without a collar, overlapped speech counted. Settings
were chosen by the files marked development; the others were held back.
"""

import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"

import numpy as np
import soundfile
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from manifests.tables import Source
from operators.media.sound import SourceAudio
from operators.speech.diarize_speakers import DiarizeSpeakers
from tests.made_sounds import WavAudio

DEFAULT = DiarizeSpeakers()
SETTINGS = {
    "default": DEFAULT,
    "threshold 0.35": replace(DEFAULT, threshold=0.35),
    "threshold 0.50": replace(DEFAULT, threshold=0.5),
    "threshold 0.55": replace(DEFAULT, threshold=0.55),
    "threshold 0.70": replace(DEFAULT, threshold=0.7),
    "centroid linkage 0.75": replace(DEFAULT, linkage="centroid", threshold=0.75),
    "centroid linkage 0.85": replace(DEFAULT, linkage="centroid", threshold=0.85),
    "complete linkage 0.60": replace(DEFAULT, linkage="complete", threshold=0.6),
    "min_cluster_size 1": replace(DEFAULT, min_cluster_size=1),
    "min_cluster_size 4": replace(DEFAULT, min_cluster_size=4),
    "one_voice_each": replace(DEFAULT, one_voice_each=True),
    "overlap embedded too": replace(DEFAULT, exclude_overlap=False),
    "min_turn_s 0": replace(DEFAULT, min_turn_s=0.0),
    "min_duration_off_s 0.3": replace(DEFAULT, min_duration_off_s=0.3),
    "every window listened to": replace(DEFAULT, speech_threshold=0.0),
}
ONE_VOICE = [
    "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", "hdtf/hdtf_RD_Radio10_0_clip_0.mp4", "hdtf/retalking_face_1.mp4",
    "hdtf/retalking_face_2.mp4", "speech/hdtf_RD_Radio31_000.wav", "single/wav2lipgfpgan_kim_audio.mp3",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    name: str
    audio: Any  # operators.asks.Audio
    truth: Annotation | None  # None where only the number of voices is known
    voices: int
    held_back: bool = False


def cases(media: Path) -> list[Case]:
    truth: dict[str, Annotation] = {}
    for rttm in ("pyannote_sample.rttm", "ami_debug.development.rttm", "ami_debug.train.rttm"):
        for n, line in enumerate((media / "speech" / rttm).read_text().splitlines()):
            _, name, _, start_s, length_s, _, _, voice, *_ = line.split()
            span = Segment(float(start_s), float(start_s) + float(length_s))
            truth.setdefault(name, Annotation())[span, n] = voice
    recorded = [("sample", "pyannote_sample", False), ("dev00", "ami_dev00", False), ("dev01", "ami_dev01", False)]
    recorded += [("trn08", "ami_trn08", True), ("trn09", "ami_trn09", True)]
    found = []
    for name, file, held_back in recorded:
        audio = SourceAudio(media / "speech" / f"{file}.wav")
        found.append(Case(file, audio, truth[name], len(truth[name].labels()), held_back))
    found += [
        conversation(media, readers, False)
        for readers in (("1688", "1998"), ("1998", "2033"), ("1688", "1998", "2033"))
    ]
    found.append(conversation(media, ("2414", "2609"), True))
    found.append(Case("avi_billhyland", SourceAudio(media / "multi/avi_billhyland.mp4"), None, 2))
    found.append(Case("resemblyzer_X2zqiX6yL3I", SourceAudio(media / "speech/resemblyzer_X2zqiX6yL3I.mp3"), None, 3))
    found += [Case(Path(file).stem, SourceAudio(media / file), None, 1, held_back=True) for file in ONE_VOICE]
    return found


def conversation(media: Path, readers: tuple[str, ...], held_back: bool) -> Case:
    """Readers of LibriSpeech in turn, four utterances each, 0.3 s apart.

    Pauses within an utterance count as speech here, so some of it is always missed.
    """
    pause = np.zeros(4800, np.float32)
    parts, truth, at = [pause], Annotation(), len(pause)
    books = {reader: sorted((media / "speakers").glob(f"{reader}-*.flac")) for reader in readers}
    for turn in range(4):
        for reader in readers:
            wave, _ = soundfile.read(books[reader][turn], dtype="float32")
            truth[Segment(at / 16000, (at + len(wave)) / 16000), turn] = reader
            parts += [wave, pause]
            at += len(wave) + len(pause)
    return Case("librispeech_" + "_".join(readers), WavAudio(np.concatenate(parts)), truth, len(readers), held_back)


def remember(by: DiarizeSpeakers, memory: dict[Any, Any]) -> None:
    """Lets settings of the clustering share what comes before it: segmentation and embeddings are computed once a
    file.
    """

    def once(compute: Callable[..., Any], *key: Any) -> Callable[..., Any]:
        def remembered(file: Any, *args: Any, **kwargs: Any) -> Any:
            place = (*key, file["uri"], *file["windows"].heard())
            if place not in memory:
                memory[place] = compute(file, *args, **kwargs)
            # Clustering normalises in place what it is given.
            return deepcopy(memory[place])

        return remembered

    model: Any = by.model
    model.get_segmentations = once(model.get_segmentations, "segmentations")
    model.get_embeddings = once(model.get_embeddings, "embeddings", by.exclude_overlap)


def hear(by: DiarizeSpeakers, case: Case) -> Annotation:
    said = Annotation()
    for turn in by(Source(case.name, uri=case.name), case.audio):
        said[Segment(turn.start_s, turn.end_s), turn.turn_id] = turn.speaker
    return said


def error(case: Case, said: Annotation) -> dict[str, float]:
    assert case.truth is not None
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    whole = Timeline([Segment(0, case.audio.end_s)])
    return metric(case.truth.crop(whole), said.crop(whole), uem=whole, detailed=True)  # type: ignore[return-value]


def main() -> None:  # long: one table after the other
    warnings.filterwarnings("ignore", module="pyannote")
    # The clustering prints where it cannot keep to min_cluster_size.
    stdout, sys.stdout = sys.stdout, sys.stderr
    everything = cases(Path(os.environ["HEADSET_MEDIA"]))
    labelled = [case for case in everything if case.truth is not None]
    for case in everything:
        case.audio.samples(0, 0.1)
    list(DEFAULT(Source("warm", uri=""), labelled[0].audio))
    memory: dict[Any, Any] = {}
    remember(DEFAULT, memory)
    # Time of the processor, not of the wall: the machine may be doing other things.
    began_s = time.process_time()
    said = {case.name: hear(DEFAULT, case) for case in everything}
    took_s = time.process_time() - began_s
    length_s = sum(case.audio.end_s - case.audio.start_s for case in everything)

    packages = ", ".join(f"{name} {version(name)}" for name in ("pyannote.audio", "pyannote.metrics", "torch", "scipy"))
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {packages}, {platform.machine()}, one"
        " thread\n",
        file=stdout,
    )
    print(
        "| file | | DER | missed | false alarm | confusion | voices | heard |\n|---|---|---|---|---|---|---|---|",
        file=stdout,
    )
    for case in everything:
        row = ["", "", "", ""]
        if case.truth is not None:
            parts = error(case, said[case.name])
            row = [
                f"{100 * parts[key] / parts['total']:.1f} %" for key in ("missed detection", "false alarm", "confusion")
            ]
            row = [f"**{100 * parts['diarization error rate']:.1f} %**", *row]
        kind = "held back" if case.held_back else "development"
        print(
            f"| {case.name} | {kind} | {' | '.join(row)} | {case.voices} | {len(said[case.name].labels())} |",
            file=stdout,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    factor = took_s / length_s
    print(
        f"\n{length_s:.0f} s of sound, {took_s:.0f} s of one core: {factor:.2f} of real time. Peak memory {peak:.0f}"
        " MiB.\n",
        file=stdout,
    )
    names = [case.name.removeprefix("librispeech_") for case in labelled]
    print(
        f"| setting | {' | '.join(names)} | development | held back | voices right |\n|---|{'---|' * (len(names) + 3)}",
        file=stdout,
    )
    for name, setting in SETTINGS.items():
        if setting is not DEFAULT:
            remember(setting, memory)
        heard = {case.name: hear(setting, case) for case in everything}
        errors = {case.name: 100 * error(case, heard[case.name])["diarization error rate"] for case in labelled}
        means = [
            np.mean([errors[case.name] for case in labelled if case.held_back is held_back])
            for held_back in (False, True)
        ]
        right = sum(len(heard[case.name].labels()) == case.voices for case in everything)
        cells = [f"{errors[case.name]:.1f}" for case in labelled]
        cells += [*(f"**{mean:.1f}**" for mean in means), f"{right} of {len(everything)}"]
        print(f"| {name} | {' | '.join(cells)} |", file=stdout, flush=True)


if __name__ == "__main__":
    main()
