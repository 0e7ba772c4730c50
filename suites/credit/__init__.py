"""Suite credit: how well a rule gives credit in a deep network."""
