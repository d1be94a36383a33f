"""The scripts for Slurm, run for real by a stand-in for Slurm's commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.words import INFRA, ROOT
from tests.made_videos import write_video

TOY = ROOT / "tests/pipeline/toy_recipe.py"
PYTHON = sys.executable
# What Slurm would give a job: options of the script's head, then those of the command line, as variables.
SBATCH = f"""#!{PYTHON}
import os, re, subprocess, sys
words = sys.argv[1:]
given = []
while words[0].startswith("--"):
    given.append(words.pop(0))
script = words[0]
head = re.findall(r"(?m)^#SBATCH (--\\S+)$", open(script).read())
options = dict(one.removeprefix("--").partition("=")[::2] for one in [*head, *given])
job = {{
    "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "node1", "SLURM_JOB_NUM_NODES": options["nodes"],
    "SLURM_CPUS_PER_TASK": options["cpus-per-task"],
}}
if "array" not in options:
    sys.exit(subprocess.call(["bash", *words], env=os.environ | job))
numbers = []
for part in options["array"].split(","):
    first, _, last = part.partition("-")
    numbers += range(int(first), int(last or first) + 1)
for number in numbers:
    one = job | {{"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_MAX": str(max(numbers))}}
    if subprocess.call(["bash", *words], env=os.environ | one):
        sys.exit(1)
"""
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
SCONTROL = """#!/usr/bin/env bash
[[ "$1 $2 $3" == "show hostnames node1" ]] && echo 127.0.0.1
"""
HEADSET = f"""#!/usr/bin/env bash
exec env PYTHONPATH={ROOT} {PYTHON} -m pipeline "$@"
"""


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """An environment in which the commands of Slurm are there, and nothing of ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "scontrol": SCONTROL, "headset": HEADSET}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{Path(PYTHON).parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    for number in range(20):  # of two shards
        write_video(tmp_path / "films" / f"film{number}.mp4", [("red", 0.12 + 0.04 * number)], size=(64, 64))
    return tmp_path / "films"


def content(corpus: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(corpus)): path.read_bytes() for path in corpus.rglob("*.parquet")}
    assert found
    return found


@pytest.mark.slow
def test_an_array_and_an_allocation_give_the_same_bytes(films: Path, tmp_path: Path, slurm: dict[str, str]) -> None:
    """An array of two, an array of three of which one part ran before as one of two, and an allocation with one Ray."""
    scripts = INFRA / "clusters/slurm"

    def sbatch(*words: object, corpus: str, alone: bool = False, **more: str) -> None:
        # `ray symmetric-run` ends every Ray that it sees, and will not begin beside one: it is shown none.
        inside = ["unshare", "--pid", "--fork", "--mount-proc"] if alone else []
        *options, script = map(str, words)
        command = [*inside, "sbatch", *options, str(scripts / script), str(TOY), str(films), str(tmp_path / corpus)]
        ended = subprocess.run(
            command, cwd=tmp_path, env=slurm | more, capture_output=True, text=True, timeout=500, check=False
        )
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]

    sbatch("--cpus-per-task=1", "--array=1-2", "array.sh", corpus="two")
    sbatch("--cpus-per-task=1", "--array=2", "array.sh", corpus="changed", PARTS="2")
    sbatch("--cpus-per-task=1", "--array=1-3", "array.sh", corpus="changed")
    assert content(tmp_path / "two") == content(tmp_path / "changed")
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], check=False).returncode
    ):
        pytest.skip("no namespace of processes can be made here, and `ray stop` would end every Ray of this machine")
    sbatch("--cpus-per-task=1", "--nodes=1", "allocation.sh", corpus="one", alone=True, RAY_PORT="6401")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert not list(tmp_path.glob("*.ended"))


def test_an_allocation_whose_run_fails_says_so(tmp_path: Path, slurm: dict[str, str]) -> None:
    (tmp_path / "bin" / "ray").write_text("#!/usr/bin/env bash\nexit 0\n")  # as `ray symmetric-run` where no Ray starts
    (tmp_path / "bin" / "ray").chmod(0o755)
    script = INFRA / "clusters/slurm/allocation.sh"
    ended = subprocess.run(
        ["sbatch", str(script), str(TOY), "list", str(tmp_path / "c")],
        cwd=tmp_path, env=slurm, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "the run did not come to its end; submit it again to go on" in ended.stderr
