"""How many copies of real clips the duplicate step finds, and what it takes for a copy that is none.

    HEADSET_MEDIA=... python -m benchmarks.accuracy.duplicates [copies] [takes] [scale]

`copies`: each clip is re-encoded, halved, letterboxed, trimmed and put at another frame rate in a temporary folder;
all of them and the originals go through the step at once, a transform at a time. `takes`: clips with a still camera
are cut in two halves that share the set, the light and the people, but no moment: none of them is a copy, nor is one
where every other is mirrored. `scale`: made fingerprints. The parameters were chosen on `TUNED_ON`, then changed by
two findings on `CLIPS`; see docs/measured/duplicates.md.
"""

import itertools
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import av.filter
import numpy as np

from manifests.tables import Duplicate, Fingerprint, Source
from operators.fingerprints import COEFFICIENTS
from operators.media.frames import VideoFrames
from operators.sources.fingerprint_source import FingerprintSource
from pipeline.corpus_steps.duplicates import MIRROR, find_duplicates
from tests.made_copies import FRAMES_FROM_ZERO, copy_of
from tests.pipeline.corpus_steps.fingerprinted import corpus_of

MEDIA = Path(os.environ.get("HEADSET_MEDIA", "."))
CLIPS = [
    "single/headpose_31.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4", "single/speakervid_dialogue_case1_1.mp4",
    "single/speakervid_dialogue_case1_2.mp4", "single/speakervid_range_head_5.mp4",
    "single/speakervid_range_full_body_1.mp4",
    "single/speakervid_generated_single_4.mp4", "single/lia_vox_driving2.mp4", "single/latentsync_demo1_video.mp4",
    "multi/avi_billhyland.mp4", "multi/hamilton_short_clip.mp4", "multi/panda_it8sFJe038g.7.mp4",
    "multi/datajuicer_video3.mp4", "negative/pyfeat_face_noface.mov", "negative/facerec_interview.mp4",
    "negative/liveportrait_d9.mp4", "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", "hdtf/retalking_face_1.mp4",
    "hdtf/retalking_face_2.mp4", "grid/bbaf2n.mpg",
]  # fmt: skip
TUNED_ON = [
    "single/speakervid_multi-turn_clip_015.mp4", "single/speakervid_range_head_1.mp4", "multi/avi_testhyland.mp4",
    "multi/panda_R_YVZHusX4w.6.mp4", "negative/pyfeat_no_face.mp4", "negative/pyfeat_WolfgangLanger_Pexels.mp4",
    "negative/facenet_crowd_video.mp4", "negative/panda_aCx99cgrkVY.22.mp4", "grid/lbax4n.mpg", "grid/lrwp9a.mpg",
    "odd/moviepy_chaplin.mp4",
    "odd/talkvid_10_gt.mp4",
]  # fmt: skip
TRANSFORMS = {
    "re-encoded at CRF 36": (FRAMES_FROM_ZERO, 36),
    "half the size": (f"{FRAMES_FROM_ZERO},scale=trunc(iw/4)*2:trunc(ih/4)*2", 26),
    "letterboxed to 4:3 or more": (
        f"{FRAMES_FROM_ZERO},scale=trunc(iw/2)*2:trunc(ih/2)*2,pad=iw:trunc(ih*0.667)*2:0:trunc((oh-ih)/4)*2",
        26,
    ),
    "without its first tenth": ("trim=start={tenth},setpts=PTS-STARTPTS,scale=trunc(iw/2)*2:trunc(ih/2)*2", 26),
    "mirrored": (f"{FRAMES_FROM_ZERO},hflip,scale=trunc(iw/2)*2:trunc(ih/2)*2", 26),
    "at 25 or 30 frames a second": (f"{FRAMES_FROM_ZERO},fps={{other_fps}},scale=trunc(iw/2)*2:trunc(ih/2)*2", 26),
}


def seen(path: Path, name: str) -> tuple[Source, Fingerprint]:
    """A file as the pipeline knows it."""
    listed = Source(name, str(path))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        source = replace(listed, width=stream.width, height=stream.height)
    fingerprint = next(row for row in FingerprintSource()(source, VideoFrames(path)) if isinstance(row, Fingerprint))
    return replace(source, start_s=fingerprint.times_s[0], end_s=fingerprint.times_s[-1] + 0.25), fingerprint


