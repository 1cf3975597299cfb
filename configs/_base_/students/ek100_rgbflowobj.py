# Any recognizer as a student on EPIC-KITCHENS-100: data, teacher, losses and the recipe.
# configs/distill adds the recognizer, whose head becomes one for verbs and one for nouns.
_base_ = ['./distilled.py', '../datasets/ek100.py', '../teachers/ek100_rgbflowobj.py']

model = dict(tasks=dict(verb=97, noun=300))

# The student reads RGB; flow and detections are for the teacher alone.
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
train_dataloader = everything
holdout_dataloader = everything
