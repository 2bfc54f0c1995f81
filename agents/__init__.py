"""The roles of the council, each one async call over records."""
