"""Storage: whole or nothing, one maker of a file, and errors of one sentence, in a folder and on S3 (moto's server)."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests import bucket, folder
from manifests.bucket import s3_client
from manifests.errors import AccessDenied, MissingBucket, MissingMedia, StorageError, Unreachable, UsageError
from manifests.manifest import Manifest
from manifests.storage import PART, Storage
from manifests.tables import Source
from tests.object_store import ObjectStore, aws_points_at, serve_s3


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with serve_s3() as store:
        yield store


@pytest.fixture
def s3(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    aws_points_at(server, monkeypatch)
    s3_client().create_bucket(Bucket="corpus")
    server.asked.clear()
    return server


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage(str(tmp_path / "corpus"))
    request.getfixturevalue("s3")
    return Storage(f"s3://corpus/{tmp_path.name}")


def test_files_are_written_read_listed_and_deleted(storage: Storage, tmp_path: Path) -> None:
    assert storage.read("a/b.json") is None
    assert storage.size("a/b.json") is None
    assert storage.names("a") == []
    storage.write("a/b.json", b"one")
    storage.write("a/b.json", b"two!")
    storage.write("a/c/d.json", memoryview(b"deep"))
    assert (storage.read("a/b.json"), storage.size("a/b.json")) == (b"two!", 4)
    assert (storage.names("a"), storage.names("a", folders=True), storage.names("", folders=True)) == (
        ["b.json"],
        ["c"],
        ["a"],
    )
    assert sorted(storage.walk()) == [("a/b.json", 4), ("a/c/d.json", 4)]
    assert sorted(storage.walk("a/c")) == [("a/c/d.json", 4)]
    storage.delete("a/b.json")
    storage.delete("a/b.json")
    assert storage.names("a") == []
    (tmp_path / "film").write_bytes(b"film")
    storage.take(tmp_path / "film", "media/film")
    assert not (tmp_path / "film").exists()
    storage.fetch("media/film", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"film"
    with pytest.raises(MissingMedia, match="media/none"):
        storage.fetch("media/none", tmp_path / "copy")


def test_of_many_that_make_a_file_at_once_one_does(storage: Storage) -> None:
    won: list[int] = []
    start = threading.Barrier(8)

    def make(number: int) -> None:
        start.wait()
        if storage.create("shards/7", f"{number}".encode() * 1000):
            won.append(number)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert storage.read("shards/7") == f"{won[0]}".encode() * 1000
    assert storage.names("shards") == ["7"]


def test_without_hard_links_one_makes_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(folder.os, "link", refuse)
    storage = Storage(str(tmp_path))
    assert [storage.create("a", b"first"), storage.create("a", b"second"), storage.read("a")] == [True, False, b"first"]


def test_two_writers_of_one_name_do_not_mix_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins and ends while the first has written, but not moved its file."""
    storage, real, began = Storage(str(tmp_path)), os.replace, []

    def replace(part: str, path: str) -> None:
        if not began:
            began.append(part)
            storage.write("x", b"second")
            assert Path(part).read_bytes() == b"the first"
        real(part, path)

    monkeypatch.setattr(folder.os, "replace", replace)
    storage.write("x", b"the first")
    assert storage.read("x") == b"the first"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("stop", ["fsync", "replace"])
