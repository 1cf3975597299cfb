"""The front worked by hand; drawings that are valid and name what they show."""

import xml.etree.ElementTree as ElementTree

from mmdistill.evaluation.cost_figures import label_places, pareto_front, pareto_plot, rates_plot

METRIC = 'acc/action/top1'


def test_the_front_has_the_models_that_none_beats():
    costs, values = [1.0, 2.0, 2.0, 3.0, 4.0], [0.3, 0.5, 0.6, 0.4, 0.7]
    assert pareto_front(costs, values) == [0, 2, 4]
    assert pareto_front([2.0, 1.0], [0.5, 0.5]) == [1]


def entry(name, flops, value):
    return {
        'name': name,
        'flops': flops,
        'latency_ms': flops / 1e8,
        'metrics': {METRIC: value},
        'rates': {'rgb': flops / 1e9, 'obj': 5.0},
    }


def test_plots_are_svg_and_name_their_models():
    models = [entry('student', 2e8, 0.2), entry('mine', 9e8, 0.4)]
    pareto = pareto_plot(models, METRIC)
    assert ElementTree.fromstring(pareto).tag.endswith('svg')
    assert 'student' in pareto and 'mine' in pareto and 'GFLOPs of a clip' in pareto
    rates = rates_plot(models, ('rgb', 'obj'), METRIC)
    assert 'rgb, frames per second' in rates and '20.0 %' in rates
    untested = [model | {'metrics': {}} for model in models]
    assert '%' not in rates_plot(untested, ('rgb', 'obj'), METRIC).split('</style>')[-1]


def test_one_panel_with_titles_and_colours():
    models = [entry('a', 2e8, 0.2) | {'title': 'My model', 'colour': '#123456'}]
    svg = pareto_plot([*models, entry('b', 9e8, 0.4)], METRIC, ['latency_ms'])
    assert 'My model' in svg and '#123456' in svg
    assert 'median latency' in svg and 'GFLOPs' not in svg


def test_names_point_inwards_and_do_not_cover_each_other():
    cheap, dear, same = label_places([1.0, 100.0, 90.0], [0.2, 0.8, 0.79])
    assert (cheap.side, dear.side, same.side) == ('left', 'right', 'right')
    assert cheap.up == dear.up and same.up == dear.up - 11
    assert label_places([1.0], [0.5])[0].side == 'left'
