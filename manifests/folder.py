"""Storage in a folder of this machine, or of a file system that it has mounted. What each method promises:
`manifests/storage.py`.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as fs

from manifests.errors import AccessDenied, MissingMedia, StorageError
from manifests.names import inside

Content = bytes | memoryview | pa.Buffer
PART = ".part"  # what the name of an unfinished file ends with
T = TypeVar("T")
_SWEPT = 4  # times that an unfinished file may be swept away


@dataclass(frozen=True)
class Folder:
    root: str

    def path(self, name: str) -> str:
        return str(inside(self.root, name)) if name else self.root

    def read(self, name: str) -> bytes | None:
        with _os_errors(path := self.path(name)):
            try:
                with open(path, "rb") as stream:
                    return stream.read()
            except (FileNotFoundError, IsADirectoryError):
                return None

    def write(self, name: str, content: Content, durable: bool) -> None:
        with _os_errors(self.path(name)):
            _unless_swept(lambda: self._write(name, content, durable))

    def _write(self, name: str, content: Content, durable: bool) -> None:
        with self._part(name, content, durable) as part:
            os.replace(part, self.path(name))
        if durable:
            _sync_folder(os.path.dirname(self.path(name)))

    def create(self, name: str, content: Content) -> bool:
        with _os_errors(self.path(name)):
            return _unless_swept(lambda: self._create(name, content))

    def _create(self, name: str, content: Content) -> bool:
        path = self.path(name)
        with self._part(name, content, True) as part:
            try:
                os.link(part, path)  # whole, and only where there is none
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                    raise
                return self._create_open(path, content)
            _sync_folder(os.path.dirname(path))
            return True

    @staticmethod
    def _create_open(path: str, content: Content) -> bool:
        """For a file system without hard links: only one makes the file, but a reader may meet it unfinished."""
        try:
            made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return False
        with open(made, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return True

    @contextmanager
    def _part(self, name: str, content: Content, durable: bool) -> Iterator[str]:
        """A finished file of this writer's own beside the place; gone when the block ends."""
        path = self.path(name)
        _make_folder(os.path.dirname(path), durable)
        part = f"{path}.{uuid4().hex}{PART}"
        try:
            with open(part, "wb") as stream:
                stream.write(content)
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            yield part
        finally:
            Path(part).unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        with _os_errors(self.path(name)):
            Path(self.path(name)).unlink(missing_ok=True)

    def remove_folder(self, folder: str) -> None:
        """Removes what is left of a folder whose files are gone."""
        for here, _, _ in os.walk(self.path(folder), topdown=False):
            with suppress(OSError):  # another one may have written into it meanwhile
                os.rmdir(here)

    def size(self, name: str) -> int | None:
        with _os_errors(self.path(name)):
            path = Path(self.path(name))
            return path.stat().st_size if path.is_file() else None

    def names(self, folder: str, folders: bool) -> Iterator[str]:
        path = self.path(folder)
        with _os_errors(path):
            try:
                found = list(os.scandir(path))
            except FileNotFoundError:
                return
        for entry in found:
            if entry.is_dir() is folders and not entry.name.endswith(PART):
                yield entry.name

    def walk(self, folder: str) -> Iterator[tuple[str, int]]:
        for here, _, files in os.walk(self.path(folder)):
            for name in files:
                path = os.path.join(here, name)
                try:
                    yield os.path.relpath(path, self.root).replace(os.sep, "/"), os.lstat(path).st_size
                except FileNotFoundError:
                    continue  # another one's unfinished file, finished meanwhile

    def take(self, path: Path, name: str) -> None:
        place = self.path(name)
        with _os_errors(place):
            _make_folder(os.path.dirname(place), True)
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            try:
                os.replace(path, place)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                part = f"{place}.{uuid4().hex}{PART}"
                try:
                    shutil.copyfile(path, part)
                    with open(part, "rb") as copied:
                        os.fsync(copied.fileno())
                    os.replace(part, place)
                finally:
                    Path(part).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            _sync_folder(os.path.dirname(place))

    def fetch(self, name: str, path: Path) -> None:
        place = self.path(name)
        with _os_errors(place):
            try:
                shutil.copyfile(place, path)
            except FileNotFoundError:
                raise MissingMedia(f"{place}: there is no such file") from None

    def check(self) -> None:
        if os.path.exists(self.root) and not os.path.isdir(self.root):
            raise StorageError(f"{self.root} is a file; name a folder, or s3://bucket/prefix")

    def arrow(self) -> tuple[fs.FileSystem, str]:
        return fs.LocalFileSystem(), self.root


def _make_folder(folder: str, durable: bool) -> None:
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder)
    if above and above != folder:
        _make_folder(above, durable)
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from None
    if durable:
        _sync_folder(above or ".")


def _sync_folder(folder: str) -> None:
    """Has the names in a folder outlive a power cut."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # a folder that may be written but not listed cannot be synced either
    try:
        os.fsync(held)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems have nothing to sync
            raise
    finally:
        os.close(held)


_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up"}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def _unless_swept(what: Callable[[], T]) -> T:
    """Does it again where its unfinished file went: whoever takes down, or collects garbage, sweeps those."""
    for _ in range(_SWEPT):
        with suppress(FileNotFoundError):
            return what()
    return what()


@contextmanager
def _os_errors(path: str) -> Iterator[None]:
    """Turns an `OSError` into a `StorageError` that names what cannot be written or read, and why."""
    try:
        yield
    except OSError as error:
        where, why = (
            error.filename if isinstance(error.filename, str) else path,
            (error.strerror or type(error).__name__).lower(),
        )
        where = path if where.endswith(PART) else where
        if error.errno in _FULL:
            raise StorageError(
                f"{where} cannot be written: {_FULL[error.errno]}; make room, and run again to go on from here"
            ) from None
        if error.errno in _REFUSED:
            raise AccessDenied(f"{where} is refused: {why}; name a place that you may read and write") from None
        if error.errno == errno.ENOTDIR:
            raise StorageError(
                f"{where}: a part of the path is a file, not a folder; name a folder, or s3://bucket/prefix"
            ) from None
        raise StorageError(f"{where} cannot be read or written: {why}") from None
