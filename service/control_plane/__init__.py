"""The control plane: training jobs over HTTP.  A thin door; the queue below it is `agents.training`."""
