"""Storage under a prefix of an S3 bucket, and the one client of S3. What each method promises: `manifests/storage.py`.

Credentials, region and endpoint come from AWS's own chain (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` ...).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as fs

from manifests.errors import AccessDenied, MissingBucket, MissingMedia, StorageError, Unreachable
from manifests.names import relative

T = TypeVar("T")
PART_BYTES = 16 * 2**20  # of a multipart upload; larger files go up in parts
READ_TRIES = 5  # of an object whose body broke off
SILENT_S = 60.0  # that a store may take to begin its answer
ANSWER_S = 120.0  # for all tries of a request: after that no other one is begun
MARK = "headset-writer"  # metadata of an object that says whose it is


@dataclass(frozen=True)
class Bucket:
    root: str

    @property
    def _bucket(self) -> str:
        return self.root.removeprefix("s3://").split("/", 1)[0]

    def _key(self, name: str) -> str:
        prefix = self.root.removeprefix("s3://").partition("/")[2].strip("/")
        return "/".join(part for part in (prefix, relative(name, self.root) if name else "") if part)

    def path(self, name: str) -> str:
        return f"{self._bucket}/{self._key(name)}"

    def _where(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._key(name)}

    def _told(self, name: str) -> str:
        return f"s3://{self._bucket}/{self._key(name)}"

    def read(self, name: str) -> bytes | None:
        try:
            with s3_errors(self._told(name)):
                return _tried_again(lambda: s3_client().get_object(**self._where(name))["Body"].read())
        except MissingMedia:
            return None

    def write(self, name: str, content: bytes | memoryview | pa.Buffer, durable: bool) -> None:
        with s3_errors(self._told(name)):
            s3_client().put_object(**self._where(name), Body=bytes(content))

    def create(self, name: str, content: bytes | memoryview | pa.Buffer) -> bool:
        from botocore.exceptions import ClientError

        mark, began = uuid4().hex, time.monotonic()
        with s3_errors(self._told(name)):
            while True:
                try:
                    s3_client().put_object(
                        **self._where(name), Body=bytes(content), IfNoneMatch="*", Metadata={MARK: mark}
                    )
                    return True
                except ClientError as error:
                    code = error.response.get("Error", {}).get("Code", "")
                    if code in ("PreconditionFailed", "412"):  # ours, where the answer to an earlier try was lost
                        return self._head(name).get("Metadata", {}).get(MARK) == mark
                    if code not in ("ConditionalRequestConflict", "409") or time.monotonic() - began > 60:
                        raise
                    time.sleep(0.1)  # another one is at it just now: who won is known in a moment

    def _head(self, name: str) -> dict[str, Any]:
        return s3_head(s3_client(), self._bucket, self._key(name))

    def delete(self, name: str) -> None:
        with s3_errors(self._told(name)):
            s3_client().delete_object(**self._where(name))

    def remove_folder(self, folder: str) -> None:
        """There are no folders in a bucket."""

    def size(self, name: str) -> int | None:
        try:
            return self._head(name)["ContentLength"]
        except MissingMedia:
            return None

    def names(self, folder: str, folders: bool) -> Iterator[str]:
        prefix = self._key(folder).rstrip("/") + "/" if self._key(folder) else ""
        with s3_errors(self._told(folder), missing=MissingBucket):
            for page in (
                s3_client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            ):
                if folders:
                    yield from (one["Prefix"][len(prefix) :].rstrip("/") for one in page.get("CommonPrefixes", []))
                else:
                    yield from (one["Key"][len(prefix) :] for one in page.get("Contents", []) if one["Key"] != prefix)

    def walk(self, folder: str) -> Iterator[tuple[str, int]]:
        prefix, skip = self._key(folder).rstrip("/"), len(self._key("").rstrip("/") + "/") if self._key("") else 0
        with s3_errors(self._told(folder), missing=MissingBucket):
            pages = (
                s3_client()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=f"{prefix}/" if prefix else "")
            )
            for page in pages:
                yield from ((one["Key"][skip:], one["Size"]) for one in page.get("Contents", []))

    def take(self, path: Path, name: str) -> None:
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)
        size = path.stat().st_size
        try:
            with s3_errors(self._told(name)):
                s3_client().upload_file(str(path), self._bucket, self._key(name), Config=config)
        except (MissingMedia, Unreachable):
            # Another worker that kept the same content may have ended this upload as a leftover, as below.
            if self.size(name) != size:
                raise
        if size >= PART_BYTES:  # what a killed worker had sent in parts is invisible but paid for
            with s3_errors(self._told(name)):
                for upload in (
                    s3_client().list_multipart_uploads(Bucket=self._bucket, Prefix=self._key(name)).get("Uploads", [])
                ):
                    s3_client().abort_multipart_upload(**self._where(name), UploadId=upload["UploadId"])
        path.unlink(missing_ok=True)

    def fetch(self, name: str, path: Path) -> None:
        with s3_errors(self._told(name)):
            s3_client().download_file(self._bucket, self._key(name), str(path))

    def check(self) -> None:
        with s3_errors(self.root, missing=MissingBucket):
            s3_client().head_bucket(Bucket=self._bucket)

    def arrow(self) -> tuple[fs.FileSystem, str]:
        filesystem, path = fs.FileSystem.from_uri(self.root)
        return filesystem, path.rstrip("/")


def _tried_again(what: Callable[[], T]) -> T:
    """A body that broke off is asked for again; botocore does so only until the body begins."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError

    began = time.monotonic()
    for tries in range(1, READ_TRIES):
        try:
            return what()
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
            if time.monotonic() - began > ANSWER_S:
                raise
            time.sleep(0.2 * 2**tries)
    return what()


