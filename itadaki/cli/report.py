"""What became of each file of a source: a summary for the terminal, and a file with all of it."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from itadaki.errors import ItadakiError
from itadaki.exporting import as_cell
from itadaki.importing.found import Aside, Taken, Unusable
from itadaki.storage.files import replacing

_COLUMNS = ("origin", "status", "title", "reason")


class Report:
    """Notes what becomes of a source, file by file.

    Attributes:
        taken: how many recipes are taken.
    """

    def __init__(self, file: IO[str] | None, as_csv: bool) -> None:
        self._file, self._as_csv, self._rows = file, as_csv, 0
        if file and as_csv:
            csv.writer(file, lineterminator="\n").writerow(_COLUMNS)
        self._unusable: list[Unusable] = []
        self._duplicates: list[tuple[str, str, bool]] = []
        self._without: dict[str, list[str]] = {"ingredients": [], "instructions": []}
        self._left_out: list[tuple[str, str]] = []
        self._asides: dict[str, int] = {}
        self.taken = 0

    def note(self, one: Taken | Unusable, skip_duplicates: bool = False) -> bool:
        """Note what became of a part of the source; returns whether it is a recipe to take."""
        if isinstance(one, Taken):
            take = not (skip_duplicates and one.duplicate)
            if one.duplicate:
                self._duplicates.append((one.origin, one.duplicate, take))
            reasons = [one.duplicate] if one.duplicate else []
            if take:
                self.taken += 1
                for field, titles in self._without.items():
                    if not getattr(one.recipe, field):
                        titles.append(one.recipe.title)
                        reasons.append(f"it has no {field}")
                if one.left_out:
                    self._left_out.append((one.origin, one.left_out))
                    reasons.append(f"left out: {one.left_out}")
            status = "taken" if take else "skipped"
            self._write(one.origin, status, one.recipe.title, "; ".join(reasons))
            return take
        used = isinstance(one, Aside) and one.used
        if not isinstance(one, Aside):
            self._unusable.append(one)
        elif not used:
            self._asides[one.reason] = self._asides.get(one.reason, 0) + 1
        self._write(one.origin, "taken" if used else "skipped", "", one.reason)
        return False

    def show(self) -> None:
        """Print what must be looked at."""
        if self._unusable:
            print(f"Not used ({len(self._unusable):,}):")
            for one in self._unusable:
                print(f"  {one.origin}: {one.reason}")
        for take, title in ((False, "Duplicates, skipped"), (True, "Taken, though duplicates")):
            some = [(origin, why) for origin, why, taken in self._duplicates if taken == take]
            if some:
                print(f"{title} ({len(some):,}):")
                for origin, why in some:
                    print(f"  {origin}: {why}")
        for field, titles in self._without.items():
            if titles:
                print(f"Taken without {field} ({len(titles):,}):")
                for name in titles:
                    print(f"  {name}")
        if self._left_out:
            print(f"Taken without some of their texts ({len(self._left_out):,}):")
            for origin, texts in self._left_out:
                print(f"  {origin}: {texts}")
        for reason, count in self._asides.items():
            print(f"Beside these, {count:,}: {reason}")

    def end(self) -> None:
        """Finish the file."""
        if self._file and not self._as_csv:
            self._file.write("\n]\n" if self._rows else "[]\n")

    def _write(self, *values: str) -> None:
        if self._file is None:
            return
        if self._as_csv:
            csv.writer(self._file, lineterminator="\n").writerow(map(as_cell, values))
        else:
            row = json.dumps(dict(zip(_COLUMNS, values, strict=True)), ensure_ascii=False)
            self._file.write(f"{',' if self._rows else '['}\n{row}")
        self._rows += 1


@contextmanager
def reporting(path: Path | None) -> Iterator[Report]:
    """Yield a report that is written to a file, if one is named, once the block ends.

    Raises:
        ItadakiError: the file's name ends neither in .json nor in .csv.
    """
    if path is None:
        yield Report(None, False)
        return
    as_csv = path.suffix.lower() == ".csv"
    if not as_csv and path.suffix.lower() != ".json":
        raise ItadakiError(f"The report {path} must be called .json or .csv.")
    with (
        replacing(path.expanduser()) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        report = Report(file, as_csv)
        yield report
        report.end()
