"""One module per family of dishes, each with one public function `build`."""
