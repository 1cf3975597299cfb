# A baseline of KARMMA: its student's network trained on labels alone, with modalities dropped.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/fusion/ek100_rgbflowobj.py',
    '../_base_/models/karmma_student_ek100_rgbflowobj.py',
    '../_base_/schedules/adamw_30e.py',
]

model = _base_.network
