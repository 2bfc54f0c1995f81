"""The operations over HTTP: routes made from the table, live events, one process that serves them."""
