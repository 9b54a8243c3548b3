"""Statistics of a text, one family per rule set, all from one pass over its bytes.

`document` finds the tokens and lines of a text once and hands them to the families that are asked
for; each family is a file with its columns (name, unit) and a kernel that fills one row.
"""
