# Any recognizer as a student on EPIC-KITCHENS-100: data, teacher, losses and the paper's recipe.
# configs/distill adds the recognizer, whose head becomes one for verbs and one for nouns.
_base_ = [
    '../default_runtime.py',
    '../datasets/ek100.py',
    '../teachers/ek100_rgbflowobj.py',
    '../schedules/adamw_30e.py',
]

# lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE
model = dict(
    type='mmdistill.StudentRecognizer',
    tasks=dict(verb=97, noun=300),
    losses=dict(
        soft_target=dict(type='mmdistill.SoftTargetLoss', temperature=1.0, loss_weight=0.9)
    ),
    label_weight=0.1,
)

# The student reads RGB; flow and detections are for the teacher alone.
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
train_dataloader = everything
holdout_dataloader = everything
