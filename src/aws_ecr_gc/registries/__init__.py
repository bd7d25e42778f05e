"""Back ends: where images are read and deleted. One module each, one way to open it."""
