"""`python -m helpers.service MODEL` serves a model with Flask."""

from helpers.service.flask_app import create_app
from helpers.service.server import run_command

if __name__ == "__main__":
    run_command(create_app, "python -m helpers.service")
