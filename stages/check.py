"""Refuse a wrong params.yaml in one line, before DVC looks up what it names."""

from stages.base import params
from stages.base.errors import guard

if __name__ == "__main__":
    guard(params.load)
