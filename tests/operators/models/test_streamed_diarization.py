"""Diarization window by window gives what pyannote.audio's own pipeline gives of the whole."""

import os
import subprocess
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"

import torch
from pyannote.audio.core.plda import PLDA
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.clustering import AgglomerativeClustering
from pyannote.core import SlidingWindow, SlidingWindowFeature
from scipy.cluster.hierarchy import linkage

from operators.models import streamed_diarization
from operators.models.campplus import CamPlusPlus
from operators.models.catalogue_sound import CAMPPLUS
from operators.models.streamed_diarization import LongClustering, StreamedDiarization, Windows, average_linkage
from operators.speech.diarize_speakers import DiarizeSpeakers, segmentation_3
from tests.made_sounds import WavAudio
from tests.operators.speech.test_diarize_speakers import sample


@cache
def ours() -> StreamedDiarization:
    model: Any = DiarizeSpeakers().model
    return model


@cache
def published() -> Any:
    """pyannote.audio's pipeline with the same models and parameters."""

    class NoPlda(PLDA):
        def __init__(self) -> None:
            pass

    torch.set_num_threads(1)
    pipeline: Any = SpeakerDiarization(
        segmentation=segmentation_3(),
        embedding=CamPlusPlus.load(CAMPPLUS.path()),
        embedding_exclude_overlap=True,
        plda=NoPlda(),
        clustering="AgglomerativeClustering",
        segmentation_batch_size=4,
        embedding_batch_size=32,
    )
    by = DiarizeSpeakers()
    clustering = {"method": by.linkage, "threshold": by.threshold, "min_cluster_size": by.min_cluster_size}
    return pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": clustering})


def spoken(found: Any) -> list[tuple[float, float, str]]:
    return [(span.start, span.end, voice) for span, _, voice in found.itertracks(yield_label=True)]


@pytest.mark.slow
@pytest.mark.parametrize(("from_s", "to_s"), [(12.0, 23.3), (13.0, 18.0), (10.0, 21.0)])
def test_it_is_equal_to_the_published_pipeline(from_s: float, to_s: float):
    """Windows and a remainder, less than a window, and windows without a remainder; two voices that overlap."""
    wave = sample()[0][round(from_s * 16000) : round(to_s * 16000)]
    whole = published()(
        {"waveform": torch.from_numpy(wave[None]), "sample_rate": 16000, "uri": "x"}, min_speakers=1, max_speakers=20
    )
    truth = spoken(whole.speaker_diarization)
    assert len({voice for _, _, voice in truth}) == 2
    assert spoken(ours().listen("x", WavAudio(wave, 3.25), None, min_speakers=1, max_speakers=20)) == truth


def test_a_voice_is_embedded_where_it_is_heard_alone_if_that_is_long_enough():
    """Ten frames of 0.1 s of two voices: of the second window, the other voice has no frame for itself."""
    said = np.zeros((2, 10, 2), np.uint8)
    said[0, :7, 0] = said[0, 4:, 1] = 1
    said[1, :, 0] = said[1, 3:6, 1] = 1
    asked: list[NDArray[np.float32]] = []

    class Embedding:
        min_num_samples, dimension = 1600, 3

        def __call__(self, waveforms: torch.Tensor, masks: torch.Tensor) -> NDArray[np.float32]:
            asked.append(masks.numpy())
            return np.ones((len(waveforms), 3), np.float32)

    given: Any = SimpleNamespace(_embedding=Embedding())
    file = {"windows": Windows(WavAudio(np.zeros(32000, np.float32)), 16000, 16000)}
    windows = SlidingWindowFeature(said, SlidingWindow(start=0.0, duration=1.0, step=1.0))
    found = StreamedDiarization.get_embeddings(given, file, windows, exclude_overlap=True)
    assert found.shape == (2, 2, 3)
    assert asked[0].tolist() == [[1] * 4 + [0] * 6, [0] * 7 + [1] * 3]
    assert asked[1].tolist() == [[1] * 3 + [0] * 3 + [1] * 4, [0] * 3 + [1] * 3 + [0] * 4]
    asked.clear()
    StreamedDiarization.get_embeddings(given, file, windows)
    assert asked[0].tolist() == [[1] * 7 + [0] * 3, [0] * 4 + [1] * 6]


def test_the_pipeline_is_set_up_as_the_operator_says():
    """Two groups of equal voices, whose cosine distance is one side of the threshold or the other."""
    made: Any = ours()
    assert made.embedding_exclude_overlap is True
    for distance, clusters in ((0.40, 1), (0.50, 2)):
        turned = np.array([1 - distance, np.sqrt(1 - (1 - distance) ** 2), 0], np.float32)
        pair = np.repeat(np.stack([np.array([1, 0, 0], np.float32), turned]), 20, axis=0)
        assert len(set(made.clustering.cluster(pair, 1, 20).tolist())) == clusters, distance


