"""Rows of a bank in float16 or int8: less to keep in memory and to read, and faster to compare.

They are made from the float32 bank, lie beside it and are tied to its hash. The float32 rows stay
on disk, where the few best are compared again exactly.
"""

# The code of `reduced` is in the fingerprints of rows and graphs on disk, which a mere change of
# types shall not have made again.
# mypy: disable-error-code="no-any-return"

import logging

import numpy as np

from itadaki.bank.bank import Bank
from itadaki.errors import StorageError
from itadaki.settings import Precision, Settings
from itadaki.storage.files import (
    derived_facts,
    mapped_for_writing,
    note_derived,
    open_array,
    replacing,
)
from itadaki.storage.fingerprint import code_fingerprint
from itadaki.variants import Artifacts

_CHUNK = 16_384
_log = logging.getLogger(__name__)


def reduced(rows: np.ndarray, precision: Precision) -> np.ndarray:
    """Write rows with fewer bits; only their direction is kept.

    Args:
        rows: float32 array of shape (..., d).
        precision: float32 changes nothing. With int8 each row's largest value becomes 127.

    Returns:
        An array of the same shape and the dtype asked for.
    """
    if precision != "int8":
        return rows.astype(precision, copy=False)
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    return np.rint(rows * (127 / np.maximum(largest, 1e-6))).astype(np.int8)


def rows_of(bank: Bank, settings: Settings, precision: Precision) -> np.ndarray:
    """A bank's rows in a precision: a memory map of shape (n, d), made the first time.

    Where it cannot be written, the rows are an array of this process alone.
    """
    if precision == "float32":
        return bank.embeddings
    path = Artifacts(bank.variant, settings).bank.with_suffix(f".{precision}.npy")
    source, by = bank.manifest["sha256"]["bank"], code_fingerprint(reduced)
    facts = derived_facts(path)
    if facts is None or (facts.get("source"), facts.get("made_by")) != (source, by):
        try:
            with replacing(path) as beside:
                mapped = mapped_for_writing(beside, precision, bank.embeddings.shape)
                _fill(mapped, bank.embeddings, precision)
                mapped.flush()
            note_derived(path, source, made_by=by)
        except StorageError as error:
            _log.warning("%s cannot be kept, so each process makes its own: %s", path.name, error)
            made = np.empty(bank.embeddings.shape, precision)
            _fill(made, bank.embeddings, precision)
            return made
    return open_array(path)


def _fill(made: np.ndarray, rows: np.ndarray, precision: Precision) -> None:
    for start in range(0, len(rows), _CHUNK):
        made[start : start + _CHUNK] = reduced(rows[start : start + _CHUNK], precision)
