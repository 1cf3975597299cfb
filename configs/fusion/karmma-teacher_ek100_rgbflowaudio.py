# KARMMA's teacher: the experts of configs/unimodal, frozen, and a transformer over their tokens.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/fusion/ek100_rgbflowaudio.py',
    '../_base_/models/karmma_teacher.py',
    '../_base_/schedules/adamw_30e.py',
]

experts = dict(rgb='swin_ek100_rgb', flow='swin_ek100_flow', audio='swin_ek100_audio')
extractors = dict()
for key in experts:
    extractors[key] = dict(
        config=f'mmdistill::unimodal/{experts[key]}.py',
        checkpoint=f'work_dirs/{experts[key]}/best_*.pth',
        frozen=True,
    )
model = dict(
    extractors=extractors,
    fusion=dict(in_channels=dict.fromkeys(experts, 768)),
    cls_head=dict(
        heads=dict(verb=dict(_base_.head, num_classes=97), noun=dict(_base_.head, num_classes=300))
    ),
)
