"""The claims of the suite separable: a test each."""

from suites.asked import each
from suites.separable.claims import CLAIMS

test_claim = each("separable", CLAIMS)
