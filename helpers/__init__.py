"""Small functions that the lessons share.

Importing this package imports nothing else. Take what a lesson needs from its modules:
`environment`, `datasets`, `plotting`, `training` and `exercises`.
"""
