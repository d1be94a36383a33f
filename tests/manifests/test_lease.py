"""The lease: one holder at a time, whoever died before, on this machine or another."""

import json
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import asdict, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from manifests import lease
from manifests.errors import UsageError
from manifests.lease import Holder, Lease
from manifests.storage import Storage


def hold(root: str, held: Event) -> None:
    with Lease(Storage(root), "corpus", "headset run"):
        held.set()
        signal.pause()


def holder_in(root: Path) -> Holder:
    return Holder(**json.loads(sorted((root / "leases" / "corpus").glob("*.json"))[-1].read_text()))


def elsewhere(root: Path, age_s: float) -> Holder:
    """A lease as another machine left it."""
    made = Holder(
        "elsewhere", "another space", 1, "1", "headset score", "2026-01-02T03:04:05+00:00", time.time() - age_s
    )
    Storage(str(root)).create("leases/corpus/00000004.json", json.dumps(asdict(made)).encode())
    return made


def test_a_second_one_is_told_who_holds_it_since_when(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    with Lease(storage, "corpus", "headset run"):
        with pytest.raises(
            UsageError,
            match=rf"`headset run` \(process {os.getpid()} on .*, since 20\d\d-.* UTC\); wait for it with --wait",
        ):
            Lease(storage, "corpus", "headset takedown").__enter__()
        with Lease(storage, "listing", "headset run"):
            pass
    with Lease(storage, "corpus", "headset takedown"):
        pass
    assert holder_in(tmp_path).over


def test_one_that_waits_comes_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "ASK_S", 0.01)
    order: list[str] = []
    told = threading.Event()

    def tell(text: str) -> None:
        order.append(text)
        told.set()

    def second() -> None:
        with Lease(Storage(str(tmp_path)), "corpus", "b", wait=True, tell=tell):
            order.append("second")

    with Lease(Storage(str(tmp_path)), "corpus", "headset run"):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(10)
        order.append("first")
    thread.join()
    assert order[0].startswith("waiting for `headset run`")
    assert order[1:] == ["first", "second"]


def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold, args=(str(tmp_path), held))
    process.start()
    assert held.wait(10)
    with pytest.raises(UsageError, match="is at work for `headset run`"):
        Lease(Storage(str(tmp_path)), "corpus", "headset run").__enter__()
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    while holder_in(tmp_path).born == lease._born(process.pid):
        time.sleep(0.01)
    with Lease(Storage(str(tmp_path)), "corpus", "headset run"):  # a zombie still, that nobody has waited for
        process.join()


def test_another_process_with_its_number_is_not_the_holder(tmp_path: Path) -> None:
    with Lease(Storage(str(tmp_path)), "corpus", "headset run"):
        mine = holder_in(tmp_path)
    Storage(str(tmp_path)).create("leases/corpus/00000009.json", json.dumps(asdict(replace(mine, born="1"))).encode())
    with Lease(Storage(str(tmp_path)), "corpus", "headset run"):
        assert sorted(os.listdir(tmp_path / "leases" / "corpus"))[-1] == "00000010.json"


def test_elsewhere_a_fresh_heartbeat_holds_and_one_that_stopped_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "ASK_S", 0.01)
    monkeypatch.setattr(lease, "WATCH_S", 0.3)
    elsewhere(tmp_path, 5.0)
    with pytest.raises(UsageError, match="process 1 on elsewhere, since 2026-01-02 03:04:05 UTC"):
        Lease(Storage(str(tmp_path)), "corpus", "x").__enter__()
    (tmp_path / "leases" / "corpus" / "00000004.json").unlink()
    elsewhere(tmp_path, 500.0)
    began = time.monotonic()
    with Lease(Storage(str(tmp_path)), "corpus", "x"):
        assert time.monotonic() - began >= 0.3


def test_a_clock_that_is_behind_does_not_kill_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its heartbeats look old, but they come."""
    monkeypatch.setattr(lease, "ASK_S", 0.02)
    monkeypatch.setattr(lease, "WATCH_S", 0.3)
    made, stop, taken = elsewhere(tmp_path, 500.0), threading.Event(), threading.Event()

    def beat() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            Storage(str(tmp_path)).write(
                "leases/corpus/00000004.json",
                json.dumps(asdict(replace(made, beat=made.beat + number))).encode(),
                durable=False,
            )

    def take() -> None:
        with Lease(Storage(str(tmp_path)), "corpus", "x", wait=True):
            taken.set()

    beats, taker = threading.Thread(target=beat), threading.Thread(target=take)
    beats.start()
    taker.start()
    assert not taken.wait(1.5)
    stop.set()
    assert taken.wait(10)
    beats.join()
    taker.join()


def test_who_was_slow_takes_no_number_that_others_have_held_and_swept_away(tmp_path: Path) -> None:
    slow = Lease(Storage(str(tmp_path)), "corpus", "slow")
    number = slow.await_end() + 1
    for _ in range(3):
        with Lease(Storage(str(tmp_path)), "corpus", "quick"):
            pass
    with Lease(Storage(str(tmp_path)), "corpus", "holder"):
        assert not Path(tmp_path, f"leases/corpus/{number:08d}.json").exists()
        assert not slow._take(number)
        assert holder_in(tmp_path).command == "holder"


def test_of_many_that_find_a_dead_holder_one_at_a_time_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "ASK_S", 0.001)
    with Lease(Storage(str(tmp_path)), "corpus", "x"):
        mine = holder_in(tmp_path)
    Storage(str(tmp_path)).create("leases/corpus/00000007.json", json.dumps(asdict(replace(mine, born="1"))).encode())
    inside, most, done = 0, 0, 0
    lock = threading.Lock()

    def drive() -> None:
        nonlocal inside, most, done
        for _ in range(5):
            with Lease(Storage(str(tmp_path)), "corpus", "x", wait=True):
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.001)
                with lock:
                    inside -= 1
                    done += 1

    threads = [threading.Thread(target=drive) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == (1, 30)
    assert len(os.listdir(tmp_path / "leases" / "corpus")) <= 3


def test_a_holder_says_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    with Lease(Storage(str(tmp_path)), "corpus", "x"):
        first = holder_in(tmp_path).beat
        while holder_in(tmp_path).beat == first:
            time.sleep(0.01)
