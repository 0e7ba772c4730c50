"""A frame of results in, one HTML file out."""

from reports.data import ReportData, ReportError
from reports.page import build

__all__ = ["ReportData", "ReportError", "build"]
