"""Ranges of numbers: what they take on a command line and as arguments, and what they say."""

import argparse

import numpy as np
import pytest

from mmdistill.ranges import (
    COUNT,
    FINITE,
    FRACTION,
    LARGEST_INTEGER,
    ONE_OR_MORE,
    POSITIVE,
    POSITIVE_FRACTION,
    SEED,
    Range,
)

INSIDE = [
    (ONE_OR_MORE, '1', 1),
    (COUNT, '0', 0),
    (FRACTION, '0', 0.0),
    (FRACTION, '1', 1.0),
    (POSITIVE, '1e-9', 1e-9),
    (FINITE, '-1e300', -1e300),
    (SEED, '4294967295', 2**32 - 1),
    (Range(2, whole=True), '2', 2),
]
OUTSIDE = [
    (ONE_OR_MORE, '0', "a whole number >= 1, got '0'"),
    (ONE_OR_MORE, '1.0', "a whole number >= 1, got '1.0'"),
    (ONE_OR_MORE, '', "a whole number >= 1, got ''"),
    (ONE_OR_MORE, str(LARGEST_INTEGER + 1), "a whole number >= 1, got '9223372036854775808'"),
    (ONE_OR_MORE, '9' * 5000, f"a whole number >= 1, got '{'9' * 60}…'"),
    (COUNT, '-1', "a whole number >= 0, got '-1'"),
    (POSITIVE, '0', "a finite number > 0, got '0'"),
    (POSITIVE, 'inf', "a finite number > 0, got 'inf'"),
    (POSITIVE, '1e999', "a finite number > 0, got '1e999'"),
    (POSITIVE, 'nan', "a finite number > 0, got 'nan'"),
    (FRACTION, '2', "a number from 0 to 1, got '2'"),
    (FRACTION, 'nan', "a number from 0 to 1, got 'nan'"),
    (SEED, '4294967296', "a whole number from 0 to 4294967295, got '4294967296'"),
]


@pytest.mark.parametrize(('allowed', 'text', 'value'), INSIDE)
def test_a_flag_in_the_range(allowed, text, value):
    parsed = allowed(text)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(('allowed', 'text', 'message'), OUTSIDE)
def test_a_flag_outside_of_the_range(allowed, text, message, capsys):
    parser = argparse.ArgumentParser(prog='tool')
    parser.add_argument('--number', type=allowed)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([f'--number={text}'])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f'tool: error: argument --number: expected {message}'


@pytest.mark.parametrize(
    ('allowed', 'value', 'message'),
    [
        (POSITIVE, 0, 'bound must be a finite number > 0, got 0.'),
        (POSITIVE, float('nan'), 'bound must be a finite number > 0, got nan.'),
        (POSITIVE, True, 'bound must be a finite number > 0, got True.'),
        (POSITIVE, '3', "bound must be a finite number > 0, got '3'."),
        (POSITIVE, 10**400, f'bound must be a finite number > 0, got 1{"0" * 59}….'),
        (POSITIVE_FRACTION, 0, 'bound must be a number > 0 and <= 1, got 0.'),
        (ONE_OR_MORE, 2.0, 'bound must be a whole number >= 1, got 2.0.'),
    ],
)
def test_an_argument_outside_of_the_range(allowed, value, message):
    with pytest.raises(ValueError) as caught:
        allowed.check(size=1, bound=value)
    assert str(caught.value) == message


def test_arguments_in_the_range():
    POSITIVE.check(a=1, b=np.float32(0.5), c=np.int64(3))
    ONE_OR_MORE.check_optional(a=None, b=np.int64(3))
