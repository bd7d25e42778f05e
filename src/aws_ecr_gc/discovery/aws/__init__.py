"""The sources that AWS's own APIs are: one module each, with one function `read`."""
