"""The search as the seed writes it, for ``service.py`` to measure beside ours.

PIL decodes the whole photo, Keras' ``predict`` embeds it, scikit-learn's ``cosine_similarity``
compares it with the whole bank, and a full sort picks the best.
"""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, File, Form, UploadFile
from PIL import Image
from sklearn.metrics.pairwise import cosine_similarity

from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import served_variant


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the served variant; the bank is read into memory, as ``np.load`` does by itself."""
    settings = Settings()
    system = RetrievalSystem.load(served_variant(settings).name, settings)
    app.state.recipes = system.bank.recipes
    app.state.bank = np.array(system.bank.embeddings)
    app.state.model = system.embedder.model
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/api/v1/search/search")
async def search(
    image: Annotated[UploadFile, File()], top_k: Annotated[int, Form()] = 3
) -> dict[str, Any]:
    """Find the recipes whose photos look most like the uploaded one."""
    photo = Image.open(io.BytesIO(await image.read())).convert("RGB").resize((224, 224))
    query = app.state.model.predict(np.asarray(photo, np.float32)[None], verbose=0)
    similarities = cosine_similarity(query, app.state.bank)[0]
    best = np.argsort(similarities)[::-1][:top_k]
    return {
        "recipes": [
            {
                "rank": rank,
                "title": app.state.recipes[i].title,
                "ingredients": str(app.state.recipes[i].ingredients),
                "instructions": app.state.recipes[i].instructions,
                "similarity": float(similarities[i]),
            }
            for rank, i in enumerate(best, 1)
        ]
    }
