"""Ray for a run: started on this machine, or joined where RAY_ADDRESS says."""

import logging
import os
import signal
from pathlib import Path

from rich.console import Console

from pipeline.engine.worker import WORKER_ENVIRONMENT


def start_ray(cpus: int | None, console: Console) -> bool:
    """Joins the cluster that RAY_ADDRESS names, else starts Ray on this machine. False where Ray runs already."""
    import ray

    if ray.is_initialized():
        return False

    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**WORKER_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)}
    with console.status("starting ray"):
        if os.environ.get("RAY_ADDRESS"):
            ray.init(runtime_env={"env_vars": WORKER_ENVIRONMENT})
        else:
            os.environ.update(environment)
            ray.init(
                num_cpus=cpus or os.cpu_count(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=200 * 2**20,
            )
    return True


def stop_ray() -> None:
    import ray

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C now must not leave workers behind
    ray.shutdown()
    signal.signal(signal.SIGINT, signal.default_int_handler)
