"""The claims of the suite credit: a test each."""

from suites.asked import each
from suites.credit.claims import CLAIMS

test_claim = each("credit", CLAIMS)
