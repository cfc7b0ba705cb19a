"""A web service around a table model: one contract, with Flask or with Django."""
