"""Recipes: datasets, what is read of them, and their words."""
