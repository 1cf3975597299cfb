# The experts of configs/unimodal, weighted on the holdout. `expert_dir` holds their work dirs.
expert_dir = 'work_dirs'

teacher = dict(
    type='mmdistill.MultimodalTeacher',
    experts=dict(
        rgb=dict(
            config='configs/unimodal/swin_sthelse_rgb.py',
            checkpoint='work_dirs/swin_sthelse_rgb/best_*.pth',
        ),
        flow=dict(
            config='configs/unimodal/swin_sthelse_flow.py',
            checkpoint='work_dirs/swin_sthelse_flow/best_*.pth',
        ),
        obj=dict(
            config='configs/unimodal/stlt_sthelse_obj.py',
            checkpoint='work_dirs/stlt_sthelse_obj/best_*.pth',
        ),
    ),
    weighting=dict(type='mmdistill.SoftminWeighting', temperature=1.0),
)
custom_hooks = [
    dict(type='mmdistill.DistillationLossHook'),
    dict(type='mmdistill.DistillationDiagnosticsHook'),
]
# A folder that tools/cache_teacher.py wrote, instead of running the experts.
teacher_cache = None
