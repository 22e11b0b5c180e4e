"""The stage: collects meshes, lays the table, sets window light and camera, and renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np

from .denoise import denoise
from .geometry import Mesh, join
from .materials import FINISHES, finish
from .scatter import HeightMap
from .tables import TABLES, Top, table_top
from .tableware import Ware


def _speck() -> Mesh:
    """A grain under the table, where nothing sees it.

    It stands for a finish that the picture does not use: with all of them in every scene, mitsuba
    compiles one kernel for all pictures instead of one for each, which took half of the time.
    """
    return Mesh(np.eye(3) * 0.01 - [0, 0, 60], np.array([[0, 1, 2]]), np.full((3, 3), 0.5, "f4"))


def _generalise(scene: mi.Scene) -> None:
    """Hide the lens and the window's place from the compiler: it builds a kernel for each value."""
    if mi.variant().startswith("scalar"):
        return
    params = mi.traverse(scene)
    for name in ("sensor.aperture_radius", "sensor.focus_distance"):
        params[name] = dr.opaque(mi.Float, float(dr.slice(params[name])))
    for name in ("window.to_world", "table.to_world"):
        place = mi.Transform4f(params[name])
        dr.make_opaque(place)
        params[name] = place
    params.update()


@dataclass
class View:
    """Camera: degrees above the table, degrees round it, distance, field of view, lens radius."""

    height: float = 38
    around: float = 0
    distance: float = 62
    fov: float = 32
    lens: float = 0.55
    aim: tuple[float, float, float] = (0.0, 0.0, 1.5)


