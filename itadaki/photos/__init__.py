"""Photos: reading, checking and preprocessing them."""
