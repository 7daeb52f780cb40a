"""Reports: a result as one page for a browser, which asks for nothing beside itself."""

from polyattr.reports.writing import write_report

__all__ = ["write_report"]
