"""What one command in the sandbox may use."""

from __future__ import annotations

import math

from pydantic import Field

from core.records import Record

__all__ = ["SandboxLimits"]


class SandboxLimits(Record):
    """All are of the whole tree of processes together, except `file_mb` and `open_files`.  A megabyte is 2²⁰ bytes."""

    time_s: float = Field(default=60.0, gt=0, allow_inf_nan=False, description="on the clock of the wall")
    cpu_s: float = Field(default=math.inf, gt=0, description="processor time")
    memory_mb: float = Field(default=1024.0, gt=0, description="resident memory; files in a tmpfs count as disk")
    processes: int = Field(default=64, ge=1, description="processes at once; where the kernel counts, threads too")
    output_mb: float = Field(default=16.0, gt=0, description="stdout and stderr together; 1 MB of each is kept")
    disk_mb: float = Field(default=256.0, gt=0, description="of the working directory, and again of /tmp")
    file_mb: float = Field(default=256.0, gt=0, description="the largest file")
    copied_mb: float = Field(default=16.0, gt=0, description="all outputs together")
    open_files: int = Field(default=1024, ge=16, description="of one process")
