# Any recognizer as a student on Something-Else: data, teacher, losses and the recipe.
# configs/distill adds the recognizer, whose head gets the 174 classes.
_base_ = [
    '../default_runtime.py',
    '../datasets/sthelse.py',
    '../teachers/sthelse_rgbflowobj.py',
    '../schedules/adamw_30e.py',
]

# lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE
model = dict(
    type='mmdistill.StudentRecognizer',
    tasks=dict(action=174),
    losses=dict(
        soft_target=dict(type='mmdistill.SoftTargetLoss', temperature=1.0, loss_weight=0.9)
    ),
    label_weight=0.1,
)

# The student reads RGB; flow and detections are for the teacher alone.
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
train_dataloader = everything
holdout_dataloader = everything
