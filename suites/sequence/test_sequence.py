"""The claims of the suite sequence: a test each."""

from suites.asked import each
from suites.sequence.claims import CLAIMS

test_claim = each("sequence", CLAIMS)
