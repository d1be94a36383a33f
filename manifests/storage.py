"""Where bytes lie: a folder, or `s3://bucket/prefix`. No other file opens, lists or writes what a corpus or a release
consists of.

- A file appears whole or not at all. Each writer has a `.part` of its own, so two that write one name cannot mix their
  bytes.
- What `write` and `create` return from is on the disk, file and folder: it is there after a power cut, so a receipt may
  rest on it.
- `create` makes a file that nobody else made: of many that try at once, one is told True (S3: `If-None-Match: *`).
- An object of S3 is one PUT, tried again when the store stumbles. Whoever made an object in a try whose answer was lost
  finds its own mark in it.
- Every name is held to the root: a name or a link that leads out of it is an `OutsideRoot`, whatever file it was read
  in.
- What goes wrong is a `StorageError` of one sentence, without a traceback and without credentials.

S3 credentials, region and endpoint come from AWS's own chain (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`
...).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow.fs as fs

from manifests.bucket import Bucket
from manifests.errors import UsageError
from manifests.folder import PART, Content, Folder

__all__ = ["PART", "Content", "Storage"]


class Kind(Protocol):
    """What keeps files under a root. What each method promises, `Storage` says; `tests/manifests/test_storage.py` holds
    every kind to it.
    """

    def path(self, name: str) -> str: ...

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: Content, durable: bool) -> None: ...

    def create(self, name: str, content: Content) -> bool: ...

    def delete(self, name: str) -> None: ...

    def remove_folder(self, folder: str) -> None: ...

    def size(self, name: str) -> int | None: ...

    def names(self, folder: str, folders: bool) -> Iterator[str]: ...

    def walk(self, folder: str) -> Iterator[tuple[str, int]]: ...

    def take(self, path: Path, name: str) -> None: ...

    def fetch(self, name: str, path: Path) -> None: ...

    def check(self) -> None: ...

    def arrow(self) -> tuple[fs.FileSystem, str]: ...


# By the scheme of the root, what makes its storage.
KINDS: dict[str, Callable[[str], Kind]] = {"": lambda root: Folder(root.rstrip("/") or "/"), "s3": Bucket}


@dataclass(frozen=True)
class Storage:
    """A folder or a prefix of a bucket. Names are relative to it, with `/` between their parts."""

    root: str

    @property
    def is_local(self) -> bool:
        """Whether its files have paths on this machine."""
        return self._scheme == ""

    @property
    def is_shared(self) -> bool:
        """Whether other machines find it by the same name, whatever their disks: a store of any kind but a folder."""
        return not self.is_local and self._scheme in KINDS

    @property
    def _scheme(self) -> str:
        return self.root.partition("://")[0] if "://" in self.root else ""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        return self._kind.read(name)

    def write(self, name: str, content: Content, *, durable: bool = True) -> None:
        """Replaces a file.

        Args:
            durable: whether it must be there after a power cut.
        """
        self._kind.write(name, content, durable)

    def create(self, name: str, content: Content) -> bool:
        """Makes a file that is not there. False where it is: then it is somebody else's."""
        return self._kind.create(name, content)

    def delete(self, name: str) -> None:
        """Removes a file; says nothing where there is none."""
        self._kind.delete(name)

    def clear(self, folder: str) -> None:
        """Removes a folder with all that is in it."""
        for name, _ in list(self.walk(folder)):
            self.delete(name)
        self._kind.remove_folder(folder)

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        return self._kind.size(name)

    def names(self, folder: str, *, folders: bool = False) -> list[str]:
        """The finished files of a folder, or the folders in it, sorted; none where there is no such folder."""
        return sorted(self._kind.names(folder, folders))

    def walk(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Every file below a folder with its bytes, unfinished ones too, in no order."""
        return self._kind.walk(folder)

    def take(self, path: Path, name: str) -> None:
        """Moves a finished file of this machine here. Where it fails, the file still lies at `path`."""
        self._kind.take(path, name)

    def fetch(self, name: str, path: Path) -> None:
        """Copies a file to a path of this machine, in no whole-or-nothing way.

        Raises:
            MissingMedia: where there is none.
        """
        self._kind.fetch(name, path)

    def check(self) -> None:
        """Whether the store is there and lets this user in.

        Raises:
            MissingBucket, AccessDenied, Unreachable; StorageError for a folder that is a file
        """
        self._kind.check()

    def path(self, name: str) -> str:
        """Where a file lies for `arrow`; in a folder, also for this machine.

        Raises:
            OutsideRoot: for a name, or a link, that leads out of the root.
        """
        return self._kind.path(name)

    @property
    def arrow(self) -> tuple[fs.FileSystem, str]:
        """The same place for Arrow, which scans large tables in parts."""
        return self._kind.arrow()

    @property
    def _kind(self) -> Kind:
        if self._scheme not in KINDS:
            raise UsageError(f"{self.root}: a corpus lies in a folder, or at s3://bucket/prefix")
        return KINDS[self._scheme](self.root)
