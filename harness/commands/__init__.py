"""The commands of `hebbench`, by what they are about; `harness.cli` puts them together."""
