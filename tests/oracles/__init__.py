"""Two other ways to run the same rules, to check the engine by."""
