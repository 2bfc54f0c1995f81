"""What the `feedback` command is made of: files found, comments written, baselines compared, results shown."""
