"""A frozen sentence encoder, which says which recipes are alike by what their texts mean.

Training asks it alone; serving needs neither it nor PyTorch.
"""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from itadaki.errors import ItadakiError, reason
from itadaki.models.child import run_module
from itadaki.settings import Settings
from itadaki.storage.files import derived_facts, note_derived, open_array, replacing
from itadaki.storage.fingerprint import fingerprint

SENTENCE_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
"""What is asked for at its hub: 22.7 million parameters, 384 dimensions (Reimers and Gurevych
2019; Wang et al. 2020)."""

_log = logging.getLogger(__name__)


def sentence_encoder_name(settings: Settings) -> str:
    """The folder or the name at the hub of the encoder that the settings mean."""
    return str(settings.sentence_encoder or SENTENCE_ENCODER)


def sentence_embeddings(
    texts: Sequence[str], settings: Settings, progress: bool = True
) -> np.ndarray | None:
    """Embed texts, each text once: they are kept in ``data/sentences``.

    Args:
        texts: n texts.
        settings: the encoder's folder, and the home that holds the cache.
        progress: show a bar.

    Returns:
        float32 array of shape (n, d), rows of length 1, or 0 for an empty text; None where the
        encoder is neither in a folder nor to be had from its hub, which is logged.

    Raises:
        ItadakiError: the settings name a folder that holds no sentence encoder.
    """
    name = sentence_encoder_name(settings)
    path = settings.home / "data" / "sentences" / f"{fingerprint(encoder=name)[:16]}.npz"
    known = _known(path)
    missing = sorted({text for text in texts if text} - known.keys())
    if missing:
        try:
            found = _in_a_process_of_its_own(name, missing, progress)
        except _Failed as error:
            if settings.sentence_encoder:
                raise ItadakiError(
                    f"{name} cannot be used as a sentence encoder ({error}). "
                    "ITADAKI_SENTENCE_ENCODER must name a folder of sentence-transformers, and "
                    'training needs the library itself: pip install "itadaki[sentences]".'
                ) from None
            _log.warning(
                "The sentence encoder %s is not to be had (%s), so that TF-IDF says which recipes "
                'are alike. To get it: pip install "itadaki[sentences]", or name its folder in '
                "ITADAKI_SENTENCE_ENCODER.",
                name,
                error,
            )
            return None
        known |= zip(missing, found, strict=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, texts=np.array(json.dumps([*known])), rows=np.stack([*known.values()]))
        note_derived(path, name)
    if not known:
        raise ItadakiError("None of the recipes has a title or an ingredient.")
    nothing = np.zeros_like(next(iter(known.values())))
    return np.stack([known.get(text, nothing) for text in texts])


def _known(path: Path) -> dict[str, np.ndarray]:
    """The texts that are embedded already, and their rows."""
    if not derived_facts(path):
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return dict(zip(json.loads(str(arrays["texts"])), arrays["rows"], strict=True))


class _Failed(Exception):
    """Why nothing was embedded, as a clause."""


def _in_a_process_of_its_own(name: str, texts: Sequence[str], progress: bool) -> np.ndarray:
    """Run this module: PyTorch and TensorFlow in one process may bring it down."""
    with TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "texts.json", Path(folder) / "rows.npy"
        asked.write_text(json.dumps(list(texts)), encoding="utf-8")
        options = ["--progress"] if progress else []
        if why := run_module(__name__, name, str(asked), str(answer), *options):
            raise _Failed(why)
        return open_array(answer, mapped=False)


def _main(name: str, asked: str, answer: str, *options: str) -> None:
    try:
        from sentence_transformers import SentenceTransformer

        found = SentenceTransformer(name).encode(
            json.loads(Path(asked).read_text(encoding="utf-8")),
            normalize_embeddings=True,
            show_progress_bar="--progress" in options,
        )
    except Exception as error:  # the hub, PyTorch and safetensors raise their own
        print(reason(error))
        sys.exit(1)
    np.save(answer, np.asarray(found, np.float32))


if __name__ == "__main__":
    _main(*sys.argv[1:])
