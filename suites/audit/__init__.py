"""What the plausibility audit should find, and whether it does.

`expected.toml` was written before the audit was run; `limits.toml` holds how little of a planted fault the audit still sees.
"""
