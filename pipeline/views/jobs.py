"""The jobs of a cluster."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.engine.submit import Job
from pipeline.views.facts import Cell, Fact, Grid, Line, Part, clock

MOOD = {"RUNNING": "name", "SUCCEEDED": "good", "FAILED": "bad", "STOPPED": "warn"}


@dataclass(frozen=True)
class JobList(Fact):
    """What a cluster remembers of headset's jobs, the latest first."""

    cluster: str  # its address
    jobs: tuple[Job, ...]

    def parts(self) -> Iterator[Part]:
        if not self.jobs:
            yield Line.of(f"The cluster at {self.cluster} knows no job of headset.")
            return
        yield Grid.of(("job", "state", "began (UTC)", ">took", "recipe", "corpus"), map(_row, self.jobs))
        for job in self.jobs:
            if job.status == "FAILED":
                yield Line.of(Cell(job.job_id, "name"), f": exit {job.exit_code}; headset logs {job.job_id} tells why")


def _row(job: Job) -> list[str | Cell]:
    began = datetime.fromtimestamp(job.started_s, UTC).strftime("%Y-%m-%d %H:%M:%S") if job.started_s else ""
    took = clock((job.ended_s or time.time()) - job.started_s) if job.started_s else ""
    return [
        Cell(job.job_id, "name"),
        Cell(job.status.lower(), MOOD.get(job.status, "")),
        began,
        took,
        job.recipe,
        job.out,
    ]
