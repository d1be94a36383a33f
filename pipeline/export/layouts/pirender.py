"""PIRenderer (RenYurui/PIRender 9e59f194): an lmdb of JPEG frames of 256x256 with the 3DMM coefficients of each.

    256/                            <name>-length, <name>-0000012 (JPEG), <name>-coeff_3dmm (float32, frames x 260),
                                    <name>-keypoint, length
    train_list.txt, test_list.txt   <person>#<video>#<start>#<end>, and val_list.txt, which the loader does not read

The folder is `data.path` of the configuration. Names and parts are those of the layout `fomm`, so the coefficients come
from the authors' scripts over such an export: `scripts/extract_kp_videos.py`, then `scripts/face_recon_videos.py` write
`train/<name>.mat` and `test/<name>.mat` with `coeff` (frames, 257) and `transform_params` (frames, 5); give their
folder by `--with coeff_3dmm=DIR`. They need Deep3DFaceReconstruction and the Basel Face Model, which has a licence of
its own.

The substitute fills the 257 coefficients that the loader cuts out in another way: expression (64) with MediaPipe's 52
blendshapes and zeros, angles with pitch, yaw and roll in radians, translation in decimetres, crop with 100 / the face's
height and its centre from the lower left, in pixels. A model can be trained on it; the published weights cannot be used
with it. `keypoint` (frames, 68, 2, float32) holds landmarks by MediaPipe, -1 where no face was found; the loader does
not read it.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import listed
from pipeline.export.clip import ExportClip
from pipeline.export.faces import Faces
from pipeline.export.files import Picture, write_lines
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.fomm import LONGEST, SIZE

BRIDGED = 12  # frames without a face that are filled by their neighbours: half of the 27 the model sees at once
_MAP_BYTES = 2**40  # of addresses, not of disk
_SPLITS = ("train", "val", "test")


class PIRender(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's
    needs: ClassVar = {
        "coeff_3dmm": (
            "<name>.mat files of Deep3DFaceReconstruction, with coeff and transform_params (its face model is under a"
            " licence)"
        )
    }
    substitutes: ClassVar = {"coeff_3dmm": "head pose and 52 blendshapes of MediaPipe's face landmarker"}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `coeff_3dmm_missing`, `coeff_3dmm_differs`, `not_square`; `no_face` for the substitute;
                those of the decoder.
        """
        faces = clip.faces()
        values: dict[str, bytes] = {}
        names, pictures = [], clip.pictures(SIZE)
        whole = substitute(faces, clip) if "coeff_3dmm" in given.substitutes else None
        for first, end in clip.parts(LONGEST):
            name = clip.vox_name(first, end)
            names.append(name)
            coefficients = whole[first:end] if whole is not None else given_coefficients(given, name, end - first)
            values[key(name, "coeff_3dmm")] = coefficients.tobytes()
            points = faces.landmarks_68[first:end] * (SIZE / clip.width)
            values[key(name, "keypoint")] = np.where(np.isnan(points), -1, points).astype(np.float32).tobytes()
            values[key(name, "length")] = f"{end - first:07d}".encode()
            for number in range(end - first):
                values[key(name, number)] = jpeg(next(pictures))
        if next(pictures, None) is not None:
            raise AssertionError("a clip has no more frames than its parts")
        put(to / str(SIZE), values)
        return {"names": names, "frames": clip.frames, "bridged": int((~faces.seen).sum()) if whole is not None else 0}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        names = {
            split: [name for clip in written if clip.split == split for name in clip.note["names"]] for split in _SPLITS
        }
        put(to / str(SIZE), {key("length"): f"{sum(map(len, names.values())):07d}".encode()})
        for split, lines in names.items():
            write_lines(to / f"{split}_list.txt", lines)

    def validate(self, folder: Path) -> Iterator[str]:
        with opened(folder / str(SIZE)) as stored:
            if stored is None:
                yield f"{SIZE}: is no lmdb"
                return
            for split in ("train", "test"):
                names, problems = listed(folder, f"{split}_list.txt", "names no video, and the loader draws from it")
                yield from problems
                for name in names:
                    yield from video_problems(stored, name)


# What StyleHEAT's lmdb has too.


def key(*parts: str | int) -> str:
    """A key of the lmdb: parts joined by dashes, numbers of seven digits."""
    return "-".join(f"{part:07d}" if isinstance(part, int) else part for part in parts)


