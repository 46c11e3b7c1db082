import pytest

from .strict_backend import registered


@pytest.fixture(autouse=True)
def _strict():
    """The backend "strict" is known in these tests, and in no others."""
    with registered():
        yield
