"""Apply a mapping pack to a source record: the YAML tree compiled once, its codes and its trace."""
