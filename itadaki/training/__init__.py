"""Training of heads and fine-tuning of the backbone."""
