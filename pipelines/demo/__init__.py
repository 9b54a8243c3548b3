"""The embedded default corpus: the documentation that every Python environment already holds.

`corpus.build_corpus` collects it, plants labelled trouble, and writes WARC files of HTML pages;
`recipes.write_recipes` puts the demo's recipes beside them; `catch.catch_table` says afterwards
how much of the planted trouble a recipe caught.
"""
