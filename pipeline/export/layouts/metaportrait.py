"""MetaPortrait, its base model (Meta-Portrait/MetaPortrait 4c3c9e38): PNG frames, 669 landmarks, pose, identity.

    src_map_dict.pkl                                              the name of each driving frame, and its clip's number
    src_<n>.png, src_<n>_ldmk.npy, src_<n>_theta.npy, src_<n>_id.npy    the first frame of clip n, the source
    <n>/imgs/<n><frame>.png, <n>/ldmks/<n><frame>_ldmk.npy, <n>/thetas/<n><frame>_theta.npy

The folder is the `root` of a data set in the configuration, for `PersonalDataset` and `PersonalMetaDataset`. Frames are
called by clip and frame, five digits each, since a name may not come twice in the whole folder, and begin with no
letter of `src_`, which the loader would skip. It pairs pictures, landmarks and poses by their place in three sorted
lists.

Landmarks, poses and identities are asked for: the authors' detectors were not released. `--with ldmk_669=DIR`, as
<clip>.npz with `ldmk` (frames, 669, 2) in shares of the picture, `theta` (frames, ...) and `id` (1, D). There is no
substitute: connections and indices of the 669 points are part of the code.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import array_problem, picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, whole_folder, write_picture
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.evp import old_pickle, unpickled

SIZE, POINTS = 256, 669
_MAP = "src_map_dict.pkl"


class MetaPortrait(Layout):
    version = 1
    needs: ClassVar = {
        "ldmk_669": (
            "<clip>.npz files with ldmk (frames, 669, 2) in shares of the picture, theta (frames, ...) and id (1, D),"
            " of the authors' detectors"
        )
    }

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for a single frame, `not_square`, `ldmk_669_missing`, `ldmk_669_differs`; those of the
                decoder.
        """
        if clip.frames < 2:
            raise Drop("too_short", detail=f"{clip.frames} frames, 2 are needed")
        landmarks, thetas, identity = _given(clip, given)
        n = str(clip.number)
        with whole_folder(to / n) as folder:
            for part in ("imgs", "ldmks", "thetas"):
                (folder / part).mkdir()
            for number, picture in enumerate(clip.pictures(SIZE)):
                name = f"{clip.number:05d}{number:05d}"
                write_picture(folder / f"imgs/{name}.png", picture)
                np.save(folder / f"ldmks/{name}_ldmk.npy", landmarks[number])
                np.save(folder / f"thetas/{name}_theta.npy", thetas[number])
                if not number:
                    with whole_file(to / f"src_{n}.png") as part:
                        write_picture(part, picture)
        for kind, value in (("ldmk", landmarks[0]), ("theta", thetas[0]), ("id", identity)):
            with whole_file(to / f"src_{n}_{kind}.npy") as part:
                np.save(part, value)
        return {"name": n, "clip": clip.name, "frames": clip.frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        numbers = {f"{clip.number:05d}{n:05d}.png": clip.number for clip in written for n in range(clip.note["frames"])}
        with whole_file(to / _MAP) as part:
            part.write_bytes(old_pickle(numbers))

    def validate(self, folder: Path) -> Iterator[str]:
        try:
            numbers = unpickled((folder / _MAP).read_bytes())
        except (OSError, ValueError) as error:
            yield f"{_MAP}: does not read ({error})"
            return
        found = [
            sorted(folder.glob(pattern)) for pattern in ("*/imgs/*.png", "*/ldmks/*_ldmk.npy", "*/thetas/*_theta.npy")
        ]
        stems = [
            [path.name.removesuffix(end) for path in paths]
            for paths, end in zip(found, (".png", "_ldmk.npy", "_theta.npy"), strict=True)
        ]
        if not stems[0] == stems[1] == stems[2]:
            yield (
                f"imgs, ldmks, thetas: {len(stems[0])}, {len(stems[1])} and {len(stems[2])} files that do not pair, and"
                " the loader pairs them by place"
            )
        for stem, count in Counter(stems[0]).items():
            if count > 1:
                yield f"{stem}.png: comes {count} times, and the loader knows frames by their name alone"
        for path in found[0]:
            if path.name[0] in "src_":
                yield f"{path.name}: begins with a letter of src_, so the loader skips it"
            elif path.name not in numbers:
                yield f"{path.name}: is not in {_MAP}"
            if problem := picture_problem(path):
                yield f"{path.name}: {problem}"
        for path in found[1]:
            if problem := array_problem(path, lambda shape: shape == (POINTS, 2), f"({POINTS}, 2)"):
                yield f"{path.name}: {problem}"
        for n in sorted(set(numbers.values())):
            if problem := picture_problem(folder / f"src_{n}.png"):
                yield f"src_{n}.png: {problem}"
            for kind in ("ldmk", "theta", "id"):
                if problem := array_problem(folder / f"src_{n}_{kind}.npy", lambda shape: True, ""):
                    yield f"src_{n}_{kind}.npy: {problem}"


def _given(clip: ExportClip, given: Given) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    path = given.file("ldmk_669", f"{clip.name}.npz")
    try:
        with np.load(path, allow_pickle=False) as held:
            landmarks, thetas, identity = (held[name].astype(np.float32) for name in ("ldmk", "theta", "id"))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise Drop("ldmk_669_differs", detail=f"{path.name} does not read: {error}") from None
    shapes = landmarks.shape, thetas.shape, identity.shape
    if (
        shapes[0] != (clip.frames, POINTS, 2)
        or shapes[1][:1] != (clip.frames,)
        or len(shapes[2]) != 2
        or len(identity) != 1
    ):
        raise Drop("ldmk_669_differs", detail=f"{path.name}: {shapes} for {clip.frames} frames")
    return landmarks, thetas, identity
