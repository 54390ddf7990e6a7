"""`python -m fear.cli`."""

from fear.cli import app

if __name__ == "__main__":
    app()
