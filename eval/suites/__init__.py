"""Suites: test items as versioned data files. `items` and `header` say what is in one."""
