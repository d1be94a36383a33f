"""The layouts that trainers' loaders read, one module each, found by name; `pipeline/export/layout.py` says what a
module defines.
"""

import pkgutil
from pathlib import Path


def layouts() -> dict[str, str]:
    """The layouts by name, each with the first line of its file. None is imported."""
    folder = Path(__file__).parent
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: (folder / f"{name}.py").read_text().split("\n", 1)[0].strip('"') for name in names}
