"""Files that belong to a manifest, kept by content: `media/<first two hex digits>/<sha256><suffix>` under its root.

The root is a folder or `s3://bucket/prefix`. The same bytes are kept once, a file appears whole or not at all, and what
is read back is checked against its sha256.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from manifests import cache
from manifests.errors import DamagedMedia, MissingMedia, StorageError
from manifests.storage import Storage
from manifests.tables import Source

PLACE = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}(\.[a-z0-9]{1,8})?")


@dataclass(frozen=True)
class MediaStore:
    """The media of one manifest. `root` is the manifest's: a folder, or `s3://bucket/prefix`."""

    root: str

    def put(self, path: Path, suffix: str) -> tuple[str, str]:
        """Moves a finished file into the store; where its content is there already, only removes it.

        Args:
            suffix: with its dot, as in ".mp4"; "" for none.

        Returns:
            Its place, relative to the root, and its sha256.

        Raises:
            ValueError: for a suffix that is more than a dot and up to 8 letters and digits.
            StorageError: when the store does not take it; the file then still lies at `path`.
        """
        sha256 = sha256_of(path)
        place = f"media/{sha256[:2]}/{sha256}{suffix.lower()}"
        if not PLACE.fullmatch(place):
            raise ValueError(f"{suffix!r} is no file suffix")
        if self._bytes(place) != path.stat().st_size:
            self._storage.take(path, place)
        path.unlink(missing_ok=True)
        return place, sha256

    def fetch(self, place: str, sha256: str, into: Path) -> Path:
        """A local path of the file, checked once a process: the file itself in a folder store, else a copy under
        `into`.

        A copy that is already there serves again. Two processes may fetch into the same folder at once. Copies are held
        under the byte budget of `manifests/cache.py`; the last two that a process was given stay.

        Raises:
            MissingMedia, DamagedMedia, MissingBucket, AccessDenied, Unreachable
        """
        self._known(place)
        if self._storage.is_local:
            path = Path(self._storage.path(place))
            if not path.is_file():
                raise MissingMedia(f"{self.root} has no {place}")
            if not _intact(path, sha256):
                raise DamagedMedia(
                    f"{path} is not what was kept: its sha256 is no longer {sha256[:12]}…; restore it or delete it to"
                    " have it made again"
                )
            return path
        path = into / Path(place).name
        if cache.use(path) and _intact(path, sha256):
            return path
        into.mkdir(parents=True, exist_ok=True)
        cache.make_room(into, self._bytes(place) or 0)
        part = into / f".{uuid4().hex}.part"
        try:
            self._storage.fetch(place, part)
            if not _intact(part, sha256):
                raise DamagedMedia(f"{self.root}/{place} is not what was kept: its sha256 is no longer {sha256[:12]}…")
            os.replace(part, path)
            cache.use(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def source_file(self, source: Source) -> Path | None:
        """A source's file, where it lies within reach without a download: kept here, or at its path on this machine."""
        if not source.media:
            return Path(source.uri) if "://" not in source.uri and Path(source.uri).is_file() else None
        try:
            return self.fetch(source.media, source.sha256, cache.media_cache())
        except StorageError:
            return None

    def check(self) -> None:
        """Whether the store is there and lets this user in, to be told before any work.

        Raises:
            MissingBucket, AccessDenied, Unreachable; StorageError for a folder that is a file
        """
        if not self._storage.is_local:
            try:
                cache.told_budget()
            except ValueError as error:
                raise StorageError(str(error)) from None
        self._storage.check()

    def has(self, place: str) -> bool:
        return self._bytes(place) is not None

    def delete(self, place: str) -> None:
        """Removes the file; says nothing where there is none."""
        self._known(place)
        self._storage.delete(place)

    def _bytes(self, place: str) -> int | None:
        self._known(place)
        return self._storage.size(place)

    @staticmethod
    def _known(place: str) -> None:
        if not PLACE.fullmatch(place):
            raise MissingMedia(f"{place!r} is no place of a media store")

    @cached_property
    def _storage(self) -> Storage:
        return Storage(self.root)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_checked: set[tuple[str, int, int, str]] = set()


def _intact(path: Path, sha256: str) -> bool:
    """Whether the file has this content. One that has not been touched since it was last looked at is not read
    again.
    """
    stat = path.stat()
    seen = (str(path), stat.st_size, stat.st_mtime_ns, sha256)
    if seen not in _checked:
        if sha256_of(path) != sha256:
            return False
        _checked.add(seen)
    return True
