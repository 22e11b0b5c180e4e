"""How surfaces take light. Colours come from the meshes; a material is only the finish."""

from __future__ import annotations

from typing import Any

VERTEX_COLOUR = {"type": "mesh_attribute", "name": "vertex_color"}

FINISHES: dict[str, dict[str, float]] = {
    "matte": {"roughness": 0.85, "specular": 0.25},
    "crust": {"roughness": 0.62, "specular": 0.4},
    "satin": {"roughness": 0.42, "specular": 0.45},
    "moist": {"roughness": 0.28, "specular": 0.5},
    "wet": {"roughness": 0.15, "specular": 0.5, "clearcoat": 0.5, "clearcoat_gloss": 0.9},
    "glaze": {"roughness": 0.3, "specular": 0.5, "clearcoat": 1.0, "clearcoat_gloss": 0.97},
    "liquid": {"roughness": 0.07, "specular": 0.45},
    "cream": {"roughness": 0.5, "specular": 0.35, "sheen": 0.2},
    "ceramic": {"roughness": 0.3, "specular": 0.5, "clearcoat": 0.8, "clearcoat_gloss": 0.95},
    "stoneware": {"roughness": 0.5, "specular": 0.45},
    "wood": {"roughness": 0.5, "specular": 0.4},
    "cloth": {"roughness": 0.95, "specular": 0.1, "sheen": 0.6},
    "metal": {"roughness": 0.22, "metallic": 1.0},
    "pan": {"roughness": 0.5, "metallic": 0.6},
    "leaf": {"roughness": 0.38, "specular": 0.45, "sheen": 0.1},
}


def finish(name: str, colour: dict[str, Any] | None = None) -> dict[str, Any]:
    """Mitsuba BSDF of a finish, two-sided; "glass" and "water" are the clear ones."""
    if name == "glass":
        return {"type": "thindielectric", "int_ior": 1.5}
    if name == "solidglass":
        return {"type": "dielectric", "int_ior": 1.5}
    values = FINISHES[name]
    return {
        "type": "twosided",
        "inner": {"type": "principled", "base_color": colour or VERTEX_COLOUR, **values},
    }
