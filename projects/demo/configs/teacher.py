# The teacher of the demo as a model of its own: evaluated like the student, with all modalities.
_base_ = './student.py'

model = dict(_delete_=True, **_base_.teacher)
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
test_dataloader = everything
custom_hooks = [dict(type='mmdistill.TeacherWeightingHook')]
