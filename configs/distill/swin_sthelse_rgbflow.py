# As swin_sthelse_rgbflowobj.py, with a teacher of RGB and flow alone.
_base_ = './swin_sthelse_rgbflowobj.py'

experts = {name: _base_.teacher.experts[name] for name in ('rgb', 'flow')}
teacher = dict(experts=dict(_delete_=True, **experts))
read = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow')))))
train_dataloader = read
holdout_dataloader = read
