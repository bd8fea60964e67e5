"""The vocabulary that two or more rooms share. Admission rule: two rooms need it and it does no I/O (content.py reads files)."""
