"""Write what a corpus cost as traces that OpenTelemetry's tools show: one for each shard, a span for each step."""

import argparse
import json
from pathlib import Path

from pipeline.session import existing
from pipeline.views.console import console
from pipeline.views.trace import traces

EXAMPLE = "headset trace corpus/ --otlp traces.json"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--otlp", metavar="FILE", type=Path, required=True, help="to write: JSON of OpenTelemetry's protocol"
    )


def main(options: argparse.Namespace) -> int:
    found = traces(existing(options.corpus))
    options.otlp.write_text(json.dumps(found, indent=1) + "\n")
    spans = found["resourceSpans"][0]["scopeSpans"][0]["spans"]
    console().print(
        f"{len(spans)} spans of {len({span['traceId'] for span in spans})} shards in {options.otlp}.", soft_wrap=True
    )
    return 0
