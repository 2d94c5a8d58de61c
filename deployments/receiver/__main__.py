"""``python -m deployments.receiver``: what ``casework up`` starts as a child."""

import logging

from casework.settings import load_settings
from deployments.receiver.serve import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    serve(load_settings())
