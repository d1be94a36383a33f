"""Runs as jobs of a cluster: what travels, what is refused, and the life of a job on a Ray that knows nothing of us."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.errors import NotFound, UsageError
from manifests.storage import KINDS
from pipeline.__main__ import main
from pipeline.engine.cluster_file import Cluster, Secrets, read_cluster
from pipeline.engine.package import check_out
from pipeline.engine.plan_file import PLAN, lists_of, read_plan, write_plan
from pipeline.engine.secrets import load_secrets, read_secrets, write_secrets
from pipeline.engine.submit import client_of, job_id
from pipeline.engine.travel import SHIPPED, plain, secret_names, travelling
from pipeline.recipe import Recipe, recipe_named
from tests.made_videos import write_video

ROOT = Path(__file__).parents[3]
TOY = str(Path(__file__).parents[1] / "toy_recipe.py")
SECRET = "hunter2-never-to-be-seen"

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


def test_a_corpus_in_a_further_kind_of_store_is_found_by_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of storage is a file and a line of `KINDS`, and no line of the engine."""
    monkeypatch.setitem(KINDS, "az", KINDS["s3"])
    check_out("az://container/prefix", Cluster())


def test_no_dashboard_is_told() -> None:
    with pytest.raises(UsageError, match="no Ray dashboard answers at http://127.0.0.1:1"):
        client_of(Cluster("http://127.0.0.1:1"))


def test_a_plan_on_a_cluster_has_a_price(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = str(write_video(tmp_path / "film.mp4", [("red", 3.0)], size=(64, 64)))
    asked = ["plan", "diarize", film, "--json", "--cluster", str(tmp_path / "cluster.yaml")]
    (tmp_path / "cluster.yaml").write_text("machines: {cores: 4, dollars_per_hour: 2}")
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machines"]["cores"] == 4
    assert told["dollars"] == pytest.approx(told["runs"][0]["seconds"] / 1800)

    (tmp_path / "cluster.yaml").write_text("limits: {hours: 1}")
    assert main(asked) == 2
    assert "machines: {cores: 512, gpus: 4, dollars_per_hour: 14.2}" in " ".join(capsys.readouterr().err.split())
