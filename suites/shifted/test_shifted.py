"""The claims of the suite shifted: a test each."""

from suites.asked import each
from suites.shifted.claims import CLAIMS

test_claim = each("shifted", CLAIMS)
