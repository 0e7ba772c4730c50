"""The claims of the suite images: a test each."""

from suites.asked import each
from suites.images.claims import CLAIMS

test_claim = each("images", CLAIMS)
