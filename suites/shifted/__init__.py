"""Suite shifted: whether a pattern is known again where it is shifted."""
