# As swin_sthv2_rgbflowobj.py, with a teacher of RGB and boxes alone.
_base_ = './swin_sthv2_rgbflowobj.py'

experts = {name: _base_.teacher.experts[name] for name in ('rgb', 'obj')}
teacher = dict(experts=dict(_delete_=True, **experts))
read = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'obj')))))
train_dataloader = read
holdout_dataloader = read
