# Any recognizer as a student on Something-Else: data, teacher, losses and the recipe.
# configs/distill adds the recognizer, whose head gets the 174 classes.
_base_ = ['./distilled.py', '../datasets/sthelse.py', '../teachers/sthelse_rgbflowobj.py']

model = dict(tasks=dict(action=174))

# The student reads RGB; flow and detections are for the teacher alone.
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
train_dataloader = everything
holdout_dataloader = everything
