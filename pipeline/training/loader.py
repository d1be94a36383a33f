"""Batches in an order that does not depend on workers, from a place that can be kept and gone on from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from manifests.errors import UsageError
from pipeline.training.dataset import ClipDataset
from pipeline.training.order import ClipOrder


@dataclass
class ClipLoader:
    """Iterate it once an epoch. Workers may run ahead: `state_dict` counts what the loop was given, not what workers
    have read.

    A state is that of all ranks, which are in step; it may be gone on from with another number of workers, and of ranks
    too.
    """

    dataset: ClipDataset
    batch: int = 1
    workers: int = 0
    seed: int = 0
    shuffle: bool = True
    rank: int = 0
    ranks: int = 1
    options: dict[str, Any] = field(default_factory=dict)  # of torch's DataLoader, such as `pin_memory`
    epoch: int = 0
    place: int = 0  # in the epoch's order, of all ranks together

    def __len__(self) -> int:
        """Batches that are left of this epoch; the last may be smaller."""
        return -(-len(self._order) // self.batch)

    def __iter__(self) -> Iterator[Any]:
        from torch.utils.data import DataLoader

        dataset, order = replace(self.dataset, seed=self.seed), self._order
        loader = DataLoader(
            dataset,  # pyright: ignore[reportArgumentType] - of the map style, which needs no class of torch
            self.batch,
            sampler=order,  # pyright: ignore[reportArgumentType]
            num_workers=self.workers,
            collate_fn=_batched,
            **self.options,
        )
        for batch in loader:
            self.place += self.ranks * len(batch["row"])
            yield batch
        self.epoch, self.place = self.epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """Where the loop is, to be kept beside the model."""
        return {"seed": self.seed, "epoch": self.epoch, "place": self.place, "clips": len(self.dataset)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """
        Raises:
            UsageError: for a state of other clips: their order would be another one.
        """
        if state["clips"] != len(self.dataset):
            raise UsageError(
                f"this state is of {state['clips']} clips, and there are {len(self.dataset)}; give the same selection"
                " or release"
            )
        self.seed, self.epoch, self.place = state["seed"], state["epoch"], state["place"]

    @property
    def _order(self) -> ClipOrder:
        return ClipOrder(len(self.dataset), self.seed, self.shuffle, self.rank, self.ranks, self.epoch, self.place)


def _batched(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tensors of one shape stacked, all else as lists."""
    import torch

    made: dict[str, Any] = {}
    for name in items[0]:
        values = [item[name] for item in items]
        tensors = all(isinstance(value, torch.Tensor) for value in values)
        made[name] = torch.stack(values) if tensors and len({value.shape for value in values}) == 1 else values
    return made
