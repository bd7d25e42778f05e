"""Finding what is in use. Each source of workloads is a small module; they all stand in one table, `sources`."""
