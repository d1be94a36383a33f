"""Runs as jobs of a cluster: what travels, what is refused, and the life of a job on a Ray that knows nothing of us."""

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
from pipeline.engine.cluster_file import Cluster, Secrets, read_cluster
from pipeline.engine.package import check_out
from pipeline.engine.plan_file import PLAN, lists_of, read_plan, write_plan
from pipeline.engine.secrets import load_secrets, read_secrets, write_secrets
from pipeline.engine.submit import client_of, job_id, job_named, submit
from pipeline.engine.travel import SHIPPED, plain, secret_names, travelling
from pipeline.recipe import Recipe, recipe_named
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


# What a cluster's file may say.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("adress: http://a:1", "there is no adress; there are address, code"),
        ("address: 127.0.0.1:8265", "it is the dashboard's"),
        ("address: http://me:pw@a:8265", "without a user or a password"),
        ("code: ask", "it is ship or installed"),
        ("shared: /data", "shared is '/data'; it must be like []"),
        ("shared: [data]", "it must be an absolute path"),
        ("secrets: {from: vault}", "it is nodes, file, here"),
        ("secrets: {from: file}", "secrets.file is a path on every node"),
        ("secrets: {values: [a]}", "there is no secrets.values; there are secrets.from, secrets.file, secrets.names"),
        ("limits: {hours: many}", "limits.hours is 'many'; it must be like 0.0"),
        ("- a", "write its fields, one a line"),
        ("a: [", "while parsing"),
    ],
)
def test_a_cluster_file_that_cannot_be_meant_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_cluster(tmp_path / "c.yaml")
    assert told in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "c.yaml"))


def test_a_cluster_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such cluster file"):
        read_cluster(tmp_path / "c.yaml")


@pytest.mark.parametrize("path", sorted((ROOT / "infra/clusters/ray").glob("*.yaml")), ids=lambda path: path.name)
def test_every_cluster_file_of_ours_is_read(path: Path) -> None:
    if "cluster_name" not in path.read_text():  # those of Ray's cluster launcher
        read_cluster(path)


def test_a_path_is_shared_by_its_folders() -> None:
    cluster = Cluster(shared=("/data", "/mnt/films"))
    assert all(cluster.sees(path) for path in ("/data/a", "/data", "/mnt/films/x"))
    assert not any(cluster.sees(path) for path in ("/mnt/filmsx", "/database", "/data/../etc"))


# What travels.


def test_variables_travel_by_what_they_are(tmp_path: Path) -> None:
    here = {
        "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "http://user:pw@store:9000", "AWS_SECRET_ACCESS_KEY": SECRET,
        "HF_TOKEN": SECRET, "HEADSET_WEIGHTS": "/weights", "HEADSET_PROXIES": "http://u:p@proxy:1",
        "HEADSET_CACHE_BYTES": "5", "PATH": "/bin", "HEADSET_YTDLP": "",
    }  # fmt: skip
    assert plain(here) == {"AWS_REGION": "eu-central-1", "HEADSET_CACHE_BYTES": "5"}
    assert secret_names(here) == ["AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "HEADSET_PROXIES", "HF_TOKEN"]
    nodes = travelling(Cluster(environment={"HEADSET_WEIGHTS": "/there"}), tmp_path, here)
    assert nodes.variables == {"AWS_REGION": "eu-central-1", "HEADSET_CACHE_BYTES": "5", "HEADSET_WEIGHTS": "/there"}
    assert (nodes.left, nodes.shipped, list(tmp_path.iterdir())) == ((), False, [])
    assert travelling(Cluster(), None, here).left == ("HEADSET_WEIGHTS",)
    by_file = travelling(Cluster(secrets=Secrets("file", "/run/secrets/headset")), tmp_path, here)
    assert by_file.variables["HEADSET_SECRETS"] == "/run/secrets/headset"
    assert list(tmp_path.iterdir()) == []
    by_package = travelling(Cluster(secrets=Secrets("here", names=("HF_TOKEN",))), tmp_path, here)
    assert by_package.variables == {
        "AWS_REGION": "eu-central-1",
        "HEADSET_CACHE_BYTES": "5",
        "HEADSET_SECRETS": SHIPPED,
    }
    assert read_secrets(tmp_path / SHIPPED) == {"HF_TOKEN": SECRET}
    assert (tmp_path / SHIPPED).stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="secrets.names has HF_TOKEN, which is not set here"):
        travelling(Cluster(secrets=Secrets("here", names=("HF_TOKEN",))), tmp_path, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_SECRET_ACCESS_KEY", "abc7"), ("HF_TOKEN", "abc7"), ("MY_PASSWORD", "abc7"), ("URL", "s3://a:abc7@c/d")],
)
def test_a_secret_in_a_cluster_file_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"environment.{name} looks like a secret") as error:
        travelling(Cluster(environment={name: value}), None, {})
    assert "abc7" not in str(error.value)


