"""Learners: one file a rule or architecture, kernels first, class last."""
