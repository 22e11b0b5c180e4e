"""The embedding bank: built, fused with texts, kept."""