def test_a_writer_that_is_stopped_leaves_the_old_file(
    stop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    storage.write("x", b"old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder.os, stop, killed)
    with pytest.raises(KeyboardInterrupt):
        storage.write("x", b"new")
    assert storage.read("x") == b"old"


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, move, folder: in another order a power cut leaves a receipt over an empty file."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        folder.os,
        "fsync",
        lambda fd: (done.append("dir" if os.path.isdir(f"/proc/self/fd/{fd}") else "file"), fsync(fd)),
    )
    monkeypatch.setattr(folder.os, "replace", lambda a, b: (done.append("move"), replace(a, b)))
    storage = Storage(str(tmp_path))
    storage.write("x", b"1")
    assert done == ["file", "move", "dir"]
    done.clear()
    storage.write("x", b"2", durable=False)
    assert done == ["move"]


def test_a_part_is_nobodys_file(tmp_path: Path) -> None:
    Path(tmp_path, f"x{PART}").write_bytes(b"half")
    assert Storage(str(tmp_path)).names("") == []


def test_a_root_that_cannot_be_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file := tmp_path / "file").write_text("x")
    for use in (
        lambda: Storage(str(file)).check(),
        lambda: Manifest(str(file)).exists(),
        lambda: Manifest(str(file)).add([Source("a", "a")]),
    ):
        with pytest.raises(StorageError, match="file"):
            use()
    with pytest.raises(UsageError, match="s3://bucket/prefix"):
        Storage("gs://bucket").names("")
    for number, kind, said in (
        (errno.ENOSPC, StorageError, "disk is full"),
        (errno.EROFS, AccessDenied, "read-only file system"),
    ):

        def refuse(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            patched.setattr(folder.os, "replace", refuse)
            with pytest.raises(kind, match=said) as raised:
                Storage(str(tmp_path / "corpus")).write("tables/x", b"x")
        assert "tables/x" in str(raised.value)
        assert PART not in str(raised.value)
    assert Storage(str(tmp_path / "corpus")).names("tables") == []


def test_s3_that_stumbles_is_waited_for(s3: ObjectStore) -> None:
    storage = Storage("s3://corpus/stumbles")
    s3.slow_downs = 2
    storage.write("x", b"1")
    s3.slow_downs = 2
    assert storage.read("x") == b"1"
    s3.hang_up = 1
    storage.write("x", b"12")
    s3.cut_bodies = 2
    assert storage.read("x") == b"12"
    assert (s3.slow_downs, s3.hang_up, s3.cut_bodies) == (0, 0, 0)


@pytest.mark.parametrize("ask", ["read", "write", "names"])
def test_a_store_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    """It takes connections and requests, and says nothing: the tries end with their time, not with their number."""
    monkeypatch.setattr(bucket, "SILENT_S", 0.3)
    monkeypatch.setattr(bucket, "ANSWER_S", 0.4)
    tries: list[socket.socket] = []

    def hold() -> None:
        try:
            while True:
                tries.append(listener.accept()[0])
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hold, daemon=True).start()
        host, port = listener.getsockname()
        aws_points_at(ObjectStore(f"http://{host}:{port}", ""), monkeypatch)
        storage = Storage("s3://corpus/silent")
        asked = {"read": storage.read, "write": lambda name: storage.write(name, b""), "names": storage.names}[ask]
        with pytest.raises(Unreachable, match=r"s3://corpus/silent/x: .*does not answer"):
            asked("x")
        listener.shutdown(socket.SHUT_RDWR)
    assert 1 <= len(tries) <= 3, "and not the eight that botocore may make of each, five times over"
    for one in tries:
        one.close()


def test_a_file_made_in_a_try_whose_answer_was_lost_is_ours(s3: ObjectStore) -> None:
    """The store has made the object and then says 500: the next try is told that the object is there already."""
    storage = Storage("s3://corpus/lost")
    s3.lose_answers = 1
    assert storage.create("x", b"mine")
    assert not storage.create("x", b"other")
    assert storage.read("x") == b"mine"


def test_a_small_file_is_one_request(s3: ObjectStore) -> None:
    storage = Storage("s3://corpus/few")
    storage.write("x", b"1")
    storage.read("x")
    storage.create("y", b"1")
    storage.size("x")
    storage.names("")
    assert [line.split()[0] for line in s3.asked] == ["PUT", "GET", "PUT", "HEAD", "GET"]


def test_a_missing_bucket_and_a_refused_key_are_told(s3: ObjectStore) -> None:
    with pytest.raises(MissingBucket, match="no bucket no-such-bucket"):
        Storage("s3://no-such-bucket/x").names("")
    s3.check_credentials(True)
    try:
        with pytest.raises(AccessDenied, match="refused"):
            Storage("s3://corpus/x").write("y", b"")
    finally:
        s3.check_credentials(False)


@pytest.mark.parametrize("step", ["replace", "link"])
def test_an_unfinished_file_that_somebody_swept_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real, swept = getattr(os, step), list[str]()

    def first_swept(part: str, path: str) -> None:
        if not swept:
            swept.append(part)
            os.unlink(part)
        real(part, path)

    monkeypatch.setattr(folder.os, step, first_swept)
    storage = Storage(str(tmp_path))
    if step == "replace":
        storage.write("a/b.json", b"whole")
    else:
        assert storage.create("a/b.json", b"whole")
    assert swept
    assert storage.read("a/b.json") == b"whole"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.json"]
