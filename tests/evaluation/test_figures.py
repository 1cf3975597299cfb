"""Diagrams are valid SVG and show what they are given."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from mmdistill.evaluation.figures import curves_plot, reliability_diagram
from mmdistill.metrics import ReliabilityBins


def bins():
    nan = np.nan
    return ReliabilityBins(
        np.linspace(0, 1, 4),
        np.array([nan, 0.5, 0.9]),
        np.array([nan, 0.25, 1.0]),
        np.array([0, 4, 6]),
    )


def test_reliability_diagram_is_deterministic_svg_with_its_ece():
    first, second = (reliability_diagram(bins(), 'Student', 0.125, '#d1495b') for _ in range(2))
    assert first == second
    assert ElementTree.fromstring(first).tag.endswith('svg')
    assert 'ECE 12.5 %' in first and '#d1495b' in first


def test_reliability_diagram_of_no_clips_is_empty_not_an_error():
    nothing = ReliabilityBins(np.linspace(0, 1, 4), *[np.full(3, np.nan)] * 2, np.zeros(3, int))
    assert '<svg' in reliability_diagram(nothing, 'x', 0.0, '#d1495b')


def test_curves_are_named():
    curves = {'student': ([1, 2, 3], [0.1, 0.2, 0.3]), 'rgb_baseline': ([1], [0.1])}
    titles = {'student': 'Student', 'rgb_baseline': 'RGB baseline'}
    svg = curves_plot(curves, titles, 'epoch', '%', 100.0)
    assert 'RGB baseline' in svg and 'epoch' in svg


def test_curves_of_any_model_have_a_colour():
    curves = {'mine': ([1, 2], [0.1, 0.2]), 'other': ([1, 2], [0.1, 0.3])}
    titles = {name: name for name in curves}
    assert 'other' in curves_plot(curves, titles, 'epoch', '%')
    assert '#123456' in curves_plot(
        curves, titles, 'epoch', '%', colours=dict.fromkeys(curves, '#123456')
    )
