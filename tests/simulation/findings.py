"""What a simulation looks for."""


class Finding(BaseException):
    """A promise that was broken. No code under test can catch it: it is no Exception."""
