"""A loopback Slack: strict as Slack is, and driven by people who type, press and read."""
