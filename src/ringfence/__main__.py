"""``python -m ringfence`` is the command ``ringfence``."""

from ringfence.cli.main import run

if __name__ == "__main__":
    run()
