"""Clips by number, as tensors. A dataset of torch's map style: torch itself is imported when the first clip is asked
for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.query.clip_view import select_rows
from pipeline.query.database import quoted
from pipeline.query.selection import selection
from pipeline.training.clip_files import CLIP_COLUMNS, ClipFiles, CorpusFiles, ReleaseFiles, as_path

WANTS = ("video", "sound", "boxes", "landmarks", "words")


@dataclass(frozen=True)
class ClipDataset:
    """What a training loop takes, clip by clip; give it to `ClipLoader`, or to torch's own `DataLoader` with
    `ClipOrder` as its sampler.

    An item holds, as far as it is wanted:
        video: (frames, 3, height, width) uint8 RGB.
        sound: (samples,) float32, mono, -1 to 1, of the same span.
        boxes: (frames, 4) float32 left, top, right, bottom in pixels of the video; NaN where the face was not seen.
        landmarks: (frames, 478, 3) float32 in pixels of the video; NaN where it was not seen. Between looks they are
        interpolated. words: a list of (text, start_s, end_s), seconds from the clip's start, of the whole clip. row:
        the columns asked for, beside `clip_id`. first_frame: which frame of the clip is the first; `fps` of them are a
        second.
    """

    files: ClipFiles
    wants: tuple[str, ...] = WANTS[:2]
    frames: int | None = (
        None  # that follow one another, from a place that seed, epoch and clip decide; None for the whole clip
    )
    size: tuple[int, int] | None = None  # height and width of the video; None as it was rendered
    hz: int = 16000  # of the sound
    seed: int = 0
    columns: tuple[str, ...] = ()
    transform: Callable[[dict[str, Any]], Any] | None = None  # of an item; must travel to workers

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: for something wanted that cannot be, or that these files do not hold, and where a clip is
                not long enough.
        """
        if unknown := set(self.wants) - set(WANTS):
            raise UsageError(f"nobody knows {', '.join(sorted(unknown))}; a clip has {', '.join(WANTS)}")
        if missing := set(self.wants) - {"video", "sound"} - self.files.holds:
            raise UsageError(
                f"a release holds no {', '.join(sorted(missing))}; train from its corpus, or leave these out"
            )
        if self.frames is not None and (
            short := [row["clip_id"] for row in self.files.rows if row["frames"] < self.frames]
        ):
            raise UsageError(
                f"{len(short)} clips have fewer than {self.frames} frames, such as {short[0]}; choose by `frames >="
                f" {self.frames}`"
            )

    @classmethod
    def of(
        cls, place: str, *, chosen: str = "", where: str = "", columns: Sequence[str] = (), **options: Any
    ) -> "ClipDataset":
        """The rendered clips of a corpus, or those of a release.

        Args:
            place: the corpus, a folder or `s3://bucket/prefix`; or a release in a folder.
            chosen: a selection of the corpus, NAME or NAME:VERSION.
            where: a condition in SQL on the columns of the clip view.
            columns: of the clip view, or of the release, to come with each item.
            options: the other fields of this class.

        Raises:
            NotFound: where neither lies there.
            UsageError: for a selection or a condition that cannot be.
        """
        manifest = Manifest(place)
        if not manifest.exists():
            if chosen or where:
                raise UsageError(f"{place} is a release: what is in it was chosen when it was made")
            return cls(ReleaseFiles.of(place), columns=tuple(columns), **options)
        conditions = ["media is not null", *([f"({where}\n)"] if where else [])]
        shown = ", ".join(quoted(name) for name in dict.fromkeys([*CLIP_COLUMNS, *columns]))
        query = f"select {shown} from wide where {' and '.join(conditions)} order by clip_id"  # noqa: S608 - the user's own
        rows = select_rows(manifest, query).to_arrow_table()
        if chosen:
            import pyarrow.dataset as dataset

            kept = manifest.arrow(selection(manifest, chosen).file, ["clip_id"])["clip_id"].to_pylist()
            rows = rows.filter(dataset.field("clip_id").isin(kept))
        return cls(CorpusFiles.of(place, rows), columns=tuple(columns), **options)

    def __len__(self) -> int:
        return len(self.files.rows)

    def __getitem__(self, at: int | tuple[int, int]) -> Any:
        """An item.

        Args:
            at: the number of a clip, or epoch and number: another epoch begins at another frame.
        """
        import decord
        import torch

        epoch, number = at if isinstance(at, tuple) else (0, at)
        row, opened = self.files.rows[number], self.files.opened(number)
        first, count = self.span(row, epoch, number)
        item: dict[str, Any] = {
            "row": {name: row[name] for name in ("clip_id", *self.columns)},
            "first_frame": first,
            "fps": row["fps"],
        }
        if "video" in self.wants:
            stream = str(opened) if not hasattr(opened, "read") else opened
            pictures = decord.VideoReader(stream, num_threads=1).get_batch(range(first, first + count)).asnumpy()
            item["video"] = torch.from_numpy(self._resized(pictures)).permute(0, 3, 1, 2)
        if "sound" in self.wants:
            if hasattr(opened, "seek"):
                opened.seek(0)
            item["sound"] = torch.from_numpy(self._sound(opened, first / row["fps"], (first + count) / row["fps"]))
        if rest := set(self.wants) & {"boxes", "landmarks", "words"}:
            found = self.files.found(number, row["start_s"] + np.arange(first, first + count) / row["fps"], rest)
            item |= {name: self._scaled(name, value, row) for name, value in found.items()}
        return self.transform(item) if self.transform else item

    def span(self, row: Mapping[str, Any], epoch: int, number: int) -> tuple[int, int]:
        """The first frame of an item, and how many follow: of seed, epoch and clip alone."""
        if self.frames is None:
            return 0, row["frames"]
        return (
            int(np.random.default_rng([self.seed, epoch, number]).integers(row["frames"] - self.frames + 1)),
            self.frames,
        )

    def _resized(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """By the mean over areas: decord's own resizing fails for some widths."""
        import cv2

        if self.size is None or pictures.shape[1:3] == self.size:
            return pictures
        height, width = self.size
        return np.stack(
            [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
        ).astype(np.uint8)

    def _sound(self, opened: Any, start_s: float, end_s: float) -> Any:
        from operators.base import Drop
        from operators.media.sound import SourceAudio

        with as_path(opened) as path:
            try:
                return SourceAudio(path).samples(start_s, end_s, self.hz)
            except Drop:
                return np.zeros(round((end_s - start_s) * self.hz), np.float32)

    def _scaled(self, name: str, value: Any, row: Mapping[str, Any]) -> Any:
        import torch

        if not isinstance(value, np.ndarray):
            return value
        if self.size:
            height, width = self.size
            across, down = width / row["width"], height / row["height"]
            value = value * np.array(
                [across, down, across, down] if name == "boxes" else [across, down, across], np.float32
            )
        return torch.from_numpy(value)
