# The teacher of swin_sthelse_rgbflowobj.py as a model of its own: it is tested without checkpoint.
_base_ = './swin_sthelse_rgbflowobj.py'

model = dict(_delete_=True, **_base_.teacher)
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
test_dataloader = everything
custom_hooks = [dict(type='mmdistill.TeacherWeightingHook')]
load_from = None
