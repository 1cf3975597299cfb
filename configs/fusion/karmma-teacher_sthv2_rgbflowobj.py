# KARMMA's teacher: the experts of configs/unimodal, frozen, and a transformer over their tokens.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/fusion/sthv2_rgbflowobj.py',
    '../_base_/models/karmma_teacher.py',
    '../_base_/schedules/adamw_30e.py',
]

experts = dict(rgb='swin_sthv2_rgb', flow='swin_sthv2_flow', obj='stlt_sthv2_obj')
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
    cls_head=dict(heads=dict(action=dict(_base_.head, num_classes=174))),
)
