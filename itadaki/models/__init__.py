"""Models: from photo or text to embedding."""
