"""The process that runs one untrusted command: starts it in isolation, watches it, ends it, hands back its results.

One warden a command, run by the bare interpreter (`python -I -S`), so everything here is the standard library.  Its
caller holds the other end of its stdin: when the caller dies, the warden sees the end of it and ends the command.
`runtime.sandbox` is the door; nothing else starts a warden.

What it covers, and what it does not, is in `docs/sandbox.md`.
"""
