"""Webhooks: signed messages to addresses that the user has named.  Who is told of what is decided elsewhere."""
