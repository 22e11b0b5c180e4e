"""Loads what is served."""

import numpy as np

from itadaki.images import IMAGE_SIZE
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import served_variant


def load_retrieval_system(
    settings: Settings, like: RetrievalSystem | None = None
) -> RetrievalSystem:
    """Load dataset, bank and model, and run the model once so that the first request is fast.

    Args:
        settings: which dataset, and which variant.
        like: a system that is loaded already, whose model this one shares.

    Raises:
        ItadakiError: something is missing; the message says which command makes it.
    """
    if like:
        return RetrievalSystem.load(like.bank.variant.name, settings, like=like)
    system = RetrievalSystem.load(served_variant(settings).name, settings)
    system.embedder.embed(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.float32))
    return system
