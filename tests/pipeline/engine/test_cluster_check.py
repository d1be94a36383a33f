"""What a node says of itself before a run, and how a cluster is told of it."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from operators.weights import Weight
from pipeline.engine.cluster_check import Asked, Node, NodeProbe, _timed, check_nodes
from pipeline.engine.plan_file import versions
from pipeline.views.nodes import NodeList
from tests.made_videos import write_video
from tests.object_store import aws_points_at, serve_s3
from tests.ray_head import ray_head

ROOT = Path(__file__).parents[3]
TOY = ROOT / "tests/pipeline/toy_recipe.py"
ASKED = Asked(versions())


def faults(asked: Asked) -> list[str]:
    """Without those of this machine itself, whatever runs the tests."""
    return [one for one in NodeProbe().look(asked).faults if "shared memory" not in one]


def test_a_node_tells_what_it_is() -> None:
    node = NodeProbe().look(ASKED)
    assert node.versions == versions()
    assert node.cores == len(os.sched_getaffinity(0))
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines()[:1])
    assert node.memory_bytes == pytest.approx(int(told["MemTotal"].split()[0]) * 1024, rel=0.01)
    assert node.shm_bytes > 0
    assert faults(ASKED) == []


def test_other_versions_are_faults() -> None:
    here = versions()
    asked = Asked(replace(here, headset="abc", ray="1.0"))
    assert faults(asked) == [f"headset {here.headset}, not abc", f"ray {here.ray}, not 1.0"]


def test_a_model_file_that_is_not_there_or_is_another_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    (tmp_path / "good").write_text("a")
    (tmp_path / "bad").write_text("b")
    good = Weight("good", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 1, "", "")
    asked = replace(ASKED, weights=(good, replace(good, file="bad"), replace(good, file="none")))
    assert NodeProbe().look(asked).weights == 1
    wrong, missing = faults(asked)
    assert "bad has sha256" in wrong
    assert missing.startswith("none is not here; put none into the folder")


def test_a_corpus_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    assert faults(replace(ASKED, out=str(tmp_path / "corpus"))) == []
    assert list((tmp_path / "corpus").iterdir()) == [], "nothing is left behind"
    (tmp_path / "file").touch()
    assert len(faults(replace(ASKED, out=str(tmp_path / "file")))) == 1


def test_a_bucket_is_written_to_and_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from manifests.bucket import s3_client

    with serve_s3() as store:
        aws_points_at(store, monkeypatch)
        s3_client().create_bucket(Bucket="films")
        s3_client().put_object(Bucket="films", Key="a.mp4", Body=b"x")
        asked = replace(ASKED, out="s3://films/corpus", sources=("s3://films/a.mp4", "s3://films/b.mp4"))
        assert faults(asked) == ["s3://films/b.mp4 is not there"]
        assert [one["Key"] for one in s3_client().list_objects_v2(Bucket="films")["Contents"]] == ["a.mp4"]
        assert "nowhere" in faults(replace(ASKED, out="s3://nowhere/corpus"))[0]


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/good") else 404)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_source_that_cannot_be_read_is_a_fault_that_tells_no_secret(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_port}"
        sources = (
            str(film),
            f"{site}/good",
            str(tmp_path / "none.mp4"),
            f"{site}/bad?token=0123456789abcdef0123456789",
        )
        none, bad = faults(replace(ASKED, sources=sources))
        server.shutdown()
    assert none.endswith("none.mp4 cannot be read: No such file or directory")
    assert bad.endswith("answers 404")
    assert "0123456789abcdef" not in bad


def test_secrets_that_are_not_there_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_SECRETS", "/nowhere/secrets.env")
    assert faults(ASKED) == [
        "HEADSET_SECRETS names /nowhere/secrets.env, which cannot be read on this machine: No such file or directory"
    ]


class _Late(NodeProbe):
    def now(self) -> float:
        return super().now() + 60


def test_a_clock_that_is_off_is_a_fault(ray_here: None) -> None:
    import ray

    right, late = (ray.remote(num_cpus=0)(kind).remote() for kind in (NodeProbe, _Late))
    node = Node("n", versions())
    assert _timed(node, right, 0).faults == ()
    told = _timed(node, late, 2)
    assert told.clock_s == pytest.approx(60, abs=5)
    assert told.faults == ("its clock is +60.0 s off; have it set by NTP", "Ray counts 2 GPUs, nvidia-smi finds 0")


def test_every_node_is_asked(ray_here: None) -> None:
    (node,) = check_nodes(ASKED)
    assert node.versions == versions()
    assert abs(node.clock_s) <= node.clock_within_s + 1
    found = NodeList(versions(), 0, (node, Node("gone", None, faults=("did not answer within 180 s",))))
    assert not found.sound
    assert "gone: did not answer within 180 s" in str(found)
    assert "1 node, fit for the run." in str(NodeList(versions(), 0, (replace(node, faults=()),)))
    assert not NodeList(versions(), 0, ()).sound


@pytest.mark.slow
def test_a_cluster_is_looked_at_from_there(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", [("red", 0.2)], size=(64, 64))
    with ray_head(tmp_path / "head") as head:
        cluster = head.file(tmp_path / "c.yaml", tmp_path)

        def asked(*words: str | Path, status: int) -> dict:
            command = [
                sys.executable,
                "-m",
                "pipeline",
                "check-cluster",
                str(TOY),
                str(film),
                "--json",
                "--cluster",
                str(cluster),
            ]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            ended = subprocess.run(
                [*command, *map(str, words)],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=500,
                check=False,
            )
            assert ended.returncode == status, ended.stdout + ended.stderr
            return json.loads(ended.stdout)

        sound = asked("--out", tmp_path / "corpus", status=0)
        assert [node["faults"] for node in sound["nodes"]] == [[]]
        assert sound["nodes"][0]["versions"] == sound["expected"]
        assert [node["faults"] != [] for node in asked("--out", film, status=2)["nodes"]] == [True]
