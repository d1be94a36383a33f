"""Traces of a corpus: read by OpenTelemetry's own schema, the same each time, and true to the receipts."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from manifests.manifest import Manifest
from pipeline.__main__ import main
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named
from pipeline.views.trace import traces
from tests.made_videos import write_video
from tests.pipeline.engine.in_process import do

TOY = str(Path(__file__).parents[1] / "toy_recipe.py")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A good source, and one that fails."""
    folder = tmp_path_factory.mktemp("traced")
    for name in ("good", "fails"):
        write_video(folder / f"{name}.mp4", [("red", 0.4 if name == "good" else 0.6)], size=(64, 64))
    manifest = Manifest(str(folder / "corpus"))
    manifest.add(list_sources([str(folder / "good.mp4"), str(folder / "fails.mp4")]).sources)
    return do(recipe_named(TOY).plan(), manifest)


def spans_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    return found["resourceSpans"][0]["scopeSpans"][0]["spans"]


def test_opentelemetry_reads_them(corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", corpus.root, "--otlp", str(tmp_path / "t.json")]) == 0
    found = json.loads((tmp_path / "t.json").read_text())
    assert found == json.loads(json.dumps(traces(Manifest(corpus.root)))), "the same each time"
    assert f"{len(spans_of(found))} spans" in capsys.readouterr().out
    for span in spans_of(found):  # OTLP writes these in hex, where protobuf's JSON has base64
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    read = ParseDict(found, ExportTraceServiceRequest())
    spans = read.resource_spans[0].scope_spans[0].spans
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}
    assert len({span.span_id for span in spans}) == len(spans)


def test_spans_follow_each_other_and_last_as_long_as_their_receipts_say(corpus: Manifest) -> None:
    spans, run = spans_of(traces(corpus)), corpus.run
    assert run is not None
    for trace in {span["traceId"] for span in spans}:
        mine = [span for span in spans if span["traceId"] == trace]
        (whole,) = [span for span in mine if "parentSpanId" not in span]
        rest = {_told(span)["headset.step"]: span for span in mine if span is not whole}
        assert set(rest) == {step.version for step in run.steps}
        shard = int(_told(whole)["headset.shard"])
        for step in run.steps:
            span, receipt = rest[step.version], corpus.receipt(step.version, shard)
            assert receipt is not None
            lasted = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
            assert lasted / 1e9 == pytest.approx(receipt.seconds, abs=1e-9)
            assert span["parentSpanId"] == whole["spanId"]
            read = [rest[one] for versions in step.inputs.values() for one in versions if one in rest]
            assert all(int(before["endTimeUnixNano"]) <= int(span["startTimeUnixNano"]) for before in read)
            assert int(_told(span)["headset.read"]) == receipt.calls["read"]
            assert ("status" in span) == (receipt.calls["failed"] > 0)
        assert int(whole["endTimeUnixNano"]) == max(int(span["endTimeUnixNano"]) for span in mine)
    assert any("status" in span for span in spans)


def test_a_corpus_that_never_ran_has_none(tmp_path: Path) -> None:
    assert spans_of(traces(Manifest(str(tmp_path / "c")))) == []


def _told(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
