"""The bars of a teacher's weights are as long as the weights."""

import pytest

from mmdistill.evaluation.figures import to_image
from mmdistill.evaluation.weights_figure import weights_figure

WEIGHTS = dict(verb=dict(rgb=0.2, flow=0.7, touch=0.1), noun=dict(rgb=1.0))


def test_every_task_has_a_panel_and_every_expert_a_bar():
    figure = weights_figure(WEIGHTS)
    for axes, (task, experts) in zip(figure.axes, WEIGHTS.items(), strict=True):
        assert axes.get_title(loc='left') == task
        assert [label.get_text() for label in axes.get_yticklabels()] == list(experts)
        lengths = [bar.get_width() for bar in axes.patches]
        assert lengths == pytest.approx([100 * weight for weight in experts.values()])
    image = to_image(figure)
    assert image.dtype == 'uint8' and image.ndim == 3 and image.shape[2] == 3
    assert image.std() > 10 and (image[0, 0] == 255).all()
