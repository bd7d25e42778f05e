"""Lists of what is in use, in every format and from everywhere."""