def jpeg(picture: Picture, quality: int = 95) -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def put(folder: Path, values: dict[str, bytes]) -> None:
    """Writes all values or none, in place of those of the same key."""
    import lmdb

    folder.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(folder), map_size=_MAP_BYTES, readahead=False) as store, store.begin(write=True) as transaction:
        for name, value in values.items():
            transaction.put(name.encode(), value)


class opened:
    """The values of an lmdb by key, as `get(key) -> bytes | None`; None where the folder holds none."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self):
        import lmdb

        self._store = None
        if not (self.folder / "data.mdb").is_file():
            return None
        self._store = lmdb.open(str(self.folder), readonly=True, lock=False, readahead=False)
        self._transaction = self._store.begin()
        return lambda name: self._transaction.get(name.encode())

    def __exit__(self, *_: object) -> None:
        if self._store is not None:
            self._transaction.abort()
            self._store.close()


def given_coefficients(given: Given, name: str, frames: int) -> NDArray[np.float32]:
    """(frames, 260) float32 of the authors' .mat file: coeff, then the last three of transform_params."""
    from scipy.io import loadmat

    path = given.file("coeff_3dmm", *(f"{split}/{name}.mat" for split in _SPLITS), f"{name}.mat")
    try:
        found = loadmat(str(path))
        coefficients, crop = (np.asarray(found[name], np.float32) for name in ("coeff", "transform_params"))
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise Drop("coeff_3dmm_differs", detail=f"{path.name} does not read: {error}") from None
    if coefficients.shape != (frames, 257) or crop.shape != (frames, 5):
        raise Drop(
            "coeff_3dmm_differs", detail=f"{path.name}: {coefficients.shape} and {crop.shape} for {frames} frames"
        )
    return np.concatenate([coefficients, crop[:, 2:]], axis=1)


def substitute(faces: Faces, clip: ExportClip) -> NDArray[np.float32]:
    """(frames, 260) float32; see the top of this file."""
    from operators.models.face_geometry import head_pose_deg

    faces = faces.bridged(BRIDGED)
    made = np.zeros((len(faces.points), 260), np.float32)
    made[:, 80:132] = faces.blendshapes
    for row, matrix in zip(made, faces.matrix, strict=True):
        yaw, pitch, roll = np.radians(head_pose_deg(matrix))
        row[224:227] = pitch, yaw, roll
    made[:, 254:257] = faces.matrix[:, :3, 3] / 10
    points = faces.points * (SIZE / clip.width)
    low, high = points.min(axis=1), points.max(axis=1)
    made[:, 257] = 100 / (high - low)[:, 1]
    made[:, 258] = (low + high)[:, 0] / 2
    made[:, 259] = SIZE - (low + high)[:, 1] / 2
    return made


def video_problems(stored, name: str) -> Iterator[str]:
    """What is wrong with the frames and coefficients of a video."""
    from PIL import Image, UnidentifiedImageError

    length = stored(key(name, "length"))
    if length is None or not length.isdigit():
        yield f"{name}: has no length"
        return
    frames = int(length)
    if not frames:
        yield f"{name}: has no frames"
        return
    coefficients = np.frombuffer((stored(key(name, "coeff_3dmm")) or b"")[:], np.uint8)
    if coefficients.size != frames * 260 * 4:
        yield (
            f"{name}: has {coefficients.size} bytes of coeff_3dmm, not {frames * 260 * 4}: {frames} frames of 260"
            " float32"
        )
    elif not np.isfinite(coefficients.view(np.float32)).all():
        yield f"{name}: coeff_3dmm holds what is no finite number"
    elif (coefficients.view(np.float32).reshape(frames, 260)[:, 257] <= 0).any():
        yield f"{name}: the scale of coeff_3dmm is 0 somewhere, and it is divided by across people"
    for number in range(frames):
        try:
            with Image.open(BytesIO(stored(key(name, number)) or b"")) as picture:
                picture.load()
                if picture.mode != "RGB" or picture.size != (SIZE, SIZE):
                    yield f"{key(name, number)}: is {picture.mode} of {picture.size}, not RGB of {SIZE}x{SIZE}"
        except (UnidentifiedImageError, OSError) as error:
            yield f"{key(name, number)}: does not decode ({type(error).__name__})"
