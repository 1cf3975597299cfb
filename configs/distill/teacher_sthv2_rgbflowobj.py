# The teacher of swin_sthv2_rgbflowobj.py as a model of its own: tools/test.py needs no checkpoint.
_base_ = './swin_sthv2_rgbflowobj.py'

model = dict(_delete_=True, **_base_.teacher)
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
test_dataloader = everything
custom_hooks = [dict(type='mmdistill.TeacherWeightingHook')]
load_from = None
