"""Loads the served variant once, at start-up."""

import numpy as np

from api.core.config import ApiSettings
from itadaki.images import IMAGE_SIZE
from itadaki.retrieval import RetrievalSystem
from itadaki.variants import served_variant


def load_retrieval_system(settings: ApiSettings) -> RetrievalSystem:
    """Load dataset, bank and model, and run the model once so that the first request is fast.

    Raises:
        ItadakiError: something is missing; the message says which command makes it.
    """
    system = RetrievalSystem.load(served_variant(settings).name, settings)
    system.embedder.embed(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.float32))
    return system