def _within_limit(request: Any, **_: Any) -> None:
    """Begins no other try of a request that has had its time: botocore counts tries, and a silent store takes each of
    them to its end.

    Raises:
        ReadTimeoutError
    """
    from botocore.exceptions import ReadTimeoutError

    began = request.context.setdefault("headset_began", time.monotonic())  # all tries of a request share a context
    if time.monotonic() - began > ANSWER_S:
        raise ReadTimeoutError(endpoint_url=request.url)


def s3_client() -> Any:
    """This process's client of AWS's own chain, that waits and tries again when told to slow down."""
    with _making:
        return _client(
            os.getpid(), tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))
        )


_making = threading.Lock()


@cache
def _client(_process: int, _environment: tuple[tuple[str, str], ...]) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 8},
        connect_timeout=10,
        read_timeout=SILENT_S,
        max_pool_connections=32,
    )
    # a session of its own: the default one is not safe among threads
    client = boto3.Session().client("s3", config=config)
    client.meta.events.register("request-created.s3", _within_limit)
    return client


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
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    try:
        yield
    except (ClientError, Boto3Error, BotoCoreError) as error:
        cause = next((e for e in (error, error.__cause__, error.__context__) if isinstance(e, ClientError)), None)
        code = cause.response.get("Error", {}).get("Code", "") if cause else type(error).__name__
        bucket = what.removeprefix("s3://").split("/", 1)[0]
        no_bucket = f"{what}: there is no bucket {bucket}; create it, or correct the address"
        if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound, NoRegionError)):
            told = (
                f"AWS credentials are not set up ({code}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY"
            )
            raise AccessDenied(f"{what}: {told}") from None
        if code == "NoSuchBucket":
            raise MissingBucket(no_bucket) from None
        if code in ("NoSuchKey", "404", "NotFound"):
            raise missing(no_bucket if missing is MissingBucket else f"{what}: there is no such object") from None
        if code in _DENIED:
            raise AccessDenied(f"{what}: the credentials in use are refused ({code})") from None
        raise Unreachable(
            f"{what}: the store does not answer as it should ({code}); run again to go on from here"
        ) from None


_DENIED = {
    "403",
    "401",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AllAccessDisabled",
}
