"""Files that belong to a manifest, kept by content: `media/<first two hex digits>/<sha256><suffix>` under its root.

The root is a folder or `s3://bucket/prefix`. The same bytes are kept once, a file appears whole or not at all, and what is
read back is checked against its sha256. S3 credentials, region and endpoint come from AWS's own chain
(`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` ...) and are named in no error.
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from manifests import cache
from manifests.errors import AccessDenied, DamagedMedia, MissingBucket, MissingMedia, StorageError, Unreachable
from manifests.names import inside

PLACE = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}(\.[a-z0-9]{1,8})?")
PART_BYTES = 16 * 2**20  # of a multipart upload; larger files go up in parts


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
            if self._s3:
                self._upload(path, place)
            else:
                _move(path, inside(self.root, place))
        path.unlink(missing_ok=True)
        return place, sha256

    def fetch(self, place: str, sha256: str, into: Path) -> Path:
        """A local path of the file, checked once a process: the file itself in a folder store, else a copy under `into`.

        A copy that is already there serves again. Two processes may fetch into the same folder at once. Copies are held under
        the byte budget of `manifests/cache.py`; the last two that a process was given stay.

        Raises:
            MissingMedia, DamagedMedia, MissingBucket, AccessDenied, Unreachable
        """
        self._known(place)
        if not self._s3:
            path = inside(self.root, place)
            if not path.is_file():
                raise MissingMedia(f"{self.root} has no {place}")
            if not _intact(path, sha256):
                raise DamagedMedia(
                    f"{path} is not what was kept: its sha256 is no longer {sha256[:12]}…; restore it or delete it to have it made again"
                )
            return path
        path = into / Path(place).name
        if cache.use(path) and _intact(path, sha256):
            return path
        into.mkdir(parents=True, exist_ok=True)
        cache.make_room(into, self._bytes(place) or 0)
        part = into / f".{uuid4().hex}.part"
        try:
            with s3_errors(f"{self.root}/{place}"):
                self._client.download_file(self._bucket, self._key(place), str(part))
            if not _intact(part, sha256):
                raise DamagedMedia(f"{self.root}/{place} is not what was kept: its sha256 is no longer {sha256[:12]}…")
            os.replace(part, path)
            cache.use(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def check(self) -> None:
        """Whether the store is there and lets this user in, to be told before any work.

        Raises:
            MissingBucket, AccessDenied, Unreachable
        """
        if self._s3:
            try:
                cache.told_budget()
            except ValueError as error:
                raise StorageError(str(error)) from None
            with s3_errors(self.root, missing=MissingBucket):
                self._client.head_bucket(Bucket=self._bucket)

    def has(self, place: str) -> bool:
        return self._bytes(place) is not None

    def delete(self, place: str) -> None:
        """Removes the file; says nothing where there is none."""
        self._known(place)
        if self._s3:
            with s3_errors(self.root):
                self._client.delete_object(Bucket=self._bucket, Key=self._key(place))
        else:
            inside(self.root, place).unlink(missing_ok=True)

    def _bytes(self, place: str) -> int | None:
        self._known(place)
        if not self._s3:
            path = inside(self.root, place)
            return path.stat().st_size if path.is_file() else None
        try:
            return s3_head(self._client, self._bucket, self._key(place))["ContentLength"]
        except MissingMedia:
            return None

    def _upload(self, path: Path, place: str) -> None:
        from boto3.s3.transfer import TransferConfig

        where = {"Bucket": self._bucket, "Key": self._key(place)}
        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)
        try:
            with s3_errors(f"{self.root}/{place}"):
                self._client.upload_file(str(path), self._bucket, self._key(place), Config=config)
        except (MissingMedia, Unreachable):
            # Another worker that kept the same content may have ended this upload as a leftover, as below.
            if self._bytes(place) != path.stat().st_size:
                raise
        with s3_errors(f"{self.root}/{place}"):
            # What a killed worker had sent is invisible but paid for.
            leftovers = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._key(place))
            for upload in leftovers.get("Uploads", []):
                self._client.abort_multipart_upload(**where, UploadId=upload["UploadId"])

    @staticmethod
    def _known(place: str) -> None:
        if not PLACE.fullmatch(place):
            raise MissingMedia(f"{place!r} is no place of a media store")

    @property
    def _s3(self) -> bool:
        return self.root.startswith("s3://")

    @property
    def _bucket(self) -> str:
        return self.root.removeprefix("s3://").split("/", 1)[0]

    def _key(self, place: str) -> str:
        prefix = self.root.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{prefix}/{place}" if prefix else place

    @cached_property
    def _client(self) -> Any:
        return s3_client()

    def __reduce__(self) -> tuple[type["MediaStore"], tuple[str]]:
        return MediaStore, (self.root,)  # a client does not travel to another process


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def s3_client() -> Any:
    """A client of AWS's own chain, that waits and tries again when told to slow down."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=10, read_timeout=60)
    return boto3.Session().client("s3", config=config)  # a session of its own: the default one is not safe among threads


def s3_head(client: Any, bucket: str, key: str) -> dict[str, Any]:
    """What a store tells of an object without sending it.

    Raises:
        MissingMedia, MissingBucket, AccessDenied, Unreachable
    """
    try:
        with s3_errors(f"s3://{bucket}/{key}"):
            return client.head_object(Bucket=bucket, Key=key)
    except MissingMedia:
        # A HEAD has no body to tell a missing object from a missing bucket.
        with s3_errors(f"s3://{bucket}/{key}", missing=MissingBucket):
            client.head_bucket(Bucket=bucket)
        raise


@contextmanager
def s3_errors(what: str, missing: type[StorageError] = MissingMedia) -> Iterator[None]:
    """Turns what boto3 raises into a `StorageError` that names `what`.

    Only the error's code is told on: the messages of some stores repeat the request, signature and all.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound

    try:
        yield
    except (ClientError, Boto3Error, BotoCoreError) as error:
        cause = next((e for e in (error, error.__cause__, error.__context__) if isinstance(e, ClientError)), None)
        code = cause.response.get("Error", {}).get("Code", "") if cause else type(error).__name__
        bucket = what.removeprefix("s3://").split("/", 1)[0]
        if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound, NoRegionError)):
            raise AccessDenied(
                f"{what}: AWS credentials are not set up ({code}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ) from None
        if code == "NoSuchBucket":
            raise MissingBucket(f"{what}: there is no bucket {bucket}; create it, or correct the address") from None
        if code in ("NoSuchKey", "404", "NotFound"):
            told = (
                f"there is no bucket {bucket}; create it, or correct the address" if missing is MissingBucket else "there is no such object"
            )
            raise missing(f"{what}: {told}") from None
        if code in _DENIED:
            raise AccessDenied(f"{what}: the credentials in use are refused ({code})") from None
        raise Unreachable(f"{what}: the store does not answer as it should ({code}); run again to go on from here") from None


_DENIED = {"403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AllAccessDisabled"}

_checked: set[tuple[str, int, int, str]] = set()


def _intact(path: Path, sha256: str) -> bool:
    """Whether the file has this content. One that has not been touched since it was last looked at is not read again."""
    stat = path.stat()
    seen = (str(path), stat.st_size, stat.st_mtime_ns, sha256)
    if seen not in _checked:
        if sha256_of(path) != sha256:
            return False
        _checked.add(seen)
    return True


def _move(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(path, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = place.parent / f".{uuid4().hex}.part"
        try:
            shutil.copyfile(path, part)
            os.replace(part, place)
        finally:
            part.unlink(missing_ok=True)
