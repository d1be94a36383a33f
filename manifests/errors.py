"""The errors that people meet. Each says in one sentence what is wrong and what to do, and names the exit status of a
command that it ends.

    HeadsetError
       UsageError     what was asked cannot be done as asked; the text says what can     exit 2
          NotFound    no such corpus, source, clip, selection, layout, metric
          WeightError a model file cannot be had
       StorageError   a file or store that cannot be read or written as it should        exit 2
          MissingMedia, DamagedMedia, MissingBucket, AccessDenied, Unreachable, OutsideRoot
       Inconsistent   counts that do not add up: a bug, or a damaged corpus              exit 1
       Stalled        work that has not got on for hours, and is given up                exit 1

What goes wrong with one row of a run is no error of these: it is a drop, see `operators.base.Drop`.
"""

from typing import ClassVar


class HeadsetError(Exception):
    """An error with a text for people. It ends a command, never a row."""

    exit_code: ClassVar[int] = 2


class UsageError(HeadsetError):
    """What was asked cannot be done as asked. The text says what can."""


class NotFound(UsageError):
    """There is no such corpus, source, clip, selection, layout or metric. The text lists what there is, or how to list
    it.
    """


class WeightError(UsageError):
    """A model file that cannot be had, or is not what it should be. The text says what to do."""


class StorageError(HeadsetError):
    """A file that cannot be kept or had. The text says which and what to do, and holds no credentials."""


class MissingMedia(StorageError):
    """The store has no such file."""


class DamagedMedia(StorageError):
    """The bytes read are not those that were kept."""


class MissingBucket(StorageError):
    """The bucket does not exist."""


class AccessDenied(StorageError):
    """No credentials, wrong ones, or ones that do not suffice; or a folder that this user may not write."""


class Unreachable(StorageError):
    """The store did not answer, or told to slow down for longer than was waited."""


class OutsideRoot(StorageError):
    """A name in a file, or a link, that leads out of the folder it stands in. Nothing there is read, written or
    deleted.
    """


def damaged(root: str, name: str, why: str) -> StorageError:
    """What is told of a file of a corpus that is not as it was written."""
    return StorageError(f"{root}/{name} is damaged: {why}; `headset check {root} --repair` has it made again")


class Inconsistent(HeadsetError):
    """Counts that do not add up: a bug, or a damaged corpus. The text names the step and the shard."""

    exit_code: ClassVar[int] = 1


class Stalled(HeadsetError):
    """Work that has not got on for hours. The text says which, and where. What is committed stays."""

    exit_code: ClassVar[int] = 1
