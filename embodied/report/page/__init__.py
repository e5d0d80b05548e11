"""The report as one HTML page that needs nothing but itself."""

from embodied.report.page.write import Written, write_report

__all__ = ["Written", "write_report"]
