# KARMMA on EPIC-KITCHENS-100: RGB, flow and sound, any of which may be missing.
_base_ = [
    '../_base_/students/distilled.py',
    '../_base_/fusion/ek100_rgbflowaudio.py',
    '../_base_/models/karmma_student_ek100_rgbflowaudio.py',
    '../_base_/teachers/weighted.py',
]

every = dict(rgb='rgb', flow='flow', audio='audio')
model = dict(recognizer=_base_.network, modality=every)
fused = dict(config='mmdistill::fusion/karmma-teacher_ek100_rgbflowaudio.py', modality=every)
fused['checkpoint'] = 'work_dirs/karmma-teacher_ek100_rgbflowaudio/best_*.pth'
teacher = dict(experts=dict(fused=fused))
