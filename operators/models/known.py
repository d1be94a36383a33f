"""Every model file that headset knows."""

from operators.models import catalogue, catalogue_sound
from operators.weights import Weight


def known_weights() -> list[Weight]:
    """All of both catalogues, by name of the file."""
    named = [*vars(catalogue).values(), *vars(catalogue_sound).values()]
    return sorted({one for one in named if isinstance(one, Weight)}, key=lambda weight: weight.file)
