"""Reports: a frame of results in, one HTML file out."""
