"""Names that tables, key columns, operators and reasons had until a version of the tables gave them the field's words.

A corpus with the old names is not read where it lies: `headset migrate` rewrites it, forth and back
(`manifests/migration.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOOK_NEW_NAMES = 4  # the version of the tables


@dataclass(frozen=True)
class Names:
    """What is called otherwise on the other side of `TOOK_NEW_NAMES`."""

    tables: Mapping[str, str]
    keys: Mapping[str, str]  # key columns, by their name alone: each is the name of one column
    operators: Mapping[str, str]
    reasons: Mapping[str, str]

    def step(self, step: str) -> str:
        """The name of a step, `<operator>-<hash>`. The hash stays: it says what was computed, by the names of then."""
        operator, dash, digest = step.rpartition("-")
        return f"{self.operators[operator]}-{digest}" if dash and operator in self.operators else step

    def of(self, value: Any, under: str = "") -> Any:
        """A value of the ledger's JSON with its names. What parameters say is the operator's own, and stays."""
        if isinstance(value, Mapping):
            words = self.reasons if under == "reasons" else self.tables
            renamed: dict[str, Any] = {}
            for key, inner in value.items():
                name = words.get(key, key)
                made = inner if key == "parameters" else self.of(inner, key)
                # Two reasons may have become one: their numbers add up.
                renamed[name] = renamed[name] + made if name in renamed and under == "reasons" else made
            return renamed
        if isinstance(value, list):
            return [self.of(inner, under) for inner in value]
        if isinstance(value, str):
            if under == "operator":
                return self.operators.get(value, value)
            return self.tables.get(value, self.step(value))
        return value


NEW = Names(
    tables={
        "speaking": "active_speaker",
        "meshes": "face_landmarks",
        "appearances": "face_embeddings",
        "face_looks": "face_quality",
    },
    keys={
        "speaking_id": "active_speaker_id",
        "mesh_id": "face_landmarks_id",
        "appearance_id": "face_embedding_id",
        "face_look_id": "face_quality_id",
    },
    operators={"MatchSpeakers": "DetectActiveSpeaker", "MeshFaces": "LandmarkFaces"},
    reasons={"face_not_seen": "no_face", "face_missing": "no_face"},
)
OLD = Names(
    tables={new: old for old, new in NEW.tables.items()},
    keys={new: old for old, new in NEW.keys.items()},
    operators={new: old for old, new in NEW.operators.items()},
    reasons={},  # that a face is missing was said in three words, of which `no_face` was one
)


def towards(version: int) -> Names:
    """The names that tables of a version have, by those of the other side."""
    return NEW if version >= TOOK_NEW_NAMES else OLD


def old_names(operators: Iterable[str], written: Iterable[str]) -> list[str]:
    """Those of operators and tables that are names of before."""
    return sorted({*NEW.operators.keys() & set(operators), *NEW.tables.keys() & set(written)})
