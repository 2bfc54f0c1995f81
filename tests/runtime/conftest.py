from job_scripts import make_spec

__all__ = ["make_spec"]
