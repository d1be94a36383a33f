"""What is named on a command line, for nodes that have other disks: what travels, what stays, what is refused."""

import os
from pathlib import Path

from manifests.errors import UsageError
from manifests.storage import Storage
from operators.sources.secrecy import holds_secret
from pipeline.engine.cluster_file import Cluster
from pipeline.listing import list_sources
from pipeline.listing.lists import is_list

LISTS = "lists"  # of the package
SHARE = "put a folder that all nodes see into `shared` of the cluster file"


def check_out(out: str, cluster: Cluster) -> None:
    """Refuses a corpus that the nodes of a cluster would not find.

    Raises:
        UsageError: saying what would do.
    """
    if Storage(out).is_shared:
        return
    if "://" in out or not os.path.isabs(out):
        where = "name s3://bucket/prefix, or an absolute path that every node sees"
        raise UsageError(f"--out {out}: the nodes of a cluster do not know your folder; {where}")
    if not cluster.sees(out):
        raise UsageError(f"--out {out} may be another folder on every node; name s3://bucket/prefix, or {SHARE}")


def packed(videos: list[str], package: Path, cluster: Cluster) -> tuple[list[str], dict[str, str]]:
    """What is named on the command line, as the job names it; and the lists in the package, by their place there.

    Raises:
        UsageError: for files and folders that only this machine has, and for addresses that would show a secret.
    """
    named, lists = list[str](), dict[str, str]()
    for number, video in enumerate(videos):
        path = os.path.abspath(video)
        if not os.path.exists(video):
            if holds_secret(video):
                raise UsageError(
                    "an address with a secret in it would stand in the job's command line; put it into a list"
                )
            named.append(video)
        elif cluster.sees(path):
            named.append(path)
        elif is_list(Path(video)):
            place = Path(LISTS, str(number), Path(video).name)
            (package / place).parent.mkdir(parents=True)
            (package / place).write_bytes(Path(video).read_bytes())
            _check_list(video, str(package / place), cluster)
            named.append(str(place))
            lists[str(place)] = path
        else:
            raise UsageError(f"{video} lies on this machine alone; upload it, or {SHARE}")
    return named, lists


def _check_list(path: str, copy: str, cluster: Cluster) -> None:
    """
    Raises:
        UsageError: for a list that names files which the nodes would not find.
    """
    local = {source.uri for source in list_sources([path]).sources if "://" not in source.uri}
    if alone := sorted(uri for uri in local if not cluster.sees(uri)):
        raise UsageError(f"{path} names {alone[0]}, which lies on this machine alone; write addresses, or {SHARE}")
    if lost := sorted(local - {source.uri for source in list_sources([copy] if local else []).sources}):
        raise UsageError(
            f"{path} names {lost[0]} from where it lies itself; write the whole path, since a list travels"
        )