def copies() -> None:
    """Every transform of every clip: which of the copies are found, and what else is."""
    print(
        "| copies of 20 clips | found | missed | wrong | precision | recall | median distance"
        " |\n|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        originals = [seen(MEDIA / clip, Path(clip).name) for clip in CLIPS]
        everything = list(originals)
        for number, (name, (filters, crf)) in enumerate(TRANSFORMS.items()):
            made = []
            for clip in CLIPS:
                path = copy_of(MEDIA / clip, Path(folder, f"{Path(clip).name}.{number}.mp4"), filters, crf)
                made.append(seen(path, f"{Path(clip).name}~{number}"))
            everything += made
            _line(name, find_duplicates(corpus_of(Path(folder, f"corpus{number}"), originals + made)), len(made))
        _line(
            "all of these at once",
            find_duplicates(corpus_of(Path(folder, "corpus"), everything)),
            len(everything) - len(originals),
        )


def _line(name: str, rows: list[Duplicate], wanted: int) -> None:
    right = [row for row in rows if row.source_id.split("~")[0] == row.duplicate_of.split("~")[0]]
    wrong = [row for row in rows if row not in right]
    precision = f"{len(right) / len(rows):.3f}" if rows else "-"
    distance = float(np.median([row.distance for row in right])) if right else float("nan")
    print(
        f"| {name} | {len(right)} of {wanted} | {wanted - len(right)} | {len(wrong)} | {precision} |"
        f" {len(right) / wanted:.3f} | {distance:.3f} |"
    )
    for row in wrong:
        print(f"  wrong: {row}")


def takes() -> None:
    """Pieces of the same recordings, and of different ones, that share no moment."""
    rows = [seen(MEDIA / clip, Path(clip).name) for clip in [*CLIPS, *TUNED_ON] if "no_face" not in clip]
    print(
        "| pieces of | every other mirrored | pieces | pairs of one recording | pairs in all | called copies"
        " |\n|---|---|---|---|---|---|"
    )
    for length_s, mirrored in itertools.product((3.0, 4.0, 6.0, 10.0), (False, True)):
        pieces = [piece for source, fingerprint in rows for piece in _pieces(source, fingerprint, length_s, mirrored)]
        same = sum(a.uri == b.uri for (a, _), (b, _) in itertools.combinations(pieces, 2))
        with tempfile.TemporaryDirectory() as folder:
            found = find_duplicates(corpus_of(Path(folder), pieces))
        print(
            f"| {length_s:g} s | {'yes' if mirrored else 'no'} | {len(pieces)} | {same} |"
            f" {len(pieces) * (len(pieces) - 1) // 2} | {len(found)} |"
        )
        for row in found:
            print(f"  {row}")


def _pieces(
    source: Source, fingerprint: Fingerprint, length_s: float, mirrored: bool
) -> Iterator[tuple[Source, Fingerprint]]:
    times_s, looks = np.array(fingerprint.times_s), np.frombuffer(fingerprint.looks, "<i2").reshape(-1, COEFFICIENTS)
    for number in range(int((source.end_s - source.start_s) // length_s)):
        name, from_s = f"{source.source_id}~{number}", source.start_s + number * length_s
        here = (times_s >= from_s) & (times_s < from_s + length_s)
        piece = replace(source, source_id=name, start_s=from_s, end_s=from_s + length_s)
        shown = looks[here] * (MIRROR if mirrored and number % 2 else 1)
        yield piece, Fingerprint(name, f"{name}/looks", times_s[here].tolist(), shown.astype("<i2").tobytes())


def scale(sources: int, seconds: float = 60.0) -> None:
    """Made sources whose pictures drift and jump at random; every hundredth is a copy with noise, 7.3 s into another
    one.
    """
    random = np.random.default_rng(1)
    count = round(seconds * 4)
    spread = 400.0 / (1 + np.arange(COEFFICIENTS))
    rows = []
    for number in range(sources):
        name = f"made{number:06d}"
        if number % 100 == 99:
            looks = np.frombuffer(rows[-50][1].looks, "<i2").reshape(-1, COEFFICIENTS)[29:] + random.normal(
                0, 3, (count - 29, COEFFICIENTS)
            )
        else:
            cuts = np.cumsum(random.random(count) < 0.05)
            still = random.normal(0, 1, (cuts[-1] + 1, COEFFICIENTS))[cuts] * spread
            looks = still + np.cumsum(random.normal(0, 0.05, (count, COEFFICIENTS)) * spread, axis=0)
        looks = np.rint(looks.clip(-32000, 32000)).astype("<i2")
        times_s = (np.arange(len(looks)) / 4).tolist()
        source = Source(name, name, width=1280 - number % 7, height=720, end_s=len(looks) / 4)
        rows.append((source, Fingerprint(name, f"{name}/looks", times_s, looks.tobytes())))
    with tempfile.TemporaryDirectory() as folder:
        manifest = corpus_of(Path(folder), rows)
        rows.clear()
        stored = sum(file.stat().st_size for file in Path(folder, "fingerprints").rglob("*.parquet"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began, cpu = time.monotonic(), time.process_time()
        found = find_duplicates(manifest)
        took = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {sources} x {seconds:g} s | {stored / 2**20:.0f} MiB | {took[0]:.1f} s ({took[1]:.1f} s CPU) | {before:.0f}"
        f" MiB | {peak:.0f} MiB | {len(found)} of {sources // 100} |"
    )


if __name__ == "__main__":
    asked = sys.argv[1:] or ["copies", "takes", "scale"]
    if "copies" in asked:
        copies()
    if "takes" in asked:
        takes()
    if "scale" in asked:
        for number in [int(word) for word in asked if word.isdigit()] or [1000]:
            print(
                "| sources | fingerprints stored | time | memory before | peak | copies found"
                " |\n|---|---|---|---|---|---|"
            )
            scale(number)
