"""Snakemake's logger `panel`: at a terminal, how far the study is in place of a line for each job.

Snakemake finds plugins by name among the packages on Python's path; `make report` puts this folder
there and says `--logger panel`. Warnings and errors appear above the panel as Snakemake words them;
its log under .snakemake/log/ has all that it says.
"""

import logging
import sys
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))


class LogHandler(LogHandlerBase):
    """Hands Snakemake's events to the panel."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        # Whoever does not ask for the panel does not wait for it.
        from study.operations.panel import Panel

        self.panel = Panel(Path("results"))

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.panel.begin(record.jobid, record.rule_name)
        elif event == LogEvent.JOB_FINISHED:
            self.panel.end(record.job_id)
        elif record.levelno >= logging.WARNING:
            if event == LogEvent.JOB_ERROR:
                self.panel.end(record.jobid)
            self.panel.tell(self.format(record))

    def close(self) -> None:
        self.panel.close()
        super().close()
