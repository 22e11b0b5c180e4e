"""The picture kit: geometry, materials, props and camera work shared by all families."""