def test_secrets_come_from_a_file_or_a_folder_and_are_never_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets({"HF_TOKEN": "a=b c", "AWS_X": "2"}, tmp_path / "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "HF_TOKEN").write_text("a=b c\n")
    (tmp_path / "folder" / "AWS_X").write_text("2")
    assert read_secrets(tmp_path / "file") == read_secrets(tmp_path / "folder") == {"HF_TOKEN": "a=b c", "AWS_X": "2"}
    monkeypatch.setenv("HEADSET_SECRETS", str(tmp_path / "file"))
    monkeypatch.setenv("AWS_X", "mine")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    load_secrets()
    assert (os.environ.pop("HF_TOKEN"), os.environ["AWS_X"]) == ("a=b c", "mine")
    (tmp_path / "wrong").write_text(f"# a remark\n\n{SECRET}\n")
    for path, told in (
        (tmp_path / "wrong", "line 3: write NAME=value"),
        (tmp_path / "none", "cannot be read on this machine"),
    ):
        with pytest.raises(UsageError, match=told) as error:
            read_secrets(path)
        assert SECRET not in str(error.value)
    with pytest.raises(UsageError, match="has several lines"):
        write_secrets({"A": "1\n2"}, tmp_path / "file")


def test_a_plan_comes_back_as_it_was_decided(tmp_path: Path) -> None:
    recipe = recipe_named("talking_head").set("PlanClips.min_face_px=192").set("DownloadVideo.rate_bytes_s=1000")
    plan = recipe.plan()
    write_plan(plan, tmp_path, {"lists/0/a.txt": "/home/me/a.txt"})
    back = read_plan(tmp_path / PLAN)
    assert [step.version for step in back.plan().steps] == [step.version for step in plan.steps]
    assert [step.operator for step in back.plan().steps] == [step.operator for step in plan.steps]
    assert back.plan().record() == plan.record()
    assert lists_of(tmp_path / PLAN) == {str(tmp_path / "lists/0/a.txt"): "/home/me/a.txt"}


def test_a_plan_of_a_file_travels_with_the_file_and_keeps_what_the_other_machine_chose(tmp_path: Path) -> None:
    plan = recipe_named(TOY).plan()
    write_plan(plan, tmp_path)
    assert read_plan(tmp_path / PLAN).plan().record() == plan.record()
    told = json.loads((tmp_path / PLAN).read_text())
    told["operators"][0]["at_s"] = 0.5
    (tmp_path / PLAN).write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"would do other steps than were decided \(CutInTwo-"):
        read_plan(tmp_path / PLAN)
    told["decided_by"]["ray"] = "1.0"
    told["operators"][0]["at_s"] = 0.5
    (tmp_path / PLAN).write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"\(CutInTwo-.*\): ray [\d.]+, not 1\.0$"):
        read_plan(tmp_path / PLAN)


def test_what_is_no_plan_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"origin": 1}')
    for name, told in (("a.json", "is no plan of this headset"), ("b.json", "No such file")):
        with pytest.raises(UsageError, match=told):
            read_plan(tmp_path / name)
    with pytest.raises(UsageError, match="was made by a program"):
        write_plan(Recipe("made", "", recipe_named(TOY).stages).plan(), tmp_path)


def test_a_job_is_named_by_what_it_does(tmp_path: Path) -> None:
    plan, listed = recipe_named(TOY).plan(), tmp_path / "a.txt"
    listed.write_text("https://example.org/a.mp4\n")
    one = job_id(plan, [str(listed), "b"], "s3://b/c")
    copy = tmp_path / "b.txt"
    copy.write_text(listed.read_text())
    assert job_id(plan, ["b", str(copy)], "s3://b/c/") == one, (
        "the order of names, and where a list lies, change nothing"
    )
    others = [
        job_id(plan, [str(listed)], "s3://b/c"),
        job_id(plan, [str(listed), "b"], "s3://b/d"),
        job_id(recipe_named(TOY).set("CutInTwo.at_s=0.5").plan(), [str(listed), "b"], "s3://b/c"),
        job_id(replace(plan, steps=plan.steps[:2]), [str(listed), "b"], "s3://b/c"),
    ]
    listed.write_text("https://example.org/b.mp4\n")
    others.append(job_id(plan, [str(listed), "b"], "s3://b/c"))
    assert len({one, *others}) == 6


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("corpus", "do not know your folder"),
        ("./c", "do not know your folder"),
        ("gs://b/c", "do not know"),
        ("/home/c", "may be another folder"),
    ],
)
def test_a_corpus_that_nodes_would_not_find_is_refused(out: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_out(out, Cluster(shared=("/data",)))
    check_out("s3://b/c", Cluster())
    check_out("/data/c", Cluster(shared=("/data",)))


def test_no_dashboard_is_told() -> None:
    with pytest.raises(UsageError, match="no Ray dashboard answers at http://127.0.0.1:1"):
        client_of(Cluster("http://127.0.0.1:1"))


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
    slow = head.file(tmp_path / "slow.yaml", tmp_path, 'environment: {TOY_SLEEP_S: "15"}')
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
