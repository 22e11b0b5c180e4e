"""Itadaki: show it a photo of a dish, it finds the recipes."""

__version__ = "0.1.0"
