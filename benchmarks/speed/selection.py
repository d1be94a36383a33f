"""What it costs to select from a corpus, as it grows: seconds and peak memory of the wide view's users, on made rows.

python -m benchmarks.speed.selection 10000 100000 1000000

A made clip has its row, its render and the 25 scores that `talking_head` gives. A run would lay 16 sources into a
shard; here a shard holds 15 616 clips, so that a million clips are 65 files a table and not thousands: what is measured
is rows, not the opening of files. Each command runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from manifests.ledger import Receipt
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.tables import Clip, Dropped, Render, Row, Score, Source, schema
from pipeline.query.database import connect

SHARD_CLIPS = 15_616
SOURCE_CLIPS = 16
METRICS = {
    "boxes": ("face_width_px", "face_visible_share", "face_motion_widths_per_s", "faces_in_view"),
    "mediapipe_face_landmarker": ("mesh_share", "yaw_deg", "pitch_deg", "roll_deg", "yaw_abs_p5_deg", "yaw_abs_p95_deg",
                                  "yaw_range_deg",
                                  "pitch_range_deg", "roll_range_deg", "mouth_opening_p95"),
    "laplacian_variance_128px": ("face_sharpness",),
    "dnsmos_p835": ("dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak"),
    "mouth_envelope": ("av_offset_s", "av_confidence"),
    "rms_16khz": ("speech_dbfs", "level_range_db"),
    "peak_16khz": ("speech_peak", "speech_clipped"),
    "lr_asd": ("speaking_share",),
}  # fmt: skip
WHERE = "dnsmos_ovrl > 3 and face_px >= 256 and speaking_share > 0.5"


def make(root: Path, clips: int) -> None:
    """Writes a corpus of so many clips as a run would have left it."""
    import pyarrow.parquet as pq

    steps = [StepRecord("MakeRows", f"{table.table}-made", 0, "sources", [table.table], [], {"sources": [LISTED]}, {},
                        [])
             for table in (Clip, Render, Score)]  # fmt: skip
    manifest = Manifest(str(root))
    manifest.remember(RunRecord("made", steps))
    metrics = ", ".join(f"('{metric}', '{variant}')" for variant, names in METRICS.items() for metric in names)
    connection = connect()
    connection.execute(f"create table kinds as select * from (values {metrics}) as kinds(metric, variant)")

    def write(table: type[Row], step: str, shard: int, query: str) -> None:
        found = connection.sql(f"select * from ({query}) order by {table.key}").to_arrow_table()
        path = root / table.table / step / f"{shard:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(_whole(found, table), path, compression="zstd")

    for shard, first in enumerate(range(0, clips, SHARD_CLIPS)):
        last = min(clips, first + SHARD_CLIPS)
        source = f"printf('yt-%011d', n // {SOURCE_CLIPS})"
        at_s = f"(n % {SOURCE_CLIPS}) * 10.0"
        clip = (
            f"printf('yt-%011d/%06d-%06d/t0', n // {SOURCE_CLIPS}, (n % {SOURCE_CLIPS}) * 10000, (n % {SOURCE_CLIPS}) *"
            " 10000 + 8000)"
        )
        numbers = f"(select range as n from range({first}, {last}))"
        write(Source, LISTED, shard,
              f"""select distinct {source} as source_id, 'https://example.org/' || n // {SOURCE_CLIPS} as uri,
            1280 as width, 720 as height, 'en' as language, 'channel' || (n // {SOURCE_CLIPS * 20}) as channel,
            0.0 as start_s, 160.0 as end_s from {numbers}""")  # fmt: skip
        write(Dropped, LISTED, shard, "select '' as source_id, '' as drop_id where false")
        write(Clip, "clips-made", shard,
              f"""select {source} as source_id, {clip} as clip_id, {source} || '/000000-160000' as shot_id,
            {source} || '/000000-160000/t0' as track_id, 'speaker0' as speaker, {at_s} as start_s,
            {at_s} + 4 + (n * 7919 % 400) / 100.0 as end_s,
            0.0 as left_px, 0.0 as top_px, 512.0 as right_px, 512.0 as bottom_px from {numbers}""")  # fmt: skip
        write(Render, "renders-made", shard,
              f"""select {source} as source_id, {clip} || '@recording' as render_id, {clip} as clip_id,
            'recording' as made_by,
            'media/' || left(sha256(n::varchar), 2) || '/' || sha256(n::varchar) || '.mp4' as media,
            sha256(n::varchar) as sha256, sha256('f' || n) as frames_sha256, 400000 as bytes, 512 as width,
            512 as height, 25.0 as fps, 150 as frames, 6.0 as duration_s, 'made' as encoder
            from {numbers}""")  # fmt: skip
        uniform = "(hash(n, metric) % 1000003) / 1000003.0"
        value = (
            f"case metric when 'face_width_px' then 80 + 440 * {uniform} when 'dnsmos_ovrl' then 1.5 + 2.2 * {uniform}"
            f" else {uniform} end"
        )
        write(Score, "scores-made", shard,
              f"""select {source} as source_id, {clip} || '#' || metric as score_id, {clip} as subject, metric,
            variant, {value} as value from {numbers}, kinds""")  # fmt: skip
        for step in steps:
            manifest.write(Dropped, step.version, shard, [])
            manifest.commit(step.version, shard, Receipt("X"))


def _whole(found: Any, table: type[Row]) -> Any:
    """With the columns of the table, the missing ones empty."""
    import pyarrow as pa

    columns = []
    for field in schema(table):
        if field.name in found.column_names:
            columns.append(found[field.name].cast(field.type))
        else:
            nothing = {"string": "", "int64": 0, "double": 0.0, "bool": False}[str(field.type)]
            columns.append(pa.array([nothing] * found.num_rows, field.type))
    return pa.table(columns, schema=schema(table))


TASKS = ("select", "select again", "yield", "diff of selections", "diff of corpora", "split")


def task(name: str, root: str) -> dict[str, float]:
    """Does one thing in this process, as the command would. Returns its seconds, the clips it gave, and the peak memory
    so far.
    """
    from pipeline.corpus_steps.splits import split_clips
    from pipeline.query.diff import Side, differ
    from pipeline.query.selection import select
    from pipeline.query.yields import yields

    began, computed = time.monotonic(), time.process_time()
    manifest = Manifest(root)
    if name == "select":
        clips = select(manifest, WHERE, "hq")[0].clips
    elif name == "select again":
        clips = select(manifest, WHERE.replace("> 3", "> 2.8"), "hq")[0].clips
    elif name == "yield":
        clips = yields(manifest, WHERE).left_clips
    elif name == "diff of selections":
        first, second = (
            f"{root}/@hq:{one}"
            for one in sorted(Path(root, "selections", "hq").glob("*.parquet"))
            for one in [one.stem]
        )
        clips = (found := differ(Side.of(first), Side.of(second), 20)).added + found.removed
    elif name == "diff of corpora":
        clips = differ(Side.of(root), Side.of(root), 20).both
    else:
        clips = sum(split_clips(manifest, (0.9, 0.05, 0.05)).clips.values())
    return {
        "seconds": time.monotonic() - began,
        "cpu_s": time.process_time() - computed,
        "clips": clips,
        "mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """Of this process since it began its program; `ru_maxrss` begins with what the process that started it held."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", help="a folder to keep the made corpora in (default: a temporary one)")
    options = parser.parse_args()
    if options.task:
        print(json.dumps(task(options.task, options.corpus)))
        return
    print("| clips | files | " + " | ".join(f"{name}: s, CPU s, peak MB" for name in TASKS) + " |")
    print("|---" * (2 + len(TASKS)) + "|")
    with tempfile.TemporaryDirectory() as temporary:
        for clips in options.clips:
            root = Path(options.corpus or temporary, str(clips))
            if not root.exists():
                make(root, clips)
            cells = []
            for name in TASKS:
                command = [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    "benchmarks.speed.selection",
                    "--task",
                    name,
                    "--corpus",
                    str(root),
                ]
                told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
                cells.append(f"{told['seconds']:.1f}, {told['cpu_s']:.1f}, {told['mb']:.0f}")
            files = sum(1 for _ in root.rglob("*.parquet"))
            print(f"| {clips} | {files} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
