"""The figures of the report: each function takes numbers and looks, and gives drawings, or none where there is nothing.

None of them keeps any state: there is no pyplot here.
"""

from reports.figures.alignment import alignment
from reports.figures.curves import curves
from reports.figures.fronts import costs
from reports.figures.grades import grades
from reports.figures.ladders import ladders
from reports.figures.limits import limits
from reports.figures.lines import profile, tuning
from reports.figures.lists import differences, gained
from reports.figures.trials import every_trial

__all__ = [
    "alignment",
    "costs",
    "curves",
    "differences",
    "every_trial",
    "gained",
    "grades",
    "ladders",
    "limits",
    "profile",
    "tuning",
]
