"""Colours of models: the demo's, those of a role, and never twice while there are others."""

from mmdistill.evaluation.colours import ROLE_COLOURS, model_colours
from mmdistill.evaluation.figures import COLOURS, EXPERT_COLOURS


def row(name, role, *reads):
    return {'name': name, 'role': role, 'reads': list(reads)}


def test_known_names_and_modalities_keep_their_colour():
    rows = [row('student', 'student', 'rgb'), row('my_flow', 'expert', 'flow')]
    colours = model_colours(rows)
    assert colours == {'student': COLOURS['student'], 'my_flow': EXPERT_COLOURS['flow']}


def test_models_of_a_role_differ():
    rows = [row(f's{i}', 'student', 'rgb') for i in range(3)]
    rows += [row(f'x{i}', 'expert', 'audio') for i in range(3)]
    colours = model_colours(rows)
    assert [colours[f's{i}'] for i in range(3)] == list(ROLE_COLOURS['student'])
    assert len(set(colours.values())) == 6
    assert len(model_colours([row(f't{i}', 'teacher') for i in range(40)])) == 40
