"""Whole conversations as readable transcripts, each held in Slack, over REST, on the page and in the terminal."""
