import csv
import io
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

if "PYTEST_XDIST_WORKER" in os.environ:  # there is a worker for each core already
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, "1")

import cv2
import httpx
import numpy as np
import pytest
import uvicorn
from absl.logging import PythonHandler
from filelock import FileLock
from PIL import Image

from itadaki.recipes.recipe import DatasetRecipe
from itadaki.settings import Settings

pytest_plugins = ["browsing", "sources"]

# When a service in a thread sets up its log, TensorFlow's handler would close the stream that it
# began with: pytest's own, if that is just not in place, and no test would pass any more.
PythonHandler.close = logging.StreamHandler.close

# A user's shell does not set it, and with it no child would show that it loses what it printed.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell has what it starts behind itself ignore Ctrl-C, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

DISHES = [
    ("Tomato Soup", ["4 tomatoes", "1 onion", "1 l stock"]),
    ("Lentil Soup", ["200 g lentils", "1 onion", "1 l stock"]),
    ("Carrot Soup with Ginger", ["6 carrots", "1 onion", "ginger"]),
    ("Chocolate Cake", ["200 g chocolate", "4 eggs", "100 g flour"]),
    ("Lemon Cake", ["2 lemons", "4 eggs", "200 g flour"]),
    ("Carrot Cake", ["4 carrots", "4 eggs", "200 g flour"]),
    ("Green Salad", ["1 lettuce", "oil", "vinegar"]),
    ("Potato Salad", ["6 potatoes", "1 onion", "vinegar"]),
]


def dish_photo(seed: int, size: tuple[int, int] = (274, 169)) -> np.ndarray:
    """A round dish on a table: RGB, each seed with colours, place and garnish of its own."""
    rng = np.random.default_rng(seed)
    width, height = size
    rgb = np.full((height, width, 3), rng.integers(40, 220, 3), np.uint8)
    centre = (int(width * rng.uniform(0.35, 0.65)), int(height * rng.uniform(0.4, 0.6)))
    cv2.circle(rgb, centre, int(height * 0.42), [int(c) for c in rng.integers(150, 255, 3)], -1)
    for _ in range(25):
        at = rng.normal(centre, height * 0.16).astype(int)
        colour = [int(c) for c in rng.integers(0, 255, 3)]
        cv2.circle(rgb, tuple(int(x) for x in at), int(rng.integers(3, 14)), colour, -1)
    return rgb


