"""Speed: our own run of a job against the packages that people would use for it, interleaved in one process on one thread."""
