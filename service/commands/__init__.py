"""One module a command, or a few that belong together; imported only when the command is called."""
