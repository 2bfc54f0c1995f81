"""The interactive session: commands and guidance typed (or piped) while a campaign runs in the background."""
