"""Clips for a training loop: samples a CPU second of `ClipDataset`, beside decord alone, webdataset and, where it is
installed, mosaicml-streaming, on the same clips.

    python -m benchmarks.speed.torch_dataset CORPUS

A sample is 16 frames that follow one another, at the size they were rendered at. All read in one process, without
workers, in turns, so that a busy machine slows all alike; what is told is the least CPU time of all rounds.
webdataset reads the clips' release in the order of its tar files and decodes by decord too; mosaicml-streaming reads
the same clips from MDS shards, and so does it; ours is shuffled. Beside that: whether the order is the same with 0, 2
and 4 workers, and after a stop in mid-epoch. No version of mosaicml-streaming installs beside the versions in
`constraints.txt`: it is measured by an interpreter that has it and sees these packages.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import decord
import torch

import headset
from manifests.manifest import Manifest
from pipeline.release.release import release

FRAMES, ROUNDS = 16, 10


def of_headset(data: headset.ClipDataset) -> Iterator[Any]:
    for at in headset.ClipOrder(len(data), seed=1):
        yield data[at]


def of_decord(data: headset.ClipDataset) -> Iterator[Any]:
    """The same frames, and nothing else."""
    for epoch, number in headset.ClipOrder(len(data), seed=1):
        first, _ = data.span(data.files.rows[number], epoch, number)
        yield frames(str(data.files.opened(number)), first)


def frames(file: Any, first: int) -> Any:
    """The reader goes at once: one that is kept decodes ahead."""
    pictures = decord.VideoReader(file, num_threads=1).get_batch(range(first, first + FRAMES)).asnumpy()
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def of_webdataset(tars: list[str], data: headset.ClipDataset) -> Iterator[Any]:
    import webdataset

    numbers = {row["clip_id"]: number for number, row in enumerate(data.files.rows)}
    samples: Any = webdataset.WebDataset(tars, shardshuffle=False)  # pyright: ignore[reportAttributeAccessIssue]
    for sample in samples.decode():
        number = numbers[sample["json"]["clip_id"]]
        first, _ = data.span(data.files.rows[number], 0, number)
        yield frames(io.BytesIO(sample["mp4"]), first)


def of_streaming(folder: str, data: headset.ClipDataset) -> Iterator[Any]:
    from streaming import StreamingDataset  # pyright: ignore[reportMissingImports]

    numbers = {row["clip_id"]: number for number, row in enumerate(data.files.rows)}
    for sample in StreamingDataset(local=folder, shuffle=False, batch_size=1):
        number = numbers[sample["clip_id"]]
        first, _ = data.span(data.files.rows[number], 0, number)
        yield frames(io.BytesIO(sample["mp4"]), first)


def as_mds(data: headset.ClipDataset, folder: str) -> None:
    from streaming import MDSWriter  # pyright: ignore[reportMissingImports]

    with MDSWriter(out=folder, columns={"clip_id": "str", "mp4": "bytes"}) as out:
        for number, row in enumerate(data.files.rows):
            out.write({"clip_id": row["clip_id"], "mp4": Path(data.files.opened(number)).read_bytes()})


def cpu_s(of: Callable[[], Iterator[Any]]) -> tuple[int, float]:
    began, count = time.process_time(), 0
    for _ in of():
        count += 1
    return count, time.process_time() - began


def ids(loader: headset.ClipLoader, most: int | None = None) -> list[str]:
    found: list[str] = []
    for number, batch in enumerate(loader, 1):
        found += [row["clip_id"] for row in batch["row"]]
        if number == most:
            break
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    root = parser.parse_args().corpus
    video = headset.ClipDataset.of(root, wants=("video",), frames=FRAMES)
    whole = headset.ClipDataset.of(root, wants=("video", "sound", "boxes", "landmarks", "words"), frames=FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        release(Manifest(root), str(Path(folder, "out")), "webdataset", "torch_dataset_benchmark")
        Manifest(root).delete("releases/torch_dataset_benchmark.json")
        tars = sorted(map(str, Path(folder, "out").glob("*.tar")))
        tarred = headset.ClipDataset.of(str(Path(folder, "out")), wants=("video",), frames=FRAMES)
        ways: dict[str, Callable[[], Iterator[Any]]] = {
            "decord alone": lambda: of_decord(video),
            "ClipDataset, corpus, video": lambda: of_headset(video),
            "ClipDataset, WebDataset release, video": lambda: of_headset(tarred),
            "webdataset and decord": lambda: of_webdataset(tars, video),
            "ClipDataset, corpus, video, sound, boxes, landmarks, words": lambda: of_headset(whole),
        }
        if find_spec("streaming"):
            as_mds(video, str(Path(folder, "mds")))
            ways["mosaicml-streaming and decord"] = lambda: of_streaming(str(Path(folder, "mds")), video)
        took: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS + 1):  # the first round warms up
            for name in [*ways][number % len(ways) :] + [*ways][: number % len(ways)]:  # each comes first once
                count, seconds = cpu_s(ways[name])
                assert count == len(video)
                if number:
                    took[name].append(seconds / count)
    alone = min(took["decord alone"])
    print(f"{len(video)} clips, {FRAMES} frames of each, {ROUNDS} rounds\n")
    print("| | samples a CPU s | of decord alone |\n|---|---|---|")
    for name, of in took.items():
        print(f"| {name} | {1 / min(of):.1f} | {alone / min(of):.2f} |")
    orders = {workers: ids(headset.ClipLoader(video, batch=2, workers=workers, seed=1)) for workers in (0, 2, 4)}
    print(f"\nequal order with 0, 2 and 4 workers: {orders[0] == orders[2] == orders[4]}")
    stopped = headset.ClipLoader(video, batch=2, workers=2, seed=1)
    given, again = ids(stopped, most=2), headset.ClipLoader(video, batch=2, workers=4)
    again.load_state_dict(stopped.state_dict())
    print(f"stopped after 2 batches, gone on from with other workers: {given + ids(again) == orders[0]}")


if __name__ == "__main__":
    main()
