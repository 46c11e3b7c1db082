"""What holds for all tests."""

import gc


def pytest_collection_finish(session):
    """Garbage collections, which many tests ask for, need not look through thousands of tests each time."""
    gc.collect()
    gc.freeze()
