"""Where the seconds of a short run go: the driver, Ray, and of the workers their imports, their models and their work.

python -m benchmarks.speed.startup VIDEO [--seconds 3] [--recipe talking_head] [--imports 10]

Runs a recipe over the first seconds of a video, in processes of its own. `probe/sitecustomize.py` notes in each of them
what was imported, which models were loaded and which units were done; /proc, read ten times a second, tells the CPU
seconds of all processes, Ray's own among them. What lives for less than a tenth of a second is not seen. Wall seconds
depend on what else the machine does, so compare CPU seconds; a first run reads from the disk what a second finds in
memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
NOTES = "HEADSET_STARTUP_NOTES"
LOOKS_S = 0.1
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    command: str
    began: float  # seconds since the epoch
    cpu_s: float


def processes(mark: str, known: dict[int, bool]) -> dict[int, Process]:
    """The processes that have a mark in their environment.

    Args:
        known: of processes that were looked at before, whether they have it.
    """
    up_s = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) not in known and (told := (folder / "environ").read_bytes()):
                known[int(folder.name)] = mark.encode() in told  # it is empty while a process becomes another program
            if not known.get(int(folder.name)):
                continue
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found[int(folder.name)] = Process(
            command, up_s + float(stat[19]) * TICK_S, (float(stat[11]) + float(stat[12])) * TICK_S
        )
    return found


def run(video: Path, recipe: str, folder: Path) -> tuple[float, float, dict[int, Process], int]:
    """Runs it. Returns when it began and ended, what was seen of each process, and which one the driver was."""
    notes = folder / "notes"
    notes.mkdir()
    path = os.pathsep.join([str(Path(__file__).parent / "probe"), str(ROOT)])
    command = [sys.executable, "-m", "pipeline", "run", recipe, str(video), "--out", str(folder / "corpus"), "--quiet"]
    began, seen, known = time.time(), dict[int, Process](), dict[int, bool]()
    driver = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path, NOTES: str(notes)})
    while driver.poll() is None:
        seen |= processes(f"{NOTES}={notes}", known)
        time.sleep(LOOKS_S)
    ended = time.time()
    while left := processes(f"{NOTES}={notes}", known):
        seen |= left
        time.sleep(LOOKS_S)
    if driver.returncode:
        raise SystemExit(driver.returncode)
    return began, ended, seen, driver.pid


def part_of(pid: int, process: Process, driver: int, notes: list[dict[str, Any]]) -> str:
    if pid == driver:
        return "driver"
    if any(note["kind"] == "units" for note in notes):
        return "workers"
    return "Ray's own, and workers without work"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--recipe", default="talking_head")
    parser.add_argument("--imports", type=int, default=10, help="of the workers' imports, how many to tell")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / options.video.name
        cut = ["ffmpeg", "-v", "error", "-i", str(options.video), "-t", str(options.seconds), str(film)]
        subprocess.run(cut, check=True)
        began, ended, seen, driver = run(film, options.recipe, folder)
        notes = {
            pid: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            for pid in seen
            for path in [folder / "notes" / f"{pid}.jsonl"]
        }
    tell_parts(seen, notes, driver)
    tell_times(began, ended, seen, notes, driver)
    tell_imports(seen, notes, driver, options.imports)


def tell_parts(seen: dict[int, Process], notes: dict[int, list[dict[str, Any]]], driver: int) -> None:
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for pid, process in seen.items():
        part = parts[part_of(pid, process, driver, notes[pid])]
        part["processes"] += 1
        part["all"] += process.cpu_s  # pyright: ignore[reportArgumentType]
        for note in notes[pid]:
            part[note["kind"]] += note["own_cpu_s"]
    print("| CPU seconds of | processes | imports | models | work and all else | together |")
    print("|---|---|---|---|---|---|")
    for name, part in sorted(parts.items()):
        rest = part["all"] - part["imports"] - part["models"]
        print(
            f"| {name} | {part['processes']} | {part['imports']:.1f} | {part['models']:.1f} | {rest:.1f} |"
            f" {part['all']:.1f} |"
        )
    print(f"| all | {len(seen)} | | | | {sum(process.cpu_s for process in seen.values()):.1f} |")


def tell_times(
    began: float, ended: float, seen: dict[int, Process], notes: dict[int, list[dict[str, Any]]], driver: int
) -> None:
    """What began when, in seconds of the run, and how long it took."""
    print(f"\n{ended - began:.1f} s, load {os.getloadavg()[0]:.1f}\n\n| at, s | s | CPU s | what |\n|---|---|---|---|")
    told = [(process.began, 0.0, process.cpu_s, f"{pid} {process.command[:80]}") for pid, process in seen.items()]
    for pid, some in notes.items():
        told += [
            (note["at"], note["wall_s"], note["cpu_s"], f"{pid} {note['kind']}: {note['name']}")
            for note in some
            if note["kind"] in ("units", "ray") or (note["depth"] == 0 and note["wall_s"] > 0.3)
        ]
    for at, wall_s, cpu_s, what in sorted(told):
        print(f"| {at - began:.1f} | {wall_s:.1f} | {cpu_s:.1f} | {what} |")


def tell_imports(seen: dict[int, Process], notes: dict[int, list[dict[str, Any]]], driver: int, number: int) -> None:
    for kind in ("imports", "models"):
        for role in (True, False):
            spent: Counter[str] = Counter()
            for pid, some in notes.items():
                for note in some:
                    if note["kind"] == kind and (pid == driver) == role:
                        name = note["name"].split(".")[0] if kind == "imports" else note["name"]
                        spent[name] += note["own_cpu_s"]  # pyright: ignore[reportArgumentType]
            told = ", ".join(f"{name} {s:.1f}" for name, s in spent.most_common(number) if s > 0.05)
            print(f"\n{kind} of {'the driver' if role else 'all others'}, CPU s: {told}")


if __name__ == "__main__":
    main()
