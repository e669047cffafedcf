"""What is known: entries as data, their models, and the shelf that loads and cross-checks them."""
