"""The report: one self-contained HTML page about a run folder.

Every section is a file with one function from `Results` to markup; `page.py` lines them up.
"""

from pipelines.report.page import write_report

__all__ = ["write_report"]
