"""First Order Motion Model, from pictures (AliaksandrSiarohin/first-order-model c0274845): 256x256 PNG files.

    train/<person>#<video>#<start>#<end>.mp4/0000000.png    and test/, val/: the folder's name ends in .mp4, as the
                                                            loader globs

The folder is the `root_dir` of the configuration. Two pictures are read for a sample, where a video would be read
whole, so training is faster and clips may be of any length. See `fomm` for the names.

With `id_sampling` the loader draws a folder by NumPy. Newer versions of NumPy (1.26 is one) make `os.listdir` of what
they draw give bytes, on which FOMM's loader fails; DaGAN's (harlanhong/CVPR2022-DaGAN 052ad359) decodes them, and fails
without `id_sampling`. So: FOMM with the NumPy it asks for, 1.15, or without `id_sampling`; DaGAN with a newer NumPy and
`id_sampling`; or the layout `fomm`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.base import Drop
from pipeline.export.checks import picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_folder, write_picture
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.fomm import NAME, SIZE


class FOMMPictures(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame, since two are drawn; `not_square`; those of the decoder.
        """
        if clip.frames < 2:
            raise Drop("too_short", detail=f"{clip.frames} frames, 2 are needed")
        name = f"{clip.split}/{clip.vox_name()}.mp4"
        with whole_folder(to / name) as folder:
            for number, picture in enumerate(clip.pictures(SIZE)):
                write_picture(folder / f"{number:07d}.png", picture)
        return {"names": [name], "frames": clip.frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in ("train", "test"):  # the loader lists both
            (to / split).mkdir(exist_ok=True)

    def validate(self, folder: Path) -> Iterator[str]:
        for split in ("train", "test"):
            videos = sorted((folder / split).iterdir()) if (folder / split).is_dir() else []
            if not videos:
                yield f"{split}: holds no video, and the loader asserts both"
            for video in videos:
                where = f"{split}/{video.name}"
                if not NAME.fullmatch(video.name) or not video.is_dir():
                    yield f"{where}: is no folder named person#video#start#end.mp4"
                    continue
                yield from frame_problems(video, where)


def frame_problems(video: Path, where: str) -> Iterator[str]:
    """What is wrong with a folder of frames 0000000.png and on."""
    frames = sorted(path.name for path in video.iterdir())
    if len(frames) < 2:
        yield f"{where}: has {len(frames)} frames, 2 are needed"
    for number, frame in enumerate(frames):
        if frame != f"{number:07d}.png":
            yield f"{where}/{frame}: is where {number:07d}.png should be"
            return
        if problem := picture_problem(video / frame, (SIZE, SIZE)):
            yield f"{where}/{frame}: {problem}"
