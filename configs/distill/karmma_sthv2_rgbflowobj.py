# KARMMA on Something-Something V2: RGB, flow and detections, any of which may be missing.
_base_ = [
    '../_base_/students/distilled.py',
    '../_base_/fusion/sthv2_rgbflowobj.py',
    '../_base_/models/karmma_student_sthv2_rgbflowobj.py',
    '../_base_/teachers/weighted.py',
]

every = dict(rgb='rgb', flow='flow', obj='obj')
model = dict(recognizer=_base_.network, modality=every)
fused = dict(config='mmdistill::fusion/karmma-teacher_sthv2_rgbflowobj.py', modality=every)
fused['checkpoint'] = 'work_dirs/karmma-teacher_sthv2_rgbflowobj/best_*.pth'
teacher = dict(experts=dict(fused=fused))
