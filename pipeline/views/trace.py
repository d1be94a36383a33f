"""What a corpus cost, as traces: one for each shard, a span for each step, written from receipts after the fact.

The form is JSON of OpenTelemetry's protocol (OTLP, `ExportTraceServiceRequest`), which its collector, Jaeger and Tempo
take. Ids are hashes of what they name: the same corpus gives the same file. Durations are measured. Receipts note no
time of day, so that equal rows are equal bytes: a span begins where the last of the steps ended whose rows it read,
and a trace where the corpus was first driven.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from manifests.ledger import Receipt, StepRecord
from manifests.manifest import Manifest

SPAN_INTERNAL = 1  # SpanKind of OTLP
ERROR = 2  # StatusCode of OTLP


def traces(manifest: Manifest) -> dict[str, Any]:
    """Every shard of the last run, as OTLP has it."""
    run = manifest.run
    steps = run.steps if run else []
    receipts = {step.version: manifest.receipts(step.version) for step in steps}
    began = _began(manifest)
    spans = []
    for shard in sorted(set().union(*receipts.values())):
        done = [(step, receipts[step.version][shard]) for step in steps if shard in receipts[step.version]]
        spans += _shard(manifest.root, shard, done, began)
    resource = {"attributes": _attributes({"service.name": "headset", "headset.recipe": run.recipe if run else ""})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "headset"}, "spans": spans}]}]}


def _shard(root: str, shard: int, done: Iterable[tuple[StepRecord, Receipt]], began_ns: int) -> list[dict[str, Any]]:
    trace = hashlib.sha256(f"{root}\0{shard}".encode()).hexdigest()[:32]
    whole = _span_id(trace, "shard")
    ends: dict[str, int] = {}
    spans = []
    for step, receipt in done:
        start = max((ends[one] for read in step.inputs.values() for one in read if one in ends), default=began_ns)
        ends[step.version] = start + round(receipt.seconds * 1e9)
        span = _span(trace, _span_id(trace, step.version), step.operator, start, ends[step.version])
        failed = receipt.calls.get("failed", 0)
        told = {f"headset.{name}": number for name, number in receipt.calls.items()}
        told |= {f"headset.made.{table}": number for table, number in receipt.rows.items()}
        told |= {f"headset.drops.{reason}": number for reason, number in receipt.reasons.items()}
        cost = {"headset.cpu_s": receipt.cpu_s, "headset.decode_cpu_s": receipt.decode_cpu_s}
        span |= {"parentSpanId": whole, "attributes": _attributes({"headset.step": step.version, **told, **cost})}
        spans.append(span | ({"status": {"code": ERROR, "message": f"{failed} rows failed"}} if failed else {}))
    end = max(ends.values(), default=began_ns)
    return [
        _span(trace, whole, f"shard {shard:05d}", began_ns, end)
        | {"attributes": _attributes({"headset.shard": shard})},
        *spans,
    ]


def _span(trace: str, span: str, name: str, start_ns: int, end_ns: int) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(end_ns)}  # 64 bits are texts in JSON
    return {"traceId": trace, "spanId": span, "name": name, "kind": SPAN_INTERNAL, **times}


def _span_id(trace: str, name: str) -> str:
    return hashlib.sha256(f"{trace}\0{name}".encode()).hexdigest()[:16]


def _attributes(values: Mapping[str, str | int | float]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: str | int | float) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _began(manifest: Manifest) -> int:
    """When the corpus was first driven, in ns since 1970, as its first lease says; 0 where none does."""
    held = [
        manifest.load(f"leases/{name}/{one}")
        for name in manifest.names("leases", folders=True)
        for one in manifest.names(f"leases/{name}")
    ]
    since = sorted(str(one["since"]) for one in held if isinstance(one, dict) and one.get("since"))
    return round(datetime.fromisoformat(since[0]).timestamp() * 1e9) if since else 0
