"""What was measured and stored in a checkout, for its chapters and its documents."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from itadaki.evaluation.comparison import Comparison
from itadaki.models.record import read_record
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.variants import VARIANTS, Artifacts


class Measurements:
    """What was measured and stored in a checkout."""

    def __init__(self, root: Path = PROJECT_ROOT) -> None:
        self.root = root

    @cached_property
    def comparison(self) -> Comparison:
        """The variants on held-out recipes."""
        return Comparison(self.root / "reports" / "measurements")

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the run that trained the shipped model."""
        shipped = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=self.root))
        return read_record(shipped)

    def stored(self, name: str) -> dict[str, Any] | None:
        """One of the benchmarks' JSON files, or None."""
        path = self.root / "reports" / "measurements" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
