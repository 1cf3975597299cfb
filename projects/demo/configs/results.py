# The rows of docs/results, in the order in which projects/demo/results.py trains them.
student, cache_views = (
    'projects/demo/configs/student.py',
    40,
)  # as many as epochs: as with live experts
views = dict(config='projects/demo/configs/rgb_views.py', clips=5, crops=3, of=['rgb', 'student'])

models = dict(title='Experts and controls', kind='trained')
by_teacher = dict(title='Students, by the experts that teach', kind='student')
by_weighting = dict(title='Students, by the weighting of the experts', kind='student')
by_temperature = dict(title='Students, by temperature', kind='student')
by_lambda = dict(title='Students, by λ', kind='student')
teachers = dict(title='Teachers', kind='teacher')
# Row to its part and title; then a config, or a point as tools/sweep.py has them.
rows = dict(
    rgb=[models, 'RGB: the baseline', 'projects/demo/configs/rgb.py'],
    flow=[models, 'flow', 'projects/demo/configs/flow.py'],
    obj=[models, 'boxes', 'projects/demo/configs/obj.py'],
    teacher_rgb_flow=[teachers, 'RGB + flow', dict(experts='rgb+flow')],
    teacher_rgb_obj=[teachers, 'RGB + boxes', dict(experts='rgb+obj')],
    teacher_flow_obj=[teachers, 'flow + boxes', dict(experts='flow+obj')],
    teacher=[teachers, 'all, softmin, γ = 1', dict(gamma=1)],
    teacher_gamma03=[teachers, 'all, softmin, γ = 0.3', dict(gamma=0.3)],
    teacher_gamma01=[teachers, 'all, softmin, γ = 0.1', dict(gamma=0.1)],
    teacher_uniform=[teachers, 'all, uniform', dict(weighting='uniform')],
    student=[by_teacher, 'all (γ = 1, T = 1, λ = 0.9)', dict(gamma=1)],
    student_rgb=[by_teacher, 'its own RGB expert alone', dict(experts='rgb')],
    smoothed=[models, 'RGB, label smoothing 0.1', 'projects/demo/configs/rgb_smoothed.py'],
    student_gamma03=[by_weighting, 'softmin, γ = 0.3', dict(gamma=0.3)],
    student_rgb_flow=[by_teacher, 'RGB + flow', dict(experts='rgb+flow')],
    student_rgb_obj=[by_teacher, 'RGB + boxes', dict(experts='rgb+obj')],
    student_flow_obj=[by_teacher, 'flow + boxes', dict(experts='flow+obj')],
    longer=[models, 'RGB, twice the epochs', 'projects/demo/configs/rgb_longer.py'],
    student_t2=[by_temperature, 'T = 2', dict(temperature=2)],
    student_lambda05=[by_lambda, 'λ = 0.5', {'lambda': 0.5}],
    student_t4=[by_temperature, 'T = 4', dict(temperature=4)],
    student_lambda1=[by_lambda, 'λ = 1', {'lambda': 1}],
    student_uniform=[by_weighting, 'uniform', dict(weighting='uniform')],
    student_gamma01=[by_weighting, 'softmin, γ = 0.1', dict(gamma=0.1)],
)