def test_windows_without_speech_are_passed_over(monkeypatch: pytest.MonkeyPatch):
    talk = sample()[0][13 * 16000 : 18 * 16000]
    wave = np.concatenate([talk, np.zeros(40 * 16000, np.float32), talk])
    windows = Windows(WavAudio(wave, 3.25), 160000, 16000, [(0, 80000), (720000, 800000)])
    assert len(windows) == 41
    assert windows.heard() == [0, 1, 2, 3, 4, *range(36, 41)]
    segmented, embedded = [], []
    infer, embed = ours()._segmentation.infer, ours()._embedding.__call__
    monkeypatch.setattr(ours()._segmentation, "infer", lambda chunks: segmented.append(len(chunks)) or infer(chunks))
    monkeypatch.setattr(
        type(ours()._embedding), "__call__", lambda _, *given, **masks: embedded.append(1) or embed(*given, **masks)
    )
    found = spoken(ours().listen("x", WavAudio(wave, 3.25), windows.speech, min_speakers=1, max_speakers=20))
    assert sum(segmented) == 10
    assert 0 < len(embedded) <= 10
    assert found
    assert all(end_s < 6 or start_s > 44 for start_s, end_s, _ in found)


@pytest.mark.parametrize(
    ("length", "speech", "heard"),
    [
        (5, [(0, 1)], [0]),
        (10, [(159999, 160000)], [0]),
        (12, [(0, 1)], [0]),
        (12.5, [(199999, 200000)], [3]),
        (30, [(160000, 160001)], list(range(1, 11))),
        (30, [(159999, 160000)], list(range(0, 10))),
        (30, [], []),
        (12, None, [0, 1, 2]),
    ],
)
def test_which_windows_hold_speech(length: float, speech: list[tuple[int, int]] | None, heard: list[int]):
    windows = Windows(WavAudio(np.zeros(round(length * 16000), np.float32)), 160000, 16000, speech)
    assert windows.heard() == heard
    # As counted sample by sample.
    begins = [n * 16000 for n in range(len(windows))]
    assert heard == [
        n
        for n, begin in enumerate(begins)
        if speech is None or any(a < begin + 160000 and b > begin for a, b in speech)
    ]


def voices(count: int, of: int, seed: int = 0) -> NDArray[np.float32]:
    """Embeddings scattered around those of so many voices, which are heard unequally often."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(of, 192))
    return (
        centres[draw.integers(0, of, count) * draw.integers(0, 2, count)] + 0.6 * draw.normal(size=(count, 192))
    ).astype(np.float32)


@pytest.mark.parametrize("count", [2, 3, 40, 600])
def test_average_linkage_without_a_table_of_distances(count: int):
    found, truth = average_linkage(voices(count, 6)), linkage(voices(count, 6), "average", "cosine")
    assert np.abs(found - truth).max() < 1e-9


def test_twins_are_merged_at_no_distance():
    """Equal voices, as of a repeated sound, whose distance is 0 but for rounding."""
    found = average_linkage(np.repeat(voices(30, 5), 4, axis=0))
    truth = linkage(np.repeat(voices(30, 5), 4, axis=0), "average", "cosine")
    assert np.abs(found[:, 2] - truth[:, 2]).max() < 1e-9
    assert found[:, 2].min() >= 0


@pytest.mark.parametrize("bounds", [(1, 20), (1, 3), (15, 20)])
def test_long_files_are_clustered_as_short_ones(bounds: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    parameters = {"method": "average", "threshold": 0.45, "min_cluster_size": 12}
    own: Any = AgglomerativeClustering(metric="cosine").instantiate(parameters)
    long: Any = LongClustering(metric="cosine").instantiate(parameters)
    monkeypatch.setattr(streamed_diarization, "AT_ONCE", 100)
    given = voices(400, 15)
    truth, found = own.cluster(given.copy(), *bounds), long.cluster(given.copy(), *bounds)
    assert len(set(truth.tolist())) > 1
    assert (found == truth).all()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length():
    """A minute and a half takes 10 MB more than half a minute; without the bound on what oneDNN keeps it is 140 MB."""
    program = (
        "import resource, sys, numpy as np\n"
        "from tests.operators.models.test_streamed_diarization import WavAudio, ours, sample\n"
        "wave = np.concatenate([np.roll(sample()[0], n * 7919) for n in range(int(sys.argv[1]))])\n"
        "ours().listen('x', WavAudio(wave, 3.25), None, min_speakers=1, max_speakers=20)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )

    def peak_mb(times: int) -> float:
        done = subprocess.run([sys.executable, "-c", program, str(times)], check=True, capture_output=True, text=True)
        return int(done.stdout) / 1024

    more_mb = peak_mb(3) - peak_mb(1)
    assert more_mb < 70, more_mb


def test_two_voices_of_a_window_in_one_cluster_speak_where_either_does() -> None:
    said = np.array([[[1, 0], [0, 1], [0, 0]]], np.uint8)
    windows = SlidingWindowFeature(said, SlidingWindow(start=0.0, duration=3.0, step=3.0))
    ((_, window),) = streamed_diarization._Clustered(windows, np.array([[0, 0]]))
    assert window[:, 0].tolist() == [1.0, 1.0, 0.0]
