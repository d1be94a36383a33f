"""Shot sizes, hands in view and the camera's motion against what an eye saw: HEADSET_MEDIA=... python -m
benchmarks.accuracy.framing CORPUS

The corpus holds tracks of these films (`headset run talking_head $HEADSET_MEDIA/{single,multi,hdtf,negative}`); hands
are looked for in the whole frame.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.truth.framing import QUARTERS, SEEN
from manifests.manifest import Manifest
from manifests.tables import Clip, Source, Track
from operators.base import Frame
from operators.faces.score_framing import SIZES, ScoreFraming
from operators.media.frames import VideoFrames
from operators.pictures.score_camera import ScoreCamera
from operators.pictures.score_hands import HandLandmarks

MEDIA = Path(os.environ["HEADSET_MEDIA"])
ORDER = [name for name, _ in SIZES]


def frame_at(path: Path, source: Source, share: float) -> Frame:
    at_s = source.start_s + share * (source.end_s - source.start_s)
    return next(iter(VideoFrames(path, at_s, source.end_s)))


def whole(source: Source, track: Track) -> Clip:
    """A clip of the whole track and frame."""
    return Clip(
        source.source_id, "c", track.shot_id, track.track_id, "", track.start_s, track.end_s, 0.0, 0.0,
        float(source.width), float(source.height),
    )  # fmt: skip


def hands(path: Path, source: Source, seen: tuple[bool | None, ...]) -> Iterator[tuple[bool, bool]]:
    """What is so, and what is found, of each quarter that an eye was sure of."""
    find = HandLandmarks(0.5)
    for share, there in zip(QUARTERS, seen, strict=True):
        if there is not None:
            yield there, bool(find(frame_at(path, source, share).rgb()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    manifest = Manifest(parser.parse_args().corpus)
    sources = {Path(row.uri).name: row for shard in manifest.shards() for row in rows(manifest, Source, shard)}
    tracks = [row for shard in manifest.shards() for row in rows(manifest, Track, shard)]
    found_hands, sizes = Counter[tuple[bool, bool]](), dict[str, tuple[int, int]]()
    print("| film | shot size | found | heads | pan, widths/s | zoom, 1/s | known |\n|---|---|---|---|---|---|---|")
    for film, (size, *seen) in SEEN.items():
        path = MEDIA / film
        if (source := sources.get(path.name)) is None or not source.width:
            continue
        found_hands.update(hands(path, source, tuple(seen)))
        own = [track for track in tracks if track.source_id == source.source_id]
        if not size or not own:
            continue
        track = max(own, key=lambda one: one.end_s - one.start_s)
        clip = whole(source, track)
        told = {getattr(row, "metric", "size"): row.value for row in ScoreFraming()(clip, own, [source])}
        sizes[path.name] = ORDER.index(size), ORDER.index(str(told["size"]))
        frames = VideoFrames(path, clip.start_s, clip.end_s)
        moves = {row.metric: row.value for row in ScoreCamera()(clip, own, frames)}
        camera = [moves.get(f"camera_{name}", np.nan) for name in ("pan_widths_per_s", "zoom_per_s", "known_share")]
        print(
            f"| {path.stem} | {size} | {told['size']} | {told['heads_in_frame']:.2f} | {camera[0]:.3f} |"
            f" {camera[1]:.3f} | {camera[2]:.0%} |",
            flush=True,
        )
    ordered = [abs(one - other) for _, (one, other) in sorted(sizes.items())]  # every second film chose `ABOVE`
    for of, off in (("chosen on", ordered[::2]), ("held back", ordered[1::2])):
        print(f"shot sizes, {of}: {off.count(0)} of {len(off)} as the eye, {off.count(1)} one off, the others more")
    for (there, found), count in sorted(found_hands.items()):
        print(f"hands {'to be seen' if there else 'not to be seen'}, {'found' if found else 'not found'}: {count}")


def rows(manifest: Manifest, table: type, shard: int) -> list:
    return manifest.read(table, manifest.current(shard).get(table.table, []), shard)


if __name__ == "__main__":
    sys.exit(main())
