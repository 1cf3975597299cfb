# What every teacher shares: the weighting on the holdout. `expert_dir` holds the work dirs.
expert_dir = 'work_dirs'

teacher = dict(
    type='mmdistill.MultimodalTeacher',
    weighting=dict(type='mmdistill.SoftminWeighting', temperature=1.0),
)
custom_hooks = [
    dict(type='mmdistill.DistillationLossHook'),
    dict(type='mmdistill.DistillationDiagnosticsHook'),
]
# A folder that tools/cache_teacher.py wrote, instead of running the experts.
teacher_cache = None
