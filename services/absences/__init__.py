"""Absences of those who see patients: each appointment gets another time, nobody is forgotten."""
