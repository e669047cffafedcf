"""Slack: the doors, the conversation in a thread, and everything that Slack asks of an app."""
