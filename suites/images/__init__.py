"""Suite images: real handwritten digits, small enough for a laptop."""
