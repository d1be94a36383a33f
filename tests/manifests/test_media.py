"""The media store: by content, whole or not at all, in a folder and on S3 (moto's server)."""

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.bucket import s3_client
from manifests.errors import AccessDenied, DamagedMedia, MissingBucket, MissingMedia, Unreachable
from manifests.media import MediaStore
from tests.local_server import wait_for
from tests.object_store import ObjectStore, aws_points_at, serve_s3

SMALL = b"some bytes that stand for a video" * 1000
LARGE_BYTES = 40 * 2**20  # three parts


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
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    if request.param == "folder":
        return MediaStore(str(tmp_path / "corpus"))
    request.getfixturevalue("s3")
    return MediaStore(f"s3://corpus/{tmp_path.name}")


def made(folder: Path, content: bytes = SMALL, name: str = "made.mp4") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_comes_back_as_it_was(store: MediaStore, tmp_path: Path):
    path = made(tmp_path)
    place, sha256 = store.put(path, ".MP4")
    assert sha256 == hashlib.sha256(SMALL).hexdigest()
    assert place == f"media/{sha256[:2]}/{sha256}.mp4"
    assert not path.exists()
    assert store.has(place)
    assert store.fetch(place, sha256, tmp_path / "cache").read_bytes() == SMALL
    assert pickle.loads(pickle.dumps(store)).has(place)


def test_the_same_bytes_are_kept_once(store: MediaStore, tmp_path: Path):
    places = {store.put(made(tmp_path, name=name), ".mp4")[0] for name in ("a.mp4", "b.mp4", "a.mp4")}
    assert len(places) == 1
    assert sum(1 for path in tmp_path.rglob("*.mp4") if path.parent.parent.name == "media") == (
        0 if store.root.startswith("s3:") else 1
    )
    assert not [path for path in tmp_path.rglob("*") if path.name in ("a.mp4", "b.mp4") or path.suffix == ".part"]


def test_a_file_that_is_not_there_is_named(store: MediaStore, tmp_path: Path):
    place, sha256 = store.put(made(tmp_path), ".mp4")
    store.delete(place)
    store.delete(place)
    assert not store.has(place)
    with pytest.raises(MissingMedia, match=sha256):
        store.fetch(place, sha256, tmp_path / "cache")


@pytest.mark.parametrize(
    "place",
    ["../secret", "/etc/passwd", "media/ab/../../x", "media/ab/" + "0" * 64 + "/x", "media/ab/" + "0" * 64 + ".mp4\n"],
)
def test_a_place_from_a_manifest_leads_nowhere_else(store: MediaStore, tmp_path: Path, place: str):
    for use in (lambda: store.fetch(place, "0" * 64, tmp_path), lambda: store.delete(place), lambda: store.has(place)):
        with pytest.raises(MissingMedia):
            use()


@pytest.mark.parametrize("suffix", ["/../x", ".mp4/", "mp4", ".m p", ".toolongsuffix"])
def test_a_suffix_is_no_path(store: MediaStore, tmp_path: Path, suffix: str):
    path = made(tmp_path)
    with pytest.raises(ValueError, match="suffix"):
        store.put(path, suffix)
    assert path.read_bytes() == SMALL


def test_damage_in_a_folder_is_seen(tmp_path: Path):
    store = MediaStore(str(tmp_path / "corpus"))
    place, sha256 = store.put(made(tmp_path), ".mp4")
    assert store.fetch(place, sha256, tmp_path) == tmp_path / "corpus" / place
    kept = tmp_path / "corpus" / place
    kept.write_bytes(SMALL[:-1] + b"!")
    with pytest.raises(DamagedMedia, match=str(kept)):
        store.fetch(place, sha256, tmp_path)
    # What was cut short is made good by the next one that has the content.
    kept.write_bytes(SMALL[:100])
    store.put(made(tmp_path), ".mp4")
    assert store.fetch(place, sha256, tmp_path).read_bytes() == SMALL


