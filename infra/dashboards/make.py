"""Writes headset.json, a dashboard for Grafana: the panels below, laid out in two columns. `python
infra/dashboards/make.py`

Names that begin with ray_headset_ are those of `pipeline/engine/metrics.py`; all others are Ray's own.
"""

import json
from pathlib import Path

WINDOW = "[5m]"
# Of each panel its title, its unit in Grafana's words, and its queries: what a line is called, and the PromQL.
PANELS = (
    ("Sources done", "percentunit", (
        ("{{stage}}", "sum by (stage) (ray_headset_sources_done) / sum by (stage) (ray_headset_sources)"),
    )),
    ("Sources that wait for a stage", "short", (
        ("{{stage}}", "sum by (stage) (ray_headset_sources) - sum by (stage) (ray_headset_sources_done)"),
    )),
    ("Rows, by how they ended", "rowsps", (
        ("{{ended}}", f"sum by (ended) (rate(ray_headset_rows_total{WINDOW}))"),
    )),
    ("Share of rows that failed", "percentunit", (
        ("{{operator}}",
         f'sum by (operator) (rate(ray_headset_rows_total{{ended="failed"}}{WINDOW}))'
         f" / sum by (operator) (rate(ray_headset_rows_total{WINDOW}))"),
    )),
    ("Drops, the twelve most frequent reasons", "rowsps", (
        ("{{reason}}", f"topk(12, sum by (reason) (rate(ray_headset_drops_total{WINDOW})))"),
    )),
    ("Rows made", "rowsps", (
        ("{{table}}", f"sum by (table) (rate(ray_headset_rows_made_total{WINDOW}))"),
    )),
    ("Cores that operators keep busy", "short", (
        ("{{operator}}", f"sum by (operator) (rate(ray_headset_cpu_seconds_total{WINDOW}))"),
        ("{{operator}}, decoding", f"sum by (operator) (rate(ray_headset_decode_cpu_seconds_total{WINDOW}))"),
    )),
    ("Seconds a shard", "s", (
        ("{{operator}}",
         f"sum by (operator) (rate(ray_headset_seconds_total{WINDOW}))"
         f" / sum by (operator) (rate(ray_headset_shards_total{WINDOW}))"),
    )),
    ("Bytes received and encoded", "Bps", (
        ("{{operator}}", f"sum by (operator) (rate(ray_headset_bytes_total{WINDOW}))"),
    )),
    ("Workers at work, and those that stand still", "short", (
        ("{{stage}}", "sum by (stage) (ray_headset_workers)"),
        ("{{stage}}, still", "sum by (stage) (ray_headset_stalls)"),
    )),
    ("Time of a stage", "s", (
        ("{{stage}}", "max by (stage) (ray_headset_stage_seconds)"),
    )),
    ("Cores of nodes", "percent", (
        ("{{ip}}", "ray_node_cpu_utilization"),
    )),
    ("Memory of nodes", "percentunit", (
        ("{{ip}}", "ray_node_mem_used / ray_node_mem_total"),
    )),
    ("GPUs", "percent", (
        ("{{ip}} {{GpuIndex}}", "ray_node_gpus_utilization"),
    )),
    ("Memory of GPUs", "decmbytes", (
        ("{{ip}} {{GpuIndex}}", "ray_node_gram_used"),
    )),
    ("Network", "Bps", (
        ("{{ip}}, in", "ray_node_network_receive_speed"),
        ("{{ip}}, out", "ray_node_network_send_speed"),
    )),
)  # fmt: skip
WIDE, HIGH = 12, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard() -> dict:
    """The dashboard as Grafana imports it."""
    panels = []
    for number, (title, unit, queries) in enumerate(PANELS):
        panels.append(
            {
                "id": number + 1,
                "title": title,
                "type": "timeseries",
                "datasource": SOURCE,
                "gridPos": {"x": number % 2 * WIDE, "y": number // 2 * HIGH, "w": WIDE, "h": HIGH},
                "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                "targets": [
                    {"refId": chr(ord("A") + nth), "datasource": SOURCE, "expr": query, "legendFormat": legend}
                    for nth, (legend, query) in enumerate(queries)
                ],
            }
        )
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "headset",
        "title": "headset",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


if __name__ == "__main__":
    Path(__file__).with_name("headset.json").write_text(json.dumps(dashboard(), indent=1) + "\n")
