"""The words of the command line: commands, options, and their parser.  Nothing heavy is imported here."""