def test_damage_on_s3_leaves_nothing_behind(s3: ObjectStore, tmp_path: Path):
    store = MediaStore("s3://corpus/damaged")
    place, sha256 = store.put(made(tmp_path), ".mp4")
    s3_client().put_object(Bucket="corpus", Key=f"damaged/{place}", Body=SMALL[:-1] + b"!")
    with pytest.raises(DamagedMedia, match="is not what was kept"):
        store.fetch(place, sha256, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_copy_in_the_cache_is_fetched_again(s3: ObjectStore, tmp_path: Path):
    store = MediaStore("s3://corpus/cached")
    place, sha256 = store.put(made(tmp_path), ".mp4")
    copy = store.fetch(place, sha256, tmp_path / "cache")
    s3.asked.clear()
    assert store.fetch(place, sha256, tmp_path / "cache") == copy
    assert s3.asked == []
    copy.write_bytes(b"half")
    assert store.fetch(place, sha256, tmp_path / "cache").read_bytes() == SMALL


def test_many_keep_the_same_content_at_once(store: MediaStore, tmp_path: Path):
    paths = [made(tmp_path, name=f"{number}.mp4") for number in range(8)]
    places: list[str] = []
    threads = [threading.Thread(target=lambda path=path: places.append(store.put(path, ".mp4")[0])) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == 8
    assert len(set(places)) == 1
    assert store.fetch(places[0], hashlib.sha256(SMALL).hexdigest(), tmp_path / "cache").read_bytes() == SMALL


def test_a_missing_bucket_is_told_as_one(s3: ObjectStore, tmp_path: Path):
    store = MediaStore("s3://no-such-bucket/corpus")
    path = made(tmp_path)
    MediaStore("s3://corpus/prefix").check()
    for use in (store.check, lambda: store.put(path, ".mp4"), lambda: store.has(f"media/00/{'0' * 64}.mp4")):
        with pytest.raises(MissingBucket, match="no bucket no-such-bucket; create it"):
            use()
    assert path.read_bytes() == SMALL


def test_wrong_credentials_are_told_without_them(s3: ObjectStore, tmp_path: Path):
    store = MediaStore("s3://corpus")
    s3.check_credentials(True)
    try:
        for use in (store.check, lambda: store.put(made(tmp_path), ".mp4")):
            with pytest.raises(AccessDenied, match="credentials in use are refused") as raised:
                use()
            assert "hunter2" not in _everything_told(raised.value)
    finally:
        s3.check_credentials(False)


def test_no_credentials_are_told_with_what_to_set(s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(AccessDenied, match="AWS_PROFILE"):
        MediaStore("s3://corpus").put(made(tmp_path), ".mp4")


def test_slow_down_is_waited_out(s3: ObjectStore, tmp_path: Path):
    s3.slow_downs = 3
    place, sha256 = MediaStore("s3://corpus/slow").put(made(tmp_path), ".mp4")
    assert s3.slow_downs == 0
    s3.slow_downs = 2
    assert MediaStore("s3://corpus/slow").fetch(place, sha256, tmp_path / "cache").read_bytes() == SMALL


@pytest.mark.slow
def test_slow_down_without_end_is_an_error_that_keeps_the_file(s3: ObjectStore, tmp_path: Path):
    path = made(tmp_path)
    s3.slow_downs = 10**6
    try:
        with pytest.raises(Unreachable, match="run again to go on"):
            MediaStore("s3://corpus/never").put(path, ".mp4")
    finally:
        s3.slow_downs = 0
    assert path.read_bytes() == SMALL


def test_a_run_killed_in_the_middle_of_an_upload_leaves_nothing_visible_and_goes_on(s3: ObjectStore, tmp_path: Path):
    path = made(tmp_path, os.urandom(LARGE_BYTES))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    code = (
        "import sys; from pathlib import Path; from manifests.media import MediaStore;"
        " MediaStore('s3://corpus/killed').put(Path(sys.argv[1]), '.mp4')"
    )
    s3.hold_part, s3.release, s3.held = 3, threading.Event(), threading.Event()
    worker = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[2])
    try:
        assert s3.held.wait(60)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        s3.hold_part = 0
        s3.release.set()
    client, store, place = s3_client(), MediaStore("s3://corpus/killed"), f"media/{sha256[:2]}/{sha256}.mp4"
    assert not store.has(place)
    assert "Contents" not in client.list_objects_v2(Bucket="corpus", Prefix="killed/")
    assert len(client.list_multipart_uploads(Bucket="corpus", Prefix="killed/")["Uploads"]) == 1
    assert path.stat().st_size == LARGE_BYTES

    assert store.put(path, ".mp4") == (place, sha256)
    assert [one["Size"] for one in client.list_objects_v2(Bucket="corpus", Prefix="killed/")["Contents"]] == [
        LARGE_BYTES
    ]
    wait_for(lambda: not client.list_multipart_uploads(Bucket="corpus", Prefix="killed/").get("Uploads"))
    assert hashlib.sha256(store.fetch(place, sha256, tmp_path / "cache").read_bytes()).hexdigest() == sha256


def _everything_told(error: BaseException) -> str:
    return f"{error!r} {error} {error.__cause__!r} {'' if error.__suppress_context__ else repr(error.__context__)}"


def test_copies_of_what_lies_on_s3_stay_within_their_budget(
    s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HEADSET_CACHE_BYTES", "3500")
    store = MediaStore("s3://corpus/budget")
    kept = []
    for number in range(6):
        (tmp_path / "made").write_bytes(bytes([number]) * 1000)
        kept.append(store.put(tmp_path / "made", ".mp4"))
    for place, sha256 in kept:
        assert store.fetch(place, sha256, tmp_path / "cache").stat().st_size == 1000
        assert len(list((tmp_path / "cache").iterdir())) <= 3
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {Path(place).name for place, _ in kept[3:]}
