"""Indexes: what finds the nearest rows of a bank."""
