"""The claims of the suite logic: a test each."""

from suites.asked import each
from suites.logic.claims import CLAIMS

test_claim = each("logic", CLAIMS)
