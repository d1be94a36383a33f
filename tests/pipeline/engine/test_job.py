"""The life of a job on a Ray that knows nothing of us: submitted, stopped, gone on with; secrets told nowhere."""

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.errors import NotFound, UsageError
from pipeline.engine.cluster_file import Cluster
from pipeline.engine.secrets import write_secrets
from pipeline.engine.submit import client_of, job_named, submit
from pipeline.recipe import recipe_named
from tests.made_videos import write_video
from tests.ray_head import Head, ray_head

ROOT = Path(__file__).parents[3]
TOY = str(Path(__file__).parents[1] / "toy_recipe.py")
SECRET = "hunter2-never-to-be-seen"
# Tells by a score whether its worker has the secret, without telling the secret; slow where a variable says so.
SEEING = f'''
import hashlib, os, time
from collections.abc import Iterator
from dataclasses import dataclass
from manifests.tables import Score, Source
from operators.base import Frames, Operator
from pipeline.recipe import Recipe, Stage

@dataclass(frozen=True)
class SeeSecret(Operator):
    def __call__(self, source: Source, frames: Frames) -> Iterator[Score]:
        time.sleep(float(os.environ.get("TOY_SLEEP_S", "0")))
        mine = hashlib.sha256(os.environ.get("HF_TOKEN", "").encode()).hexdigest()
        value = float(mine == "{hashlib.sha256(SECRET.encode()).hexdigest()}") + sum(1 for _ in frames) / 100
        yield Score(source.source_id, f"{{source.source_id}}#known", source.source_id, "known", "toy", value)

RECIPE = Recipe("seeing", "tells what a worker knows", (Stage(SeeSecret()),))
'''


# The life of a job.


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    with ray_head(tmp_path_factory.mktemp("there") / "head") as one:
        yield one


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    for number in range(6):
        write_video(tmp_path / "films" / f"film{number}.mp4", [("red", 0.2 + 0.04 * number)], size=(64, 64))
    return tmp_path / "films"


def headset(*words: str | Path, cwd: Path, status: int = 0, **environment: str) -> str:
    """What a command prints, of a process that stands elsewhere and has a secret."""
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_TOKEN": SECRET, **environment},
        cwd=cwd, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def content(corpus: Path) -> dict[str, bytes]:
    """Its tables."""
    found = {str(path.relative_to(corpus)): path.read_bytes() for path in corpus.rglob("*.parquet")}
    assert found
    return found


@pytest.mark.slow
def test_submit_attach_cancel_and_go_on(head: Head, films: Path, tmp_path: Path) -> None:
    """Show 6: nodes with another working directory and no variable of ours; the same bytes as a run of this machine."""
    slow = head.file(tmp_path / "slow.yaml", tmp_path, 'environment: {TOY_SLEEP_S: "15", OMP_NUM_THREADS: "1"}')
    quick = head.file(tmp_path / "quick.yaml", tmp_path)
    out = tmp_path / "corpus"
    asked = ("submit", TOY, films, "--out", out, "--cluster")
    job = headset(*asked, slow, cwd=tmp_path).split()[0]
    assert f"{job} runs already." in headset(*asked, slow, cwd=tmp_path)
    following = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "logs", job, "-f", "--cluster", str(slow)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    for line in following.stdout:
        if re.search(r"CutInTwo \+ CountFrames: [1-4] of 6 sources", line):
            break
    else:
        pytest.fail("the log ended before a source was done")
    assert f"{job} is stopped" in headset("cancel", job, "--cluster", slow, cwd=tmp_path)
    rest = following.stdout.read()
    assert "Stopped. What is committed stays" in rest
    assert rest.rstrip().endswith(f"{job} stopped.")
    assert following.wait(60) == 1
    told = headset(*asked, quick, "-f", cwd=tmp_path)
    assert f"{job}-2 is submitted." in told
    assert f"{job}-2 succeeded." in told
    assert "6 sources named, 0 of them new" in told
    known = json.loads(headset("jobs", "--json", "--cluster", quick, cwd=tmp_path))["jobs"]
    assert [(one["job_id"], one["status"], one["out"]) for one in known] == [
        (f"{job}-2", "SUCCEEDED", str(out)), (job, "STOPPED", str(out)),
    ]  # fmt: skip
    assert f"{job}-2" in headset("logs", f"{job}-2", "--cluster", quick, cwd=tmp_path)
    headset("run", TOY, films, "--out", tmp_path / "here", "--cpus", "1", cwd=tmp_path)
    assert content(tmp_path / "here") == content(out)
    headset("run", TOY, films, "--out", tmp_path / "joined", cwd=tmp_path, RAY_ADDRESS=head.gcs)
    assert content(tmp_path / "joined") == content(out), "the code travels with RAY_ADDRESS too"


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["here", "file"])
def test_a_secret_reaches_workers_and_is_told_nowhere(head: Head, films: Path, tmp_path: Path, origin: str) -> None:
    (tmp_path / "seeing.py").write_text(SEEING)
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in sorted(films.iterdir())))
    write_secrets({"HF_TOKEN": SECRET}, tmp_path / "elsewhere.env")
    secrets = (
        "secrets: {from: here, names: [HF_TOKEN]}"
        if origin == "here"
        else f"secrets: {{from: file, file: {tmp_path / 'elsewhere.env'}}}"
    )
    cluster = head.file(tmp_path / "c.yaml", tmp_path, secrets)
    out = tmp_path / f"corpus-{origin}"
    told = headset(
        "submit", tmp_path / "seeing.py", tmp_path / "list.txt", "--out", out, "-f", "--cluster", cluster, cwd=tmp_path
    )
    job = told.split()[0]
    asked = json.loads(headset("sql", out, "select value from scores", "--json", cwd=tmp_path))
    assert [row["value"] > 1 for row in asked] == [True] * 6, "the workers have it"
    for place in (
        f"/api/jobs/{job}",
        f"/api/jobs/{job}/logs",
        "/api/jobs/",
        "/api/v0/actors?detail=true",
        "/api/v0/runtime_envs?detail=true",
    ):
        with urllib.request.urlopen(head.dashboard + place) as answer:
            body = answer.read().decode()
        assert body
        assert SECRET not in body, place
    assert all(SECRET.encode() not in path.read_bytes() for path in out.rglob("*") if path.is_file())


@pytest.mark.slow
def test_what_this_machine_alone_has_is_refused(head: Head, tmp_path: Path) -> None:
    cluster, plan = Cluster(head.dashboard), recipe_named(TOY).plan()
    film = write_video(tmp_path / "film.mp4", [("red", 0.2)], size=(64, 64))
    (tmp_path / "list.txt").write_text("film.mp4\n")
    for named in (film, tmp_path / "list.txt"):
        with pytest.raises(UsageError, match="lies on this machine alone"):
            submit(plan, [str(named)], "s3://bucket/c", cluster)
    with pytest.raises(UsageError, match="from where it lies itself"):
        submit(plan, [str(tmp_path / "list.txt")], "s3://bucket/c", replace(cluster, shared=(str(film),)))
    with pytest.raises(UsageError, match="an address with a secret in it"):
        submit(plan, ["https://example.org/a.mp4?token=abcdef0123456789abcdef"], "s3://bucket/c", cluster)
    with pytest.raises(NotFound, match="the cluster knows no job nothing"):
        job_named(client_of(cluster), "nothing")
