# KARMMA's student with RGB, flow and detections, and the classes of EPIC-KITCHENS-100.
_base_ = './karmma_student.py'

network = dict(
    extractors=dict(_base_.rgbflow, obj=_base_.layout),
    fusion=dict(in_channels=dict(rgb=432, flow=432, obj=128)),
    cls_head=dict(
        heads=dict(verb=dict(_base_.head, num_classes=97), noun=dict(_base_.head, num_classes=300))
    ),
)
