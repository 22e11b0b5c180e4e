"""How good a search is, and what to look at beside the scores."""
