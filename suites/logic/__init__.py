"""Suite logic: which Boolean functions a learner can represent and find, with nothing to generalise."""
