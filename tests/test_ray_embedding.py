import signal
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest

from itadaki.bank import build as build_module
from itadaki.bank.embedding import BATCH_SIZE, embed_photos
from itadaki.errors import ImageError
from itadaki.variants import VARIANTS, Artifacts

if not find_spec("ray"):
    pytest.skip('Ray is not installed: pip install -e ".[ray]"', allow_module_level=True)

from tools.ray_build import build, embed_photos_on_ray, started

WORKERS = 2
on_ray = partial(embed_photos_on_ray, batch_size=BATCH_SIZE, workers=WORKERS)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with started(WORKERS):
        yield


@pytest.fixture
def paths(recipes_root):
    return sorted((recipes_root / "Food Images" / "Food Images").iterdir())


def test_two_workers_embed_what_one_process_does(system, paths, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    paths = [*paths[:11], broken, *paths[11:]]
    here = list(embed_photos(paths, system.embedder))
    there = list(on_ray(paths, system.embedder))
    for (indices, rows, failures), (found, embedded, failed) in zip(here, there, strict=True):
        assert found == indices
        assert np.array_equal(embedded, rows)
        assert {i: str(e) for i, e in failed.items()} == {i: str(e) for i, e in failures.items()}
    assert isinstance(there[1][2][11], ImageError)
    assert list(on_ray([], system.embedder)) == []


def test_a_killed_worker_is_replaced(system, paths):
    paths = paths * 5
    expected = np.concatenate([rows for _, rows, _ in embed_photos(paths, system.embedder)])
    batches = on_ray(paths, system.embedder)
    found = [next(batches)]
    workers = [p for p in psutil.process_iter(["name"]) if "MapWorker" in (p.info["name"] or "")]
    assert len(workers) >= WORKERS
    workers[0].send_signal(signal.SIGKILL)
    found += batches
    assert [i for indices, _, _ in found for i in indices] == list(range(len(paths)))
    assert np.array_equal(np.concatenate([rows for _, rows, _ in found]), expected)


def test_a_stopped_build_goes_on_over_ray(copy, system, monkeypatch, caplog):
    bank = Artifacts(VARIANTS["raw"], copy).bank
    content = bank.read_bytes()
    for path in Path(copy.home, "raw").glob("recipe_embeddings_database*"):
        path.unlink()

    write_json, noted = build_module.write_json, []

    def stop_after_two(path, value):
        write_json(path, value)
        noted.append(value)
        if len(noted) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "write_json", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        build("raw", copy, WORKERS)
    monkeypatch.setattr(build_module, "write_json", write_json)
    with caplog.at_level("INFO", "itadaki"):
        build("raw", copy, WORKERS)
    assert f"Going on after {2 * BATCH_SIZE} of 40" in caplog.text
    assert bank.read_bytes() == content
