"""A child process that runs one generation system, and what may become of it.

It has a session and process group of its own, an empty working folder a request, its own HOME and TMPDIR, no
descriptors but two of its own and its log, and, where `unshare -n` works, no network. Requests and answers are lines of
JSON; what it writes to standard output and error is a log of which the last 64 kB are kept. It is watched from outside:
its heartbeat, its deadline, the memory of all its processes, the bytes in its folder.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from operators.generate.processes import cuts_network, folder_bytes, kill, kill_group, processes, resident

CHILD = Path(__file__).with_name("child.py")
PROTOCOL = 1
LOG_BYTES = 64 * 1024
LINE_BYTES = 1024 * 1024  # a longer line is no answer
QUEUED = 1000  # lines that wait to be read; who sends more has to wait
POLL_S = 0.2
MARK = "HEADSET_CHILD"  # in the environment of all that a child starts, by which what outlives it is found
KINDS = (
    "missing_weights", "env_failed", "load_failed", "died", "oom_host", "oom_gpu", "timed_out", "silent", "bad_answer",
    "bad_video", "short", "refused",
)  # fmt: skip
FATAL = frozenset(
    {"died", "oom_host", "oom_gpu", "timed_out", "silent"}
)  # the child was lost, perhaps by chance: the pair is given to another


class Casualty(Exception):
    """A request that has no video, and why: `kind` is one of KINDS."""

    def __init__(self, kind: str, detail: str):
        super().__init__(f"{kind}: {detail}")
        assert kind in KINDS, kind
        self.kind, self.detail = kind, detail


@dataclass(frozen=True)
class Limits:
    """How long to wait, and how much a child may take."""

    load_s: float = 1800.0  # until it says hello
    base_s: float = 120.0  # for a request, and on top
    per_driving_s: float = 600.0  # for each second of driving
    silence_s: float = 60.0  # without a heartbeat; a library that holds Python's lock longer is taken for dead
    memory_bytes: int = 32 * 2**30  # resident, of all its processes together
    folder_bytes: int = 8 * 2**30  # in its working folder

    def deadline_s(self, driving_s: float) -> float:
        return self.base_s + self.per_driving_s * driving_s


@dataclass
class Child:
    """One child process. `start` it, `ask` it, `end` it; after a casualty it is ended, and another must be started.

    Attributes:
        python: the interpreter it runs in.
        adapter: the system's file.
        home: the system's folder on this machine: checkout, weights, environment.
        work: a folder for all it writes, made and removed by it.
        device: `cpu` or `cuda`.
        environment: variables that it is given beside those of `clean_environment`.
    """

    python: str
    adapter: Path
    home: Path
    work: Path
    device: str = "cpu"
    limits: Limits = Limits()
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    hello: dict[str, Any] = field(default_factory=dict, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """The last of what it wrote to standard output and error."""
        return b"".join(self._log).decode(errors="replace")[-LOG_BYTES:]

    def start(self) -> dict[str, Any]:
        """Starts it and waits for its hello, which is returned.

        Raises:
            Casualty: env_failed, load_failed, oom_host, oom_gpu, timed_out or silent.
        """
        self._mark, self._log, self._lines, self._beat = (
            uuid4().hex,
            deque[bytes](),
            queue.Queue[bytes | None](QUEUED),
            False,
        )
        shutil.rmtree(self.work, ignore_errors=True)
        for name in ("home", "tmp"):
            (self.work / name).mkdir(parents=True)
        requests, self._requests = os.pipe()
        heard, answers = os.pipe()
        command = [
            self.python,
            str(CHILD),
            str(self.adapter),
            str(requests),
            str(answers),
            self.device,
            str(self.limits.memory_bytes),
        ]
        if not self.network and cuts_network():
            command = ["unshare", *cuts_network(), "--", *command]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.work,
                pass_fds=(requests, answers),
                start_new_session=True, env=self._clean_environment(),
            )  # fmt: skip
        except OSError as error:
            self._close()
            os.close(heard)
            raise Casualty("env_failed", f"{self.python}: {error.strerror}") from None
        finally:
            os.close(requests)
            os.close(answers)
        threading.Thread(target=self._read_answers, args=(heard,), daemon=True).start()
        threading.Thread(target=self._read_log, args=(self._process.stdout,), daemon=True).start()
        try:
            said = self._wait("", self.work, self.limits.load_s)
        except Casualty as lost:
            self.end()
            if lost.kind == "died":
                raise Casualty(
                    "load_failed" if self._beat else "env_failed", f"before it was loaded: {lost.detail}"
                ) from None
            raise
        if "hello" not in said or said["hello"].get("protocol") != PROTOCOL:
            self.end()
            raise Casualty("load_failed", f"it does not speak protocol {PROTOCOL}: {str(said)[:200]}")
        self.hello = {**said["hello"], "network": "open" if self.network or not cuts_network() else "cut"}
        return self.hello

    def ask(self, request: Mapping[str, Any], driving_s: float) -> dict[str, Any]:
        """One request, one answer. After any casualty but `refused` the child is ended.

        Args:
            request: what `generate` is given; `pair_id` and `out_dir` are there.
            driving_s: seconds of driving, by which the deadline grows.

        Raises:
            Casualty
        """
        try:
            self._forget_beats()
            self._send(request)
            said = self._wait(request["pair_id"], Path(request["out_dir"]), self.limits.deadline_s(driving_s))
            if "answer" not in said:
                raise Casualty("bad_answer", f"neither an answer nor an error: {str(said)[:200]}")
            return said["answer"]
        except Casualty as lost:
            if lost.kind != "refused":
                self.end()
            raise

    def end(self) -> None:
        """Ends it and all that it started, and removes what it wrote."""
        if self._process is None:
            return
        kill_group(self._process.pid)
        for pid in self._marked():  # what left its session
            kill(pid)
        self._process.wait()
        self._close()
        self._process = None
        with suppress(queue.Empty):  # where something of its holds the descriptor still
            while self._lines.get(timeout=5.0) is not None:  # lets the reader come to its end
                pass
        shutil.rmtree(self.work, ignore_errors=True)

    # How it is watched.

    def _forget_beats(self) -> None:
        """What came since the last answer."""
        while not self._lines.empty():
            if (line := self._lines.get()) is None:
                raise self._death()
            if "beat" not in _parsed(line):
                raise Casualty("bad_answer", "it answered what it was not asked")

    def _send(self, request: Mapping[str, Any]) -> None:
        try:
            data = (json.dumps(request) + "\n").encode()
            while data:
                data = data[os.write(self._requests, data) :]
        except OSError:
            raise self._death() from None

    def _wait(self, pair_id: str, folder: Path, most_s: float) -> dict[str, Any]:
        """The next line that is no heartbeat."""
        until, heard = time.monotonic() + most_s, time.monotonic()
        while True:
            now = time.monotonic()
            if now > until:
                raise Casualty("timed_out", f"no answer in {most_s:.0f} s")
            try:
                line = self._lines.get(timeout=POLL_S)
            except queue.Empty:
                if now - heard > self.limits.silence_s:
                    raise Casualty("silent", f"no sign of life for {self.limits.silence_s:.0f} s") from None
                self._look(folder)
                continue
            if line is None:
                raise self._death()
            said = _parsed(line)
            heard = now
            if "beat" in said:
                self._beat = True  # its Python runs
                self._look(folder)
                continue
            self._raise_error(said, pair_id)
            if "answer" in said and said["answer"].get("pair_id") != pair_id:
                raise Casualty("bad_answer", f"it answers for {str(said['answer'].get('pair_id'))[:100]!r}")
            return said

    def _raise_error(self, said: dict[str, Any], pair_id: str) -> None:
        error = said.get("error")
        if error is None:
            return
        if not isinstance(error, dict) or error.get("kind") not in KINDS or error.get("pair_id") != pair_id:
            raise Casualty("bad_answer", f"an error that is none: {str(said)[:200]}")
        raise Casualty(error["kind"], str(error.get("text"))[:2000])

    def _look(self, folder: Path) -> None:
        """Whether it takes more than it may."""
        assert self._process is not None
        if (taken := sum(map(resident, self._marked()))) > self.limits.memory_bytes:
            raise Casualty(
                "oom_host",
                f"its processes hold {taken / 2**20:.0f} MB of memory; it may take"
                f" {self.limits.memory_bytes / 2**20:.0f}",
            )
        if (
            taken := folder_bytes(self.work) + (0 if folder.is_relative_to(self.work) else folder_bytes(folder))
        ) > self.limits.folder_bytes:
            raise Casualty(
                "bad_answer",
                f"its folder holds {taken / 2**20:.0f} MB; it may take {self.limits.folder_bytes / 2**20:.0f}",
            )

    def _death(self) -> Casualty:
        """How it ended, or that it hears us no more."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            return Casualty("silent", "it closed its descriptor and goes on")
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with status {code}"
        return Casualty("died", f"it ended {how}; its log ends: {self.log[-1000:]}")

    def _read_answers(self, descriptor: int) -> None:
        """Lines from the child into the queue, one that is too long cut; None at the end."""
        held = b""
        while True:
            try:
                data = os.read(descriptor, 65536)
            except OSError:
                data = b""
            if not data:
                break
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                self._lines.put(line)
            if len(held) > LINE_BYTES:
                self._lines.put(held)
                held = b""
        os.close(descriptor)
        self._lines.put(None)

    def _read_log(self, stream: Any) -> None:
        size = 0
        for data in iter(lambda: stream.read1(65536), b""):
            self._log.append(data)
            size += len(data)
            while size - len(self._log[0]) > LOG_BYTES:
                size -= len(self._log.popleft())
        stream.close()

    def _marked(self) -> list[int]:
        """All processes that have our mark, or are of the child's session."""
        return [pid for pid in processes() if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        assert self._process is not None
        if pid == os.getpid():
            return False
        try:
            if os.getsid(pid) == self._process.pid:
                return True
            return f"{MARK}={self._mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def _clean_environment(self) -> dict[str, str]:
        """What it is told: no secret of ours is among it."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "LC_ALL", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "TZ")
            if name in os.environ
        }
        # Our own libraries name their folders to the loader, and would be found by another Python's.
        folders = [
            one for one in os.environ.get("LD_LIBRARY_PATH", "").split(":") if one and not one.startswith(sys.prefix)
        ]
        kept |= {"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}
        return {
            **kept, "HOME": str(self.work / "home"), "TMPDIR": str(self.work / "tmp"), "HEADSET_SYSTEM": str(self.home),
            "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", **self.environment,
            MARK: self._mark,
        }  # fmt: skip

    def _close(self) -> None:
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not all(isinstance(said.get(name, {}), dict) for name in ("hello", "answer")):
        raise Casualty("bad_answer", f"a line that is no answer: {line[:100]!r}")
    return said
