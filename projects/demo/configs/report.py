# The report that `make demo` ends with; docs/report.md explains every entry.
title = 'mmdistill demo'
subtitle = (
    'EPIC-KITCHENS in miniature: clips of a hand that moves things, rendered on this machine. '
    'Experts for RGB, optical flow and detected boxes teach a student that sees RGB only.'
)
data_root = 'data/demo/'
expert_dir = 'work_dirs/demo'
work_dir = expert_dir  # of the report's files
test, holdout = f'{expert_dir}/test', f'{expert_dir}/holdout'

rgb = dict(test=f'{test}/rgb', holdout=f'{holdout}/rgb', train=f'{expert_dir}/rgb')
flow = dict(test=f'{test}/flow', holdout=f'{holdout}/flow', train=f'{expert_dir}/flow')
obj = dict(test=f'{test}/obj', holdout=f'{holdout}/obj', train=f'{expert_dir}/obj')
student = dict(test=f'{test}/student', holdout=f'{holdout}/student', train=f'{expert_dir}/student')
teacher = dict(test=f'{test}/teacher', holdout=f'{holdout}/teacher', train=f'{test}/teacher/log')
uniform = dict(test=f'{test}/teacher_uniform', holdout=f'{holdout}/teacher_uniform')
rgb_views = dict(dump=f'{expert_dir}/views/rgb', clips=5)
student_views = dict(dump=f'{expert_dir}/views/student', clips=5)

# The RGB expert is the RGB baseline: one training, shown in both places.
models = dict(
    rgb_baseline=dict(rgb, title='RGB baseline', role='baseline', views=rgb_views),
    student=dict(student, title='Student', role='student', views=student_views),
    rgb_expert=dict(rgb, title='RGB expert', role='expert'),
    flow_expert=dict(flow, title='Flow expert', role='expert'),
    obj_expert=dict(obj, title='Box expert', role='expert'),
    teacher=dict(teacher, title='Weighted teacher', role='teacher'),
    teacher_uniform=dict(uniform, title='Uniform teacher', role='teacher'),
)
detector = dict(
    config='projects/demo/configs/detector.py',
    checkpoint=f'{expert_dir}/detector/best*.pth',
    train=f'{expert_dir}/detector',
)
cost = dict(batch_sizes=(8,))
stages = f'{expert_dir}/stamps'
