"""Headlines follow from the roles, whatever the models are called."""

from mmdistill.evaluation.cards import headline_cards, leading_pair

KEYS = ('acc/action/top1', 'calibration/action/ece', 'calibration/action/nll')


def row(name, role, top1=0.5, ece=0.1, **more):
    return {
        'name': name,
        'title': name.upper(),
        'role': role,
        KEYS[0]: top1,
        KEYS[1]: ece,
        KEYS[2]: 2.5,
    } | more


def cards(*rows, differences=(), detector=None):
    report = {'headline_task': 'action', 'rows': rows, 'differences': differences}
    return headline_cards(report | {'detector': detector})


def test_the_first_student_is_set_against_the_first_baseline():
    rows = [
        row('t', 'teacher'),
        row('b', 'baseline', 0.4),
        row('s', 'student'),
        row('s2', 'student'),
    ]
    lead, other = leading_pair(rows)
    assert (lead['name'], other['name']) == ('s', 'b')
    lower = [row('b', 'baseline', 0.6), row('s', 'student', 0.5)]
    difference = {'name': 's', 'intervals': {KEYS[0]: [-0.2, 0.01]}}
    gain, ece = cards(*lower, differences=[difference])
    assert gain['value'] == '−10.0' and '60.0 → 50.0' in gain['text']
    assert '−20.0 to +1.0; one training each, whose luck' in gain['text']
    assert ece['value'] == '10.0' and 'B 10.0 %; NLL 2.50, B 2.50' in ece['text']


def test_without_a_baseline_or_student_another_leads():
    (top1, _) = cards(row('e', 'expert', 0.25), row('t', 'teacher', 0.75))
    assert (top1['value'], top1['text']) == ('75.0', 'action top-1 of T')
    assert leading_pair([row('b', 'baseline')])[1] is None


def test_scaling_cost_of_the_teacher_and_detector_are_told_where_known():
    scaled = {'metrics': {KEYS[1]: 0.05}}
    student = row('s', 'student', scaled=scaled, latency_ms=2.0)
    _, ece, teacher, detector = cards(
        student, row('t', 'teacher', 0.75, latency_ms=9.0), detector={'ap50': 0.9}
    )
    assert ece['text'].endswith('after temperature scaling 5.0 %')
    assert teacher['text'].endswith('at 4.5× the latency')
    assert detector['value'] == '90.0'
