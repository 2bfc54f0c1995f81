"""Schemas of experiments that ship as data; `agents.executors.configuration` reads them."""
