"""First Order Motion Model and its family (AliaksandrSiarohin/first-order-model c0274845): mp4 files of 256x256.

DaGAN reads the same (harlanhong/CVPR2022-DaGAN 052ad359).

    train/<person>#<video>#<start>#<end>.mp4    and test/, val/, as AliaksandrSiarohin/video-preprocessing ac40aac5
                                                names them

The folder is the `root_dir` of the configuration. The loader draws a person and then one of the videos whose name
begins so (`id_sampling`). It reads a video whole, and gives up at 256 MB of pixels: a clip of more than 1024 frames is
cut into equal parts. `start` and `end` count frames of the source at 25 a second. The loaders know no `val`, and leave
it alone.

The framing is that of the render: a recipe decides how much room there is around the face, in VoxCeleb about a tenth of
it on each side. Both loaders read these whatever the version of NumPy; of folders of PNG files that is not so, see the
layout `fomm_png`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from operators.base import Drop
from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_mp4
from pipeline.export.layout import Given, Layout, Note, Written

SIZE = 256
LONGEST = 1024  # frames, as the authors cut; the reader refuses more than 256 MB, 1302 frames of this size
_READABLE = 256_000_000 // (SIZE * SIZE * 3)
NAME = re.compile(r"p[0-9a-f]{10}#[A-Za-z0-9_-]+#\d{6,}#\d{6,}\.mp4")


class FOMM(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame, since two are drawn; `not_square`; those of the decoder.
        """
        if clip.frames < 2:
            raise Drop("too_short", detail=f"{clip.frames} frames, 2 are needed")
        names, pictures = [], clip.pictures(SIZE)
        for first, end in clip.parts(LONGEST):
            names.append(f"{clip.split}/{clip.vox_name(first, end)}.mp4")
            with whole_file(to / names[-1]) as part:
                write_mp4(part, islice(pictures, end - first), clip.fps)
        if next(pictures, None) is not None:
            raise AssertionError("a clip has no more frames than its parts")
        return {"names": names, "frames": clip.frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in ("train", "test"):  # the loader lists both
            (to / split).mkdir(exist_ok=True)

    def validate(self, folder: Path) -> Iterator[str]:
        for split in ("train", "test"):
            names = sorted(path.name for path in (folder / split).iterdir()) if (folder / split).is_dir() else []
            if not names:
                yield f"{split}: holds no video, and the loader asserts both"
            for name in names:
                if not NAME.fullmatch(name):
                    yield f"{split}/{name}: is not named person#video#start#end.mp4"
                    continue
                facts = video_facts(folder / split / name)
                if isinstance(facts, str):
                    yield f"{split}/{name}: {facts}"
                    continue
                frames, width, height, _ = facts
                if (width, height) != (SIZE, SIZE):
                    yield f"{split}/{name}: is {width}x{height}, not {SIZE}x{SIZE}"
                if not 2 <= frames <= _READABLE:
                    yield f"{split}/{name}: has {frames} frames, the loader takes 2 to {_READABLE}"
