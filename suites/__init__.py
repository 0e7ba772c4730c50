"""Suites: one folder an ability, with its generated tasks and the claims made of them."""