def encode(rgb: np.ndarray, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def dataset_recipe(row: int, ingredients: Sequence[str] = (), **facts) -> DatasetRecipe:
    """A recipe as a bank has it, of which only some facts matter."""
    recipe = DatasetRecipe(
        title=f"Dish {row}",
        ingredients=list(ingredients),
        instructions="",
        id=row,
        dish_class=None,
        image_name=f"dish-{row}",
        photo=f"Food Images/dish-{row}.jpg",
        photo_sha256="",
        photo_group=row,
        split="train",
    )
    return replace(recipe, **facts)


def write_dataset(root: Path, rows: list[dict], photos: dict[str, bytes]) -> Path:
    """Lay recipes and photos out as Kaggle ships them."""
    folder = root / "Food Images" / "Food Images"
    folder.mkdir(parents=True)
    for name, content in photos.items():
        (folder / f"{name}.jpg").write_bytes(content)
    columns = ["", "Title", "Ingredients", "Instructions", "Image_Name", "Cleaned_Ingredients"]
    table = root / "Food Ingredients and Recipe Dataset with Image Name Mapping.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({"": i, **row} for i, row in enumerate(rows))
    return root


def pytest_addoption(parser):
    parser.addoption(
        "--soak",
        action="store_true",
        help="run the tests of robustness at full length (about 20 minutes more)",
    )


@pytest.fixture(scope="session")
def soak(request) -> bool:
    return request.config.getoption("--soak")


@dataclass
class Service:
    """The API in a process of its own."""

    process: subprocess.Popen
    client: httpx.Client
    log: Path


def free_port() -> int:
    """A port that nobody listens on, of those that the system hands to nobody meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


_AS_THE_SEED_SAYS = ("uvicorn", "main:app")  # from inside api/
_PATIENCE = 300  # seconds in which a process starts or ends, however busy the machine is


def start_service(
    environment: dict[str, str], log=subprocess.PIPE, command: tuple[str, ...] = _AS_THE_SEED_SAYS
) -> tuple[subprocess.Popen, str]:
    """Start the service; returns it and its address."""
    port = free_port()
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=root / "api" if command == _AS_THE_SEED_SAYS else root,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, f"http://127.0.0.1:{port}"


@contextmanager
def running_service(environment: dict[str, str], command: tuple[str, ...] = _AS_THE_SEED_SAYS):
    """The service, once it answers, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        with log.open("w") as file:
            process, url = start_service(environment, file, command)
        try:
            with httpx.Client(base_url=url, timeout=60) as client:
                deadline = time.monotonic() + _PATIENCE
                while True:
                    try:
                        client.get("/health")
                        break
                    except httpx.TransportError:
                        assert process.poll() is None, log.read_text()
                        assert time.monotonic() < deadline, log.read_text()
                        time.sleep(0.1)
                yield Service(process, client, log)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            finally:
                process.kill()


@contextmanager
def listening(config: uvicorn.Config):
    """An application behind uvicorn in a thread of this process; yields its address."""
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Lets the first worker that asks fill a folder which all workers share; nobody changes it."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def once(name: str, fill: Callable[[Path], object]) -> Path:
        folder, filled = root / name, root / f"{name}.filled"
        with FileLock(root / f"{name}.lock"):
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def recipes_root(once) -> Path:
    """Forty sound recipes in Kaggle's layout; the last two share one photo."""
    return once("recipes", fill_recipes)


def fill_recipes(folder: Path) -> None:
    rows, photos = [], {}
    for i in range(40):
        title, ingredients = DISHES[i % len(DISHES)]
        name = f"{title.lower().replace(' ', '-')}-{1000 + i}"
        rows.append(
            {
                "Title": f"{title} No. {i}" if i >= len(DISHES) else title,
                "Ingredients": str(ingredients),
                "Instructions": f"Cook it.\nServe it, number {i}.",
                "Image_Name": name,
            }
        )
        photos[name] = encode(dish_photo(min(i, 38)), quality=90)
    write_dataset(folder, rows, photos)


@pytest.fixture(scope="session")
def weights(once) -> Path:
    """Weights of an untrained backbone, in the shape of the real file."""
    return once("weights", fill_weights) / "backbone.weights.h5"


def fill_weights(folder: Path) -> None:
    """The backbone's Normalization and BatchNorm have seen the photos, or the signal would fade on
    its way through the layers and all photos would look alike."""
    import keras

    keras.utils.set_random_seed(7)
    backbone = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    photos = np.stack([cv2.resize(dish_photo(i), (224, 224)) for i in range(8)])
    backbone.layers[2].adapt(photos / 255)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # one pass sets the statistics
    backbone(photos, training=True)
    backbone.save_weights(folder / "backbone.weights.h5")


@pytest.fixture(scope="session")
def tiny_model(once) -> Path:
    """A small embedder and its conversion, alone in their folder; tests must not change them."""
    return once("tiny", fill_tiny_model) / "model.keras"


def fill_tiny_model(folder: Path) -> None:
    import keras

    from itadaki.models.embedder import Embedder
    from itadaki.models.keras_model import save_model

    keras.utils.set_random_seed(3)
    inputs = keras.Input((224, 224, 3))
    maps = keras.layers.Conv2D(8, 9, strides=8, activation="swish")(inputs / 255)
    rows = keras.layers.Dense(16)(keras.layers.GlobalAveragePooling2D()(maps))
    path = folder / "model.keras"
    save_model(keras.Model(inputs, keras.layers.UnitNormalization()(rows)), path)
    Embedder(path)  # makes the conversion


@pytest.fixture(scope="session")
def settings(once, recipes_root, weights, tmp_path_factory) -> Settings:
    """Settings of a home of the worker's own with the raw bank built; tests must not change it."""
    from itadaki.retrieval import RetrievalSystem

    def build(home: Path) -> None:
        RetrievalSystem.load("raw", given.model_copy(update={"home": home}), build=True)

    given = Settings(_env_file=None, dataset=str(recipes_root), backbone_weights=weights)
    home = tmp_path_factory.mktemp("homes") / "home"
    shutil.copytree(once("home", build), home)
    return given.model_copy(update={"home": home})


@pytest.fixture
def copy(settings, tmp_path) -> Settings:
    """The session's settings with a copy of its home, for a test to change."""
    return copy_of(settings, tmp_path)


def copy_of(settings: Settings, folder: Path) -> Settings:
    """The same settings with a copy of their home, in the folder."""
    return settings.model_copy(update={"home": shutil.copytree(settings.home, folder / "home")})


@pytest.fixture(scope="session")
def model_home(settings, tmp_path_factory) -> Path:
    """A home without a bank, whose raw model is the session's, and whose ft model is that too, with
    a text encoder that knows the dishes; tests must not change it."""
    from itadaki.models.text_encoder import TextEncoder
    from itadaki.variants import VARIANTS, Artifacts

    home = tmp_path_factory.mktemp("models")
    shutil.copytree(
        settings.home / "raw", home / "raw", ignore=shutil.ignore_patterns("recipe_embeddings*")
    )
    (home / "ft").mkdir()
    raw, ft = (Path(VARIANTS[name].model_file).stem for name in ("raw", "ft"))
    for path in (home / "raw").glob(f"{raw}*"):
        shutil.copyfile(path, home / "ft" / path.name.replace(raw, ft))
    titles, ingredients = zip(*DISHES * 2, strict=True)
    targets = np.zeros((len(titles), 1280), np.float32)
    encoder = TextEncoder.fit(list(titles), list(ingredients), targets)
    encoder.matrix[:] = np.random.default_rng(0).normal(size=encoder.matrix.shape)
    encoder.save(Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=home)).text_encoder)
    return home


