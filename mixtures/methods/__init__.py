"""Search methods: which mixtures to measure next, and which one to take; one per file."""
