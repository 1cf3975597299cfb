# The unimodal recognizer as a student: lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE.
_base_ = '../models/swin_tiny_ek100.py'

model = dict(
    _delete_=True,
    type='mmdistill.StudentRecognizer',
    recognizer=_base_.model,
    losses=dict(
        soft_target=dict(type='mmdistill.SoftTargetLoss', temperature=1.0, loss_weight=0.9)
    ),
    label_weight=0.1,
)
