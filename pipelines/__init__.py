"""Recipe, judge, run, report and the command line."""
