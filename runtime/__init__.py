"""Everything that can hang, crash or cost: processes, networks, sandboxes, language models, other programs."""
