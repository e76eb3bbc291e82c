"""The story in the order of its steps; reaches the world through ports only."""