@pytest.fixture
def no_conversion(monkeypatch):
    """Leaves the conversion of a new model out, for what never embeds a photo with it."""
    unused = SimpleNamespace(dimension=1280)
    monkeypatch.setattr("itadaki.models.embedder.load_converted", lambda path, sha256: unused)


@pytest.fixture(scope="session")
def system(settings):
    from itadaki.retrieval import RetrievalSystem

    return RetrievalSystem.load("raw", settings)


@pytest.fixture(scope="session")
def fused_system(settings):
    """The same with rows that hold more than the photos, as those of a bank with texts do."""
    from itadaki.bank import nearness
    from itadaki.retrieval import RetrievalSystem

    system = RetrievalSystem.load("raw", settings)
    bank = system.bank
    photos, groups = bank.embeddings, [recipe.photo_group for recipe in bank.recipes]
    rows = photos + 0.5 * np.roll(photos, 7, axis=0)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    manifest = bank.manifest | {"nearness": nearness.fit(photos, rows, groups)}
    fused = replace(bank, embeddings=rows, photo_embeddings=photos, manifest=manifest)
    return RetrievalSystem(system.embedder, fused, system.dataset)


@pytest.fixture(scope="session")
def environment(settings) -> dict[str, str]:
    """The environment that gives a child process the session's settings."""
    ours = {
        "ITADAKI_DATASET": settings.dataset,
        "ITADAKI_BACKBONE_WEIGHTS": str(settings.backbone_weights),
        "ITADAKI_HOME": str(settings.home),
        "ITADAKI_VARIANT": "",
    }
    return {**os.environ, **ours}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in ("DATASET", "BACKBONE_WEIGHTS", "HOME", "VARIANT", "INDEX", "BANK_PRECISION"):
        monkeypatch.delenv(f"ITADAKI_{name}", raising=False)
