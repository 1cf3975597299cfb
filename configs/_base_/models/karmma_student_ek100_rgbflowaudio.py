# KARMMA's student with RGB, flow and sound, and the classes of EPIC-KITCHENS-100.
_base_ = './karmma_student.py'

network = dict(
    extractors=dict(_base_.rgbflow, audio=dict(_base_.frames, cfg_options=_base_.sound)),
    fusion=dict(in_channels=dict(rgb=432, flow=432, audio=432)),
    cls_head=dict(
        heads=dict(verb=dict(_base_.head, num_classes=97), noun=dict(_base_.head, num_classes=300))
    ),
)
