"""The cache of remote media under its budget, among processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from manifests import cache


@pytest.fixture(autouse=True)
def budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CACHE_BYTES", "1000")


def copy(folder: Path, name: str, used_s_ago: float, size: int = 300) -> Path:
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - used_s_ago, time.time() - 9999))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_longest_unused_go_until_there_is_room(tmp_path: Path):
    for name, age in (("a", 10), ("b", 30), ("c", 20)):
        copy(tmp_path, name, age)
    cache.make_room(tmp_path, 100)
    assert names(tmp_path) == ["a", "b", "c"]
    cache.make_room(tmp_path, 101)
    assert names(tmp_path) == ["a", "c"]
    cache.make_room(tmp_path, 5000)
    assert names(tmp_path) == []


def test_a_copy_that_was_just_used_is_held_and_its_content_is_known_to_be_the_same(tmp_path: Path):
    oldest = copy(tmp_path, "a", 99)
    copy(tmp_path, "b", 10)
    written = oldest.stat().st_mtime_ns
    assert cache.use(oldest)
    assert oldest.stat().st_mtime_ns == written
    cache.make_room(tmp_path, 1000)
    assert names(tmp_path) == ["a"]
    for number in range(cache.HELD):
        assert cache.use(copy(tmp_path, f"later{number}", 0, size=1))
    cache.make_room(tmp_path, 1000)
    assert "a" not in names(tmp_path), "others have been used since"


def test_what_another_process_uses_stays_until_it_is_killed(tmp_path: Path):
    copy(tmp_path, "a", 99)
    code = (
        f"import sys, pathlib; from manifests import cache; print(cache.use(pathlib.Path({str(tmp_path / 'a')!r})),"
        " flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "True\n"
        cache.make_room(tmp_path, 1000)
        assert names(tmp_path) == ["a"]
        user.kill()
        user.wait()
        cache.make_room(tmp_path, 1000)
        assert names(tmp_path) == []


def test_a_copy_that_went_is_not_used(tmp_path: Path):
    path = copy(tmp_path, "a", 1)
    assert cache.use(path)
    path.unlink()
    assert not cache.use(path)


def test_unfinished_copies_of_killed_processes_go(tmp_path: Path):
    copy(tmp_path, ".dead.part", 0)
    (tmp_path / ".alive.part").write_bytes(b"x")
    cache.make_room(tmp_path, 0)
    assert names(tmp_path) == [".alive.part"]


def test_a_budget_that_is_no_number_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_CACHE_BYTES", "10G")
    with pytest.raises(ValueError, match="10G"):
        cache.make_room(tmp_path, 0)
