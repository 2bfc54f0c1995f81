"""What is kept: the ledger (the truth, in SQL) and recall (an index over it that can be rebuilt)."""

import os

# onnxruntime 1.29 and later report to their maker unless told not to before they are first imported, by whomever.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
