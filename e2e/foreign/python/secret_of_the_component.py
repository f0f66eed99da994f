"""For pytest (-p): slixmpp's test of components has its secret written in, and it
is shorter than Mirsal takes."""

import importlib
import os


def pytest_collection_finish(session):
    importlib.import_module("itests.test_component").CI_SECRET = os.environ["COMPONENT_SECRET"]
