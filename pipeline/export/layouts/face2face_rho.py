"""Face2Face-rho (NetEase-GameAI/Face2FaceRHO d14e6a24): JPEG frames of 512x512, 72 landmarks, head pose, face mask.

    list.txt                                            the videos to train on, one a line
    <person>#<video>#<start>#<end>/img/<frame>.jpg      from 0, 25 frames a second; a frame without a face is left out
    .../landmark/<frame>.txt                            72 lines `x y`, -1 to 1 across the picture
    .../headpose/<frame>.txt                            6 lines: axis angle (3, radians), x, y and scale
    .../mask/<frame>.png                                the face, 255 in it

The folder is `dataroot`. The other splits are in `list_val.txt` and `list_test.txt`, which the loader does not read.

The authors fit a face model of their own; headset takes landmarks and pose from MediaPipe's face landmarker, in the
authors' order and units, and the mask is the oval of the mesh. docs/guide/layouts.md says how far both are apart on the
two clips of the authors' repository.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.models.face_pictures import IBUG_68
from pipeline.export.checks import listed, picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.faces import FACE_OVAL
from pipeline.export.files import whole_folder, write_lines, write_picture
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS = 512, 25
# Of MediaPipe's mesh, in the loader's order: the jaw down to the chin and down the other side, brows, nose, eyes of
# eight points, lips.
_JAW, _LIPS = IBUG_68[:17], IBUG_68[48:]
POINTS_72 = (
    *_JAW[:9], *_JAW[:8:-1], *IBUG_68[17:36],
    33, 161, 159, 157, 133, 154, 145, 163, 362, 384, 386, 388, 263, 390, 374, 381,
    *(_LIPS[n] for n in (0, 2, 1, 12, 13, 6, 4, 5, 16, 15, 3, 14, 17, 7, 8, 19, 11, 10, 18, 9)),
)  # fmt: skip
# The authors' `pose_transform_config.json` brings poses of another fit to their units: place = offset + 0.256 * place,
# scale / 4122.4.
_X_OFFSET, _Y_OFFSET, _PLACE, _SCALE = 0.25828, -0.26075, 0.256, 4122.4
_CAMERA = 1 / math.tan(math.radians(63 / 2))  # focal length of MediaPipe's camera, in half heights of the picture
_NOSE_TIP = 4


class Face2FaceRho(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than two frames with a face, since two are drawn; `not_square`; those of the
                decoder.
        """
        faces = clip.faces(FPS)
        if faces.seen.sum() < 2:
            raise Drop("too_short", detail=f"{faces.seen.sum()} frames with a face, 2 are needed")
        name = clip.vox_name()
        points = faces.points * (SIZE / clip.width)
        with whole_folder(to / name) as folder:
            for part in ("img", "landmark", "headpose", "mask"):
                (folder / part).mkdir()
            for number, picture in enumerate(clip.pictures(SIZE, FPS)):
                if not faces.seen[number]:
                    continue
                write_picture(folder / f"img/{number}.jpg", picture)
                spread = points[number, POINTS_72] * 2 / (SIZE - 1) - 1
                write_lines(folder / f"landmark/{number}.txt", (f"{x:.6f} {y:.6f}" for x, y in spread))
                write_lines(
                    folder / f"headpose/{number}.txt",
                    (f"{value:.8f}" for value in head_pose(faces.matrix[number], points[number])),
                )
                _write_mask(folder / f"mask/{number}.png", points[number, FACE_OVAL])
        return {"name": name, "frames": int(faces.seen.sum()), "holes": int((~faces.seen).sum())}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in (("train", "list.txt"), ("val", "list_val.txt"), ("test", "list_test.txt")):
            write_lines(to / name, [clip.note["name"] for clip in written if clip.split == split])

    def validate(self, folder: Path) -> Iterator[str]:
        names, problems = listed(folder, "list.txt", "names no video, and the loader draws from it")
        yield from problems
        people = {name.split("#")[0] for name in names}
        for person in sorted(people):
            if inside := sorted(name for name in names if person in name and name.split("#")[0] != person):
                yield (
                    f"list.txt: {person} is a part of {inside[0]}, so the loader takes that one's videos for the same"
                    " person's"
                )
        for name in names:
            if not (folder / name / "img").is_dir():
                yield f"{name}: has no folder img"
                continue
            yield from _video_problems(folder / name, name)


def head_pose(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> list[float]:
    """Axis angle of the head (radians; x to the image's right, y up, z to the camera), then x, y and scale in the
    loader's units.

    Args:
        matrix: (4, 4) of MediaPipe.
        points: (478, 2) pixels of a picture of `SIZE`.
    """
    from scipy.spatial.transform import Rotation

    turn = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    x, y = points[_NOSE_TIP] * 2 / (SIZE - 1) - 1
    # half heights of the picture a metre of the face
    scale = 100 * _CAMERA * np.linalg.norm(matrix[:3, 0]) / abs(matrix[2, 3])
    return [
        *Rotation.from_matrix(turn).as_rotvec().tolist(),
        _X_OFFSET + _PLACE * x,
        _Y_OFFSET - _PLACE * y,
        scale / _SCALE,
    ]


def _write_mask(path: Path, oval: NDArray[np.float64]) -> None:
    from PIL import Image, ImageDraw

    mask = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in oval], fill=255)
    mask.save(path)


def _video_problems(video: Path, name: str) -> Iterator[str]:
    frames = sorted(path.name for path in (video / "img").iterdir())
    if len(frames) < 2:
        yield f"{name}: has {len(frames)} frames, 2 are drawn"
    for frame in frames:
        number = Path(frame).stem
        if not number.isdigit() or frame != f"{int(number)}.jpg":
            yield f"{name}/img/{frame}: is not named by a number, as the loader writes it"
            continue
        if problem := picture_problem(video / "img" / frame, (SIZE, SIZE)):
            yield f"{name}/img/{frame}: {problem}"
        for kind, count, width in (("landmark", 72, 2), ("headpose", 6, 1)):
            if problem := _numbers_problem(video / kind / f"{number}.txt", count, width):
                yield f"{name}/{kind}/{number}.txt: {problem}"
        if problem := _mask_problem(video / "mask" / f"{number}.png"):
            yield f"{name}/mask/{number}.png: {problem}"


def _numbers_problem(path: Path, count: int, width: int) -> str:
    if not path.is_file():
        return "is missing"
    rows = [line.split(" ") for line in path.read_text().splitlines()]
    if len(rows) != count or any(len(row) != width for row in rows):
        return f"has {len(rows)} lines, not {count} of {width} numbers with one blank between"
    try:
        values = [float(value) for row in rows for value in row]
    except ValueError as error:
        return str(error)
    return "" if all(map(math.isfinite, values)) else "holds what is no finite number"


def _mask_problem(path: Path) -> str:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as mask:
            mask.load()
            return (
                ""
                if mask.mode == "L" and mask.size == (SIZE, SIZE)
                else f"is {mask.mode} of {mask.size}, not L of {SIZE}x{SIZE}"
            )
    except FileNotFoundError:
        return "is missing, and read where emphasize_face_area is on, as it is"
    except (UnidentifiedImageError, OSError) as error:
        return f"does not decode ({error})"
