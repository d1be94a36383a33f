"""Clips as a training loop takes them: the same order for the same seed whatever the number of workers, resumable in
mid-epoch.
"""

from pipeline.training.dataset import WANTS, ClipDataset
from pipeline.training.loader import ClipLoader
from pipeline.training.order import ClipOrder

__all__ = ["WANTS", "ClipDataset", "ClipLoader", "ClipOrder"]
