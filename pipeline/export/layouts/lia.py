"""LIA (wyhsirius/LIA b9f15fb7), whose evaluation reads folders of 256x256 PNG files.

    datasets/vox/test/<person>#<video>#<start>#<end>/0000000.png    and train/, val/, which the released code does not
                                                                    read

Run `evaluation.py --dataset vox` in a folder that holds this `datasets`. It resizes without a crop, so pictures are
square. The released loader imports a module, `augmentations`, that the repository does not hold, and uses nothing of
it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_folder, write_picture
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.fomm import SIZE
from pipeline.export.layouts.fomm_png import frame_problems

_PLACE = Path("datasets", "vox")


class LIA(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame; `not_square`; those of the decoder.
        """
        if clip.frames < 2:
            raise Drop("too_short", detail=f"{clip.frames} frames, 2 are needed")
        name = f"{clip.split}/{clip.vox_name()}"
        with whole_folder(to / _PLACE / name) as folder:
            for number, picture in enumerate(clip.pictures(SIZE)):
                write_picture(folder / f"{number:07d}.png", picture)
        return {"name": name, "frames": clip.frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        (to / _PLACE / "test").mkdir(parents=True, exist_ok=True)

    def validate(self, folder: Path) -> Iterator[str]:
        test = folder / _PLACE / "test"
        videos = sorted(test.iterdir()) if test.is_dir() else []
        if not videos:
            yield f"{_PLACE}/test: holds no video, and the loader reads no other folder"
        for video in videos:
            where = f"{_PLACE}/test/{video.name}"
            if not video.is_dir():
                yield f"{where}: is no folder of frames"
                continue
            yield from frame_problems(video, where)
