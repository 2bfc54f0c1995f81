"""Processes that outlive the program that started them: a service, and a load on it.

process.py   start or find again, wait until healthy, end
"""

from runtime.services.process import ServiceProcess, free_port, wait_healthy

__all__ = ["ServiceProcess", "free_port", "wait_healthy"]
