"""How surely a published clip is found in another file: re-encoded, cut at the front, at another rate, or another
video.

HEADSET_MEDIA=... python -m benchmarks.accuracy.rebuild
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from manifests.tables import Published, Source
from operators.base import Drop
from operators.clips.locate_published import LocatePublished
from operators.fingerprints import COEFFICIENTS
from operators.media.frames import VideoFrames
from operators.sources.fingerprint_changed import FingerprintChanged
from operators.sources.fingerprint_source import FingerprintSource
from tests.made_copies import FRAMES_FROM_ZERO, copy_of

CLIPS = [
    "single/headpose_31.mp4", "single/speakervid_dialogue_case1_1.mp4", "single/lia_vox_driving2.mp4",
    "multi/avi_billhyland.mp4", "multi/panda_it8sFJe038g.7.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4",
    "single/speakervid_range_head_5.mp4",
    "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4",
]  # fmt: skip
EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
FILES = {
    "half the size, CRF 32": (f"{FRAMES_FROM_ZERO},scale=trunc(iw/4)*2:trunc(ih/4)*2", 32, 0.0),
    "without its first 3.2 s": (f"trim=start=3.2,{FRAMES_FROM_ZERO},{EVEN}", 26, -3.2),
    "at another frame rate": (f"{FRAMES_FROM_ZERO},fps={{other_fps}},{EVEN}", 26, 0.0),
}
LENGTH_S = 3.0
MOST = 6  # clips of a source


def published(path: Path) -> list[Published]:
    """Clips of 3 s, one after the other, as a manifest of ours publishes them."""
    (row,) = FingerprintSource()(Source("s", str(path)), VideoFrames(path))
    looks = np.frombuffer(row.looks, "<i2").reshape(-1, COEFFICIENTS)
    found = []
    for start_s in np.arange(0, row.times_s[-1] - LENGTH_S, LENGTH_S)[:MOST].tolist():
        seen = [n for n, at in enumerate(row.times_s) if start_s <= at < start_s + LENGTH_S]
        found.append(
            Published(
                "s", f"headset/{start_s}", "headset", f"{start_s}", start_s, start_s + LENGTH_S, None, None, 0.0, None,
                0, 0, 1, 1, 1, 1, "", "", "", source_sha256="then", looks_s=[row.times_s[n] for n in seen],
                looks=looks[seen].tobytes(),
            )
        )  # fmt: skip
    return found


def main() -> None:
    if "HEADSET_MEDIA" not in os.environ:
        sys.exit("set HEADSET_MEDIA to a folder that holds single/, multi/ and hdtf/")
    root, last = Path(os.environ["HEADSET_MEDIA"]), None
    print("| source | the file is | clip | moved s | off by s | distance | said |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(CLIPS):
            rows = published(root / name)
            files = {
                what: (copy_of(root / name, Path(folder, f"{number}-{n}.mp4"), filters, crf), late_s)
                for n, (what, (filters, crf, late_s)) in enumerate(FILES.items())
            }
            if last is not None:
                files["another video"] = last, float("nan")
            for what, (path, late_s) in files.items():
                source = Source("s", str(path), sha256="now")
                looks = list(FingerprintChanged()(source, rows, VideoFrames(path)))
                for row in rows:
                    try:
                        (found,) = LocatePublished()(row, [source], looks)
                        moved_s = found.moved_s or 0.0
                        said = f"{moved_s:+.3f} | {abs(moved_s - late_s):.3f} | {found.distance:.4f} | equivalent"
                    except Drop as drop:
                        said = f" | | | {drop.reason}: {drop.detail}"
                    print(f"| {name} | {what} | {row.start_s:g} s | {said} |", flush=True)
            last = root / name


if __name__ == "__main__":
    main()
