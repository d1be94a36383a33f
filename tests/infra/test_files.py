"""Every file of infra/ is read by the tool that reads it, and every command in it is one that headset takes."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.engine.cluster_file import read_cluster
from tests.infra.words import INFRA, ROOT, check, commands_of

BIN = Path(sys.executable).parent
CLUSTERS = INFRA / "clusters"
TEXTS = sorted(
    path
    for path in INFRA.rglob("*")
    if path.is_file() and path.suffix in ("", ".yaml", ".sh", ".json") and "systems" not in path.parts
)


def named(path: Path) -> str:
    return str(path.relative_to(INFRA))


def loaded(name: str) -> Any:
    return yaml.safe_load((CLUSTERS / name).read_text())


def ray_version() -> str:
    return re.findall(r"(?m)^ray==(\S+)$", (ROOT / "constraints.txt").read_text())[0]


def test_every_kind_of_file_is_there() -> None:
    names = {named(path) for path in TEXTS}
    assert {
        "Dockerfile",
        "clusters/kubernetes/rayjob.yaml",
        "clusters/sky/spot.yaml",
        "clusters/ray/iam_policy.json",
    } < names


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_commands_are_those_of_headset(path: Path) -> None:
    found = list(commands_of(path.read_text()))
    assert found or path.suffix == ".json" or path.parent.name == "ray" or path.name == "headset.json"
    for words in found:
        check(words)


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_no_file_names_an_address_but_its_own_machine_and_buckets_to_fill_in(path: Path) -> None:
    found = re.findall(r"[a-z0-9+]+://[^\s\"'`;,]*", path.read_text())
    assert [one for one in found if not one.startswith(("http://127.0.0.1:", "s3://BUCKET", "s3://$BUCKET"))] == []


def test_a_command_that_headset_does_not_take_is_seen() -> None:
    with pytest.raises(AssertionError, match="does not take"):
        check(next(commands_of("RUN headset weights --every-single-one")))
    assert list(commands_of("the headset that is meant")) == []


# The image.


def test_the_image_is_well_made() -> None:
    subprocess.run([BIN / "hadolint", INFRA / "Dockerfile"], check=True)
    text = (INFRA / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"(?m)^COPY (.+)$", text) for word in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    packages = re.findall(r"packages = \[(.+)\]", (ROOT / "pyproject.toml").read_text())[0]
    assert set(re.findall(r'"(\w+)"', packages)) <= set(copied)
    assert set(re.findall(r"(?m)^FROM .+ AS (\w+)$", text)) == {"base", "cpu", "cuda"}
    assert {"headset:cpu", "headset:cuda"} <= set(re.findall(r"--tag (\S+)", text)), "as the clusters' files call them"


def test_hadolint_sees_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && apt-get install x\n")
    assert subprocess.run([BIN / "hadolint", tmp_path / "Dockerfile"], capture_output=True, check=False).returncode != 0


# Ray.


@pytest.mark.parametrize("name", ["local.yaml", "machines.yaml", "aws.yaml"])
def test_clusters_for_submit_are_read(name: str) -> None:
    assert read_cluster(CLUSTERS / "ray" / name).address == "http://127.0.0.1:8265"


def test_the_launcher_is_read_by_ray_and_its_workers_are_spot() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(loaded("ray/launcher.yaml"))
    validate_config(config)
    kinds = config["available_node_types"]
    spot = {
        name: kind["node_config"].get("InstanceMarketOptions", {}).get("MarketType") for name, kind in kinds.items()
    }
    assert spot == {"head": None, "cores": "spot", "gpu": "spot"}
    assert kinds["gpu"]["resources"]["GPU"] == 1
    assert kinds["head"]["resources"]["CPU"] == 0, "a head that is lost takes the driver with it: it does no work"
    with pytest.raises(jsonschema.ValidationError):
        validate_config(config | {"max_workers": "many"})


def test_the_policy_of_aws_says_what_it_means_and_no_more() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from parliament import analyze_policy_string

    text = (CLUSTERS / "ray/iam_policy.json").read_text()
    told = analyze_policy_string(text)
    assert told.is_valid
    assert told.findings == []
    assert analyze_policy_string(text.replace("s3:GetObject", "s3:GetAnything")).findings
    statements = json.loads(text)["Statement"]
    assert all("*" not in action for one in statements for action in one["Action"])
    assert all(one["Resource"] != ["*"] for one in statements)


# Kubernetes. KubeRay's own schema is in no package: its fields are held by what we mean by them, pods by a schema.

JOB = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "ray.io/v1"},
        "kind": {"const": "RayJob"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["entrypoint", "backoffLimit", "submitterConfig", "shutdownAfterJobFinishes", "rayClusterSpec"],
            "properties": {
                "entrypoint": {"type": "string"},
                "submissionMode": {"const": "K8sJobMode"},
                "backoffLimit": {"const": 0},
                "submitterConfig": {"const": {"backoffLimit": 0}},
                "shutdownAfterJobFinishes": {"const": True},
                "ttlSecondsAfterFinished": {"type": "integer", "minimum": 0},
                "activeDeadlineSeconds": {"type": "integer", "minimum": 1},
                "rayClusterSpec": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["rayVersion", "headGroupSpec", "workerGroupSpecs"],
                    "properties": {
                        "rayVersion": {"type": "string"},
                        "headGroupSpec": {"$ref": "#/$defs/group"},
                        "workerGroupSpecs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/workers"}},
                    },
                },
            },
        },
    },
    "$defs": {
        "parameters": {"type": "object", "additionalProperties": {"type": "string"}},
        "group": {
            "type": "object",
            "additionalProperties": False,
            "required": ["rayStartParams", "template"],
            "properties": {"rayStartParams": {"$ref": "#/$defs/parameters"}, "template": {"type": "object"}},
        },
        "workers": {
            "type": "object",
            "additionalProperties": False,
            "required": ["groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"],
            "properties": {
                "groupName": {"type": "string"},
                "replicas": {"type": "integer"},
                "minReplicas": {"type": "integer"},
                "maxReplicas": {"type": "integer"},
                "rayStartParams": {"$ref": "#/$defs/parameters"},
                "template": {"type": "object"},
            },
        },
    },
}


def test_the_ray_job_is_tried_once_and_taken_down_after() -> None:
    job = loaded("kubernetes/rayjob.yaml")
    jsonschema.validate(job, JOB)
    assert job["spec"]["rayClusterSpec"]["rayVersion"] == ray_version()
    for limit in ("backoffLimit", "shutdownAfterJobFinishes"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(job | {"spec": job["spec"] | {limit: 3}}, JOB)


def test_pods_are_valid_and_outlive_the_drain_of_their_node() -> None:
    import kubernetes_validate

    spec = loaded("kubernetes/rayjob.yaml")["spec"]["rayClusterSpec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, **group["template"]}
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
        assert pod["spec"]["terminationGracePeriodSeconds"] > 30, "Ray drains for 30 s"
        assert all("env" not in container for container in pod["spec"]["containers"]), "secrets come from a Secret"
    broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, "spec": {"container": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


# SkyPilot's parser comes with a server; what it takes is held here, and by the parser where it is installed.

TASK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "num_nodes", "resources", "run"],
    "properties": {
        "name": {"type": "string"},
        "num_nodes": {"const": 1},
        "resources": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "image_id": {"type": "string", "pattern": "^docker:headset:(cpu|cuda)$"},
                "cpus": {"type": "string", "pattern": r"^\d+\+?$"},
                "memory": {"type": "string", "pattern": r"^\d+\+?$"},
                "accelerators": {"type": "string"},
                "use_spot": {"type": "boolean"},
                "job_recovery": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "strategy": {"enum": ["EAGER_NEXT_REGION", "FAILOVER"]},
                        "max_restarts_on_errors": {"type": "integer"},
                    },
                },
            },
        },
        "envs": {"type": "object", "additionalProperties": {"type": "string"}},
        "secrets": {"type": "object", "additionalProperties": {"type": "null"}},
        "file_mounts": {"type": "object", "additionalProperties": {"type": "string"}},
        "run": {"type": "string"},
    },
}


def test_the_task_of_skypilot_holds_no_secret_and_runs_as_a_script(tmp_path: Path) -> None:
    task = loaded("sky/spot.yaml")
    jsonschema.validate(task, TASK)
    (tmp_path / "run.sh").write_text(f"#!/usr/bin/env bash\n{task['run']}")
    subprocess.run([BIN / "shellcheck", tmp_path / "run.sh"], check=True)


def test_the_task_is_read_by_skypilot(tmp_path: Path) -> None:
    sky = pytest.importorskip("sky", reason="skypilot is not installed: it brings a server along")
    (tmp_path / "list.txt").touch()
    sky.Task.from_yaml(str(CLUSTERS / "sky/spot.yaml"))


@pytest.mark.parametrize("path", sorted((CLUSTERS / "slurm").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_sound(path: Path) -> None:
    subprocess.run([BIN / "shellcheck", path], check=True)
    assert path.stat().st_mode & 0o111, "a script is executable"