class Scene:
    """What the families fill: add() what stands, drop() what falls, then set view and table."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.parts: dict[str, list[Mesh]] = {}
        self.heights = HeightMap()
        self.top: Top | None = None
        self.view = View()
        self.window = float(rng.uniform(110, 160) if rng.random() < 0.6 else rng.uniform(20, 70))
        self.fill = float(rng.uniform(0.14, 0.24))
        self.key = float(rng.uniform(0.4, 0.48))

    def add(self, mesh: Mesh, material: str = "satin", solid: bool = True) -> Mesh:
        """Put a mesh where it is; solid ones carry what is dropped later."""
        self.parts.setdefault(material, []).append(mesh)
        if solid:
            self.heights.raise_by(mesh)
        return mesh

    def serve(self, ware: Ware, x: float = 0, y: float = 0) -> Ware:
        """Add a plate, bowl or board."""
        self.add(ware.mesh.moved(x, y), ware.finish)
        return ware

    def drop(
        self,
        mesh: Mesh,
        x: float,
        y: float,
        material: str = "satin",
        sink: float = 0.0,
        lean: float = 0.7,
    ) -> Mesh:
        """Let a mesh come to rest on what lies at (x, y); sink lets it settle in (0..1)."""
        return self.add(self.heights.rest(mesh, x, y, sink, lean), material)

    def table(self, *kinds: str) -> None:
        """Lay one of the given table tops (any of TABLES if none is given)."""
        names = kinds or TABLES
        self.top = table_top(names[self.rng.integers(len(names))], self.rng)

    def shoot(
        self,
        height: float | tuple[float, float] = (30, 48),
        distance: float | tuple[float, float] = (56, 64),
        aim: tuple[float, float, float] = (0, 0, 1.5),
        lens: float = 0.55,
        fov: float = 32,
    ) -> None:
        """Choose the camera: pairs are ranges. height 88 looks straight down."""

        def pick(v: float | tuple[float, float]) -> float:
            return float(self.rng.uniform(*v)) if isinstance(v, tuple) else float(v)

        self.view = View(pick(height), self.rng.uniform(-8, 8), pick(distance), fov, lens, aim)

    def _mesh(self, name: str, meshes: list[Mesh]) -> mi.Mesh:
        props = mi.Properties()
        props["bsdf"] = mi.load_dict(finish(name))
        normals = np.concatenate([m.normals() for m in meshes])
        m = join(meshes)
        shape = mi.Mesh(name, len(m.v), len(m.f), has_vertex_normals=True, props=props)
        shape.add_attribute("vertex_color", 3, np.ascontiguousarray(m.c, np.float32).ravel())
        params = mi.traverse(shape)
        params["vertex_positions"] = m.v.astype(np.float32).ravel()
        params["vertex_normals"] = normals.astype(np.float32).ravel()
        params["faces"] = m.f.astype(np.uint32).ravel()
        params.update()
        return shape

    def _table(self) -> dict[str, Any]:
        if self.top is None:
            self.table()
        top = self.top
        assert top is not None
        to_uv = mi.ScalarTransform4f().scale([top.span / 2, top.span / 2, 1])
        colour = {
            "type": "bitmap",
            "bitmap": mi.Bitmap(np.clip(top.colour, 0, 0.95).astype(np.float32)),
            "raw": True,
        }
        bump = {
            "type": "bitmap",
            "bitmap": mi.Bitmap(np.ascontiguousarray(top.bump[..., None], np.float32)),
            "raw": True,
        }
        turn = mi.ScalarTransform4f().rotate([0, 0, 1], float(self.rng.uniform(-35, 35)))
        surface = {
            "type": "principled",
            "base_color": colour,
            "roughness": top.roughness,
            "specular": 0.4,
        }
        return {
            "type": "rectangle",
            "to_world": turn @ to_uv,
            "bsdf": {
                "type": "twosided",
                "inner": {
                    "type": "bumpmap",
                    "arbitrary": bump,
                    "scale": top.span * 0.25,
                    "bsdf": surface,
                },
            },
        }

    def _window(self) -> dict[str, Any]:
        panes = np.full((48, 48, 3), 16.0, np.float32) * np.array([1.0, 0.97, 0.92], np.float32)
        panes[:, 22:26] *= 0.1
        panes[15:18] *= 0.1
        panes[31:34] *= 0.1
        panes *= np.linspace(1.15, 0.8, 48, dtype=np.float32)[:, None, None]
        a = np.radians(self.window)
        place = [150 * float(np.cos(a)), 150 * float(abs(np.sin(a))), 95.0]
        return {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f().look_at(place, [0, 0, 5], [0, 0, 1])
            @ mi.ScalarTransform4f().scale([46, 46, 1]),
            "emitter": {
                "type": "area",
                "radiance": {"type": "bitmap", "bitmap": mi.Bitmap(panes), "raw": True},
            },
        }

    def _room(self) -> dict[str, Any]:
        v = np.linspace(0, 1, 32)[:, None, None]
        u = np.linspace(0, 2 * np.pi, 64)[None, :, None]
        sky = np.clip(1.25 - v * 1.5, 0.12, 1) * (0.8 + 0.35 * np.cos(u + self.rng.uniform(0, 6)))
        sky = sky * np.array([1.0, 0.97, 0.94]) * self.fill * 1.6
        turn = mi.ScalarTransform4f().rotate([1, 0, 0], 90)
        return {
            "type": "envmap",
            "bitmap": mi.Bitmap(sky.astype(np.float32)),
            "to_world": turn,
        }

    def _camera(self, width: int, height: int, spp: int) -> dict[str, Any]:
        w = self.view
        h, a = np.radians(w.height), np.radians(w.around - 90)
        aim = np.array(w.aim)
        off = np.array([np.cos(h) * np.cos(a), np.cos(h) * np.sin(a), np.sin(h)]) * w.distance
        up = [float(-np.cos(a)), float(-np.sin(a)), 0.3]
        return {
            "type": "thinlens",
            "fov": w.fov,
            "fov_axis": "smaller",
            "aperture_radius": w.lens,
            "focus_distance": float(np.linalg.norm(off)) - 2.0 * float(np.cos(h)),
            "to_world": mi.ScalarTransform4f().look_at((aim + off).tolist(), aim.tolist(), up),
            "film": {
                "type": "hdrfilm",
                "width": width,
                "height": height,
                "rfilter": {"type": "gaussian", "stddev": 0.42},
                "pixel_format": "rgb",
                "component_format": "float32",
            },
            "sampler": {"type": "independent", "sample_count": spp},
        }

    def render(self, width: int, height: int, spp: int, clean: bool = True) -> np.ndarray:
        """Linear light (height, width, 3), denoised unless clean is False."""
        world: dict[str, Any] = {
            "type": "scene",
            "integrator": {
                "type": "aov",
                "aovs": "alb:albedo,nn:sh_normal",
                "img": {"type": "path", "max_depth": 4, "rr_depth": 3},
            },
            "sensor": self._camera(width, height, spp),
            "table": self._table(),
            "window": self._window(),
            "room": self._room(),
        }
        for name in sorted({"glass", *FINISHES, *self.parts}):
            world[f"m_{name}"] = self._mesh(name, self.parts.get(name) or [_speck()])
        scene = mi.load_dict(world)
        _generalise(scene)
        seed = int(self.rng.integers(1 << 31))
        out = np.array(mi.render(scene, spp=spp, seed=seed), np.float32)
        colour, albedo, normal = out[..., :3], out[..., 3:6], out[..., 6:9]
        colour = np.nan_to_num(colour, posinf=50.0)
        return denoise(colour, albedo, normal) if clean else colour
